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
refused "$T/f"
refused "$M/@v/$now/data/d/f"
fails EROFS "a symlink: removing" rm "$T/link"
fails EROFS "a symlink: renaming" mv "$T/link" "$B/name"
for folder in "$T" "$T/sub" "$M/@v/$now" "$M/@v/$now/data" "$B/d@v" "$M/@v"; do
	refused_in "$folder"
done
for folder in "$T" "$T/sub" "$M/@v/$now" "$M/@v/$now/data"; do
	fails EROFS "${folder#"$M/"}: making a folder in it" mkdir "$folder/new"
done
is "$(cat "$B/d/f" "$T/f" "$B/g")" $'one\none\nother' "nothing has changed"
down
