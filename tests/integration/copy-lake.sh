#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lake that was copied as a whole to another folder: the same files, the same versions, nothing new.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir "$B/folder"
for i in 1 2 3; do
	for name in a.csv b folder/c; do
		put "$i of $name" "$B/$name"
	done
done
rm "$B/b"
ln "$B/a.csv" "$B/link"
within 20 equal 0 fact jobs
facts() { cut -d, -f1-4,6- "$M/.catalog/assets.csv" | sort; for f in a.csv b folder/c; do cat "$B/$f@v/history.jsonl"; done; }
before=$(facts)
down
ok "rsync -a of the whole lake" rsync -aH "$L/" "$FOLDER/copy/"
mv "$L" "$FOLDER/away"
L=$FOLDER/copy M=$L/buckets B=$M/data
up
ok "the scan comes to its end" within 20 equal "done" fact scan
within 20 equal 0 fact jobs
is "$(facts)" "$before" "the copy has the same files and versions"
is "$(cat "$B/a.csv" "$B/a.csv@v1" "$B/b@v-1" "$B/folder/c@v2")" $'3 of a.csv\n1 of a.csv\n3 of b\n2 of folder/c' "with the bytes"
put "4 of a.csv" "$B/folder/c"
is "$(versions "$B/folder/c")" "1 2 3 4" "and goes on"
down
L=$FOLDER/away M=$L/buckets B=$M/data
up
is "$(facts)" "$before" "so has the first one, moved away"
down
