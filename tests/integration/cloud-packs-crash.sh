#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon is killed at any moment while history leaves for the cloud: every version stays listed and reads as it was,
# and nothing is left over. CRASH_KILLS: how often.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
KILLS=${CRASH_KILLS:-4}

cloud dir
lake lake
settings 'buckets: {data: {}}' \
	'storage: {history_budget_gb: 0.00001, pack_after: 3600, cloud_burst_enabled: true}'
up
mkdir "$FOLDER/model"
n=0
write() # the next contents of two files, and one that does not pack, which goes at once
{
	for f in a b a b; do
		n=$((n + 1))
		{ echo "$n"; seq "$n" 9000; } >"$B/$f"
		sha256sum <"$B/$f" >>"$FOLDER/model/$f"
	done
	head -c 20000 /dev/urandom >"$B/noise$n"
	sha256sum <"$B/noise$n" >"$FOLDER/model/noise$n"
	rm "$B/noise$n"
	sync "$B/a" "$B/b" "$B"
}
# right FILE: all that was written to it can be read, and nothing else
right()
{
	for v in "$B/$1@v"/*; do sha256sum <"$v" || echo "$v cannot be read"; done | sort -u | cmp -s - <(sort -u "$FOLDER/model/$1")
}
all_right()
{
	local m
	for m in "$FOLDER"/model/*; do right "${m##*/}" || { echo "# ${m##*/}"; return 1; }; done
}

for k in $(seq "$KILLS"); do
	write
	sleep "$((k % 3)).$((RANDOM % 10))"
	crash
	umount -l "$M" 2>/dev/null
	up
done
ok "after $KILLS kills all that was written can be read" all_right
packs_here() { find "$L/versions/packs" -name '*.pack' | wc -l; }
at_budget() { [ "$(fact history_bytes)" -le 10000 ] && [ "$(packs_here)" = 0 ]; }
ok "history leaves nevertheless" within 40 at_budget
ok "and can be read" all_right
is "$(cat "$B/a@v/history.jsonl" "$B/b@v/history.jsonl" | grep -cE '"state":"(expired|not-kept)"')" 0 "nothing of it was given up"
ok "nothing is wrong, here and there" "$TARN" fsck "$L" --remote
down
