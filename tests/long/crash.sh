#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# kill -9 of the daemon at 200 random moments under load (tests/crash/kill.py says what must have survived), and at 50
# without passthrough.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need "${CC:-cc}" "install gcc"

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "$WORK/mapstore" "$HERE/../crash/mapstore.c" || exit 1
kills=${CRASH_KILLS:-200}

kill_daemon()
{
	local dir=$WORK/${MODE%% *}
	mkdir "$dir"
	MOUNTS+=("$dir/mnt")
	"$HERE/../crash/kill.py" --tarn "$TARN" --mapstore "$WORK/mapstore" --dir "$dir" --kills "$kills" \
		--seed "${CRASH_SEED:-1}" --words "$MODE" -- "${MODE_OPTIONS[@]}" 2>"$WORK/crash.log"
	local status=$?
	[ $status -eq 0 ] || result 1 "crash, $MODE: ended with status $status" "$WORK/crash.log"
	kills=$(((kills + 3) / 4))
}
modes kill_daemon
