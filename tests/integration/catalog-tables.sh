#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A CSV file is a table: .catalog/table, tables.csv, columns.csv, stats.json, searches by column, and exports know it and
# what changed between its versions.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
C=$M/.catalog
T=$C/table/data/customers.csv
mkdir "$B/deep"
printf 'id,email,since\n1,ann@example.org,2026-01-02\n2,bob@example.org,2026-01-03\n' >"$B/customers.csv"
printf 'a;b\n1;x\n2;y\n3;z\n' >"$B/deep/other.csv"
rows_of() { jq -r --arg p "$1" '.[] | select(.path == $p) | .rows' "$C/tables.json"; }
ok "a table is listed soon after it was written" within 20 equal 2 rows_of data/customers.csv
ok "another one" within 20 equal 3 rows_of data/deep/other.csv
is "$(grep '^data/customers.csv,' "$C/tables.csv" | cut -d, -f1-5)" "data/customers.csv,data,csv,2,3" "with its facts"
is "$(grep '^data/customers.csv,,id,' "$C/columns.csv" | cut -d, -f4-7,9,10)" "BIGINT,2,0,2,1,2" "and its columns"
is "$(jq -c '[.total_tables, .total_columns]' "$C/stats.json")" "[2,5]" "they are counted"
is "$(find "$C/table/" -name stats.json | sed "s|^$C/table/||" | sort | paste -sd' ')" \
	"data/customers.csv/stats.json data/deep/other.csv/stats.json" "each has a folder at its path"
is "$(jq -c '[.version, .rows, (.columns | map(.name + " " + .type) | join(","))]' "$T/stats.json")" \
	'[1,2,"id BIGINT,email VARCHAR,since DATE"]' "stats.json"
is "$(tr -d '\r' <"$T/sample.csv" | head -2 | paste -sd' ')" "id,email,since 1,ann@example.org,2026-01-02" "sample.csv"
is "$(tr -d '\0' <"$C/search/column:email/paths0")" data/customers.csv "a table is found by a column"
is "$(tr -d '\0' <"$C/search/type:table b/paths0")" data/deep/other.csv "by its type"

printf 'id,email,score\n1,ann@example.org,1.5\n' >"$B/customers.csv"
ok "a new version is described" within 20 equal 1 rows_of data/customers.csv
is "$(jq -c '.history[] | [.version, .added, .removed, .compatible]' "$T/schema.json" | paste -sd' ')" \
	'[1,[],[],true] [2,["score"],["since"],false]' "schema.json tells what changed"
is "$(tail -n +2 "$T/versions.csv" | cut -d, -f1,5,6,7 | paste -sd' ')" "1,2,3,true 2,1,3,false" "versions.csv, too"

is "$(jq -r '.resources[] | select(.path == "data/deep/other.csv") | [.name, .dialect.delimiter,
	(.schema.fields | map(.name + " " + .type) | join(","))] | join(" ")' "$C/export/datapackage.json")" \
	"data_deep_other_csv ; a integer,b string" "a Data Package"
# By the standard's own schema.
is "$(python3 -W ignore - "$TARN_SOURCE/tests/data/frictionless/tabular-data-package.json" "$C/export/datapackage.json" <<'END'
import json, sys
import jsonschema
schema, package = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:])
for error in jsonschema.Draft4Validator(schema).iter_errors(package):
    print(list(error.absolute_path), error.message[:200])
END
)" "" "which Frictionless takes for one"
ok "views for DuckDB" grep -qF "read_csv('data/deep/other.csv', delim=';', header=true)" "$C/export/duckdb.sql"
like "$(cat "$C/export/roapi.yml")" 'name: "data_customers_csv"' "settings for ROAPI"
chmod 600 "$B/customers.csv"
ok "who may not read a table sees no folder of it" not as_nobody stat "$T"
is "$(as_nobody cat "$C/tables.csv" "$C/columns.csv" "$C/schemas.json" "$C/export/duckdb.sql" "$C/catalog.json" |
	grep -c customers)" 0 "nor a row"
down
