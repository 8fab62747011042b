#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lake whose disk is lost comes back from its remote: names, versions, attributes and settings; what was never
# uploaded is told of.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
export TARN_HYBRID_STORAGE_METADATA_INTERVAL=1

commit() { "$TARN" status "$L" --json | jq .commit; }
restore() { "$TARN" restore-lake "$@" >"$FOLDER/restored" 2>&1; }

cloud dir
lake lake
settings 'buckets: {data: {purpose: the one}, other: {}}'
up
mkdir -p "$B/folder/deep" "$M/other"
for i in $(seq 30); do echo "content $i" >"$B/folder/file $i"; done
head -c 300000 /dev/urandom >"$B/large"
printf 'not ascii\n' >"$B/folder/deep/näme"
printf 'strange\n' >"$B/folder/deep/$(printf 'x\xff\ny')"
: >"$B/empty"
echo linked >"$B/one"
ln "$B/one" "$B/folder/two"
ln -s ../target "$B/link"
mkfifo "$B/pipe"
chmod 640 "$B/large"
chown "$NOBODY:$NOBODY" "$B/folder"
chmod 2770 "$B/folder"
touch -d '2001-02-03 04:05:06.789' "$B/large" "$B/folder/deep"
setfattr -n user.note -v 'a note' "$B/large"
setfattr -n user.xdg.tags -v 'a,b' "$B/folder"
setfacl -m "u:$NOBODY:r" "$B/folder/file 1"
echo first >"$B/versions"
echo second >"$B/versions"
mkdir "$B/@v" 2>/dev/null
"$TARN" label "$B" a-label >/dev/null
echo lost >"$M/other/never-uploaded"
echo gone >"$B/removed" && rm "$B/removed"
echo 'the table' >"$L/config/tables/t.yaml"
down
(cd "$B" && find . -type f ! -name never-uploaded ! -empty -printf 'data/%P\n' | grep -av '^data/x' | grep -av '^y$') >"$FOLDER/sent"
grep -av 'deep/x' "$FOLDER/sent" | "$SEND" "$L" -s - || point 1 'the files are sent'
up
# What is shown is compared: names, attributes, bytes.
look()
{
	(cd "$1" && find . -printf '%P %y %m %U %G %n %l\n' | sort) && (cd "$1" && find . -type f -printf '%P %s %T@\n' | sort) &&
		(cd "$1" && find . -type d -printf '%P %T@\n' | sort) && (cd "$1" && getfattr -d -R . 2>/dev/null) &&
		(cd "$1" && getfacl -R . 2>/dev/null)
}
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }
rm -f "$B"/folder/deep/x*
touch -d '2001-02-03 04:05:06.789' "$B/folder/deep"
look "$B" >"$FOLDER/before"
sums "$B" >"$FOLDER/sums"
now=$(commit)
ok "all is copied" within 30 record_copied "$now"
id=$(basename "$CLOUD_DIR"/pre/.tarn/meta/*)
down
mv "$L" "$L.lost"

# ---- back again ----
exits 3 "it comes back, and says that something is lost" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L"
like "$(cat "$FOLDER/out")" 'lost: other/never-uploaded' "which file that is"
ok "also in a file" grep -q '^other/never-uploaded,1,5,' "$L/logs/lost.csv"
ok "the settings are back" cmp "$L/config/settings.yaml" "$L.lost/config/settings.yaml"
ok "and the tables" cmp "$L/config/tables/t.yaml" "$L.lost/config/tables/t.yaml"
is "$(find "$B" -type f ! -name pipe | wc -l)" 3 "nothing was downloaded but what has two names"
up
look "$B" >"$FOLDER/after"
ok "names and attributes are what they were" diff -a "$FOLDER/before" "$FOLDER/after"
ok "so are all bytes" diff "$FOLDER/sums" <(sums "$B")
is "$(cat "$B/versions@v/2")" second "the newest version has its number"
like "$("$TARN" versions --all "$B/versions" 2>&1)" 'lost with its disk' "an old one that was only here says so"
ok "a label is there" test -d "$B@v/a-label"
ok "the lost file is not" test ! -e "$M/other/never-uploaded"
like "$(cat "$M/other/never-uploaded@v/history.jsonl")" 'not-kept' "but its history is"
echo third >"$B/versions"
is "$(cat "$B/versions") $(cat "$B/versions@v/2")" "third second" "life goes on"
is "$(basename "$CLOUD_DIR"/pre/.tarn/meta/*)" "$id" "it is the same lake"
now=$(commit)
ok "whose record is copied further" within 30 record_copied "$now"
down
up
ok "after the next mount, too" test "$(sums "$B" | grep -cv versions)" -eq "$(grep -cv versions "$FOLDER/sums")"
down

# ---- all data at once; twice ----
rm -rf "$L"
exits 3 "with all data, but what was written since" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L" --all
is "$(find "$B" -type l ! -name link | wc -l)" 0 "no placeholder is left"
ok "the bytes are there without a mount" diff <(grep -v ' ./versions$' "$FOLDER/sums") <(sums "$B" | grep -v ' ./versions$')
exits 0 "again, there is nothing to do" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L" --all
exits 1 "a lake that is there is left alone" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L"

# ---- what cannot be ----
mkdir "$FOLDER/full"
touch "$FOLDER/full/x"
exits 1 "a folder that has something is left alone" "$TARN" restore-lake "$CLOUD_DIR/pre" "$FOLDER/full"
exits 1 "where there is no copy, that is said" "$TARN" restore-lake "$FOLDER/full" "$FOLDER/new"
like "$(cat "$FOLDER/out")" 'no copy of a lake' "in words"
exits 2 "what is to be named must be" "$TARN" restore-lake "$CLOUD_DIR/pre"

# ---- interrupted ----
rm -rf "$L"
timeout -s KILL 0.05 "$TARN" restore-lake "$CLOUD_DIR/pre" "$L" >/dev/null 2>&1
ok "what was interrupted cannot be mounted" test ! -e "$L/config/settings.yaml" -o -e "$L/catalog/tarn.db"
restore "$CLOUD_DIR/pre" "$L"
up
ok "done again, it is whole" diff <(grep -v ' ./versions$' "$FOLDER/sums") <(sums "$B" | grep -v ' ./versions$')
down
