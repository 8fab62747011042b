#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Old versions of files that were uploaded are not forgotten when the disk is short of space: their local bytes go, and
# they are read from the cloud.
LIMIT=300
. "$(dirname "$0")/lib.sh"
need_root
truncate -s 96M "$FOLDER/disk"
mkdir "$FOLDER/small" "$FOLDER/remote"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
lake small/lake
cat >"$L/config/settings.yaml" <<YAML
storage: {local_capacity_gb: 0.048, history_budget_gb: 10, pack_after: 3600, cloud_burst_threshold_percent: 80, min_age: 0}
buckets: {data: {tier: mirror}}
hybrid_storage: {cloud_provider: dir, cloud_path: "$FOLDER/remote", cloud_prefix: lake}
YAML
up

head -c 4M /dev/urandom >"$FOLDER/random"
content() { echo "$1"; cat "$FOLDER/random"; }
uploaded() { [ "$(fact cloud_waiting)" = 0 ] && content "$1" | cmp -s - "$FOLDER/remote/lake/data/file"; }
rewrite() # N: the next content of the file, once the cloud has the one before
{
	content "$1" >"$B/file" && within 20 uploaded "$1"
}
rewrite_all() { for i in $(seq 14); do rewrite "$i" || return 1; done; }
low() { [ "$(fact local_use_bytes)" -le "$(fact local_threshold_bytes)" ]; }
is_version() { content "$1" | cmp -s - "$B/file@v/$1"; }
all_versions() { for i in $(seq 14); do is_version "$i" || { echo "# version $i"; return 1; }; done; }

ok "14 contents of 4 MiB, one after the other, above the threshold" rewrite_all
ok "the lake comes down to the threshold" within 30 low
is "$(find "$B/file@v/" -type f | wc -l)" 14 "every version is listed"
ok "and has its bytes" all_versions
ok "some of them are only in the cloud" test "$(fact versions_kept_cloud)" -gt 4
is "$(grep -c '"state":"expired"' "$B/file@v/history.jsonl")" 0 "none expired"
rm "$B/file"
ok "of a deleted file, too" within 10 all_versions
down
up
ok "and after the next mount" all_versions
is "$(log_lines ERROR)" 0 "nothing went wrong"
down
ok "unmounted" umount "$FOLDER/small"
