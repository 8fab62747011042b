#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn restore` of folders: as of a moment, out of them, after they were removed, and what of them cannot be had.
. "$(dirname "$0")/lib.sh"

lake lake
up

# commit_of PATH: the commit that made the newest version of a file.
commit_of() { jq -s '.[-1].commit' "$1@v/history.jsonl"; }

# tree DIR: all names, modes, contents and targets, in one line.
tree()
{
	(cd "$1" && find . -printf '%p %y %m %l\n' | sort && find . -type f | sort | xargs -r cat) | tr '\n' ' '
}

D=$B/report
mkdir -p "$D/sub/deep"
put one "$D/a.csv"
put deep "$D/sub/deep/b.csv"
ln -s ../a.csv "$D/sub/link"
chmod 640 "$D/a.csv"
chmod 750 "$D/sub"
setfattr -n user.note -v "of then" "$D/a.csv"
then=$(tree "$D")
put last "$D/z.csv"
rm "$D/z.csv"
commit=$(commit_of "$D/sub/deep/b.csv")
commit=$((commit + 8))
moment=$D@v/commit-$(sqlite3 -readonly "$L/catalog/tarn.db" "select max(commit_id) from change")
put two "$D/a.csv"
chmod 600 "$D/a.csv"
setfattr -n user.note -v now "$D/a.csv"
rm -r "$D/sub"
put later "$D/later.csv"

exits 0 "--dry-run" "$TARN" restore "$moment" --dry-run
like "$(cat "$FOLDER/out")" "a.csv would be overwritten.*sub would be made.*sub/deep/b.csv would be made" "says what would be done"
is "$(cat "$D/a.csv" "$D/later.csv" | tr '\n' ' ')" "two later " "and does nothing"
ok "nothing at all" test ! -e "$D/sub"
exits 0 "a folder" "$TARN" restore "$moment" --json
is "$(jq -c '[.files, .folders, .links, .removed, .failed]' "$FOLDER/out")" '[2,2,1,0,[]]' "says what it did"
is "$(cat "$D/later.csv")" later "what came later stays"
rm "$D/later.csv"
is "$(tree "$D")" "$then" "all else is as it was"
is "$(getfattr --only-values --absolute-names -n user.note "$D/a.csv")" "of then" "attributes, too"
is "$(cat "$D/a.csv@v-1")" two "what was there is history"
exits 0 "once more" "$TARN" restore "$moment"
like "$(cat "$FOLDER/out")" '3 as they were' "there is nothing to do"

put later "$D/later.csv"
mkdir "$D/more"
put x "$D/more/x"
exits 0 "with --replace" "$TARN" restore "$moment" --replace
is "$(tree "$D")" "$then" "what came later goes"
is "$(cat "$D/later.csv@v-1")" later "into history"

exits 0 "to another place" "$TARN" restore "$moment" --to "$FOLDER/copy"
is "$(tree "$FOLDER/copy")" "$then" "has it there"
exits 0 "into a folder" "$TARN" restore "$moment/sub" --to "$FOLDER/copy"
is "$(cat "$FOLDER/copy/sub/deep/b.csv")" deep "under its own name"

rm -r "$D"
exits 0 "one file out of a folder that is gone" "$TARN" restore "$moment/sub/deep/b.csv"
is "$(cd "$D" && find . -type f)" "./sub/deep/b.csv" "makes the folders above it, and no more"
rm -r "$D"
exits 0 "a folder that is gone" "$TARN" restore "$moment"
is "$(tree "$D")" "$then" "is back"
rm -r "$D"
exits 0 "out of the whole lake's past" "$TARN" restore "$M/@v/${moment##*/}/data/report"
is "$(tree "$D")" "$then" "likewise"

# in the way
rm -r "$D/sub"
put file "$D/sub"
exits 3 "a file where a folder was" "$TARN" restore "$moment"
like "$(cat "$FOLDER/out")" 'sub: not restored: is no folder now' "is said"
like "$(cat "$FOLDER/out")" '1 was not restored' "and counted"
exits 0 "with --replace it goes" "$TARN" restore "$moment" --replace
is "$(tree "$D")" "$then" "and all is as it was"

rm "$D/sub/deep/b.csv" "$D/sub/link"
mkdir "$D/sub/deep/b.csv" "$D/sub/link"
put more "$D/sub/link/more"
exits 3 "folders where a file and a link were" "$TARN" restore "$moment"
exits 0 "with --replace and --dry-run" "$TARN" restore "$moment" --replace --dry-run
is "$(grep -c ' would be removed$' "$FOLDER/out") $(cat "$D/sub/link/more")" "2 more" "it is said that they go"
exits 0 "with --replace" "$TARN" restore "$moment" --replace
is "$(tree "$D")" "$then" "they go"

# what folders and symlinks have besides
X=$B/attributes
mkdir "$X"
setfattr -n user.a -v earlier "$X"
ln -s nowhere "$X/link"
touch -hd 2001-01-01 "$X/link"
attributes() { echo "$(getfattr -d "$X" 2>/dev/null | grep '^user\.') $(stat -c %Y "$X/link")"; }
had=$(attributes)
ok "a label" "$TARN" label "$X" earlier
setfattr -n user.a -v now "$X"
setfattr -n user.b -v more "$X"
exits 0 "a folder that has other attributes" "$TARN" restore "$X@v/earlier"
is "$(attributes)" "$had" "has those of then"
rm -r "$X"
exits 0 "one that is gone" "$TARN" restore "$X@v/earlier"
is "$(attributes)" "$had" "has them as well, and its symlink the time of then"

exits 1 "a moment before there was anything" "$TARN" restore "$D@v/2020-01-01"
exits 1 "a label that is not there" "$TARN" restore "$D@v/none"
down
