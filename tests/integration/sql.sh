#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn sql without DuckDB's library, with what is none, and with one that refuses; programs-duckdb.sh has the real one.
. "$(dirname "$0")/lib.sh"

unset TARN_DUCKDB
lake
up
sql() { "$TARN" sql --lake "$L" "$@"; }

if ldconfig -p 2>/dev/null | grep -q 'libduckdb\.so' || [ -e /usr/local/lib/libduckdb.so ] || [ -e /opt/duckdb ]; then
	point 0 "DuckDB is installed, so nothing says how to get it"
else
	exits 1 "without the library it fails" sql "SELECT 1"
	like "$(cat "$FOLDER/out")" 'github\.com/duckdb/duckdb/releases' "and says where to get it"
fi
exits 1 "a library that is not there" sql --library "$FOLDER/none.so" "SELECT 1"
like "$(cat "$FOLDER/out")" "none.so: No such file" "is named"
echo text >"$FOLDER/text.so"
exits 1 "what is no library" env TARN_DUCKDB="$FOLDER/text.so" "$TARN" sql --lake "$L" "SELECT 1"
like "$(cat "$FOLDER/out")" "text.so: .*(invalid ELF header|file too short)" "is named, with the reason"

echo 'int nothing;' >"$FOLDER/other.c"
"${CC:-cc}" -shared -fPIC -o "$FOLDER/other.so" "$FOLDER/other.c"
exits 1 "another library" sql --library "$FOLDER/other.so" "SELECT 1"
like "$(cat "$FOLDER/out")" 'it has no duckdb_library_version\(\)' "is none"

# One whose every statement is wrong.
cat >"$FOLDER/fake.c" <<'END_C'
const char *duckdb_library_version(void) { return "v0.fake"; }
const char *duckdb_result_error(void *r) { return "Fake Error: no\n\nLINE 1: SET\n        ^"; }
const char *duckdb_prepare_error(void *s) { return "Fake Error: never asked"; }
int duckdb_open(const char *path, void **d) { *d = "d"; return 0; }
int duckdb_connect(void *d, void **c) { *c = "c"; return 0; }
int duckdb_query(void *c, const char *sql, void *r) { return 1; }
#define NOTHING(name) void *duckdb_##name(void) { return 0; }
NOTHING(close) NOTHING(disconnect) NOTHING(interrupt) NOTHING(destroy_result) NOTHING(prepare)
NOTHING(prepared_statement_type) NOTHING(execute_prepared_streaming) NOTHING(destroy_prepare) NOTHING(column_count)
NOTHING(fetch_chunk) NOTHING(data_chunk_get_size) NOTHING(data_chunk_get_vector) NOTHING(destroy_data_chunk)
NOTHING(vector_get_data) NOTHING(vector_get_validity) NOTHING(add_replacement_scan)
NOTHING(replacement_scan_set_function_name) NOTHING(replacement_scan_add_parameter) NOTHING(create_varchar)
NOTHING(destroy_value)
END_C
ok "a library that refuses everything" "${CC:-cc}" -w -shared -fPIC -o "$FOLDER/fake.so" "$FOLDER/fake.c"
mkdir "$FOLDER/tmp"
exits 1 "it is not asked without its limits" \
	env TMPDIR="$FOLDER/tmp" "$TARN" sql --lake "$L" --library "$FOLDER/fake.so" --parquet "$FOLDER/x.parquet" "SELECT 1"
is "$(cat "$FOLDER/out")" "tarn: sql: DuckDB v0.fake refuses its limits (1.2 is the oldest that has all of them)
tarn: sql: Fake Error: no
tarn: sql: LINE 1: SET
tarn: sql:         ^" "all lines of its message are told, the place in the query below it"
is "$(find "$FOLDER/tmp" -mindepth 1; find "$FOLDER" -name '*.parquet*')" "" "nothing is left of what it was to write"
exits 2 "a number that is none" sql --rows 0 "SELECT 1"
exits 2 "a query is needed" sql
down
exits 1 "an unmounted lake" sql --library "$FOLDER/fake.so" "SELECT 1"
like "$(cat "$FOLDER/out")" "is not mounted" "is told"
