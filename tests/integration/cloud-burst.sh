#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A small disk with a real S3 server behind it, and five times as much copied in with cp: no ENOSPC, nobody does
# anything, and afterwards all of it is there. BURST_MIB (96): the disk's size; tests/long/cloud-burst.sh takes 1 GiB.
disk=${BURST_MIB:-96}
LIMIT=$((120 + disk * 2))
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
need_root

cloud s3
truncate -s "${disk}M" "$FOLDER/disk"
mkdir "$FOLDER/small" "$FOLDER/source"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
lake small/lake
half=$(awk -v mib="$disk" 'BEGIN { printf "%.6f", mib / 2 * 1048576 / 1e9 }')
settings "storage: {local_capacity_gb: $half, cloud_burst_enabled: true, cloud_burst_threshold_percent: 80,
  cloud_burst_target_percent: 70, min_age: 1}" 'buckets:
  raw-data: {tier: local, retention_days: 90, purpose: Landing zone for raw data ingestion, auto_catalog: true, exclude: ["*.tmp"]}
  archive: {tier: cloud, retention_days: 1095, auto_catalog: false}'
mkdir "$M/raw-data" "$M/archive"
up

size=$((disk / 32)) # MiB of a file: 160 of them are five disks
head -c "${size}M" /dev/urandom >"$FOLDER/random"
copy() # N
{
	{ echo "file $1"; cat "$FOLDER/random"; } >"$FOLDER/source/f$1"
	(cd "$FOLDER/source" && sha256sum "f$1") >>"$FOLDER/sums"
	cp "$FOLDER/source/f$1" "$M/raw-data/f$1" || return 1
	rm "$FOLDER/source/f$1"
}
copy_all() { for i in $(seq 160); do copy "$i" || return 1; done; }
low() { [ "$(fact local_use_bytes)" -le "$(fact local_threshold_bytes)" ] && [ "$(fact cloud_waiting)" = 0 ]; }
archived() { [ "$(find "$M/archive" -name file -printf '%b')" = 1 ]; }

cp "$FOLDER/random" "$M/archive/file"
ok "archive leaves without waiting" within 60 archived
began=$SECONDS
ok "$((size * 160)) MiB are copied to a disk of $disk" copy_all
echo "# in $((SECONDS - began)) s"
ok "local use comes down to the threshold by itself" within 120 low
echo "# local use $(fact local_use_bytes), threshold $(fact local_threshold_bytes), in the cloud $(fact files_cloud) files"
ok "every file has the right bytes" env -C "$M/raw-data" sha256sum -c --quiet "$FOLDER/sums"
ok "and it is as low again" within 120 low
plain() { for i in 1 80; do object "raw-data/f$i" | cmp -s - <(echo "file $i"; cat "$FOLDER/random") || return 1; done; }
ok "objects are plain" plain
is "$(comm -23 <(objects raw-data/) <(cd "$M/raw-data" && find . -type f -printf 'raw-data/%P\n' | sort) | wc -l)" 0 \
	"and have the files' names"
larger() { head -c "$((disk + 20))M" /dev/zero >"$M/raw-data/larger"; }
fails_with_enospc() { ! larger 2>"$FOLDER/error" && grep -q 'No space left' "$FOLDER/error"; }
ok "a file larger than the disk: ENOSPC, as on the disk" fails_with_enospc
rm -f "$M/raw-data/larger"
down
up
ok "all is there after the next mount" env -C "$M/raw-data" sha256sum -c --quiet <(shuf -n 10 --random-source="$FOLDER/random" "$FOLDER/sums")
down
s3 empty "$CLOUD_BUCKET"
ok "unmounted" umount "$FOLDER/small"
