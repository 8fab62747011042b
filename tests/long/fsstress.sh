#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# fsstress: four processes doing 20,000 random operations each. Then the tree seen through the mount, the plain tree
# below the lake, and the tree of the next mount must be the same, byte for byte.
. "$(dirname "$0")/lib.sh"
need_suite bin/fsstress
need python3 "install python3"

operations=${FSSTRESS_OPERATIONS:-20000}

stress()
{
	local log=$WORK/fsstress-${MODE%% *}.log start=$SECONDS status entries
	lake_up lake
	timeout 3600 "$SUITES/bin/fsstress" -d "$B" -n "$operations" -p 4 -s 1 >"$log" 2>&1 </dev/null
	status=$?
	entries=$(find . | wc -l)
	result $status "fsstress, $MODE: 4 processes, $operations operations each, $entries entries, $((SECONDS - start)) s" \
		"$log"

	"$HERE/tree.py" "$B" >"$WORK/mounted.tree" 2>>"$log"
	down fsstress
	"$HERE/tree.py" "$LAKE/buckets/work" >"$WORK/plain.tree" 2>>"$log"
	diff "$WORK/mounted.tree" "$WORK/plain.tree" >"$WORK/diff.log"
	result $? "fsstress, $MODE: mount and plain tree are the same" "$WORK/diff.log"
	up
	"$HERE/tree.py" "$B" >"$WORK/again.tree" 2>>"$log"
	diff "$WORK/mounted.tree" "$WORK/again.tree" >"$WORK/diff.log"
	result $? "fsstress, $MODE: the next mount shows the same" "$WORK/diff.log"
	lake_gone
}
modes stress
