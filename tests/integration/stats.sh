#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog/stats.json and .csv: what is in the lake and what the daemon does, in numbers that are right.
. "$(dirname "$0")/lib.sh"

lake lake
up
S=$M/.catalog/stats.json
ok "it is JSON" jq -e . "$S"
for key in total_assets bytes opens commits commits_per_second memory_bytes versions_kept versions_not_kept jobs; do
	is "$(jq -r ".$key | type" "$S")" number "$key is a number"
done
like "$(fact scan)" '^(running|done)$' "scan tells its state"
ok "and comes to its end" within 10 equal "done" fact scan
is "$(fact total_assets) $(fact bytes)" "0 0" "an empty lake"
mkdir "$B/folder" && ln -s x "$B/link"
head -c 1000 /dev/zero >"$B/a"
head -c 234 /dev/zero >"$B/folder/b"
is "$(fact total_assets) $(fact bytes)" "2 1234" "two files"
ln "$B/a" "$B/c"
is "$(fact total_assets) $(fact bytes)" "2 1234" "a second name is no second file"
rm "$B/folder/b"
is "$(fact total_assets) $(fact bytes)" "1 1000" "one is removed"
is "$(fact versions_kept)" 1 "and kept"
rm "$B/c"
append x "$B/a"
ok "one has grown" within 10 equal 1002 fact bytes
before=$(fact commits)
touch "$B/new"
ok "a change is a commit" test "$(fact commits)" -gt "$before"
before=$(fact opens)
for i in 1 2 3 4 5; do cat "$B/a"; done >"$FOLDER/out"
five_more() { [ "$(fact opens)" -ge $((before + 5)) ]; }
ok "opens for reading are counted within some seconds" within 10 five_more
resident=$(awk '/^VmRSS/ { print $2 * 1024 }' "/proc/$(daemon_pid)/status")
shown=$(fact memory_bytes)
ok "memory_bytes is what the daemon has" test $((shown * 2)) -ge "$resident" -a "$shown" -le $((resident * 2))
busy() { for i in $(seq 50); do echo "$i" >"$B/busy"; done; [ "$(jq '.commits_per_second > 0' "$S")" = true ]; }
ok "commits_per_second rises when something is done" within 10 busy

csv=$M/.catalog/stats.csv
is "$(tail -n +2 "$csv" | cut -d, -f1 | tr -d '\r')" "$(jq -r 'del(.by_type) | keys_unsorted | .[]' "$S")" \
	"the CSV has the same keys"
for key in total_assets bytes scan; do
	is "$(grep "^$key," "$csv" | tr -d '\r' | cut -d, -f2)" "$(fact $key)" "and the same of $key"
done
down
up
is "$(fact total_assets)" 3 "after the next mount, too"
down
