#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# History that is cold is packed: it takes little, and reads as before, also behind a daemon that began later.
. "$(dirname "$0")/lib.sh"

lake lake
export TARN_STORAGE_PACK_AFTER=0
up
F=$B/table.csv

# rows FIRST COUNT: rows that do not repeat themselves
rows() { awk -v n="$2" -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < n; i++) print i "," rand() "," rand() }'; }
bytes_in() { find "$L/versions" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }'; }
all_packed() { [ "$(fact versions_kept_packed)" -eq "$1" ]; }

rows 1 60000 >"$FOLDER/1"
for i in 2 3 4 5 6 7 8 9; do
	{ sed "${i}0s/,/,changed,/; ${i}000s/,/,,/" "$FOLDER/$((i - 1))"; rows $i 10; } >"$FOLDER/$i"
done
for i in 1 2 3 4 5 6 7 8 9; do cp "$FOLDER/$i" "$F"; done
rm "$F"
size=$(stat -c %s "$FOLDER/1")
ok "what is deleted and overwritten is packed" within 30 all_packed 9
own_files() { find "$L/versions" -type f ! -path '*/packs/*' | wc -l; }
ok "and lies nowhere else" within 30 equal 0 own_files
ok "nine versions take less than six tenths of one" test "$(bytes_in)" -lt $((size * 6 / 10))
is "$(history_of "$F" .how)" "packed packed packed packed packed packed packed packed packed" "history.jsonl says how"
good=0
for i in 1 2 3 4 5 6 7 8 9; do cmp "$FOLDER/$i" "$F@v/$i.csv" && good=$((good + 1)); done
is "$good" 9 "each reads as it was"
is "$(tail -c 1000 "$F@v/9.csv" | cksum)" "$(tail -c 1000 "$FOLDER/9" | cksum)" "in part, too"
down
up
good=0
for i in 9 8 7 6 5 4 3 2 1; do cmp "$FOLDER/$i" "$F@v/$i.csv" && good=$((good + 1)); done
is "$good" 9 "after the next mount as well"

# The same content again takes nothing; what does not compress stays where it is.
before=$(bytes_in)
cp "$FOLDER/5" "$B/copy.csv"
rm "$B/copy.csv"
ok "what is packed already" within 30 all_packed 10
ok "takes no room" within 30 equal "$before" bytes_in
ok "and is there" cmp "$FOLDER/5" "$B/copy.csv@v/1.csv"
head -c 300000 /dev/urandom >"$FOLDER/noise"
cp "$FOLDER/noise" "$B/noise"
rm "$B/noise"
for i in $(seq 100); do put "$i" "$B/small-$i"; done
rm "$B"/small-*
ok "small files share a pack" within 30 all_packed 110
ok "a hundred of them take less than a page each" test "$(($(bytes_in) - before - 300000))" -lt 30000
is "$(cat "$B/small-77@v/1")" 77 "and are told apart"
ok "what does not compress stays where it is" within 30 equal 1 own_files
ok "and is read there" cmp "$FOLDER/noise" "$B/noise@v/1"
down
