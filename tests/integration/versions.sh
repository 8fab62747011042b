#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn versions`: who wrote what when, of files; moments of folders; both also when they are gone.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/orders.csv
put one "$F"
cp "$F" "$FOLDER/x"
echo more >>"$FOLDER/x"
cp "$FOLDER/x" "$F"
exits 0 "versions" "$TARN" versions "$F"
out=$(cat "$FOLDER/out")
like "$out" 'VERSION +TIME +SIZE +BY +STATE +NOTE' "is a table"
like "$out" $'\n +1 +20[0-9T:.-]+Z +4 B +root, (dash|bash|sh)' "with number, time, size, who and with which program"
like "$out" $'\n +2 .* +9 B +root, cp +live' "and how it is"
exits 0 "as JSON" "$TARN" versions "$F" --json
is "$(jq -c '[.versions[] | [.version, .size, .program]] | .[1]' "$FOLDER/out")" '[2,9,"cp"]' "likewise"
rm "$F"
exits 0 "of a file that is gone" "$TARN" versions "$F" --json
is "$(jq '.versions | length' "$FOLDER/out")" 2 "is there still"

mkdir -p "$B/report/sub"
put x "$B/report/sub/x"
exits 0 "a label" "$TARN" label "$B/report" first
exits 0 "of a folder" "$TARN" versions "$B/report"
like "$(cat "$FOLDER/out")" 'MOMENT +KIND +TIME.*first +label' "labels are listed"
exits 0 "as JSON" "$TARN" versions "$B/report" --json
ok "with their commits" jq -e '.moments[] | select(.kind == "label") | .commit > 0 and .name == "first"' "$FOLDER/out"
rm -r "$B/report"
exits 0 "of a folder that is gone" "$TARN" versions "$B/report" --json
is "$(jq -c '[.moments[].kind] | unique' "$FOLDER/out")" '["label"]' "they are there still"
for i in 1 2 3; do
	put "$i" "$B/times"
done
exits 0 "what times it tells" "$TARN" versions "$B/times"
is "$(awk 'NR > 1 { print $2 }' "$FOLDER/out" | while read -r t; do cat "$B/times@v/$t"; done)" $'1\n2\n3' \
	"are those that find these versions"
exits 1 "of what never was" "$TARN" versions "$B/never"
like "$(cat "$FOLDER/out")" 'never: no such file, and no history' "is an error"
exits 1 "of what is on no mount" "$TARN" versions "$FOLDER/x"
down

# as if all that were three days ago: days are listed on which something was there already
python3 - "$L/catalog/tarn.db" <<'END'
import sqlite3, sys
db, day = sqlite3.connect(sys.argv[1]), 86400 * 10**9
for table in "change", "label":
    db.execute(f"UPDATE {table} SET time = time - ?", (3 * day,))
db.execute("UPDATE version SET time = time - ?, end_time = end_time - ?", (3 * day, 3 * day))
db.execute("UPDATE folder_day SET day = day - 3")
db.commit()
END
up
put two "$B/today"
exits 0 "of a folder that is older" "$TARN" versions "$B"
like "$(cat "$FOLDER/out")" "$(date -u +%F) +day" "days are listed, too"
exits 0 "of the whole lake" "$TARN" versions "$M" --json
is "$(jq -r '.moments[0].name' "$FOLDER/out")" "$(date -u +%F)" "likewise"
down
