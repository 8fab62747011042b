#!/bin/bash
# What is only in the cloud is read as its bytes come: the right bytes, few of them for who wants few, and nobody else
# waits. What was read whole is a plain file again.
# shellcheck disable=SC2016
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
for f in big middle tarred small versions gone killed sparse; do
	head -c 20000007 /dev/urandom >"$B/$f"
done
truncate -s 15000000 "$B/sparse" && truncate -s 20000007 "$B/sparse" # a quarter of it is a hole
head -c 500000 /dev/urandom >"$B/small"
seq 9999 >"$B/tiny"
(cd "$B" && sha256sum -- *) >"$FOLDER/sums"
head -c 100 "$B/gone" | base64 >"$FOLDER/head"
tail -c 100 "$B/gone" | base64 >"$FOLDER/tail"
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
RAW=$FOLDER/raw/buckets/data
up

sum() { sha256sum <"$1" | cut -d' ' -f1; }
wanted() { grep -E " $1\$" "$FOLDER/sums" | cut -d' ' -f1; }
cached() { du -sk "$FOLDER/raw/cache" | cut -f1; } # KiB

# ---- few bytes ----
before=$(cached)
dd if="$B/middle" of="$FOLDER/part" bs=64K skip=305 count=1 2>/dev/null
ok 'what lies in the middle is kept in part' test $(($(cached) - before)) -le 2048
ok 'and is no file yet' test -L "$RAW/middle"
is "$(sum "$B/middle")" "$(wanted middle)" 'the rest follows'
is "$(dd if="$B/middle" bs=64K skip=305 count=1 2>/dev/null | cmp - "$FOLDER/part" && echo same)" same 'what was read first was right'

# ---- ends ----
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
is "$(head -c 100 "$B/gone" | base64)" "$(base64 -d <"$FOLDER/head" | base64)" 'head(1) needs no remote'
is "$(tail -c 100 "$B/gone" | base64)" "$(base64 -d <"$FOLDER/tail" | base64)" 'nor does tail(1)'
is "$(sum "$B/tiny")" "$(wanted tiny)" 'what is all head and tail is read without one'
like "$(file -b "$B/tiny")" text 'so it is known what it is'
mv "$CLOUD_DIR.away" "$CLOUD_DIR"
ok 'they are stubs still' test -L "$RAW/gone" -a -L "$RAW/tiny"

# ---- all of them ----
is "$(sum "$B/big")" "$(wanted big)" 'a large file is read in order'
ok 'then it is a plain file again' within 10 sh -c 'test -f "$1" && test ! -L "$1"' sh "$RAW/big"
is "$(sum "$RAW/big")" "$(wanted big)" 'with its bytes'
is "$(sum "$B/big")" "$(wanted big)" 'which are read there'
is "$(sum "$B/small")" "$(wanted small)" 'one that is not large'
ok 'comes back, too' within 10 test ! -L "$RAW/small"
is "$(tar -C "$B" -cf - tarred | tar -xOf - | sha256sum | cut -d' ' -f1)" "$(wanted tarred)" 'tar'
cp --sparse=always "$B/sparse" "$FOLDER/sparse"
is "$(sum "$FOLDER/sparse")" "$(wanted sparse)" 'cp --sparse=always'
plain() { test -f "$RAW/sparse" && test ! -L "$RAW/sparse"; }
ok 'what was sparse is a plain file again' within 10 plain
ok 'and is sparse' test "$(($(stat -c %b "$RAW/sparse") / 2))" -lt 17000

# ---- a version of the past ----
echo new >"$B/versions"
is "$(cat "$B/versions")" new 'a stub is overwritten'
is "$(sum "$B/versions@v/1")" "$(wanted versions)" 'what it was is read from the cloud'
is "$(dd if="$B/versions@v/1" bs=64K skip=305 count=1 2>/dev/null | sha256sum | cut -d' ' -f1)" \
	"$(dd if="$CLOUD_DIR/pre/data/versions" bs=64K skip=305 count=1 2>/dev/null | sha256sum | cut -d' ' -f1)" 'its middle, too'

# ---- a daemon that is killed meanwhile ----
head -c 15000000 "$B/killed" | sha256sum >"$FOLDER/first"
sleep 3
crash
up
ok 'what it had is there' test "$(cached)" -ge 14000
is "$(sum "$B/killed")" "$(wanted killed)" 'the next daemon goes on with it'

# ---- no remote ----
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
began=$SECONDS
ok 'without the remote it cannot be read' sh -c '! cat "$1" >/dev/null 2>"$2"' sh "$B/gone" "$FOLDER/error"
ok 'which is said in time' test $((SECONDS - began)) -le 30
began=$SECONDS
ok 'nobody else waits' timeout 5 ls -l "$B"
mv "$CLOUD_DIR.away" "$CLOUD_DIR"
ok 'when it is back it is read' within 10 equal "$(wanted gone)" sum "$B/gone"

down
umount "$FOLDER/raw"
