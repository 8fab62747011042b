#!/bin/bash
# Whoever only looks at files in the cloud brings none of them back: file(1), head, tail, ls, du, find.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
placeholders() { find "$FOLDER/raw/buckets/data" -type l | wc -l; }
# looks FOLDER: what file(1), head and tail say of what is in it.
looks()
(
	cd "$1" || exit
	file -- *
	for f in *; do
		head -c 100 "$f" | base64
		tail -c 100 "$f" | base64
	done
)

cloud dir
lake lake
settings 'buckets: {data: {tier: local}}'
head -c 4000000 /dev/urandom >"$FOLDER/random"
for size in 10 70000 140000 300000 3000000; do
	for i in 1 2 3 4 5 6 7 8; do
		{ printf '\x89PNG\r\n\x1a\n'; head -c $((size + i)) "$FOLDER/random"; } >"$B/$size-$i.png"
		{ echo "a,b"; base64 -w 60 "$FOLDER/random" | head -c $((size + i)); } >"$B/$size-$i.csv"
	done
done
looks "$B" >"$FOLDER/before"
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" - || point 1 'the files are sent away'
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
up
is "$(placeholders)" 80 'all files are in the cloud'
looks "$B" >"$FOLDER/after"
ok 'file, head and tail say the same as before' diff "$FOLDER/before" "$FOLDER/after"
ok 'ls -l --color' ls -lR --color=always "$B"
ok 'du' du -s "$B"
is "$(find "$B" -size +100k | wc -l)" 48 'find -size'
# whose the remote is was asked, at the mount
ok 'no byte came for that' test "$(fact cloud_received_bytes)" -le "$(stat -c %s "$CLOUD_DIR/pre/.tarn/lake")"
is "$(placeholders)" 80 'and no file'
down
umount "$FOLDER/raw"
