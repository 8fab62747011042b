#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn restore` of an SQLite database: not while it is open, and never beside the -wal of another content.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/shop.db
sql() { sqlite3 "$F" "$@"; }
cp_database()
{
	sqlite3 "$FOLDER/made.db" "$1"
	cp "$FOLDER/made.db" "$F"
}
cp_database "create table t(x); insert into t values(1)"
cp_database "insert into t values(2)"
is "$(sql 'select count(*) from t')" 2 "a database with two versions"

# open in WAL mode: the connection holds a lock
sql "pragma journal_mode=wal" >/dev/null
mkfifo "$FOLDER/pipe"
sqlite3 "$F" <"$FOLDER/pipe" >/dev/null &
reader=$!
exec 7>"$FOLDER/pipe"
echo ".timeout 10000" >&7 # beside those who count
echo "begin; insert into t values(3); commit;" >&7
has_three() { [ "$(sql 'select count(*) from t')" = 3 ]; }
within 20 has_three
exits 75 "a database that is open" "$TARN" restore "$F@v1"
like "$(cat "$FOLDER/out")" "shop.db: not restored: is an SQLite database that is open \(.*$reader" "is refused, with who has it"
exits 75 "in a dry run, too" "$TARN" restore "$F@v1" --dry-run
is "$(sql 'select count(*) from t')" 3 "nothing has changed"
kill -9 "$reader"
wait "$reader" 2>/dev/null
exec 7>&-
ok "what it left is a -wal" test -s "$F-wal"
exits 0 "once it is closed" "$TARN" restore "$F@v1"
is "$(sql 'select count(*) from t; pragma integrity_check')" $'1\nok' "it is restored, without the -wal of later"
ok "which is gone" test ! -s "$F-wal"

# open in rollback mode: no lock, but a descriptor
sql "pragma journal_mode=delete" >/dev/null
sqlite3 "$F" <"$FOLDER/pipe" >/dev/null &
reader=$!
exec 7>"$FOLDER/pipe"
echo "select count(*) from t;" >&7
within 5 sh -c "ls -l /proc/$reader/fd | grep -q shop.db"
exits 75 "open and idle" "$TARN" restore "$F@v1"
exec 7>&-
wait "$reader"
exits 0 "and closed" "$TARN" restore "$F@v1"
is "$(sql "select count(*) from t")" 1 "is as it was"
exits 0 "elsewhere" "$TARN" restore "$F@v1" --to "$FOLDER/then.db"
is "$(sqlite3 "$FOLDER/then.db" 'select count(*) from t')" 1 "works, too"

# a database whose last transactions are in its -wal: both come back
F=$B/crash.db
sql 'pragma journal_mode=wal; create table t(x)' >/dev/null
python3 - "$F" 2>/dev/null <<'END'
import os, signal, sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma wal_autocheckpoint=0")
for i in range(5):
    db.execute("insert into t values(?)", (i,))
os.kill(os.getpid(), signal.SIGKILL)
END
ok "killed, a program leaves a -wal" test -s "$F-wal"
within 20 equal 0 sqlite3 -readonly "$L/catalog/tarn.db" "select count(*) from node where writing = 1"
commit=$(jq -s '.[-1].commit' "$F-wal@v/history.jsonl")
sql 'insert into t values(6); delete from t where x < 3'
is "$(sql 'select count(*) from t')" 3 "later it has other rows, and no -wal"
exits 0 "of that moment" "$TARN" restore "$B@v/commit-$commit/crash.db"
is "$(sql 'select count(*) from t; pragma integrity_check')" $'5\nok' "it has all rows"
exits 0 "elsewhere, too" "$TARN" restore "$B@v/commit-$commit/crash.db" --to "$FOLDER/copy.db"
is "$(sqlite3 "$FOLDER/copy.db" 'select count(*) from t')" 5 "they come along"
exits 0 "with the whole folder" "$TARN" restore "$B@v/commit-$commit" --to "$FOLDER/whole"
is "$(sqlite3 "$FOLDER/whole/crash.db" 'select count(*) from t')" 5 "likewise"
down
