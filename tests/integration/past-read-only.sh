#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nothing in a tree of the past can be changed: EROFS.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir -p "$B/d/sub"
put one "$B/d/f"
ln -s f "$B/d/link"
put other "$B/g"
sleep 0.02
now=$(date +epoch-%s.%N)
T=$B/d@v/$now
for file in "$T/f" "$M/@v/$now/data/d/f"; do
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
fails EROFS "a symlink: removing" rm "$T/link"
fails EROFS "a symlink: renaming" mv "$T/link" "$B/name"
for folder in "$T" "$T/sub" "$M/@v/$now" "$M/@v/$now/data" "$B/d@v" "$M/@v"; do
	name=${folder#"$M/"}
	fails EROFS "$name: making a file in it" touch "$folder/new"
	fails EROFS "$name: making a symlink in it" ln -s x "$folder/new"
	fails EROFS "$name: making a pipe in it" mkfifo "$folder/new"
	fails EROFS "$name: moving a file into it" mv "$B/g" "$folder/new"
	fails EROFS "$name: removing it" rmdir "$folder"
	fails EROFS "$name: renaming it" mv -T "$folder" "$B/name"
	fails EROFS "$name: its mode" chmod 777 "$folder"
done
for folder in "$T" "$T/sub" "$M/@v/$now" "$M/@v/$now/data"; do
	fails EROFS "${folder#"$M/"}: making a folder in it" mkdir "$folder/new"
done
is "$(cat "$B/d/f" "$T/f" "$B/g")" $'one\none\nother' "nothing has changed"
down
