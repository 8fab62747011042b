#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What O_TRUNC, a rename over it and an unlink take from a file is kept, numbered, and can be read.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/sales.csv
seq 1 1000 >"$F"
seq 1 1000 >"$FOLDER/1"
ok "overwritten by O_TRUNC" cp /etc/services "$F"
echo three >"$B/sales.csv.part"
ok "renamed over" mv "$B/sales.csv.part" "$F"
is "$(versions "$F")" "1.csv 2.csv 3.csv" "three versions are listed"
ok "the first has what was written first" cmp "$FOLDER/1" "$F@v/1.csv"
ok "the second, too" cmp /etc/services "$F@v/2.csv"
is "$(cat "$F" "$F@v/3.csv")" $'three\nthree' "the third is the live one"
ok "unlinked" rm "$F"
fails ENOENT "the file is gone" cat "$F"
is "$(cat "$F@v/3.csv")" three "its last content is not"
is "$(versions "$F")" "1.csv 2.csv 3.csv" "all are listed"
is "$(history_of "$F" .state)" "kept kept kept" "history.jsonl says so"
is "$(history_of "$F" .how)" "aside aside aside" "and how"
is "$(history_of "$F" .size)" "$(stat -c %s "$FOLDER/1") $(stat -c %s /etc/services) 6" "and how large they are"
put four "$F"
is "$(versions "$F")" "1.csv 2.csv 3.csv 4.csv" "made again, the series goes on"
is "$(cat "$F@v4")" four "with the next number"
is "$(history_of "$F" .commit)" "$(history_of "$F" .commit | tr ' ' '\n' | sort -n | paste -sd' ')" "commits rise"
truncate -s 0 "$F"
put six "$F"
is "$(cat "$F")" six "after an empty one"
before=$(history_of "$F" '[.version, .size, .state, .how]')
down
is "$(cat "$F")" six "the live file is a plain file"
is "$(find "$L/buckets" -type f | wc -l)" 1 "and nothing else is in buckets/"
up
is "$(history_of "$F" '[.version, .size, .state, .how]')" "$before" "after the next mount the history is the same"
ok "the first version, too" cmp "$FOLDER/1" "$F@v/1.csv"
is "$(fact versions_kept_aside)" "$(history_of "$F" 'select(.how == "aside") | 1' | wc -w)" "stats.json counts them"
down
