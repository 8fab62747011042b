#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs open earlier versions as the files that they are: by their extension, or as a path like any other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program sqlite3 sqlite3
need_program less less
need_program file file

rows()
{
	local i
	F=$B/sales.csv
	for i in 1 2 3 4 5; do
		{ echo id,amount; for j in $(seq $i); do echo "$j,$((i * j))"; done; } >"$F"
	done
	is "$(versions "$F")" "1.csv 2.csv 3.csv 4.csv 5.csv" "$1: five versions of a table"
	sqlite3 "$FOLDER/$1.db" ".import --csv '$F@v/3.csv' sales" ".import --csv --skip 1 '$F@v/1.csv' sales"
	is "$(sqlite3 "$FOLDER/$1.db" 'SELECT count(*), sum(amount) FROM sales')" "4|19" "$1: SQLite imports two of them"
	is "$(python3 -c '
import csv, sys
print(sum(int(row["amount"]) for row in csv.DictReader(open(sys.argv[1]))))' "$F@v/4.csv")" 40 "$1: Python reads one"
	is "$(python3 -c '
import glob, sys
print(*sorted(len(open(name).readlines()) for name in glob.glob(sys.argv[1])))' "$F@v/*.csv")" "2 3 4 5 6" "$1: and all"
	cp "$F@v/2.csv" "$FOLDER/plain.csv"
	is "$(file -b "$F@v/2.csv")" "$(file -b "$FOLDER/plain.csv")" "$1: file knows it as it knows a plain one"
	is "$(less "$F@v/1.csv" | tail -n 1)" 1,1 "$1: less shows it"
	is "$(TERM=vt100 timeout 10 script -qec "less -FX $F@v1" /dev/null </dev/null | tr -d '\r' | grep -c '^1,1')" 1 \
		"$1: on a terminal, too"
	is "$(sort -t, -k 2 -rn "$F@v/5.csv" | head -n 1)" 5,25 "$1: sort"
	is "$(diff "$F@v1" "$F" | grep -c '^[<>]')" 6 "$1: diff F@v1 F"
	ok "$1: cp F@v2 F" cp "$F@v2" "$F"
	ok "$1: makes it the live content" cmp "$F" "$F@v2"
	is "$(versions "$F")" "1.csv 2.csv 3.csv 4.csv 5.csv 6.csv" "$1: as a new version"
	ok "$1: cp F@v5 F" cp "$F@v5" "$F"
	ok "$1: too" cmp "$F" "$F@v5"

	F=$B/big.csv.gz
	for i in 1 2; do seq $((i * 1000)) | gzip -c >"$F"; done
	is "$(zcat "$F@v/1.csv.gz" | tail -n 1) $(zcat "$F@v/2.csv.gz" | tail -n 1)" "1000 2000" "$1: zcat"
	is "$(zgrep -c 99 "$F@v/1.csv.gz")" 19 "$1: zgrep"
	like "$(file -b "$F@v/1.csv.gz")" "^gzip" "$1: file"
	F=$B/archive.tar
	for i in 1 2; do echo $i >"$FOLDER/member" && tar -C "$FOLDER" -cf "$F" member; done
	is "$(tar -xOf "$F@v/1.tar")" 1 "$1: tar"
	F=$B/picture.png
	printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\002\b\0\0\0\0' >"$F"
	echo text >"$F"
	like "$(file -b --mime-type "$F@v/1.png") $(file -b --mime-type "$F")" "image/png text/plain" "$1: file of a picture"
}
both_ways rows
