#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a bucket's exclude names has no history: files by pattern, folders with all that is below them.
. "$(dirname "$0")/lib.sh"

lake lake
printf 'buckets:\n  mine: {exclude: ["*.tmp", "cache-[0-9]/", "?.bin"]}\n' >"$L/config/settings.yaml"
mkdir "$M/mine"
up
# history FILE WANTED: the versions of a file that was written twice and overwritten by a rename.
history() {
	put one "$1"
	put two "$1"
	put three "$1.new"
	mv "$1.new" "$1"
	is "$(versions "$1" | wc -w)" "$2" "$2 versions of ${1#"$M/"}"
	is "$(cat "$1")" three "whose content is right"
}
D=$B
mkdir -p "$D/node_modules/deep/er" "$D/.git" "$D/__pycache__" "$D/_temporary" "$D/.ipynb_checkpoints" "$D/plain/.git"
for folder in node_modules node_modules/deep/er .git __pycache__ _temporary .ipynb_checkpoints plain/.git; do
	history "$D/$folder/f" 0
done
history "$D/plain/f" 3
history "$D/plain/git" 3
history "$D/plain/node_modules" 3
put one "$D/.DS_Store"
put two "$D/.DS_Store"
is "$(versions "$D/.DS_Store")" "" "none of .DS_Store"
put one "$D/._f"
rm "$D/._f"
fails ENOENT "none of ._f" ls "$D/._f@v"

D=$M/mine
mkdir "$D/cache-1" "$D/cache-x"
for file in a.tmp cache-1/f 1.bin .tmp; do
	put one "$D/$file"
	put two "$D/$file"
	is "$(versions "$D/$file")" "" "the bucket's own patterns: none of $file"
done
for file in a.tmp.csv cache-x/f 12.bin tmp cache-2; do
	put one "$D/$file"
	put two "$D/$file"
	is "$(versions "$D/$file" | wc -w)" 2 "but of $file"
done

is "$(fact versions_kept)" "$(find "$L/versions" -type f | wc -l)" "nothing lies in versions/ that is not listed"
put one "$D/table"
put two "$D/b.tmp"
mv "$D/b.tmp" "$D/table"
is "$(cat "$D/table" "$D/table@v1")" $'two\none' "renamed over a file, an excluded one continues its series"
put three "$D/table"
is "$(cat "$D/table@v2")" two "which then has history"
put kept "$D/table2"
put more "$D/table2"
mv "$D/table2" "$D/cache-1/table2"
is "$(cat "$D/cache-1/table2@v1")" kept "moved into an excluded folder, a file keeps what it had"
put lost "$D/cache-1/table2"
is "$(versions "$D/cache-1/table2" | wc -w)" 1 "and gets no more"
down
