#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A mount of the lake as it was (-o view=): beside the live one and without it, for tools that copy whole trees.
. "$(dirname "$0")/lib.sh"

lake lake
up
moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }
O=$FOLDER/old
mkdir "$O" "$FOLDER/second"
mkdir -p "$B/d/sub" "$B/d/empty"
put one "$B/d/a.csv"
put x "$B/d/sub/x"
ln -s a.csv "$B/d/link"
seq 100000 >"$B/large"
seq 100000 >"$FOLDER/large"
then=$(moment)
put two "$B/d/a.csv"
rm -r "$B/d/sub" "$B/large"
put new "$B/d/new"

views() { "$TARN" status "$L" --json | jq -r '.views[] | .mountpoint + " " + .view'; }
tree() { (cd "$1" && find . -printf '%P %y %l\n' | sort); }
old() { "$TARN" mount "$L" "$O" -q -o "view=$then${1:+,$1}"; }

ok "it is mounted beside the live one" old
is "$(views)" "$O $then" "status lists it"
is "$(cat "$O/data/d/a.csv" "$B/d/a.csv")" $'one\ntwo' "each shows its own"
is "$(ls "$O/data/d")" "$(printf '%s\n' a.csv empty link sub)" "what was removed is there, what came later is not"
ok "a large file is whole" cmp "$O/data/large" "$FOLDER/large"
fails EROFS "a file cannot be made" touch "$O/data/new"
fails EROFS "nor changed" put y "$O/data/d/a.csv"
fails EROFS "nor a bucket removed" rmdir "$O/data"
fails EROFS "nor a label made" mkdir "$O/label"
fails ENOENT "nothing synthetic is in it" ls "$O/.catalog"
fails ENOENT "no versions" ls "$O/data/d/a.csv@v"
fails ENOENT "no past of its own" ls "$O/@v"
is "$(stat -c %i "$O/data/d/a.csv")" "$(stat -c %i "$B/d/a.csv")" "a file has the number that it has on the live mount"
ok "df" df "$O"
ok "cp -r" cp -r "$O" "$FOLDER/cp"
ok "rsync -a" rsync -a "$O/" "$FOLDER/rsync"
is "$(rsync -ai "$O/" "$FOLDER/rsync")" "" "which finds nothing to do the next time"
mkdir "$FOLDER/tar"
ok "tar" bash -c "tar -C '$O' -cf - . | tar -C '$FOLDER/tar' -xf -"
for copy in cp rsync tar; do
	is "$(tree "$FOLDER/$copy")" "$(tree "$O")" "$copy took all of it"
	ok "with its contents" diff -r "$O" "$FOLDER/$copy"
done
ok "grep -r ends" grep -r one "$O"
before=$(find "$O" -printf '%i %s %m %T@ %C@ %P\n' | sort)
ok "a second one" "$TARN" mount "$L" "$FOLDER/second" -o "view=commit-$(jq -r .commit "$B/d/new@v/history.jsonl")"
is "$(cat "$FOLDER/second/data/d/new")" new "of another moment"
ok "is unmounted by its folder" "$TARN" umount "$FOLDER/second"
is "$(views)" "$O $then" "and the first stays"
exits 1 "mounting over it is refused" old
ok "umount(8) unmounts it, too" umount "$O"
ok "and the daemon forgets it" within 5 equal "" views
is "$(cat "$B/d/a.csv")" two "the live mount is there"
exits 2 "one that is to be written" "$TARN" mount "$L" "$O" -o view=2026-01-01,rw
exits 1 "a moment that is to come" "$TARN" mount "$L" "$O" -o view=2999-01-01
like "$(<"$FOLDER/out")" "no such time" "is said to be none"
exits 1 "a label that there is not" "$TARN" mount "$L" "$O" -o view=nothing
exits 2 "a view needs a folder" "$TARN" mount "$L" -o "view=$then"
exits 2 "an empty view" "$TARN" mount "$L" "$O" -o view=
ok "nothing is mounted" not mountpoint -q "$O"

old
(cd "$O/data" && exits 1 "a busy one stays" "$TARN" umount "$O")
like "$(<"$FOLDER/out")" "busy" "and it is said by whom"
down
ok "umount of the lake ends its views" not mountpoint -q "$O"

ok "without the live mount" old
is "$(cat "$O/data/d/a.csv")" one "it is the same"
is "$(find "$O" -printf '%i %s %m %T@ %C@ %P\n' | sort)" "$before" "numbers, sizes, modes and times, too"
up
is "$(cat "$B/d/a.csv" "$O/data/d/a.csv")" $'two\none' "then the live one comes beside it"
put three "$B/d/a.csv"
is "$(cat "$B/d/a.csv@v-1")" two "and works as ever"
ok "the view goes" "$TARN" umount "$O"
down
old
ok "the last mount ends the daemon" "$TARN" umount "$O"
exits 0 "and it can be mounted at once" "$TARN" mount "$L" -q
old
crash
ok "what a killed daemon left is cleaned up" "$TARN" mount "$L" -q
ok "the view, too" not mountpoint -q "$O"
ok "and can be mounted again" old
is "$(cat "$O/data/d/a.csv")" one "with the same content"
down
