#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# compress: zstd of a bucket: objects are smaller and named so, what gains nothing is as it is, and every way that leads
# to the bytes gives the file's own.
LIMIT=300
ALLOWED_ERRORS='the object is damaged'
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
cloud dir
export TARN_HYBRID_STORAGE_METADATA_INTERVAL=1
lake lake
settings 'buckets: {data: {tier: mirror, compress: zstd}}' 'storage: {min_age: 0}'
up
seq 1500000 >"$B/text" # 10.9 MB
head -c 300000 /dev/urandom >"$B/noise"
seq 30000 >"$B/small"
echo tiny >"$B/tiny"
seq 40000 >"$B/old"
(cd "$B" && sha256sum -- *) >"$FOLDER/sums"
uploaded() { [ "$(fact files_both)" = "$1" ] && [ "$(fact cloud_waiting)" = 0 ]; }
ok "all files are in the cloud" within 20 uploaded 5
is "$(objects | tr '\n' ' ')" "data/noise data/old.zst data/small.zst data/text.zst data/tiny " "what gains by it is compressed"
ok "little is left" test "$(object data/text.zst | wc -c)" -lt 1000000
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
cached() { du -sk "$FOLDER/raw/cache" | cut -f1; } # KiB

ok "nobody looks into them" within 20 equal 0 fact jobs
ok "they leave" "$TARN" evict "$B"
is "$("$TARN" tier plan --read "$B/text" --json | jq '[.bytes > 10000000, .transfer_bytes < 1000000]' -c)" '[true,true]' \
	"a plan counts what is moved"
before=$(cached)
is "$(dd if="$B/text" bs=64K skip=70 count=1 status=none | md5sum)" "$(seq 1500000 | dd bs=64K skip=70 count=1 iflag=fullblock status=none | md5sum)" \
	"64 KiB from the middle are right"
ok "and bring little" test $(($(cached) - before)) -le 2048
ok "so is all" diff "$FOLDER/sums" <(cd "$B" && sha256sum -- *)
mv "$B/small" "$B/renamed"
moved() { [ "$(objects 'data/(small|renamed)')" = data/renamed.zst ]; }
ok "an object follows its name" within 20 moved
echo new >"$B/old"
ok "what comes next is uploaded" within 20 equal new object data/old
is "$(sha256sum <"$B/old@v/1" | cut -c1-64)" "$(seq 40000 | sha256sum | cut -c1-64)" "the version before it can be read"
exits 0 "fsck finds nothing wrong" "$TARN" fsck "$L" --remote
exits 0 "nor does scrub" "$TARN" scrub "$L" --cloud
ok "all leave again" "$TARN" evict "$B"
commit() { "$TARN" status "$L" --json | jq .commit; }
now=$(commit)
ok "the record is copied" within 30 record_copied "$now"
down
umount "$FOLDER/raw"

rm -rf "$L"
exits 0 "a new machine gets all of it" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L" --all
sed -i 's/ small$/ renamed/; / old$/d' "$FOLDER/sums"
ok "with the right bytes" diff <(sort "$FOLDER/sums") <(cd "$B" && sha256sum text noise renamed tiny | sort)
rm -rf "$L"
"$TARN" restore-lake "$CLOUD_DIR/pre" "$L" >/dev/null
time=$(stat -c %y "$CLOUD_DIR/pre/data/text.zst")
printf xxxx | dd of="$CLOUD_DIR/pre/data/text.zst" bs=1 seek=300000 conv=notrunc status=none
touch -d "$time" "$CLOUD_DIR/pre/data/text.zst"
up
fails EIO "a damaged object is an error" cat "$B/text"
is "$(dd if="$B/text" bs=64K skip=140 count=1 status=none | md5sum)" "$(seq 1500000 | dd bs=64K skip=140 count=1 iflag=fullblock status=none | md5sum)" \
	"what is not damaged can be read"
down
