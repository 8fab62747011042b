#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The names under which an earlier version is found: by number, counted back, latest, with the extension or without.
. "$(dirname "$0")/lib.sh"

lake lake
up
three() { for text in one two three; do put $text "$1"; done; }

three "$B/f.csv"
is "$(versions "$B/f.csv")" "1.csv 2.csv 3.csv" "the extension is kept"
for name in f.csv@v1 f.csv@v/1 f.csv@v/1.csv f.csv@v-2 f.csv@v/-2 f.csv@v/-2.csv; do
	is "$(cat "$B/$name")" one "$name"
done
for name in f.csv@v-1 f.csv@v/-1 f.csv@v/-1.csv f.csv@v2; do
	is "$(cat "$B/$name")" two "$name"
done
for name in f.csv@v3 f.csv@v/3.csv f.csv@v/latest f.csv@v/latest.csv; do
	is "$(cat "$B/$name")" three "$name"
done
for name in f.csv@v0 f.csv@v4 f.csv@v-3 f.csv@v01 f.csv@v-0 f.csv@v/ f.csv@v1.csv f.csv@v+1 f.csv@vx f.csv@V1 f.csv@v/1.txt \
	f.csv@v/0.csv f.csv@v/first.csv f.csv@v99999999999999999999 none.csv@v none.csv@v1 @v @v1; do
	[ "$name" != f.csv@v/ ] || continue
	fails ENOENT "$name is nothing" stat "$B/$name"
done
ok "history.jsonl is JSON lines" jq -e '.version > 0 and .time and .state' "$B/f.csv@v/history.jsonl"
is "$(ls "$B")" f.csv "the folder lists none of it"
is "$(cat "$B"/f.csv@v/*.csv)" $'one\ntwo\nthree' "a pattern finds the versions"

three "$B/a.tar.gz"
is "$(versions "$B/a.tar.gz")" "1.tar.gz 2.tar.gz 3.tar.gz" "a compression suffix keeps the one before it"
three "$B/Makefile"
is "$(versions "$B/Makefile")" "1 2 3" "no extension"
three "$B/.profile"
is "$(versions "$B/.profile")" "1 2 3" "a dot file has none"
three "$B/.config.json"
is "$(versions "$B/.config.json")" "1.json 2.json 3.json" "or one"
three "$B/end."
is "$(versions "$B/end.")" "1 2 3" "a dot at the end is none"
three "$B/-dash.csv"
is "$(cat "$B/-dash.csv@v1")" one "a leading dash"
name=$'new\nline \xff".csv'
three "$B/$name"
is "$(cat "$B/$name@v/1.csv")" one "a newline, an invalid byte and a quote"
long=$(printf '%0252d' 0)
three "$B/$long"
is "$(cat "$B/$long@v2")" two "a name so long that only @v2 fits"

rm "$B/f.csv"
is "$(cat "$B/f.csv@v-1")" three "of a removed file, -1 is the last content"
is "$(cat "$B/f.csv@v-2" "$B/f.csv@v2")" $'two\ntwo' "-2 the one before"
mkdir "$B/folder"
three "$B/folder/f"
ino=$(stat -c %i "$B/folder/f@v1")
ok "a version has an inode number of its own" test "$ino" != "$(stat -c %i "$B/folder/f@v2")"
mv "$B/folder/f" "$B/folder/g"
is "$(cat "$B/folder/g@v1")" one "after a rename they are found under the new name"
is "$(stat -c %i "$B/folder/g@v1")" "$ino" "with the same number"
down
