#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The past stands still while the present goes on: what is listed can be opened, whoever overwrites it at that moment.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir "$B/d"
for i in 1 2 3 4; do
	put "first $i" "$B/d/f$i"
done
ok "a moment" mkdir "$B/d@v/first"
cp -r "$B/d" "$FOLDER/wanted"
mkdir "$FOLDER/old"
"$TARN" mount "$L" "$FOLDER/old" -q -o "view=commit-$(jq -r .commit "$B/d/f4@v/history.jsonl")"

touch "$FOLDER/go"
{
	i=0
	while [ -e "$FOLDER/go" ]; do
		i=$((i + 1))
		put "overwritten $i" "$B/d/f1"
		put "renamed over $i" "$B/d/new" && mv "$B/d/new" "$B/d/f2"
		rm "$B/d/f3" && put "made again $i" "$B/d/f3"
		append "more" "$B/d/f4"
		chmod 600 "$B/d/f4" && chmod 644 "$B/d/f4"
	done
	echo "$i" >"$FOLDER/rounds"
} 2>"$FOLDER/writer" &
wrong=0 rounds=0
end=$((SECONDS + 6))
while [ $SECONDS -lt $end ]; do
	rounds=$((rounds + 1))
	for tree in "$B/d@v/first" "$FOLDER/old/data/d"; do
		rm -rf "$FOLDER/copy"
		cp -r "$tree" "$FOLDER/copy" && diff -r "$FOLDER/copy" "$FOLDER/wanted" || wrong=$((wrong + 1))
	done
	mkdir "$B/d@v/l-$rounds"
	for name in "$B/d@v/l-$rounds"/*; do
		head -c 1 "$name" >/dev/null || wrong=$((wrong + 1))
	done
	for name in "$B/d/f1@v"/*; do
		head -c 1 "$name" >/dev/null || wrong=$((wrong + 1))
	done
done >"$FOLDER/said" 2>&1
rm "$FOLDER/go"
wait
is $wrong 0 "each of the copies is right"
note <"$FOLDER/said"
ok "in several rounds" test "$rounds" -ge 2 -a "$(cat "$FOLDER/rounds")" -ge 2
is "$(cat "$FOLDER/writer")" "" "and the writer saw nothing of it"
"$TARN" umount "$FOLDER/old"
down
