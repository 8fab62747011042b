#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nothing in FILE@v or .catalog can be changed: EROFS.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/f.csv"
put two "$B/f.csv"
put other "$B/g"
V=$B/f.csv@v
for file in "$V/1.csv" "$B/f.csv@v1" "$V/history.jsonl" "$M/.catalog/assets.csv" "$M/.catalog/README"; do
	name=${file#"$M/"}
	fails EROFS "$name: overwriting" put x "$file"
	fails EROFS "$name: appending" append x "$file"
	fails EROFS "$name: truncating" truncate -s 0 "$file"
	fails EROFS "$name: removing" rm -f "$file"
	fails EROFS "$name: changing its mode" chmod 777 "$file"
	fails EROFS "$name: its owner" chown 1 "$file"
	fails EROFS "$name: its time" touch "$file"
	fails EROFS "$name: an attribute" setfattr -n user.x -v y "$file"
	fails EROFS "$name: renaming" mv "$file" "$B/name"
	fails EROFS "$name: renaming over it" mv "$B/g" "$file"
	fails EROFS "$name: linking" ln "$file" "$B/link"
done
for folder in "$V" "$M/.catalog"; do
	name=${folder#"$M/"}
	fails EROFS "$name: making a file in it" touch "$folder/new"
	fails EROFS "$name: making a folder in it" mkdir "$folder/new"
	fails EROFS "$name: making a symlink in it" ln -s x "$folder/new"
	fails EROFS "$name: moving a file into it" mv "$B/g" "$folder/new"
	fails EROFS "$name: removing it" rmdir "$folder"
	fails EROFS "$name: renaming it" mv -T "$folder" "$M/name"
	fails EROFS "$name: its mode" chmod 777 "$folder"
done
is "$(cat "$B/f.csv@v1" "$B/f.csv" "$B/g")" $'one\ntwo\nother' "nothing has changed"
down
