#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder as it was, by time and by commit: what was in it, with its content, mode and time; also of one that is gone,
# of a bucket, and of the whole lake.
. "$(dirname "$0")/lib.sh"

lake lake
up
# moment: a time between two changes.
moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }
tree() { (cd "$1" && find . -printf '%P %y %s %l\n' | sort); }

D=$B/shop
start=$(moment)
mkdir -p "$D/in/deep" "$D/empty"
put one "$D/a.csv"
put inner "$D/in/deep/f"
chmod 640 "$D/a.csv"
ln -s a.csv "$D/link"
ln -s /nowhere "$D/in/dangling"
first=$(moment)
want=$(tree "$D" | sed -E 's/ d [0-9]+ / d 0 /')
put two "$D/a.csv"
chmod 600 "$D/a.csv"
rm -r "$D/in/deep"
mv "$D/empty" "$D/full"
ln -sfn b.csv "$D/link"
put new "$D/full/b"
second=$(moment)
commit=$(jq -r .commit "$D/full/b@v/history.jsonl")

is "$(tree "$D@v/$first")" "$want" "the tree as it was"
is "$(cat "$D@v/$first/a.csv" "$D@v/$first/in/deep/f")" $'one\ninner' "with its contents"
is "$(readlink "$D@v/$first/in/dangling")" /nowhere "a symlink"
is "$(readlink "$D@v/$first/link" "$D@v/$second/link" | paste -sd' ')" "a.csv b.csv" "one that was replaced"
is "$(stat -c %a "$D@v/$first/a.csv")" 400 "its mode then and now"
is "$(cat "$D@v/$second/a.csv" "$D@v/$second/full/b")" $'two\nnew' "a later one"
fails ENOENT "what came later is not in it" ls "$D@v/$first/full"
fails ENOENT "what was gone is not in the later one" ls "$D@v/$second/in/deep"
fails ENOENT "before the folder there is none" ls "$D@v/$start"
mkdir "$M/late"
for moment in "$second" commit-1; do
	fails ENOENT "nor before a bucket that one ($moment)" ls "$M/late@v/$moment"
done
is "$(cat "$D@v/commit-$commit/full/b")" new "by commit"
is "$(cat "$M/@v/commit-$commit/data/shop/a.csv" "$M/@v/$first/data/shop/a.csv")" $'two\none' "the whole lake"
is "$(cat "$B@v/$first/shop/a.csv")" one "a bucket"
is "$(cat "$D/in@v/$first/deep/f")" inner "a folder in it"
fails ENOENT "a commit that is to come" ls "$D@v/commit-999999"
fails ENOENT "a time that is to come" ls "$D@v/2999-01-01"
fails ENOENT "what is no moment" ls "$D@v/commit-0"
ok "D@v is a folder" ls -la "$D@v"
fails ENOENT "folders have no numbers" ls "$D@v1"
fails ENOENT "nothing synthetic is in a tree" ls "$D@v/$first/a.csv@v"
fails ENOENT "nor at its root" ls "$M/@v/$first/.catalog"

ok "cp -r takes it out" cp -r "$D@v/$first" "$FOLDER/out"
is "$(tree "$FOLDER/out" | sed -E 's/ d [0-9]+ / d 0 /')" "$want" "whole"
ok "tar, too" tar -C "$M/@v/$second" -cf "$FOLDER/out.tar" .
is "$(tar -tf "$FOLDER/out.tar" | grep -c shop)" 7 "all of it"
is "$(find "$M/@v/$second" -type f | wc -l)" 2 "find ends"
is "$(stat -c %i "$D@v/$first/a.csv")" "$(stat -c %i "$D@v/$first/a.csv")" "a number stays"
ok "and differs from those of other moments" \
	test "$(stat -c %i "$D@v/$first/a.csv")" != "$(stat -c %i "$D@v/$second/a.csv")"
is "$(find "$M/@v/$second" "$D@v/$second" "$D@v/$first" -printf '%i\n' | sort | uniq -d)" "" "no two share one"
is "$(find "$D@v/$first" -maxdepth 1 -printf '%i %P\n' | sort)" \
	"$(cd "$D@v/$first" && stat -c '%i %n' -- * . | sed 's/ \.$/ /' | sort)" "a listing says the same numbers"

# What the kernel remembers of a listing ends with what can be read.
put other "$D/full/c"
kept=$(moment)
put another "$D/full/c"
is "$(ls "$D@v/$kept/full"; ls "$D@v/$kept/full")" $'b\nc\nb\nc' "a listing, twice"
ok "a version is erased" "$TARN" purge "$D/full/c@v1" --yes
is "$(ls "$D@v/$kept/full")" b "and is not listed any more"
fails ENOENT "nor found" cat "$D@v/$kept/full/c"
rm "$D/full/c"

# After a rename a folder's past goes along; where it was then is found by time.
mv "$D" "$B/store"
is "$(cat "$B/store@v/$first/a.csv")" one "renamed, its past goes along"
is "$(cat "$D@v/$first/a.csv")" one "the old name has what lay there then"
mkdir "$D"
put other "$D/c"
is "$(cat "$D@v/$first/a.csv")" one "also when another folder lies there now"
third=$(moment)
is "$(ls "$D@v/$third")" c "which has a past of its own"
rm -r "$B/store" "$D"
is "$(cat "$B/store@v/$second/a.csv")" two "a removed folder keeps its past"
is "$(cat "$D@v/$first/in/deep/f")" inner "under both of its names"
is "$(ls "$B")" "" "and is not there"

# A name may have been a folder, and be a file.
put file "$D"
is "$(cat "$D@v/$first/a.csv")" one "a file lies where the folder was: the folder then"
is "$(cat "$D@v/1")" file "and the file's version"
down
up
is "$(cat "$M/@v/$first/data/shop/a.csv")" one "after the next mount, too"
down
