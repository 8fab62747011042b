#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon is killed while it packs, and while what expired is taken out of packs: whatever is listed afterwards reads
# as it was, and nothing stays behind.
. "$(dirname "$0")/lib.sh"

lake lake
export TARN_STORAGE_PACK_AFTER=0
F=$B/table.csv
n=0

rows() { awk -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < 20000; i++) print i "," rand() }'; }
# all_right: every version that is listed is what was written as that one
all_right()
{
	local v
	for v in $(versions "$F"); do
		cmp "$FOLDER/${v%.csv}" "$F@v/$v" || return 1
	done
}
kept() { history_of "$F" 'select(.state == "kept" or .state == "live") | .version' | wc -w; }

up
rows 1 >"$FOLDER/base"
for delay in 0 0.3 0.6 1 1.3; do
	for _ in 1 2 3; do
		n=$((n + 1))
		{ sed "${n}0s/,/,$delay,/" "$FOLDER/base"; rows "$n" | head -n 100; } >"$FOLDER/$n"
		cp "$FOLDER/$n" "$F"
	done
	sync "$F"
	sleep "$delay"
	crash
	up
	ok "after a crash $delay s later every listed version is right" all_right
	is "$(kept)" "$n" "and none is missing"
done
all_packed() { [ "$(fact versions_kept_packed)" -ge "$1" ]; }
ok "the rest is packed in the end" within 30 all_packed $((n - 1))
ok "and nothing has two places" within 30 equal 0 sh -c "find '$L/versions' -type f ! -path '*/packs/*' | wc -l"
packs() { find "$L/versions/packs" -type f | wc -l; }
is "$(packs)" "$(fact packs)" "each pack is one that the store knows"

# Nearly all of it expires; the daemon is killed while it is taken out.
crash
export TARN_STORAGE_HISTORY_BUDGET_GB=0.00005
for delay in 0.5 1.1; do
	up
	sleep "$delay"
	crash
done
unset TARN_STORAGE_HISTORY_BUDGET_GB
up
ok "what did not expire is right" all_right
ok "something did" test "$(kept)" -lt "$n"
ok "packs and store agree" within 30 sh -c "[ \$(find '$L/versions/packs' -type f | wc -l) -eq \$('$TARN' status '$L' --json | jq .packs) ]"
down
exits 0 "fsck finds nothing" "$TARN" fsck "$L"
