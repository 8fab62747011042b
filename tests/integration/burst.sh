#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A small disk, and more copied in than it holds: files leave for the cloud by themselves, whoever writes is slowed down
# at most, and everything can be read.
LIMIT=300
. "$(dirname "$0")/lib.sh"
need_root
truncate -s 128M "$FOLDER/disk"
mkdir "$FOLDER/small" "$FOLDER/remote"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
lake small/lake
cat >"$L/config/settings.yaml" <<YAML
storage: {local_capacity_gb: 0.064, cloud_burst_enabled: true, cloud_burst_threshold_percent: 80, min_age: 1}
buckets: {data: {tier: local}, archive: {tier: cloud}, kept: {tier: pinned}}
hybrid_storage: {cloud_provider: dir, cloud_path: "$FOLDER/remote", cloud_prefix: lake}
YAML
mkdir "$M/archive" "$M/kept"
up

head -c 4M /dev/urandom >"$FOLDER/random"
copy() # N: a file of 4 MiB, with its sum noted
{
	{ echo "$1"; cat "$FOLDER/random"; } >"$FOLDER/file"
	(cd "$FOLDER" && sha256sum file | sed "s, file, $B/f$1,") >>"$FOLDER/sums"
	cp "$FOLDER/file" "$B/f$1"
}
copy_all() { for i in $(seq 60); do copy "$i" || return 1; done; }
low() { [ "$(fact local_use_bytes)" -le "$(fact local_threshold_bytes)" ] && [ "$(fact cloud_waiting)" = 0 ]; }
stubs() { find "$1" -name "$2" -printf '%b\n' | grep -c '^1$'; }
same_object() { cmp -s "$FOLDER/remote/lake/data/f$1" <(echo "$1"; cat "$FOLDER/random"); }

cp "$FOLDER/random" "$M/kept/file"
cp "$FOLDER/random" "$M/archive/file"
ok "240 MiB are copied to a disk of 128" copy_all
ok "what the lake uses comes down to the threshold by itself" within 30 low
ok "most files have left" test "$(fact files_cloud)" -gt 40
is "$(stubs "$M/archive" file)" 1 "a file of a cloud bucket left at once"
is "$(stubs "$M/kept" file)" 0 "one of a pinned bucket did not"
ok "their objects are plain" same_object 1
is "$(find "$B" -type f | wc -l)" 60 "all names are there"
is "$(stat -c %s "$B/f7")" $((4194304 + 2)) "with their sizes"
ok "every one has the right bytes" sha256sum -c --quiet "$FOLDER/sums"
ok "after which the disk is not full" within 30 low
down
up
ok "nor are they others after the next mount" sha256sum -c --quiet "$FOLDER/sums"
is "$(log_lines ERROR)" 0 "nothing went wrong"
down
ok "unmounted" umount "$FOLDER/small"
