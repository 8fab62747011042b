#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files added, changed, renamed and removed directly in LAKE/buckets while nothing is mounted are right after the next
# mount; and a lake that rsync copied to another folder is the same lake, without a version that nobody made.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need rsync "install rsync"

# facts FILE: the number of versions of every file, and the hash of every version. Asked for until two in a row are
# the same, since the scan goes on behind the mount.
facts()
{
	local before='' now
	for _ in $(seq 60); do
		now=$("$HERE/outside.py" counts "$MNT" 2>&1 && "$HERE/outside.py" contents "$MNT" 2>&1)
		[ "$now" != "$before" ] || break
		before=$now
		sleep 1
	done
	echo "$now" >"$1"
}

copy_of_the_lake()
{
	# rsync -a makes two files of two links.
	rm -f "$MNT/work/other/link.csv"
	facts "$WORK/before"
	down outside
	rsync -a "$LAKE/" "$WORK/copied/" && mv "$LAKE" "$WORK/lake.away" || exit 1
	LAKE=$WORK/copied
	up
	sleep 2
	facts "$WORK/after"
	diff "$WORK/before" "$WORK/after" >"$WORK/diff.log"
	result $? "a lake copied by rsync -a: the same $(grep -cE '^[0-9]+ ' "$WORK/before") files and versions, $MODE" \
		"$WORK/diff.log"
	down outside
	up
	facts "$WORK/after"
	diff "$WORK/before" "$WORK/after" >"$WORK/diff.log"
	result $? "the same after its second mount, $MODE" "$WORK/diff.log"
	lake_gone outside
	rm -rf "$WORK/lake.away"
}

outside()
{
	lake lake
	up
	"$HERE/outside.py" prepare "$MNT" 2>"$WORK/outside.log"
	result $? "files made through the mount have one version each, $MODE" "$WORK/outside.log"
	down outside
	# What is written within the same tick of the clock could not be told from what was there.
	sleep 0.1
	"$HERE/outside.py" change "$LAKE" || { fail "the lake could not be changed"; exit 1; }
	up
	"$HERE/outside.py" check "$MNT" "$MODE" 2>"$WORK/outside.log" || result 1 "outside changes, $MODE" "$WORK/outside.log"
	copy_of_the_lake
}
modes outside
