#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# cp looks at a file, opens it, and refuses one that is another then: what is made at its look-up is the same until
# somebody has opened it, and right at every look-up.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/file.csv"
put two "$B/file.csv"
for name in README assets.csv assets.json stats.csv stats.json; do
	ok "cp of .catalog/$name" cp "$M/.catalog/$name" "$FOLDER/$name"
	ok "is not empty" test -s "$FOLDER/$name"
done
ok "cp -r of .catalog" cp -r "$M/.catalog" "$FOLDER/catalog"
is "$(ls "$FOLDER/catalog")" "$(ls "$M/.catalog")" "has all of it"
ok "cp of history.jsonl" cp "$B/file.csv@v/history.jsonl" "$FOLDER/history"
is "$(jq -c .version "$FOLDER/history" | paste -sd' ')" "1 2" "has both versions"
is "$(stat -c %i "$M/.catalog/stats.json")" "$(stat -c %i "$M/.catalog/stats.json")" "looked at twice it is the same file"
ino=$(stat -c %i "$M/.catalog/assets.csv")
put more "$B/another.csv"
is "$(stat -c %i "$M/.catalog/assets.csv")" "$ino" "also when something has changed"
is "$(grep -c '^data/' "$M/.catalog/assets.csv")" 2 "which it then shows"

exec 5<"$M/.catalog/assets.csv"
size=$(stat -Lc %s "/proc/$$/fd/5")
put "a third" "$B/third.csv"
is "$(grep -c '^data/' "$M/.catalog/assets.csv")" 3 "while it is open, another look shows what is new"
not test "$(stat -Lc %i "/proc/$$/fd/5")" = "$(stat -c %i "$M/.catalog/assets.csv")"
point $? "under another number"
is "$(cat <&5 | wc -c)" "$size" "and the open one stays as it was"
exec 5<&-
same=0
for i in $(seq 20); do
	put "$i" "$B/file.csv"
	[ "$(jq -r 'select(.state == "live") | .version' "$B/file.csv@v/history.jsonl")" = $((i + 2)) ] && same=$((same + 1))
done
is $same 20 "history.jsonl is right after each of twenty changes"
down
