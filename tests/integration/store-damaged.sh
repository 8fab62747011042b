#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A store that is damaged, or from a newer tarn, is refused in clear words: nothing is mounted, nothing is changed.
ALLOWED_ERRORS="metadata store"
. "$(dirname "$0")/lib.sh"

lake lake
up
seq 1000 >"$B/f"
put two "$B/f"
for i in $(seq 100); do echo "$i" >"$B/file-$i"; done
within 20 equal 0 fact jobs
down
D=$L/catalog/tarn.db
cp -a "$L/catalog" "$FOLDER/good"
good() { rm -rf "$L/catalog" && cp -a "$FOLDER/good" "$L/catalog"; }
# refused TEXT PATTERN: mount says what is wrong, and leaves all as it is.
refused()
{
	local before
	before=$(sha256sum <"$D")
	exits 1 "$1 is refused" "$TARN" mount "$L"
	like "$(cat "$FOLDER/out")" "tarn.db.*($2)" "the message names the file and says why"
	is "$(wc -l <"$FOLDER/out")" 1 "in one line"
	ok "nothing is mounted" not mountpoint -q "$M"
	is "$(sha256sum <"$D")" "$before" "the file is as it was"
	ok "the data is there" test "$(cat "$B/f")" = two
	"$TARN" doctor "$L" >"$FOLDER/out" 2>&1
	ok "doctor finds it, too" grep -Eq "tarn.db|store" "$FOLDER/out"
	good
}
version=$(sqlite3 "$D" 'PRAGMA user_version')
sqlite3 "$D" "PRAGMA user_version = $((version + 100))"
refused "a newer schema" "newest|newer"
head -c 100000 /dev/urandom >"$D"
refused "a file that is no database" "no SQLite database|not a database"
head -c 50 "$FOLDER/good/tarn.db" >"$D"
refused "a file that was cut off" "damaged|no SQLite database"
sqlite3 "$D" 'DROP TABLE node' 2>/dev/null || sqlite3 "$D" "PRAGMA writable_schema = on; DELETE FROM sqlite_schema WHERE name = 'node'"
refused "a table that is missing" "no such table|damaged|schema"
sqlite3 "$FOLDER/foreign.db" 'CREATE TABLE other (a)'
cp "$FOLDER/foreign.db" "$D"
refused "another program's database" "not|other|schema"
up
is "$(wc -l <"$B/f@v1")" 1000 "with the good one all is there"
down
