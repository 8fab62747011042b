#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files are found by words, tags and conditions: by .catalog/search and `tarn find`, for each user what that user may
# read; .catalog/by-type and by-date lead to them.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
C=$M/.catalog
mkdir "$B/deep"
echo "the quick zebra jumps" >"$B/deep/first.txt"
echo "a zebra, and an okapi" >"$B/okapi notes.txt"
echo "a secret zebra" >"$B/secret.txt" && chmod 600 "$B/secret.txt"
# as comments, too, which are words whatever is known of the content
setfattr -n user.xdg.comment -v "the quick zebra jumps: invoices" "$B/deep/first.txt"
setfattr -n user.xdg.comment -v "a zebra, and an okapi" "$B/okapi notes.txt"
setfattr -n user.xdg.comment -v "a secret zebra" "$B/secret.txt"

found() { (cd "$M" && "$TARN" find "$@") | sed "s|^$M/||" | sort | paste -sd,; }
is_found() { [ "$(found "${@:2}")" = "$1" ]; }
as_nobody_found() { as_nobody cat "$C/search/$1/paths0" | tr '\0' '\n' | sort | paste -sd,; }

ok "a word is found soon after it was written" within 20 is_found \
	"data/deep/first.txt,data/okapi notes.txt,data/secret.txt" zebra
is "$(found zebra okapi)" "data/okapi notes.txt" "two words are both there"
is "$(found '"quick zebra"')" "data/deep/first.txt" "a phrase is one"
is "$(found 'okap*')" "data/okapi notes.txt" "a beginning"
is "$(found zebra okapi -0 | tr '\0' '\n')" "data/okapi notes.txt" "paths for xargs -0"
is "$(found 'name:notes')" "data/okapi notes.txt" "a word in a name"
is "$(found 'invoices')" "data/deep/first.txt" "a word in a comment"
is "$(found 'zebra size:<20')" "data/secret.txt" "a size"
is "$(found 'zebra modified:<2020-01-01')" "" "a time"
is "$(found 'bucket:data modified:>2020-01-01 size:>20')" "data/deep/first.txt,data/okapi notes.txt" "conditions alone"
is "$(found 'bucket:other zebra')" "" "a bucket"
is "$(found 'type:text/plain okapi')" "data/okapi notes.txt" "a type"
is "$(as_nobody_found zebra)" "data/deep/first.txt,data/okapi notes.txt" "a user finds what that user may read"
is "$(as_nobody ls "$C/search/zebra/files/data" | paste -sd,)" "deep,okapi notes.txt" "the tree of results, too"
ok "what a user may not read is no result" not as_nobody stat "$C/search/zebra/files/data/secret.txt"
ok "nor is what was not found" not stat "$C/search/okapi/files/data/secret.txt"
is "$(cat "$C/search/okapi/files/data/okapi notes.txt")" "a zebra, and an okapi" "results are links to the files"
is "$(jq -r .snippet "$C/search/okapi zebra/results.jsonl")" "a *zebra*, and an *okapi*" "with the words around"
is "$(as_nobody cat "$C/search/zebra/results.jsonl" | wc -c)" "$(as_nobody stat -c %s "$C/search/zebra/results.jsonl")" \
	"the size is right for each"
ok "what is no expression is not there" not stat "$C/search/ +"
mv "$B/okapi notes.txt" "$B/giraffe.txt"
is "$(found name:giraffe)/$(found name:okapi)" "data/giraffe.txt/" "a renamed file is found by its name of now"
rm "$B/giraffe.txt"
is "$(found name:giraffe)" "" "a deleted one is not"

is "$(cat "$C/by-type/text/plain/files/data/deep/first.txt")" "the quick zebra jumps" "a file by its type"
ok "no other" not stat "$C/by-type/image/png"
day=$(date -u -r "$B/deep/first.txt" +%Y/%m/%d)
is "$(find "$C/by-date/$day" -type l -name first.txt | wc -l)" 1 "and by its day"
ok "there is no 31st of February" not stat "$C/by-date/2026/02/31"
is "$(as_nobody find "$C/by-date/" -name secret.txt)" "" "where a user sees only the own files, too"
down
