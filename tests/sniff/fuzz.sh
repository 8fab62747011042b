#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The sniffers survive files that are broken in random ways. FUZZ_SECONDS: for how long, 3 unless it is set (for hours,
# build with --enable-sanitize); FUZZ_SEED: where chance begins.
set -u
: "${TARN_BUILD:?the build tree}" "${TARN_SOURCE:?the source}"
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-fuzz.XXXXXX") || exit 1
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
"$TARN_SOURCE/tests/sniff/samples" "$T" || exit 1
cp "$TARN_SOURCE"/tests/data/sniff/*.parquet "$T"
python3 - "$T/database.db" <<'END_PY' || exit 1
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.executescript("""PRAGMA page_size = 512; CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, photo BLOB);
	CREATE TABLE w(a, b, PRIMARY KEY (a, b)) WITHOUT ROWID; CREATE INDEX i ON people(name);
	CREATE VIEW v AS SELECT * FROM people; CREATE VIRTUAL TABLE f USING fts5(x);""")
db.executemany("INSERT INTO people(name, photo) VALUES (?, ?)", ((f"p{i}", bytes(i % 700)) for i in range(60)))
db.executemany("INSERT INTO w VALUES (?, ?)", ((i, i / 2) for i in range(60)))
db.commit()
END_PY
"$TARN_BUILD/tests/fuzz/sniff" "${FUZZ_SECONDS:-3}" "${FUZZ_SEED:-1}" "$T"/*
