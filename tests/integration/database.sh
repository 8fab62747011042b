#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An SQLite database is cut when its last program closed it, together with what lies beside it. Every version that is
# listed is a whole database.
LIMIT=300
. "$(dirname "$0")/lib.sh"

check() { sqlite3 "file:$1?immutable=1" 'PRAGMA integrity_check'; }
all_whole()
{
	local n bad=0
	shopt -s nullglob
	for n in "$1"@v/*; do
		[ "$(check "$n")" = ok ] || { echo "$n: $(check "$n")"; bad=1; }
	done
	return $bad
}
rows() { sqlite3 "$@" 'SELECT count(*) FROM t'; }

# transactions FILE MODE N: N transactions of one program, then it is killed (-9) before it can close anything.
killed()
{
	python3 - "$1" "$2" "$3" <<-'END'
		import os, signal, sqlite3, sys
		f, mode, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
		db = sqlite3.connect(f, isolation_level=None)
		db.execute(f"PRAGMA journal_mode={mode}").fetchall()
		db.execute("PRAGMA wal_autocheckpoint=0")
		db.execute("PRAGMA cache_size=5")
		for i in range(n):
		    db.execute("BEGIN")
		    db.execute("INSERT INTO t VALUES(?)", (i,))
		    db.execute("COMMIT")
		db.execute("BEGIN")
		db.executemany("INSERT INTO t VALUES(?)", [("x" * 3000,)] * 300)
		os.kill(os.getpid(), signal.SIGKILL)
	END
}

databases()
{
	local way=$1 mode F

	for mode in delete persist truncate wal; do
		F=$B/$mode.db
		sqlite3 "$F" "PRAGMA journal_mode=$mode; CREATE TABLE t(x);" >/dev/null
		for i in 1 2 3; do echo "INSERT INTO t VALUES($i);"; done | sqlite3 "$F"
		ok "$way, $mode: it gets settled" within 20 settled
		is "$(numbers "$F")" 2 "$way, $mode: one version for each program"
		is "$(rows "$F")" 3 "$way, $mode: with all rows"
		ok "$way, $mode: those that are listed are whole" all_whole "$F"
		is "$(versions "$F-journal")$(versions "$F-wal")$(versions "$F-shm")" "" "$way, $mode: its companions have none"
	done

	F=$B/crash.db
	sqlite3 "$F" 'PRAGMA journal_mode=wal; CREATE TABLE t(x);' >/dev/null
	killed "$F" wal 5 2>/dev/null
	ok "$way: killed, it leaves a -wal" test -s "$F-wal"
	ok "$way: it gets settled" within 20 settled
	ok "$way: what is listed is whole" all_whole "$F"
	wal=$(commit_of "$F-wal")
	mkdir -p "$FOLDER/$way"
	ok "$way: the folder as of then" cp "$B@v/commit-$wal/crash.db" "$B@v/commit-$wal/crash.db-wal" "$FOLDER/$way/"
	is "$(rows "$FOLDER/$way/crash.db")" 5 "$way: has the database with its -wal"
	is "$(versions "$F-wal")" "" "$way: which is not listed by itself"
	sqlite3 "$F" 'INSERT INTO t VALUES(6)'
	ok "$way: closed properly, a version is listed" within 20 last_has 6 "$F"

	F=$B/hot.db
	sqlite3 "$F" 'CREATE TABLE t(x);' >/dev/null
	killed "$F" delete 5 2>/dev/null
	ok "$way: killed, it leaves a -journal" test -s "$F-journal"
	ok "$way: it gets settled" within 20 settled
	ok "$way: what is listed is whole" all_whole "$F"
	both=$(commit_of "$F-journal")
	is "$both" "$(commit_of "$F")" "$way: both are of one commit"
	ok "$way: the folder as of then" cp "$B@v/commit-$both/hot.db" "$B@v/commit-$both/hot.db-journal" "$FOLDER/$way/"
	is "$(rows "$FOLDER/$way/hot.db")" 5 "$way: has the database with its -journal"
	sqlite3 "$F" 'INSERT INTO t VALUES(6)'
	ok "$way: closed properly, a version is listed" within 20 last_has 6 "$F"

	echo plain >"$B/note" && echo a >"$B/note-wal" && echo b >"$B/note-wal"
	is "$(versions "$B/note-wal")" "1 2" "$way: what only sounds like a companion has history"
}

numbers() { versions "$1" | wc -w; }
settled() { [ "$(sqlite3 "$L/catalog/tarn.db" 'SELECT count(*) FROM node WHERE writing = 1')" = 0 ]; }
commit_of()
{
	sqlite3 "$L/catalog/tarn.db" "SELECT max(cut_commit) FROM version JOIN entry ON entry.node = version.node
		WHERE entry.name = CAST('${1##*/}' AS BLOB)"
}
last_has()
{
	local last
	last=$(find "$2@v" -name '[0-9]*' | sort -V | tail -n 1)
	[ "$(rows "file:$last?immutable=1")" = "$1" ] && [ "$(check "$last")" = ok ]
}

both_ways databases
