#!/bin/bash
# What is written to a large stub waits for none of its bytes: with the cloud out of reach it is written, read, synced,
# survives kill -9, and becomes a version of the whole file when the cloud is back. touch(1) recalls nothing.
# shellcheck disable=SC2016
ALLOWED_ERRORS='cannot be reached|No such file|stays in the cloud'
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
SIZE=20000000

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
for f in appended inside read gone replaced; do
	head -c $SIZE /dev/urandom >"$B/$f"
done
head -c 5000 /dev/urandom >"$B/small"
head -c $SIZE /dev/urandom >"$B/all"
mkdir "$FOLDER/was"
cp "$B"/* "$FOLDER/was"
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
RAW=$FOLDER/raw/buckets/data
stub() { [ -L "$RAW/$1" ]; }
back() { [ -f "$RAW/$1" ] && [ ! -L "$RAW/$1" ]; }
write() { python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR)
for at in sys.argv[2:]:
    os.pwrite(fd, ("<%s>" % at).encode(), int(at))
os.fsync(fd)
os.close(fd)' "$@"; }
up

# ---- the cloud is out of reach ----
mv "$CLOUD_DIR" "$FOLDER/away"
ok 'touch needs no byte' touch -d '2001-02-03 04:05:06' "$B/appended" "$B/small"
is "$(stat -c %Y "$B/appended" "$B/small" | sort -u)" "$(date -d '2001-02-03 04:05:06' +%s)" 'and has set the time'
ok 'nor does an append' sh -c 'printf "the end\n" >>"$1"' sh "$B/appended"
printf 'the end\n' >>"$FOLDER/was/appended"
is "$(stat -c %s "$B/appended")" $((SIZE + 8)) 'the file is longer by that'
is "$(tail -c 8 "$B/appended")" 'the end' 'which can be read'
ok 'nor a write in the midst' write "$B/inside" 0 9999990 19999999 20000100
write "$FOLDER/was/inside" 0 9999990 19999999 20000100
is "$(tail -c +20000011 "$B/inside" | head -c 90 | tr -d '\0')" '' 'what is between the old end and the new is zeros'
ok 'nor all of it, bit by bit' dd if="$FOLDER/was/read" of="$B/all" bs=1M conv=notrunc,fsync status=none
ok 'what was not written cannot be read now' sh -c '! cat "$1" >/dev/null 2>&1' sh "$B/inside"
ok 'all of them are stubs' sh -c 'stub() { [ -L "$0/$1" ]; }; stub appended && stub inside && stub small' "$RAW"
ok 'what was written whole needs no cloud' "$TARN" recall "$B/all"
ok 'it is a file' back all
ok 'and is right' cmp "$B/all" "$FOLDER/was/read"
ok 'a move costs nothing either' mv "$B/inside" "$B/moved"
ok 'nor a mode' chmod 600 "$B/moved"
crash
up
is "$(stat -c '%s %a' "$B/moved")" "$(stat -c %s "$FOLDER/was/inside") 600" 'after kill -9 it is as long'
is "$(tail -c 10 "$B/moved")" '<20000100>' 'with what was synced'
is "$(tail -c 8 "$B/appended")" 'the end' 'and the other, too'
ok 'and more can be added' sh -c 'printf "more\n" >>"$1"' sh "$B/appended"
printf 'more\n' >>"$FOLDER/was/appended"
down
up
is "$(tail -c 5 "$B/appended")" 'more' 'it survives an unmount'

# ---- it is back ----
mv "$FOLDER/away" "$CLOUD_DIR"
ok 'what is read is old and new' cmp "$B/moved" "$FOLDER/was/inside"
ok 'the file becomes whole' "$TARN" recall "$B/moved" "$B/appended"
ok 'in its place' back moved
ok 'with the same bytes' cmp "$B/moved" "$FOLDER/was/inside"
ok 'and the other' cmp "$B/appended" "$FOLDER/was/appended"
is "$(find "$FOLDER/raw/cache" -name '*.draft*' | wc -l)" 0 'nothing is left of what was beside it'
second() { [ -n "$(ls "$B/appended@v/2" 2>/dev/null)" ]; }
ok 'it is a version' within 20 second
head -c $SIZE "$FOLDER/was/appended" >"$FOLDER/first"
ok 'and the one before is in the cloud' cmp "$B/appended@v/1" "$FOLDER/first"

# ---- what goes while it is one ----
printf 'x' >>"$B/gone"
printf 'x' >>"$FOLDER/was/gone"
ok 'what was written is a version before it is removed' rm "$B/gone"
ok 'so it can be read' cmp "$B/gone@v/2" "$FOLDER/was/gone"
printf 'x' >>"$B/replaced"
printf 'x' >>"$FOLDER/was/replaced"
echo new >"$B/other"
ok 'or replaced' mv "$B/other" "$B/replaced"
ok 'the same' cmp "$B/replaced@v/2" "$FOLDER/was/replaced"
ok 'a small one comes back when it is written' sh -c 'printf x >>"$1"' sh "$B/small"
ok 'it did' back small
is "$(stat -c %s "$B/small")" 5001 'and is longer'
quiet() { [ "$(fact cloud_waiting)" = 0 ] && [ "$(fact jobs)" = 0 ]; }
within 20 quiet # an upload that does not end is told of
down
ok 'fsck finds nothing wrong' "$TARN" fsck "$L"
umount "$FOLDER/raw"
