#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is added, changed, removed and renamed in buckets/ while nothing is mounted is right after the next mount.
. "$(dirname "$0")/lib.sh"

lake lake
mkdir "$B/folder"
up
for name in same changed removed renamed moved touched appended; do
	put "one of $name" "$B/$name"
	put "two of $name" "$B/$name"
done
number=$(stat -c %i "$B/renamed")
within 20 equal 0 fact jobs
down
echo "added outside" >"$B/added"
mkdir "$B/deep" && echo deep >"$B/deep/file"
echo "changed outside" >"$B/changed"
rm "$B/removed"
mv "$B/renamed" "$B/name"
mv "$B/moved" "$B/folder/moved"
touch "$B/touched"
echo more >>"$B/appended"
mkdir "$M/bucket" && echo new >"$M/bucket/file"
cp -p "$B/same" "$B/.replace" && mv "$B/.replace" "$B/same"
echo junk >"$M/plain-file-at-the-root"
up
is "$(cat "$B/added" "$B/deep/file" "$M/bucket/file")" $'added outside\ndeep\nnew' "what was added is there"
is "$(history_of "$B/added" '[.version, .state, .run]')" '[1,"live",2]' "as a version by the run outside" ||
	note < <(cat "$B/added@v/history.jsonl")
is "$(cat "$B/changed" "$B/changed@v1")" $'changed outside\none of changed' "what was changed is there, with its history"
is "$(history_of "$B/changed" .state)" "kept not-kept live" "the content that was changed in place is not"
fails ENOENT "what was removed is gone" cat "$B/removed"
is "$(cat "$B/removed@v1")" "one of removed" "but its history"
is "$(cat "$B/name" "$B/name@v1")" $'two of renamed\none of renamed' "what was renamed has its history"
is "$(stat -c %i "$B/name")" "$number" "and its number"
fails ENOENT "the old name is gone" cat "$B/renamed"
is "$(cat "$B/folder/moved@v1")" "one of moved" "so has what was moved"
is "$(versions "$B/same")" "1 2" "a copy with the same time and size is no new version"
is "$(cat "$B/appended" "$B/appended@v1")" $'two of appended\nmore\none of appended' "what was appended to"
ok "the scan comes to its end" within 20 equal "done" fact scan
is "$(ls "$M")" $'bucket\ndata' "a plain file at the root is not shown"
ok "the catalog has what was added" grep -q '^data/deep/file,' "$M/.catalog/assets.csv"
ok "and not what was removed" not grep -q "^data/removed," "$M/.catalog/assets.csv"
put "three of touched" "$B/touched"
is "$(cat "$B/touched@v1")" "one of touched" "the series go on"
before=$(cut -d, -f1,3,6 "$M/.catalog/assets.csv" | sort)
down
up
within 20 equal "done" fact scan
is "$(cut -d, -f1,3,6 "$M/.catalog/assets.csv" | sort)" "$before" "another mount finds nothing new"
down
