#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 300,000 files in 300 folders, with a hard limit of 20,000 descriptors: made, walked, stat'ed, opened. The daemon's
# memory once the kernel has dropped its caches; how soon a mount of that lake answers.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"

folders=${WALK_FOLDERS:-300} files=1000 limit=20000

# The time that a mount takes to answer: until its root has been listed.
timed_up()
{
	local start=$EPOCHREALTIME
	up
	ls "$MNT/work" >/dev/null || fail "the mount does not answer"
	took=$(seconds "$start")
}

memory() { awk '/^VmRSS:/ { print int($2 / 1024) }' "/proc/$1/status"; }

# at_most A B: A <= B
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }

many()
{
	local start=$SECONDS pid rss peak before
	lake_up lake
	"$HERE/walk.py" make "$B" "$folders" $files 2>"$WORK/walk.log"
	result $? "$((folders * files)) files made in $((SECONDS - start)) s, $MODE" "$WORK/walk.log"
	pid=$(daemon_pid "$MNT")
	echo "# memory of the daemon after making them: $(memory "$pid") MiB"
	start=$SECONDS
	"$HERE/walk.py" walk "$B" "$folders" $files 2>"$WORK/walk.log"
	result $? "walked, stat'ed, opened and read in $((SECONDS - start)) s, $MODE" "$WORK/walk.log"
	peak=$(memory "$pid")

	if sync && echo 2 2>/dev/null >/proc/sys/vm/drop_caches; then
		# FORGETs arrive a moment after, and jobs may still be at work.
		for _ in $(seq 60); do
			before=${rss:-}
			sleep 2
			rss=$(memory "$pid")
			[ "$rss" != "$before" ] || break
			echo 2 >/proc/sys/vm/drop_caches
		done
		at_most "$rss" 100
		result $? "the daemon has $rss MiB after the kernel dropped its caches ($peak before), at most 100, $MODE"
	else
		skip "the daemon's memory after the kernel dropped its caches, $MODE" "needs root"
	fi
	cd /
	start=$EPOCHREALTIME
	down walk
	echo "# umount took $(seconds "$start") s"
	timed_up
	at_most "$took" 2
	result $? "after a clean unmount the mount answers in $took s, at most 2, $MODE"

	"$HERE/walk.py" walk "$B" 20 $files 2>"$WORK/walk.log"
	result $? "20 of the folders walked after that mount, $MODE" "$WORK/walk.log"
	echo more >"$B/later.txt"
	kill -9 "$(daemon_pid "$MNT")"
	sleep 0.5
	timed_up
	at_most "$took" 5
	result $? "after kill -9 of the daemon the mount answers in $took s, at most 5, $MODE"
	start=$SECONDS
	[ "$(cat "$B/later.txt")" = more ] && "$HERE/walk.py" walk "$B" "$folders" $files 2>"$WORK/walk.log"
	result $? "walked again after the crash in $((SECONDS - start)) s, $MODE" "$WORK/walk.log"
	lake_gone walk
}

# A lower hard limit cannot be raised again, so only this suite's own shell has it.
ulimit -Hn $limit && ulimit -Sn $limit || { fail "walk: the limit of open files could not be set to $limit"; exit 1; }
modes many
