#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# D@v/ lists the names that people gave to moments of D, and the last days on which something changed.
. "$(dirname "$0")/lib.sh"

lake lake
up
# names FOLDER: what it lists, in one line.
names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd,; }
D=$B/shop
mkdir "$D"
put one "$D/a.csv"
ok "mkdir D@v/LABEL names this moment" mkdir "$D@v/release 1"
put two "$D/a.csv"
put new "$D/b.csv"
is "$(ls "$D@v")" "release 1" "it is listed"
is "$(cat "$D@v/release 1/a.csv" "$D/a.csv")" $'one\ntwo' "and shows what was written just before"
fails ENOENT "and not what came later" cat "$D@v/release 1/b.csv"
fails EEXIST "a label is there once" mkdir "$D@v/release 1"
ok "another one" mkdir "$D@v/v1.2.3"
for i in $(seq 20); do
	echo "$i" >"$D/fast" && mkdir "$D@v/l-$i" || break
done
wrong=0
for i in $(seq 20); do
	[ "$(cat "$D@v/l-$i/fast")" = "$i" ] || wrong=$((wrong + 1))
	rmdir "$D@v/l-$i"
done
is $wrong 0 "what was closed before belongs to the moment, each time"
is "$(names "$D@v")" "release 1,v1.2.3" "rmdir drops the name"
fails ENOENT "which is nothing then" ls "$D@v/l-1"
for name in 2026-13-45 42 1.5 commit-x epoch-x latest history.jsonl 12:00; do
	fails EINVAL "'$name' looks like a time or a number" mkdir "$D@v/$name"
done
commit=commit-$(jq -r .commit "$D/a.csv@v/history.jsonl" | tail -n 1)
fails EEXIST "a moment cannot be made" mkdir "$D@v/$commit"
fails EROFS "nor removed" rmdir "$D@v/$commit"
fails EROFS "no file can be made there" touch "$D@v/file"
fails EROFS "no label be renamed" mv "$D@v/v1.2.3" "$D@v/v2"
fails ENOENT "labels are a folder's own" ls "$B@v/v1.2.3"
ok "the lake has some, too" mkdir "$M/@v/all"
is "$(cat "$M/@v/all/data/shop/a.csv")" two "with all of it"
is "$(names "$M/@v")" all "they are listed"
put three "$D/a.csv"
ok "a mount of a label" mkdir "$FOLDER/old"
"$TARN" mount "$L" "$FOLDER/old" -q -o view=all
is "$(cat "$FOLDER/old/data/shop/a.csv")" two "shows it"
"$TARN" umount "$FOLDER/old"
mv "$D" "$B/store"
is "$(cat "$B/store@v/release 1/a.csv")" one "labels go along with a rename"
rm -r "$B/store"
is "$(cat "$B/store@v/release 1/a.csv")" one "and stay with a removed folder"
fails EROFS "which gets no new ones" mkdir "$B/store@v/late"
fails EROFS "a file has none" mkdir "$B/store@v/release 1/sub"
if [ "$(id -u)" -eq 0 ]; then
	mkdir -m 755 "$B/mine"
	mkdir -m 777 "$B/everybody's"
	fails EACCES "who may not write in a folder names no moment of it" as_nobody mkdir "$B/mine@v/label"
	ok "who may does" as_nobody mkdir "$B/everybody's@v/label"
	ok "and drops it" as_nobody rmdir "$B/everybody's@v/label"
	fails EACCES "not those of others" as_nobody rmdir "$M/@v/all"
fi
# Days: as if some of it had happened before.
down
python3 - "$L/catalog/tarn.db" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
day = 86400 * 10**9
for table in ("change", "label"):
    db.execute(f"UPDATE {table} SET time = time - ?", (3 * day,))
db.execute("UPDATE version SET time = time - ?, end_time = end_time - ?", (3 * day, 3 * day))
db.execute("UPDATE folder_day SET day = day - 3")
db.commit()
END
up
mkdir -p "$B/shop"
put later "$B/shop/c"
today=$(date -u +%F)
is "$(names "$M/@v")" "$today,all" "a day on which something changed is listed"
is "$(ls "$B@v")" "$today" "of a bucket"
ok "and is what the day began with" not test -e "$M/@v/$today/data/shop/c"
is "$(stat -c %a "$M/@v/$today/data")" "$(stat -c %a "$B" | tr 2367 0145)" "its folders are there"
is "$(ls "$B/shop@v")" "" "a folder that was made today has none"
down
