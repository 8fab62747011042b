#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder that is removed and made again is one folder for who works with its path, as programs do that write their
# output anew each night: the series of the files in it go on, deep down and after a rename, too; so do its moments.
. "$(dirname "$0")/lib.sh"

moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }

made_again()
{
	local way=$1 d=$B/out first second

	mkdir -p "$d/deep/er"
	put 1 "$d/f.csv"
	put 1 "$d/only"
	put 1 "$d/deep/er/g"
	mkdir "$d@v/before"
	first=$(moment)
	rm -r "$d"
	mkdir "$d"
	put 2 "$d/f.csv"
	is "$(versions "$d/f.csv")" "1.csv 2.csv" "$way: the series of a file that is made again goes on"
	is "$(cat "$d/f.csv@v1" "$d/f.csv@v/2.csv" "$d/f.csv@v-1")" $'1\n2\n1' "$way: by number"
	is "$(cat "$d/f.csv@v/$first.csv" "$d@v/$first/f.csv")" $'1\n1' "$way: by time"
	is "$(cat "$d/only@v1" "$d/only@v/latest" "$d/only@v/$first")" $'1\n1\n1' "$way: one that is not has its past"
	fails ENOENT "$way: what never was, has none" ls "$d/never@v"
	is "$(ls "$d@v")" before "$way: the folder's labels go on"
	is "$(cat "$d@v/before/f.csv" "$d@v/before/deep/er/g")" $'1\n1' "$way: and show what it was"
	fails EEXIST "$way: nobody takes them a second time" mkdir "$d@v/before"
	mkdir -p "$d/deep/er"
	is "$(cat "$d/deep/er/g@v1" "$d/deep@v/$first/er/g" "$d/deep/er@v/$first/g")" $'1\n1\n1' "$way: deep down"
	put 2 "$d/deep/er/g"
	is "$(cat "$d/deep/er/g@v1" "$d/deep/er/g@v2")" $'1\n2' "$way: and goes on there"
	second=$(moment)
	ok "$way: brought back" "$TARN" restore "$d/only@v-1"
	is "$(cat "$d/only")" 1 "$way: with its content"
	is "$(versions "$d/only")" "1 2" "$way: as its next version"

	for i in 3 4 5; do
		rm -r "$d"
		mkdir -p "$d/deep/er"
		put $i "$d/f.csv"
	done
	is "$(versions "$d/f.csv")" "1.csv 2.csv 3.csv 4.csv 5.csv" "$way: again and again"
	is "$(cat "$d/deep/er/g@v1" "$d/deep/er/g@v2")" $'1\n2' "$way: also what was not made each time"
	mv "$d" "$B/renamed"
	is "$(cat "$B/renamed/f.csv@v2" "$B/renamed/deep/er/g@v1" "$B/renamed@v/$first/f.csv")" $'2\n1\n1' \
		"$way: a rename takes all of it along"
	rmdir "$B/renamed@v/before"
	is "$(ls "$B/renamed@v")" "" "$way: a label of then can be taken away"
	mkdir "$d"
	put new "$d/f.csv"
	is "$(versions "$d/f.csv")" 1.csv "$way: what is made where it was begins anew"
	is "$(cat "$d/f.csv@v/$second.csv")" 2 "$way: but knows what lay there"

	# Written beside, and moved to where the other was.
	mkdir "$B/next"
	put next "$B/next/f.csv"
	rm -r "$d"
	mv "$B/next" "$d"
	put last "$d/other"
	is "$(cat "$d/f.csv" "$d/f.csv@v/$second.csv")" $'next\n2' "$way: a folder that was moved there has the path's past"
	is "$(versions "$d/f.csv")" 1.csv "$way: and its files the series that they brought"
	rm "$d/f.csv"
}
both_ways made_again

# Who could not read it then, cannot now.
lake closed
chmod 755 "$M" "$B"
up
mkdir -m 700 "$B/d"
put secret "$B/d/f"
chmod 644 "$B/d/f"
rm -r "$B/d"
mkdir -m 755 "$B/d"
put open "$B/d/f"
chmod 644 "$B/d/f"
is "$(as_nobody cat "$B/d/f")" open "anybody reads what is in the folder now"
fails EACCES "but not what was in the closed one" as_nobody cat "$B/d/f@v1"
fails EACCES "nor as the folder was" as_nobody cat "$B/d@v/commit-$(jq -r .commit <<<"$(head -n 1 "$B/d/f@v/history.jsonl")")/f"
is "$(cat "$B/d/f@v1")" secret "its owner does"
down

# A bucket, too; and the days of both.
lake bucket
up
put 1 "$B/f"
mkdir "$B/sub"
put 1 "$B/sub/g"
down
sqlite3 "$L/catalog/tarn.db" 'UPDATE change SET time = time - 2 * 86400000000000;
	UPDATE version SET time = time - 2 * 86400000000000; UPDATE folder_day SET day = day - 2'
up
rm -r "${B:?}"
mkdir "$B"
put 2 "$B/f"
today=$(date -u +%F) yesterday=$(date -ud yesterday +%F)
is "$(cat "$B/f@v1" "$B/sub@v/$yesterday/g")" $'1\n1' "a bucket that is made again"
is "$(ls "$B@v")" "$today" "lists the days of the one before"
is "$(cat "$B@v/$today/f" "$B@v/$today/sub/g")" $'1\n1' "as which it was then"
like "$("$TARN" versions "$B")" "$today" "says tarn versions"
ok "a version of the removed one is erased" "$TARN" purge "$B/f@v1" --yes
fails ENOENT "and is gone" cat "$B/f@v1"
down

# What was closed is part of what a folder was, though the kernel tells of that later.
up
for i in $(seq 20); do
	mkdir "$B/was$i"
	echo one >"$B/was$i/f"
	echo two >"$B/was$i/f"
	mv "$B/was$i" "$B/is$i"
done
right=0
for i in $(seq 20); do
	last=$("$TARN" versions "$B/was$i" --json | jq -r .last)
	[ "$(cat "$last/f")" = two ] && right=$((right + 1))
done
is "$right" 20 "a folder that is renamed at once has all that was written to it, as it was"
down
