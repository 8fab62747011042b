#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn gc: says what history would go and why, and lets it go. Live files and labelled versions stay.
. "$(dirname "$0")/lib.sh"

lake lake
printf 'buckets:\n  data: {retention_days: 0, keep_last: 1}\n  ever: {retention_days: -1}\n' >"$L/config/settings.yaml"
mkdir "$L/buckets/ever"
up
# A day may end while the test runs: then one version more stays.
[ "$(date -u +%H%M)" -lt 2355 ] || sleep 360
for i in 1 2 3 4 5; do
	echo "content $i" >"$B/f"
	[ "$i" -ne 2 ] || mkdir "$M/@v/release"
done
for i in 1 2 3; do echo "$i" >"$M/ever/f"; done
rm "$M/ever/f"
ls "$B/f@v" >"$FOLDER/before"
json() { python3 -c "import json, sys; d = json.load(open('$FOLDER/out')); print($1)"; }

exits 0 "a dry run" "$TARN" gc --dry-run "$L"
like "$(cat "$FOLDER/out")" '2 versions, 20 B, would go' "says how much would go"
like "$(cat "$FOLDER/out")" 'data/f +1 +10 B +retention_days: 0' "and what, and why"
is "$(ls "$B/f@v")" "$(cat "$FOLDER/before")" "and changes nothing"
exits 0 "as JSON" "$TARN" gc --dry-run --json "$B"
is "$(json '[(i["path"], i["version"], i["bytes"]) for i in d["list"]], d["versions"], d["dry_run"]')" \
	"[('data/f', 1, 10), ('data/f', 3, 10)] 2 True" "the same"
exits 1 "a name that is not there" "$TARN" gc "$B/nope"
like "$(cat "$FOLDER/out")" 'nope: No such file or directory' "is not taken for the lake around it"
exits 0 "the real thing" "$TARN" gc "$L"
like "$(cat "$FOLDER/out")" '2 versions, 20 B, are gone' "says how much went"
is "$(cd "$B/f@v" && echo *)" "2 4 5" "the labelled one, the last one and the live one stay"
is "$(cat "$B/f@v2" "$B/f@v4" "$B/f" "$M/@v/release/data/f")" "$(printf 'content %s\n' 2 4 5 2)" "and can be read"
fails ENOENT "one that went" cat "$B/f@v1"
like "$(grep '"version":1,' "$B/f@v/history.jsonl")" 'expired.*retention_days: 0' "history.jsonl says why"
is "$(find "$L/versions" -type f | wc -l)" 5 "its bytes are gone"
is "$(cd "$M/ever/f@v" && echo *)" "1 2 3" "a bucket that keeps all keeps all"
exits 0 "once more" "$TARN" gc "$L"
is "$(cat "$FOLDER/out")" "nothing was to go" "nothing"
rmdir "$M/@v/release"
exits 0 "without the label" "$TARN" gc "$L"
is "$(cd "$B/f@v" && echo *)" "4 5" "what it named goes, too"
exits 2 "two lakes" "$TARN" gc "$L" "$L"
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$FOLDER" "$L"
	exits 1 "another user" as_nobody "$TARN" gc "$L"
fi
down
exits 0 "a lake that is not mounted" "$TARN" gc "$L" --json
is "$(json 'd["versions"], d["dry_run"]')" "0 False" "is looked at by the program itself"
sed -i 's/retention_days: -1/retention_days: 0, keep_last: 1/' "$L/config/settings.yaml"
exits 0 "with another retention" "$TARN" gc "$L"
like "$(cat "$FOLDER/out")" 'are gone' "history goes"
if [ "$(id -u)" -eq 0 ]; then
	exits 1 "another user" as_nobody "$TARN" gc "$L"
	like "$(cat "$FOLDER/out")" 'Permission denied' "may not"
fi
up
is "$(cd "$M/ever/f@v" && echo *)" 3 "the last one of a removed file is left after the next mount"
down
