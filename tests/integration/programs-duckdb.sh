#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# DuckDB opens one version of a table by its name, and reads all of them by a pattern.
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
both_ways rows
