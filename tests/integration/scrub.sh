#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn scrub: all right bytes pass; a byte that changed by itself is found wherever it lies, put right where another copy is
# there, and told of where none is. What was changed by somebody is no damage.
LIMIT=300
ALLOWED_ERRORS='scrub: .*nothing else has its content|packed content .* cannot be read|undo: cannot be read'
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
cloud dir
lake lake
settings 'buckets: {data: {tier: mirror}, here: {tier: local}}' 'storage: {min_age: 0}'
mkdir "$M/here"
up
head -c 3000000 /dev/urandom >"$B/uploaded"
head -c 300000 /dev/urandom >"$M/here/alone"
cp "$M/here/alone" "$FOLDER/alone"
echo twin >"$M/here/one"
cp "$M/here/one" "$M/here/two"
for i in 1 2 3; do seq "$i" 20000 >"$M/here/old"; done
seq 1 5000 >"$M/here/log"
seq 5000 6000 >>"$M/here/log"
head -c 200000 /dev/zero | tr '\0' 'a' >"$M/here/in-place"
sleep 0.1
printf here | dd of="$M/here/in-place" bs=1 seek=70000 conv=notrunc status=none
settled() { [ "$(fact files_both)" = 1 ] && [ "$(fact unsettled)" = 0 ] && [ "$(fact jobs)" = 0 ]; }
ok "all is settled, and hashed" within 20 settled
sum=$(sha256sum <"$B/uploaded")
scrub() { "$TARN" scrub "$L" "$@" 2>&1; }
exits 0 "all is right" scrub --cloud
like "$(cat "$FOLDER/out")" 'done: [0-9]+ contents.* 0 damaged, 0 repaired' "which is said"
is "$(fact scrub)" "done" "and told by stats.json"
down

# flip FILE OFFSET: a byte changes, and nothing else tells of it.
flip()
{
	local time
	time=$(stat -c %y "$1")
	python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2])); b = f.read(1)
f.seek(int(sys.argv[2])); f.write(bytes([b[0] ^ 1]))' "$1" "$2" && touch -d "$time" "$1"
}
flip "$L/buckets/data/uploaded" 1234567
exits 1 "a live file that the cloud has, too, is put right" scrub
like "$(cat "$FOLDER/out")" 'buckets/data/uploaded@v1: .*put right' "which is said"
is "$(sha256sum <"$L/buckets/data/uploaded")" "$sum" "it has its bytes"
exits 0 "and all is right again" scrub
flip "$L/buckets/here/two" 1
up
exits 1 "so is one whose content another file has, with the lake in use" scrub
is "$(cat "$M/here/two")" twin "it has its bytes"
echo changed >"$M/here/one"
echo "and more" >>"$M/here/log"
exits 0 "what is changed by somebody is no damage" scrub
down
flip "$L/buckets/here/alone" 200000
exits 4 "what nothing else has is told of" scrub
like "$(cat "$FOLDER/out")" 'here/alone@v1: its content is not what it was: it stays' "by its name"
is "$(cmp -l "$L/buckets/here/alone" "$FOLDER/alone" | wc -l)" 1 "and stays as it is"
like "$("$TARN" scrub "$L" --status)" 'here/alone@v1.*1 damaged' "--status says it, too"
like "$("$TARN" doctor "$L" 2>&1)" '1 are damaged, and nothing else.*here/alone' "and doctor"
flip "$L/buckets/here/alone" 200000
exits 0 "until it is right" scrub

old=$(grep -lx 20000 "$L"/versions/*/*.* | head -n 1)
flip "$old" 10
exits 4 "an old version that is damaged is found" scrub
like "$(cat "$FOLDER/out")" 'here/old@v[12]: its content' "and named"
flip "$old" 10
undo=$(find "$L/versions" -name '*.undo')
flip "$undo" 1000
exits 4 "saved bytes of one that was overwritten in place, too" scrub
like "$(cat "$FOLDER/out")" 'here/in-place@v1: its content' "by its name"
flip "$undo" 1000
flip "$CLOUD_DIR/pre/data/uploaded" 5
exits 0 "the cloud is read only when that is asked for" scrub
exits 1 "an object whose file is here" scrub --cloud
like "$(cat "$FOLDER/out")" 'pre/data/uploaded: .*uploaded again' "is uploaded again"
up
same_again() { cmp -s "$B/uploaded" "$CLOUD_DIR/pre/data/uploaded"; }
ok "at the next mount" within 20 same_again
timeout -s INT 1 "$TARN" scrub "$L" --again --rate 0.3 >"$FOLDER/said" 2>&1
like "$(cat "$FOLDER/said")" 'goes on here' "one that is interrupted"
exits 0 "is ended by the next" scrub --rate 0
down

lake packed
export TARN_STORAGE_PACK_AFTER=0
up
for i in 1 2; do seq "$i" 200000 >"$B/file"; done
seq 3 200000 >"$B/file"
packed() { [ "$(fact versions_kept_packed)" -eq 2 ] && [ "$(find "$L/versions" -path '*/packs/*.pack' | wc -l)" -gt 0 ]; }
ok "old versions are packed" within 30 packed
down
unset TARN_STORAGE_PACK_AFTER
exits 0 "packs that are right" scrub
for pack in "$L"/versions/packs/*.pack; do flip "$pack" 1000; done
exits 4 "a byte in a pack is found" scrub
like "$(cat "$FOLDER/out")" 'data/file@v1: its content in a pack is damaged' "and what it is of"
up
cp <(seq 1 200000) "$B/again"
ok "when a file has the same content" within 20 equal 0 fact jobs
down
exits 5 "one of the two is put right" scrub
like "$(cat "$FOLDER/out")" 'data/file@v1: its content in a pack is damaged: its bytes were put right' "which is said"
up
ok "and can be read" cmp "$B/file@v/1" <(seq 1 200000)
down
