#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Temporary names have no history of their own; what is renamed from one onto a file continues that file's series.
. "$(dirname "$0")/lib.sh"

lake lake
up
n=0
D=$B
for name in .f.csv.swp f.csv~ f.csv.part .f.csv.Ab12Cd f.csv.crdownload .goutputstream-ABC123; do
	B=$D/$((++n))
	mkdir "$B"
	put one "$B/$name"
	put two "$B/$name"
	is "$(cat "$B/$name")" two "$name is a file as any other"
	is "$(versions "$B/$name")" "" "$name overwritten: no history"
	put three "$B/.other.swp"
	mv "$B/.other.swp" "$B/$name"
	rm "$B/$name"
	is "$(versions "$B/$name")" "" "$name replaced and removed: no history"
	fails ENOENT "and no version under any name" cat "$B/$name@v1"

	put one "$B/f.csv"
	put two "$B/$name"
	mv "$B/$name" "$B/f.csv"
	put three "$B/$name"
	mv "$B/$name" "$B/f.csv"
	is "$(versions "$B/f.csv")" "1.csv 2.csv 3.csv" "$name renamed over a file twice: its series goes on"
	is "$(cat "$B/f.csv@v1" "$B/f.csv@v2" "$B/f.csv")" $'one\ntwo\nthree' "with the right contents"
	rm "$B/f.csv"
	put four "$B/$name"
	mv "$B/$name" "$B/f.csv"
	is "$(cat "$B/f.csv@v1" "$B/f.csv@v3" "$B/f.csv")" $'one\nthree\nfour' "also when the file was removed first"
done
is "$(fact versions_kept)" $((3 * n)) "nothing else was kept"
B=$D/rsync
mkdir "$B"

mkdir "$FOLDER/source"
seq 1000 >"$FOLDER/source/table.csv"
touch -d '2001-01-01' "$FOLDER/source/table.csv"
ok "rsync of a file" rsync -a "$FOLDER/source/" "$B/"
seq 2000 >"$FOLDER/source/table.csv"
ok "and of its successor" rsync -a "$FOLDER/source/" "$B/"
is "$(versions "$B/table.csv")" "1.csv 2.csv" "rsync's temporary names continue the series"
is "$(wc -l <"$B/table.csv@v1")" 1000 "the first is there"
is "$(find "$B" -type f | wc -l)" 1 "and nothing else"

put mine "$B/keep.txt"
mv "$B/keep.txt" "$B/keep.txt.part"
mv "$B/keep.txt.part" "$B/keep.txt"
put more "$B/keep.txt"
is "$(cat "$B/keep.txt@v1")" mine "a file that had a temporary name for a while keeps its series"
down
