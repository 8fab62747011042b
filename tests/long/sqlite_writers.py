#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four processes write into one SQLite database; then it must be sound and complete.

	sqlite_writers.py DATABASE wal|delete TRANSACTIONS

Each transaction moves an amount between two accounts and adds a row to a journal. Prints one line of figures; exits 1
when a transaction is missing, the sum has changed, or integrity_check finds something.
"""
import multiprocessing
import random
import sqlite3
import sys
import time

WRITERS, ACCOUNTS = 4, 200


def connect(path):
	return sqlite3.connect(path, timeout=120, isolation_level=None)


def write(path, writer, transactions):
	db, rng = connect(path), random.Random(writer)
	for i in range(transactions):
		a, b = rng.sample(range(ACCOUNTS), 2)
		db.execute("BEGIN IMMEDIATE")
		db.execute("UPDATE account SET amount = amount - ? WHERE id = ?", (i, a))
		db.execute("UPDATE account SET amount = amount + ? WHERE id = ?", (i, b))
		db.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?)", (writer, i, a, b, rng.randbytes(300)))
		db.execute("COMMIT")
	db.close()


def main():
	path, mode, transactions = sys.argv[1], sys.argv[2], int(sys.argv[3])
	db = connect(path)
	found = db.execute(f"PRAGMA journal_mode = {mode}").fetchone()[0]
	if found != mode:
		sys.exit(f"journal_mode {mode} was refused: {found}")
	db.execute("CREATE TABLE account (id INTEGER PRIMARY KEY, amount INTEGER)")
	db.execute("CREATE TABLE journal (writer, number, a, b, filler, PRIMARY KEY (writer, number))")
	db.executemany("INSERT INTO account VALUES (?, 1000)", [(i,) for i in range(ACCOUNTS)])
	db.close()

	start = time.monotonic()
	writers = [multiprocessing.Process(target=write, args=(path, w, transactions)) for w in range(WRITERS)]
	for w in writers:
		w.start()
	for w in writers:
		w.join()
	took = time.monotonic() - start

	db = connect(path)
	verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
	rows = db.execute("SELECT count(*) FROM journal").fetchone()[0]
	total = db.execute("SELECT sum(amount) FROM account").fetchone()[0]
	print(f"{rows} transactions, {rows / took:.0f}/s, integrity_check {verdict}")
	if any(w.exitcode for w in writers) or verdict != "ok" or rows != WRITERS * transactions or total != 1000 * ACCOUNTS:
		sys.exit(f"exit codes {[w.exitcode for w in writers]}, {rows} rows, sum {total}: {verdict}")


main()
