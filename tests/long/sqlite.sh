#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SQLite: four writing processes on one database, with a WAL (shared memory through the mount) and with a rollback
# journal (locks and unlinks), then integrity_check, also of the plain file after unmounting.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need sqlite3 "install sqlite3"

transactions=${SQLITE_TRANSACTIONS:-1000}

writers()
{
	local mode log=$WORK/sqlite.log text status verdict
	lake_up lake
	for mode in wal delete; do
		text=$("$HERE/sqlite_writers.py" "$B/$mode.db" $mode "$transactions" 2>"$log")
		status=$?
		result $status "SQLite ${mode^^}, 4 writers, $MODE: $text" "$log"
	done
	down sqlite
	for mode in wal delete; do
		verdict=$(sqlite3 "$LAKE/buckets/work/$mode.db" 'PRAGMA integrity_check; SELECT count(*) FROM journal' 2>&1)
		[ "$verdict" = "ok"$'\n'"$((4 * transactions))" ]
		result $? "SQLite ${mode^^}, $MODE: the plain file below the lake is sound"
	done
	rm -rf "$LAKE"
}
modes writers
