#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# DuckDB opens one version of a table by its name, and reads all of them by a pattern; `tarn sql` asks its C library.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program node nodejs
need_program npm npm

mkdir "$FOLDER/node" && cd "$FOLDER/node" || exit 1
npm install --no-audit --no-fund --no-save --ignore-scripts @duckdb/node-api@1.5.6-r.1 >"$FOLDER/npm" 2>&1 ||
	skip_all "npm cannot install @duckdb/node-api: $(grep -m 1 'npm' "$FOLDER/npm")"
cat >query.mjs <<'END'
import { DuckDBInstance } from '@duckdb/node-api';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const reader = await connection.runAndReadAll(process.argv[2]);
for (const row of reader.getRows())
	console.log(row.join(' '));
END

cat >init.mjs <<'END'
import { readFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
process.chdir(process.argv[2]);
for (const statement of readFileSync('.catalog/export/duckdb.sql', 'utf8').split(/;\n/))
	if (statement.replace(/^--.*\n/gm, '').trim())
		await connection.run(statement);
for (const sql of process.argv.slice(3))
	console.log((await connection.runAndReadAll(sql)).getRows().map((row) => row.join(' ')).join(','));
END

query() { node "$FOLDER/node/query.mjs" "$1" 2>&1; }

rows()
{
	local i j
	F=$B/sales.csv
	for i in 1 2 3; do
		{ echo id,amount; for j in $(seq $i); do echo "$j,$((i * 10))"; done; } >"$F"
	done
	is "$(query "SELECT count(*), sum(amount) FROM '$F@v/3.csv'")" "3 90" "$1: one version"
	is "$(query "SELECT count(*), sum(amount) FROM '$F@v/-2.csv'")" "1 10" "$1: counted back"
	is "$(query "SELECT count(*), sum(amount) FROM '$F@v/*.csv'")" "6 140" "$1: all of them"
	is "$(query "SELECT regexp_extract(filename, '[0-9]+[.]csv'), count(*) FROM read_csv('$F@v/*.csv', filename = true)
		GROUP BY 1 ORDER BY 1")" $'1.csv 1\n2.csv 2\n3.csv 3' "$1: by their names"
	is "$(query "SELECT * FROM '$F@v/3.csv' EXCEPT SELECT * FROM '$F@v/2.csv' ORDER BY 1" | wc -l)" 3 "$1: two compared"
	F=$B/sales.parquet
	for i in 1 2; do
		query "COPY (SELECT unnest(range($((i * 100)))) AS n) TO '$F' (FORMAT parquet)" >"$FOLDER/out"
	done
	is "$(query "SELECT count(*), max(n) FROM '$F@v/1.parquet'")" "100 99" "$1: a Parquet file, too"
	is "$(query "SELECT count(*) FROM '$F@v/*.parquet'")" 300 "$1: and all of its versions"
	F=$B/events.json.gz
	for i in 1 2; do seq $i | jq -c '{n: .}' | gzip -c >"$F"; done
	is "$(query "SELECT count(*) FROM '$F@v/1.json.gz'")" 1 "$1: compressed JSON"
}

# What DuckDB's threads do, ThreadSanitizer does not see: only tarn is looked at.
sql()
{
	TSAN_OPTIONS=${TSAN_OPTIONS:-}:ignore_noninstrumented_modules=1:report_bugs=0 \
		"$TARN" sql --lake "$L" --library "$LIBRARY" "$@" 2>&1
}

asked()
{
	LIBRARY=$(find "$FOLDER/node" -name libduckdb.so)
	is "$(sql "SELECT count(*) n FROM 'data/sales.csv@v2'")" $'n\n2' "sql: a version"
	is "$(sql "FROM 'data/sales.csv' EXCEPT FROM 'data/sales.csv@v-1' ORDER BY 1" | wc -l)" 4 "sql: against the one before"
	is "$(sql "SELECT count(*) FROM 'data/sales.parquet@v1' JOIN 'data/sales.csv@v/*.csv' ON n = id")" \
		$'count_star()\n6' "sql: a join of two formats"
	is "$(sql "SELECT n FROM 'data/events.json.gz@v2'" | xargs)" "n 1 2" "sql: compressed JSON"
	is "$(sql --json "SELECT [1, NULL] a, 1.50 b, true c, 'a\"' d, NULL e, 'inf'::DOUBLE f, {'x': DATE '2026-11-01'} g")" \
		$'[\n{"a":[1,null],"b":1.50,"c":true,"d":"a\\"","e":null,"f":"inf","g":{"x":"2026-11-01"}}\n]' "sql: as JSON"
	is "$(sql --csv "SELECT '' a, NULL b, 'x,y' c, 'a text of more than twelve bytes' d;")" \
		$'a,b,c,d\n"",,"x,y",a text of more than twelve bytes' "sql: as CSV"
	is "$(sql --table --rows 2 "SELECT range::INTEGER i, 'x' t FROM range(3)")" "i  t
0  x
1  x
tarn: sql: there are more rows than these 2 (--rows N shows more, --csv all)" "sql: as a table"
	ok "sql: into Parquet" sql --parquet "$B/out.parquet" "FROM 'data/sales.csv'"
	is "$(sql "SELECT count(*) c FROM 'data/out.parquet'")" $'c\n3' "sql: which can be asked in turn"
	is "$(sql "SELECT sum(range) s FROM range(300000)")" $'s\n44999850000' "sql: many rows"
	exits 1 "sql: nothing outside of the mount is read" sql "FROM read_text('$L/config/settings.yaml')"
	like "$(cat "$FOLDER/out")" 'Permission Error' "sql: and that is told"
	for wrong in "COPY (SELECT 1) TO 'data/x.csv'" "SELECT 1; SELECT 2" "SET threads = 1" "CREATE TABLE t AS SELECT 1" \
		"SELECT 1) TO 'data/x.csv'; --" "ATTACH 'data/x.db'" "INSTALL httpfs" "EXPLAIN ANALYZE COPY (SELECT 1) TO 'data/x.csv'"; do
		exits 1 "sql: refused: $wrong" sql "$wrong"
	done
	is "$(find "$B" -name 'x.*')" "" "sql: and none of them made a file"
}

# What `duckdb -init .catalog/export/duckdb.sql` does.
init()
{
	mkdir -p "$B/parts/day=2026-11-01" "$B/parts/day=2026-11-02"
	for day in 01 02; do printf 'id,v\n1,1.5\n' >"$B/parts/day=2026-11-$day/x.csv"; done
	mkdir "$B@v/then"
	echo '4,40' >>"$B/sales.csv"
	described() { grep -q 'VIEW "data_parts"' "$M/.catalog/export/duckdb.sql" && [ "$(fact jobs)" = 0 ]; }
	ok "the export knows all tables" within 20 described
	is "$(node "$FOLDER/node/init.mjs" "$M" "SELECT count(*) FROM data_sales_csv" \
		'SELECT count(*) FROM "data_sales_csv@then"' "SELECT count(*), min(day), max(day) FROM data_parts" \
		'SELECT sum(v) FROM "data_parts@then"' "SELECT count(*) FROM data_sales_parquet" 2>&1 | paste -sd' ')" \
		"4 3 2 2026-11-01 2026-11-02 3 200" "its views can be asked, of labelled versions, too"
}

lake lake
up
rows passthrough
asked
init
down
lake second
up -o passthrough=off
rows cached
down
