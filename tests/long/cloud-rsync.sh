#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lake of 5 GiB on a disk of 1 GiB, most of it in the cloud, with a real S3 server: rsync -a of all of it is right and
# does not fill the disk, a second rsync transfers nothing, and an indexer reads all of it without a download.
# RSYNC_MIB (1024): the disk's size.
if [ -z "${RSYNC_INNER:-}" ]; then
	. "$(dirname "$0")/lib.sh"
	need_root
	need rsync rsync
	need radosgw "radosgw ceph-mon ceph-osd ceph-common"
	RSYNC_INNER=yes TMPDIR=$WORK TARN_SOURCE=$(cd "$HERE/../.." && pwd) TARN_BUILD=$WORK bash "$0" >"$WORK/rsync.log" 2>&1
	grep -E '^(ok|not ok|#) ' "$WORK/rsync.log"
	"$HERE/../s3/rgw" stop "$WORK/s3-server"
	exit
fi
disk=${RSYNC_MIB:-1024}
LIMIT=$((300 + disk * 3))
. "$(dirname "$0")/../integration/lib.sh"
. "$(dirname "$0")/../integration/cloud-lib.sh"

cloud s3 faulty
faults '[]'
truncate -s "${disk}M" "$FOLDER/disk"
mkdir "$FOLDER/small" "$FOLDER/copy"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
lake small/lake
half=$(awk -v mib="$disk" 'BEGIN { printf "%.6f", mib / 2 * 1048576 / 1e9 }')
settings "storage: {local_capacity_gb: $half, cloud_burst_enabled: true, min_age: 1}" 'buckets: {raw-data: {tier: local}}'
mkdir "$M/raw-data"
up

# Small, middle and large files, five disks in all.
head -c "$((disk / 32))M" /dev/urandom >"$FOLDER/random"
make() # NAME BYTES
{
	mkdir -p "$M/raw-data/${1%/*}"
	{ echo "file $1"; head -c "$2" "$FOLDER/random"; } >"$FOLDER/one"
	echo "$(sha256sum <"$FOLDER/one" | cut -d' ' -f1)  $1" >>"$FOLDER/sums"
	cp "$FOLDER/one" "$M/raw-data/$1" && touch -d "2020-01-01 00:00:0$((RANDOM % 10))" "$M/raw-data/$1"
}
make_all()
{
	local i
	for ((i = 0; i < 1000; i++)); do make "small/$((i % 10))/f$i" $((i * 20)) || return 1; done
	for ((i = 0; i < 200; i++)); do make "middle/f$i" $((disk * 1024)) || return 1; done
	for ((i = 0; i < 150; i++)); do make "large/f$i" $((disk * 32768)) || return 1; done
}
low() { [ "$(fact local_use_bytes)" -le "$(fact local_threshold_bytes)" ] && [ "$(fact cloud_waiting)" = 0 ]; }
stubs() { fact files_cloud; }
sent() { s3_counts .requests; }

began=$SECONDS
ok "$((disk * 150 / 32 + disk * 200 / 1024)) MiB are copied to a disk of $disk" make_all || {
	{ "$TARN" tier status "$L"; du -sm "$FOLDER/small/lake"/* "$L"/*; } 2>&1 | note
	exit 1
}
echo "# in $((SECONDS - began)) s"
ok "local use comes down to the threshold by itself" within 180 low
echo "# $(wc -l <"$FOLDER/sums") files, $(stubs) in the cloud alone; local use $(fact local_use_bytes), threshold $(fact local_threshold_bytes)"
down
up

# ---- an indexer ----
cp "$(command -v cat)" "$FOLDER/tumblerd"
faults '[]'
find "$M/raw-data" -type f -exec "$FOLDER/tumblerd" {} + >/dev/null 2>"$FOLDER/denied"
echo "# the indexer got 'No data available' of $(grep -c 'No data available' "$FOLDER/denied") files"
is "$(s3_counts '[.log[] | select(startswith("GET"))] | length')" 0 'an indexer that reads all of it downloads nothing'

# ---- rsync ----
least=$disk
watch_disk()
{
	local free least=$disk
	while sleep 0.2; do
		free=$(df --output=avail -m "$FOLDER/small" | tail -1)
		[ "$free" -ge "$least" ] || { least=$free; echo "$least" >"$FOLDER/least"; }
	done
}
watch_disk &
watcher=$!
began=$SECONDS
ok 'rsync -a of all of it' rsync -a "$M/raw-data/" "$FOLDER/copy/"
echo "# in $((SECONDS - began)) s"
kill "$watcher" && wait "$watcher" 2>/dev/null
ok 'every file has the right bytes' env -C "$FOLDER/copy" sha256sum -c --quiet "$FOLDER/sums"
least=$(cat "$FOLDER/least")
echo "# the disk of $disk MiB had never less than $least MiB free; now $(stubs) files are in the cloud alone"
ok 'the disk was not filled' [ "$least" -gt $((disk / 32)) ]
ok 'local use is below the threshold' within 180 low
is "$(rsync -ai "$M/raw-data/" "$FOLDER/copy/" | wc -l)" 0 'a second rsync finds nothing to transfer'
down
s3 empty "$CLOUD_BUCKET"
ok "unmounted" umount "$FOLDER/small"
