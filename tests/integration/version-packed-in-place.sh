#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that is appended to and written in place: its versions are packed in any order, each reads as it was, also
# those that are read through another; and once its content is packed, who writes it need not save what it overwrites.
. "$(dirname "$0")/lib.sh"

lake lake
export TARN_STORAGE_PACK_AFTER=0
up
F=$B/table.csv

# at OFFSET: what comes on standard input, into the file there
at() { dd of="$F" bs=1 seek="$1" conv=notrunc status=none; }
# keep: the file's content now is the next version
keep() { n=$((n + 1)); cp "$F" "$FOLDER/$n"; }
own_files() { find "$L/versions" -type f ! -path '*/packs/*' | wc -l; }
how_of() { history_of "$F" "select(.version == $1) | .how"; }
all_right()
{
	local i
	for i in $(seq $((n - 1))); do
		cmp "$FOLDER/$i" "$F@v/$i.csv" || return 1
	done
	cmp "$FOLDER/$n" "$F"
}

n=0
awk 'BEGIN { srand(1); for (i = 0; i < 60000; i++) print i "," rand() }' >"$F" && keep
for i in 1 2 3; do
	echo "appended $i" >>"$F" && keep
	sleep 2.5 # appends by one run within two seconds are one version
	printf 'in place %s' "$i" | at "$((i * 200000))" && keep
done
echo "appended last" >>"$F" && keep
ok "what it has now is packed" within 60 equal packed how_of "$n"
ok "each reads as it was" all_right
down
up
ok "after the next mount as well" all_right
before=$(own_files)
printf 'written again' | at 300000 && keep
is "$(own_files)" "$before" "who writes it then saves nothing"
is "$(how_of $((n - 1)))" packed "and the version is in the pack"
ok "all read as they were" all_right
ok "what is written next is packed again" within 60 equal packed how_of "$n"
printf 'and once more' | at 100 && keep
ok "all read as they were" all_right
rm "$F"
ok "removed, it is packed" within 60 equal packed how_of "$n"
# Who was about to overwrite what was just packed has saved it all the same: the next mount takes that away. And what
# older versions are read through may be packed meanwhile.
no_more() { [ "$(own_files)" -le "$before" ]; }
down
up
ok "and lies nowhere else" within 60 no_more
good=0
for i in $(seq "$n"); do cmp "$FOLDER/$i" "$F@v/$i.csv" && good=$((good + 1)); done
is "$good" "$n" "and reads as it was"
down
