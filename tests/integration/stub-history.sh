#!/bin/bash
# Verbs of history on files whose bytes are only in the cloud: restore, publish, label and the past of a folder, purge, gc.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
placeholders() { find "$FOLDER/raw/buckets/data/${1:-}" -type l | wc -l; }

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
mkdir -p "$B/daily/sub" "$B/next/sub"
for f in a b c d daily/x daily/y daily/sub/z next/x next/w next/sub/z; do
	echo "bytes of $f" >"$B/$f"
done
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
up

# ---- restore ----
echo new >"$FOLDER/new"
mv "$FOLDER/new" "$B/a.tmp" && mv "$B/a.tmp" "$B/a"
is "$(cat "$B/a")" new 'a file comes in the place of a stub'
exits 0 'restore of what is only in the cloud' "$TARN" restore "$B/a@v1"
is "$(cat "$B/a")" 'bytes of a' 'brings its bytes'
like "$(grep '"version":1,' "$B/a@v/history.jsonl")" '"how":"cloud"' 'history says where they are'
rm "$B/b"
exits 0 'restore of a stub that was removed' "$TARN" restore "$B/b@v1"
is "$(cat "$B/b")" 'bytes of b' 'brings its bytes'

# ---- moments ----
before=$(placeholders)
mkdir "$B/daily@v/monday"
is "$(cat "$B/daily@v/monday/x" "$B/daily@v/monday/sub/z")" $'bytes of daily/x\nbytes of daily/sub/z' \
	'a moment of a folder of stubs can be read'
is "$(stat -c %s "$B/daily@v/monday/y")" 17 'and shows sizes'
is "$(placeholders)" "$before" 'and recalls nothing into the folder'
is "$(cat "$B/daily@v/monday/y")" 'bytes of daily/y' 'each of its files'

# ---- publish ----
exits 0 'publish of stubs over stubs' "$TARN" publish "$B/next" "$B/daily" --json
is "$(jq -c '[.added, .replaced, .removed]' "$FOLDER/out")" '[1,2,0]' 'says what it did'
is "$(placeholders)" $((before - 2)) 'without recalling any'
is "$(cat "$B/daily/x" "$B/daily/w" "$B/daily/sub/z" "$B/daily/y" | paste -sd,)" \
	'bytes of next/x,bytes of next/w,bytes of next/sub/z,bytes of daily/y' 'each name has its bytes'
is "$(cat "$B/daily/x@v1" "$B/daily/sub/z@v1" | paste -sd,)" 'bytes of daily/x,bytes of daily/sub/z' 'and its history'
is "$(cat "$B/daily@v/monday/x")" 'bytes of daily/x' 'the moment is as it was'

# ---- what goes ----
echo other >"$B/c"
is "$(cat "$B/c@v1")" 'bytes of c' 'a superseded stub can be read'
exits 0 'purge' "$TARN" purge --yes "$B/c@v1"
fails ENOENT 'what was purged' cat "$B/c@v1"
rm "$B/d"
exits 0 'gc' "$TARN" gc "$L"
is "$(cat "$B/d@v1")" 'bytes of d' 'a stub that was removed can be read'
is "$(cat "$B/daily@v/monday/x")" 'bytes of daily/x' 'what has a label stays'
crash
umount -l "$M"
up
is "$(cat "$B/daily/x" "$B/daily@v/monday/x" | paste -sd,)" 'bytes of next/x,bytes of daily/x' 'all is as it was after a crash'
down
umount "$FOLDER/raw"
