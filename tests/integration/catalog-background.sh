#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# SHA-256 and MIME type of every file come in the background, and are right.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir "$B/deep"
printf 'id,name,price\n1,chair,19.5\n2,table,120\n3,lamp,35.25\n' >"$B/table.csv"
printf 'just some words\non two lines\n' >"$B/notes.txt"
printf '{"a": [1, 2, 3], "b": null}\n' >"$B/object.json"
printf '<html><head><title>t</title></head><body>x</body></html>\n' >"$B/page.html"
printf '\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\001\b\006\0\0\0' >"$B/picture.png"
seq 100000 | gzip -n >"$B/deep/numbers.gz"
sqlite3 "$FOLDER/x.db" 'CREATE TABLE t (a); INSERT INTO t VALUES (1)' && cp "$FOLDER/x.db" "$B/x.db"
head -c 3000000 /dev/urandom >"$B/large.bin"
: >"$B/empty"
printf 'words\n' >"$B/name, with \"quotes\".txt"
sum_of() { sha256sum <"$B/$1" | cut -d' ' -f1; }
column() { jq -r --arg path "data/$1" ".[] | select(.path == \$path) | .$2" "$M/.catalog/assets.json"; }
while read -r file; do
	ok "$file: its sum is that of sha256sum" within 20 equal "$(sum_of "$file")" column "$file" sha256 ||
		note < <(column "$file" sha256)
	mime=$(file -b --mime-type "$B/$file")
	[ "$file" != table.csv ] || mime=text/csv
	ok "$file: its type is $mime" within 20 equal "$mime" column "$file" mime || note < <(column "$file" mime)
done < <(cd "$B" && find . -type f -printf '%P\n' | sort)
is "$(grep '^data/table.csv,' "$M/.catalog/assets.csv" | tr -d '\r' | cut -d, -f5,8)" "text/csv,$(sum_of table.csv)" \
	"assets.csv has them, too"
is "$(getfattr --only-values --absolute-names -n user.tarn.sha256 "$B/notes.txt")" "$(sum_of notes.txt)" \
	"user.tarn.sha256 has the sum"
is "$(history_of "$B/notes.txt" .sha256)" "$(sum_of notes.txt)" "so has history.jsonl"

put changed "$B/notes.txt"
ok "what is changed is looked at again" within 20 equal "$(sum_of notes.txt)" column notes.txt sha256
is "$(history_of "$B/notes.txt" '.sha256 != null')" "true true" "the version before keeps its sum"
append "and more" "$B/notes.txt"
ok "also what is appended to" within 20 equal "$(sum_of notes.txt)" column notes.txt sha256
ok "no job is left" within 20 equal 0 fact jobs
before=$(jq -S . "$M/.catalog/assets.json")
down
up
is "$(jq -S . "$M/.catalog/assets.json")" "$before" "the next mount knows it all"
down
