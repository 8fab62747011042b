#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The five sample tables, declared: what is said of them is in the catalog, and a broken rule shows with its row.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
mkdir -p "$L/config/tables"
cp "$TARN_SOURCE"/contrib/sample-tables/*.yaml "$L/config/tables/"
printf 'name: broken\npath: raw-data/x.csv\ncolums: []\ncolumns: 5\n' >"$L/config/tables/broken.yaml"
up
C=$M/.catalog
sh "$TARN_SOURCE/contrib/sample-lake" "samples"
mkdir -p "$M/raw-data" "$M/analytics"
cp "samples/customers.csv" "samples/orders.csv" "samples/products.csv" "$M/raw-data"
cp "samples/customer_summary.csv" "samples/customer_features.csv" "$M/analytics"
check() { (cd "$M" && "$TARN" check "$@" 2>&1); }
counts() { [ "$(jq -c '[.catalog_assets, .total_tables, .total_columns]' "$C/stats.json")" = "[27,5,22]" ]; }
ok "27 assets: 5 tables and their 22 columns" within 10 counts

exits 1 "a file that is wrong does not count as well" check
like "$(check)" "1 of the files in .*/config/tables cannot be read" "it is told of"
doctor() { "$TARN" doctor "$L" | tr -s ' \n' ' '; }
like "$(doctor)" "broken.yaml:3:1: colums: unknown key, did you mean columns\?" "doctor: an unknown key"
like "$(doctor)" "broken.yaml:4:10: columns: a list of columns is expected" "and what is wrong, and where"
rm "$L/config/tables/broken.yaml"
ok "which a reload reads anew" "$TARN" reload "$L"
ok "all rules are kept" check
is "$(jq '[.[] | select(.failed > 0 or .note)] | length' "$C/quality.json")" 0 "and all were looked at"
is "$(jq -r '.[] | select(.path == "raw-data/orders.csv") | .name + " " + .owner + " " + .tags' "$C/tables.json")" \
	"production.public.orders sales@example.com core,facts" "name, owner and tags are in tables.json"
is "$("$TARN" find --in "$M" "signed up" | sed "s|$M/||")" raw-data/customers.csv "a description is found by"
is "$(wc -l <"$C/by-name/production/public/orders")" 1001 "by-name leads to the file"
is "$(cd "$C/by-name/production/public" && echo *)" "customer_features customer_summary customers orders products" \
	"and lists them"
ok "not to what is not declared" not ls "$C/by-name/production/public/nothing"

echo "1001,7777,1,0,2026-01-01" >>"$M/raw-data/orders.csv"
exits 1 "a version that breaks rules" check orders
like "$(check orders)" "orders \(raw-data/orders.csv, version 2\): 2 of" "is named"
like "$(check orders)" "customer_id foreign_key .*customers.customer_id: 1 of 1001 rows, first row 1001: 1001,7777,1,0" \
	"with the row"
like "$(check orders)" "quantity range 1..: 1 of 1001" "for each rule"
ok "the others still hold" check customers
is "$(jq '[.[] | select(.path == "raw-data/orders.csv" and .version == 1)] | length' "$C/quality.json")" \
	"$(jq '[.[] | select(.path == "raw-data/orders.csv" and .version == 2)] | length' "$C/quality.json")" \
	"the version before is still in the history"
sed -i 1q "$M/raw-data/products.csv"
exits 1 "who refers to a table is looked at again when that changes" check orders
like "$(check orders)" "product_id foreign_key .*: 1001 of 1001 rows" "by its new version"
down
