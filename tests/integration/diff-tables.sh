#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn diff` of CSV files: rows by key, columns that were added, removed, renamed or have another type.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/sales.csv
put $'id,name,price\n1,ann,10\n2,bob,20\n3,cyd,30' "$F"
put $'id,name,price\n1,ann,10\n2,bob,25\n4,dan,40' "$F"
exits 1 "two versions of a table" "$TARN" diff "$F@v1"
out=$(cat "$FOLDER/out")
like "$out" 'rows: 3 -> 3; 1 added, 1 removed, 1 changed, 1 same \(by id\)' "rows are counted by their key"
like "$out" '- 3,cyd,30' "a removed one is shown"
like "$out" '\+ 4,dan,40' "an added one, too"
like "$out" '~ id=2: price 20 -> 25' "and what changed in another"
exits 1 "as JSON" "$TARN" diff "$F@v1" "$F@v2" --json
is "$(jq -c '[.kind, .key, .rows.added, .rows.removed, .rows.changed, .examples.changed[0].changes.price]' "$FOLDER/out")" \
	'["table",["id"],1,1,1,["20","25"]]' "likewise"
exits 1 "by another key" "$TARN" diff "$F@v1" --key name --rows 0
like "$(cat "$FOLDER/out")" 'same \(by name\)' "as it was asked for"
is "$(grep -c '^[-+~] ' "$FOLDER/out")" 0 "and without examples"
exits 2 "by a key that is not there" "$TARN" diff "$F@v1" --key colour
like "$(cat "$FOLDER/out")" 'colour: no column' "is an error"
exits 1 "line by line" "$TARN" diff "$F@v1" --text
like "$(cat "$FOLDER/out")" '-2,bob,20' "where that is asked for"

put $'id,cost,name,since\n1,10.5,ann,2026-11-20\n2,25,bob,\n4,40,dan,2026-11-21' "$F"
exits 1 "other columns" "$TARN" diff "$F@v2"
out=$(cat "$FOLDER/out")
like "$out" '\+ column since \(date\) added' "one is added"
like "$out" '~ column price renamed to cost' "one renamed, known by its values"
like "$out" '~ column cost: type integer -> number' "and has another type"
like "$out" 'another order' "the order is another"
like "$out" '1 changed, 2 same \(by id\)' "rows are compared in the columns that both have"
exits 1 "as JSON" "$TARN" diff "$F@v2" "$F" --json
is "$(jq -c '[.columns.added[0].name, .columns.renamed[0].to, .columns.retyped[0].to, .columns.removed]' "$FOLDER/out")" \
	'["since","cost","number",[]]' "likewise"

printf 'id\tx\n1\t2\n' >"$B/a.tsv"
printf 'id,x\n"1",2\n' >"$FOLDER/b.csv"
exits 1 "the same rows in another form" "$TARN" diff "$B/a.tsv" "$FOLDER/b.csv"
like "$(cat "$FOLDER/out")" 'the rows are the same' "are the same rows"
put $'a,b\n1,"never closed' "$FOLDER/c.csv"
exits 1 "what is no table after all" "$TARN" diff "$FOLDER/b.csv" "$FOLDER/c.csv"
like "$(cat "$FOLDER/out")" '\+1,"never closed' "is compared as text"
down
