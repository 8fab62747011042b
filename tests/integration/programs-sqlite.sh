#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What SQLite leaves in history: a version when the last program closes the database. Every version that is listed
# passes integrity_check and has the rows that it should, also after writers were killed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program sqlite3 sqlite3

# ask VERSION SQL: of a copy, which a database with a WAL needs, and of the version itself.
ask()
{
	cp "$1" "$FOLDER/copy.db"
	sqlite3 "$FOLDER/copy.db" "$2"
	sqlite3 "file:$1?immutable=1" "$2"
	rm -f "$FOLDER"/copy.db*
}

# rows_of FILE: for each listed version its number and how many rows it has, as "1=1 2=2"; what is wrong with it
# instead when it is not sound.
rows_of()
{
	local name out='' answer
	for name in $(versions "$1"); do
		answer=$(ask "$1@v/$name" 'PRAGMA integrity_check; SELECT count(*) FROM t' 2>&1 | paste -sd' ')
		case $answer in
		"ok "[0-9]*" ok "[0-9]*) answer=${answer##* } ;;
		esac
		out+="${out:+ }${name%%.*}=$answer"
	done
	echo "$out"
}

# holds ROWS TEXT: a point. The last close of a database may be heard of a moment later.
holds()
{
	within 5 equal "$1" rows_of "$F"
	is "$(rows_of "$F")" "$1" "$2"
}

many()
{
	printf 'BEGIN;INSERT INTO t VALUES(%s);COMMIT;' $(seq "$1") | sqlite3 "$F"
}

# A large transaction that is killed in the middle, with a cache so small that it reaches the disk.
killed()
(
	exec 2>"$FOLDER/killed" # where the shell says so
	python3 - "$F" "$1" <<-'END'
		import os, signal, sqlite3, sys
		db = sqlite3.connect(sys.argv[1], isolation_level=None)
		db.execute("PRAGMA cache_size=1")
		if sys.argv[2] == "after":
		    db.execute("INSERT INTO t VALUES('committed')")
		db.execute("BEGIN")
		db.executemany("INSERT INTO t VALUES(?)", (("x" * 3000,) for _ in range(300)))
		db.execute("UPDATE t SET n = n || 'y'")
		os.kill(os.getpid(), signal.SIGKILL)
	END
	true
)

# The kernel tells of a close a moment after it, and the daemon waits for that no longer than 250 ms: a daemon with a
# sanitizer may need more.
settled() { [ "$SLOW" = 1 ] || within 5 equal 0 fact unsettled; }

rows()
{
	local mode name
	for mode in delete wal; do
		F=$B/$mode.db
		sqlite3 "$F" "PRAGMA journal_mode=$mode; CREATE TABLE t(n); INSERT INTO t VALUES(1)" >"$FOLDER/out"
		settled
		sqlite3 "$F" 'INSERT INTO t VALUES(2)'
		settled
		sqlite3 "$F" 'INSERT INTO t VALUES(3)'
		holds "1=1 2=2 3=3" "$1, $mode: three programs, three sound versions"
		settled
		many 50
		holds "1=1 2=2 3=3 4=53" "$1, $mode: fifty transactions of one program are one"
		sqlite3 "$F" 'SELECT count(*) FROM t' >"$FOLDER/out"
		holds "1=1 2=2 3=3 4=53" "$1, $mode: reading is none"
		for name in journal wal shm; do
			is "$(versions "$F-$name")" "" "$1, $mode: no versions of $mode.db-$name"
		done
		killed before
		is "$(rows_of "$F" | cut -d' ' -f1-4)" "1=1 2=2 3=3 4=53" "$1, $mode: a killed writer takes nothing away"
		killed after
		not grep -q ' [0-9]*=[^0-9 ]' <<<" $(rows_of "$F")"
		point $? "$1, $mode: and what is listed is sound" || note < <(rows_of "$F")
		sqlite3 "$F" 'DELETE FROM t WHERE n > 2 OR n = "committed"'
		is "$(sqlite3 "$F" 'PRAGMA integrity_check')" ok "$1, $mode: the database itself is sound"
		not grep -q ' [0-9]*=[^0-9 ]' <<<" $(rows_of "$F")"
		point $? "$1, $mode: and every version, with the next writer" || note < <(rows_of "$F")
	done
}
both_ways rows
