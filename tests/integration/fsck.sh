#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn fsck: nothing is wrong with a lake that was used, mounted or not; each damage is found, said, repaired where that
# takes nobody's only bytes, and gone then.
LIMIT=300
ALLOWED_ERRORS='packs are missing|undo: cannot be read|is another than'
. "$(dirname "$0")/lib.sh"
lake lake
up
mkdir "$B/folder"
for i in 1 2 3; do put "version $i" "$B/file"; done
head -c 200000 /dev/urandom >"$B/folder/changed"
sleep 0.1
printf here | dd of="$B/folder/changed" bs=1 seek=70000 conv=notrunc status=none
put gone "$B/gone"
rm "$B/gone"
ln -s nowhere "$B/link"
exits 0 "a lake in use is clean" within 10 "$TARN" fsck "$L"
like "$(cat "$FOLDER/out")" 'clean' "which is said"
down
exits 0 "and so it is when it is not mounted" "$TARN" fsck "$L"

# found WHAT PATTERN: fsck finds it, and does not call it repaired; --repair repairs it; then it is gone.
found()
{
	exits 4 "$1: it is found" "$TARN" fsck "$L"
	like "$(cat "$FOLDER/out")" "$2" "…and named"
	exits 1 "…repaired" "$TARN" fsck "$L" --repair
	like "$(cat "$FOLDER/out")" "$2.*repaired" "…which is said"
	exits 0 "…and gone then" "$TARN" fsck "$L"
}

echo orphan >"$L/versions/0a/fffff.1"
found "a file of a version that nobody knows" 'versions/0a/fffff\.1.*nobody knows'
is "$(cat "$L/lost+found/fffff.1")" orphan "its bytes are kept in lost+found"
head -c 100 /dev/zero >"$L/versions/packs/00000001.pack"
found "a pack that no row names" 'packs/00000001\.pack'
echo x >"$L/cache/1f-0123456789abcdef.part"
found "bytes of a recall that nobody needs" 'cache/1f-.*not needed'
ln -s /dev/null/tarn/x "$L/versions/0b/0b.1.stub"
found "a placeholder on its way" 'versions/0b/0b\.1\.stub.*on its way to'
echo x >"$L/temp/thing"
found "what something left in temp/" 'temp/thing'

kept=$(find "$L/versions" -type f -size -1000c -name '*.[0-9a-f]*' ! -name '*.undo' ! -path '*/packs/*' | sort | tail -n 1)
mv "$kept" "$FOLDER/kept"
found "an old version without its file" 'buckets/data/.*@v[0-9]+: its content is missing'
undo=$(find "$L/versions" -name '*.undo')
printf x | dd of="$undo" bs=1 seek=10 conv=notrunc status=none
exits 4 "a damaged undo file is found" "$TARN" fsck "$L"
like "$(cat "$FOLDER/out")" 'folder/changed@v1: .*damaged .cannot be repaired' "and named"
exits 4 "it stays as it is" "$TARN" fsck "$L" --repair
ok "with its bytes" test -s "$undo"
is "$("$TARN" fsck "$L" --json | jq -c '[.left, (.findings[] | select(.state == "left").remedy)]')" '[1,null]' "as JSON, too"

# what is done to the plain files while nothing is mounted is no damage, and is taken in
echo more >>"$B/file"
rm "$B/link"
is "$("$TARN" fsck "$L" --json | jq -c '[.notes, .left]')" '[2,1]' "changes made while it was not mounted are notes"
up
exits 4 "mounted, only the damage is left" "$TARN" fsck "$L"
is "$(grep -c . "$FOLDER/out")" 2 "and nothing else is told"
down

lake packed
export TARN_STORAGE_PACK_AFTER=0
up
for i in 1 2 3; do { seq 20000; echo "$i"; } >"$FOLDER/$i" && cp "$FOLDER/$i" "$B/file"; done
packed() { [ "$(fact versions_kept_packed)" -eq 2 ] && [ "$(find "$L/versions" -path '*/packs/*.pack' | wc -l)" -gt 0 ]; }
ok "versions are packed" within 30 packed
exits 0 "a lake with packs is clean" "$TARN" fsck "$L"
down
unset TARN_STORAGE_PACK_AFTER
pack=$(find "$L/versions/packs" -name '*.pack' | head -n 1)
cp "$pack" "$FOLDER/pack"
truncate -s -10 "$pack"
exits 4 "a pack that was cut off is found" "$TARN" fsck "$L"
like "$(cat "$FOLDER/out")" 'packs/.*the pack has [0-9]+ bytes, not' "and named"
cp "$FOLDER/pack" "$pack"
exits 0 "what is there again is right" "$TARN" fsck "$L"
rm "$pack"
found "a pack that is missing" 'packs/.*the pack is missing'

exits 8 "no lake is not clean" "$TARN" fsck "$FOLDER/nothing"
