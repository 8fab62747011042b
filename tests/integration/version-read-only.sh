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
	refused "$file"
done
for folder in "$V" "$M/.catalog"; do
	refused_in "$folder"
	fails EROFS "${folder#"$M/"}: making a folder in it" mkdir "$folder/new"
done
is "$(cat "$B/f.csv@v1" "$B/f.csv" "$B/g")" $'one\ntwo\nother' "nothing has changed"
down
