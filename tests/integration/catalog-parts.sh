#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder of files with the same columns is one table, with Hive's partitions, too: in the lists, in .catalog/table and
# in the exports, which have a view for each labelled version.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
C=$M/.catalog
mkdir -p "$B/sales" "$B/events/day=2026-11-01" "$B/events/day=2026-11-02" "$B/mixed"
printf 'id,amount\n1,10\n2,20\n' >"$B/sales/january.csv"
printf 'id,amount\n3,30.5\n' >"$B/sales/february.csv"
echo 'not a part' >"$B/sales/README"
for day in 01 02; do printf '{"n": 1, "kind": "a"}\n{"n": 2, "kind": "b"}\n' >"$B/events/day=2026-11-$day/part-0.jsonl"; done
printf 'p,q\n1,2\n' >"$B/mixed/a-b.csv"
printf 'r,s,t\n1,2,3\n' >"$B/mixed/a_b.csv"
printf 'x,y\n1,2\n' >"$B/alone.csv"
mkdir "$B@v/first"
has() { grep -qF "$1" "$2"; }
tables() { tail -n +2 "$C/tables.csv" | tr -d '\r' | sort | cut -d, -f1,3,4,5,13 | paste -sd' '; }
all="data/alone.csv,csv,1,2, data/events,jsonl,4,2,2 data/mixed/a-b.csv,csv,1,2, data/mixed/a_b.csv,csv,1,3, data/sales,csv,3,2,2"
ok "parts are one table, others are not" within 20 equal "$all" tables || note < <(tables)
is "$(jq -c '.[] | select(.path == "data/sales") | .columns | map(.name)' "$C/schemas.json")" '["id","amount"]' \
	"its columns are those of the parts"
is "$(find "$C/table/data/sales" -maxdepth 1 -type f -printf '%f\n' | sort | paste -sd' ')" \
	"parts.csv sample.csv schema.json stats.json" "its folder has files of its own"
is "$(jq -c '[.rows, .parts, .pattern, .partitions]' "$C/table/data/events/stats.json")" \
	'[4,2,"data/events/*=*/*.jsonl",["day"]]' "with what is known of all of it"
is "$(tail -n +2 "$C/table/data/sales/parts.csv" | cut -d, -f1-3 | sort | paste -sd' ')" \
	"data/sales/february.csv,1,1 data/sales/january.csv,1,2" "and of each part"
ok "beside the folders of the parts" [ -e "$C/table/data/sales/january.csv/stats.json" ]
ok "where parts differ there is none" not stat "$C/table/data/mixed/stats.json"
sql=$C/export/duckdb.sql
ok "DuckDB reads all parts" grep -qF \
	"VIEW \"data_sales\" AS SELECT * FROM read_csv('data/sales/*.csv', delim=',', header=true, union_by_name=true, hive_partitioning=false)" "$sql"
ok "and partitions" grep -qF "read_json('data/events/*=*/*.jsonl', union_by_name=true, hive_partitioning=true)" "$sql"
is "$(grep -o 'VIEW "data_mixed[^"@]*"' "$sql" | sort | paste -sd' ')" 'VIEW "data_mixed_a_b_csv" VIEW "data_mixed_a_b_csv_2"' \
	"two tables never have the same name"
ok "a labelled version has a view" grep -qF "VIEW \"data_alone_csv@first\" AS SELECT * FROM read_csv('data@v/first/alone.csv'" "$sql"
ok "as have labelled parts" grep -qF "VIEW \"data_sales@first\" AS SELECT * FROM read_csv('data@v/first/sales/*.csv'" "$sql"
is "$(jq -c '.resources[] | select(.name == "data_sales") | .path | sort' "$C/export/datapackage.json")" \
	'["data/sales/february.csv","data/sales/january.csv"]' "a Data Package lists the parts"
printf 'id,other\n1,2\n' >"$B/sales/march.csv"
ok "with another part that is different they are tables by themselves" within 20 has "data/sales/january.csv" "$C/tables.csv"
chmod 600 "$B/sales/march.csv" "$B/alone.csv"
is "$(as_nobody cat "$C/tables.csv" | cut -d, -f1 | grep -c 'sales/\|alone')" 0 "who may not read that one sees the others as one"
rm "$B/sales/march.csv"
printf 'later,z\n1,2\n' >"$B/later.csv"
ok "what is new" within 20 has "data_later_csv" "$sql"
ok "has no view of a moment before" not grep -qF 'data_later_csv@first' "$sql"
down
