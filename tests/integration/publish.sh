#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn publish`: many files take their places in one commit, with what they replace in history.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir -p "$B/daily/sub" "$B/next/sub" "$B/next/more/deep"
put old-a "$B/daily/a.csv"
put old-s "$B/daily/sub/s.csv"
put only "$B/daily/only.csv"
for name in a.csv b.csv sub/s.csv sub/t.csv more/deep/d.csv; do
	put "new-$name" "$B/next/$name"
done
ln -s a.csv "$B/next/link"
exits 0 "publish" "$TARN" publish "$B/next" "$B/daily" --json
commit=$(jq .commit "$FOLDER/out")
is "$(jq -c '[.added, .replaced, .removed]' "$FOLDER/out")" '[4,2,0]' "says what it did"
is "$(cd "$B/daily" && find . -type f | sort | tr '\n' ' ')" \
	"./a.csv ./b.csv ./more/deep/d.csv ./only.csv ./sub/s.csv ./sub/t.csv " "all names are there"
is "$(cd "$B/daily" && cat a.csv b.csv sub/s.csv sub/t.csv more/deep/d.csv only.csv link | tr '\n' ' ')" \
	"new-a.csv new-b.csv new-sub/s.csv new-sub/t.csv new-more/deep/d.csv only new-a.csv " "with the new content"
ok "staging is gone" test ! -e "$B/next"
is "$(cat "$B/daily/a.csv@v-1" "$B/daily/sub/s.csv@v-1" | tr '\n' ' ')" "old-a old-s " "what was there is history"
is "$(versions "$B/daily/a.csv")" "1.csv 2.csv" "of the same file"
commits=$(sqlite3 -readonly "$L/catalog/tarn.db" "select count(distinct from_commit) from entry where from_commit = $commit")
is "$commits" 1 "the names have that commit"
is "$(sqlite3 -readonly "$L/catalog/tarn.db" "select count(*) from entry where from_commit = $commit")" 6 "all of them"

is "$(cd "$B/daily@v/commit-$commit" && cat a.csv b.csv sub/s.csv sub/t.csv more/deep/d.csv only.csv link | tr '\n' ' ')" \
	"new-a.csv new-b.csv new-sub/s.csv new-sub/t.csv new-more/deep/d.csv only new-a.csv " "that commit shows all of it"
is "$(cd "$B/daily@v/commit-$((commit - 1))" && find . -type f -exec cat {} + | sort | tr '\n' ' ')" "old-a old-s only " \
	"and the one before nothing of it"

mkdir "$B/next" "$B/next/again"
put second "$B/next/a.csv"
put again "$B/next/again/x"
exits 0 "with --replace" "$TARN" publish "$B/next" "$B/daily" --replace
like "$(cat "$FOLDER/out")" '1 new, 1 replaced, 9 removed' "what only the target has goes"
is "$(cd "$B/daily" && find . | sort | tr '\n' ' ')" ". ./a.csv ./again ./again/x " "and nothing else is left"
is "$(cat "$B/daily/only.csv@v-1")" only "it is history, too"
is "$(cat "$B/daily/a.csv@v-1" "$B/daily/a.csv@v1" | tr '\n' ' ')" "new-a.csv old-a " "as is what was replaced"

mkdir "$B/next"
put second "$B/next/a.csv"
numbers=$(versions "$B/daily/a.csv")
exits 0 "the same content again" "$TARN" publish "$B/next" "$B/daily"
is "$(versions "$B/daily/a.csv")" "$numbers" "is no new version"

mkdir "$B/next"
put first "$B/next/f"
exits 0 "to a name that is free" "$TARN" publish "$B/next" "$B/brand-new"
is "$(cat "$B/brand-new/f")" first "staging becomes it"
mkdir "$B/daily/.next"
put z "$B/daily/.next/z"
exits 0 "from within the target" "$TARN" publish "$B/daily/.next" "$B/daily" --replace
is "$(cd "$B/daily" && find . | sort | tr '\n' ' ')" ". ./z " "works, and staging is not taken for what only the target has"

# a name of the lake that is excluded has no versions; what comes from there has one from its first commit on
mkdir -p "$B/_temporary/set"
put fresh "$B/_temporary/set/n.csv"
exits 0 "from a folder without history" "$TARN" publish "$B/_temporary" "$B/daily"
is "$(versions "$B/daily/set/n.csv")" "1.csv" "files have a version"

# refused TEXT CODE PATTERN ARGUMENTS…
refused()
{
	local text=$1 code=$2 pattern=$3
	shift 3
	local as=()
	[ "${!#}" != --as-nobody ] || { as=(as_nobody); set -- "${@:1:$#-1}"; }
	exits "$code" "$text is refused" "${as[@]}" "$TARN" publish "$@"
	like "$(cat "$FOLDER/out")" "$pattern" "and the message says why"
}
mkdir -p "$B/next/z" "$FOLDER/outside"
refused "a folder over a file" 1 'a folder in one and not in the other' "$B/next" "$B/daily"
rmdir "$B/next/z"
exec 7>"$B/next/open.csv"
refused "a file that is being written" 75 'open.csv: is still open for writing' "$B/next" "$B/daily"
exec 7>&-
refused "a folder that is not there" 1 'none' "$B/none" "$B/daily"
refused "staging above the target" 1 'lies in what is published' "$B/daily" "$B/daily/set"
refused "a folder that is not on the mount" 1 'not on a mounted lake' "$FOLDER/outside" "$B/daily"
exits 0 "by another spelling of the target" "$TARN" publish "$B/brand-new" "$B/daily/../daily"
mkdir "$B/empty"
exits 0 "an empty folder" "$TARN" publish "$B/empty" "$B/daily"
like "$(cat "$FOLDER/out")" 'nothing to publish' "is nothing to publish"
is "$(find "$L/versions" -type f | wc -l)" "$(sqlite3 -readonly "$L/catalog/tarn.db" 'select count(*) from version where how = 1')" \
	"what lies in versions/ is what the store knows"

# another user publishes what modes allow, and nothing more
mkdir -m 700 "$B/theirs" "$B/theirs/s" "$B/theirs/t" "$B/closed"
put mine "$B/theirs/s/f"
put closed "$B/closed/f"
chown -R "$NOBODY:$NOBODY" "$B/theirs"
nobody_home
exits 0 "an ordinary user publishes" as_nobody "$TARN" publish "$B/theirs/s" "$B/theirs/t"
is "$(cat "$B/theirs/t/f")" mine "in folders of their own"
as_nobody mkdir "$B/theirs/s"
put more "$B/theirs/s/g"
refused "a target that is closed to them" 1 'Permission denied' "$B/theirs/s" "$B/daily" --as-nobody
refused "staging that is closed to them" 1 'Permission denied' "$B/closed" "$B/theirs/t" --as-nobody
is "$(cat "$B/closed/f" "$B/theirs/s/g" | tr '\n' ' ')" "closed more " "nothing has changed"

# what fails on the way is undone: the last of three files cannot be replaced
down
M=$FOLDER/elsewhere B=$M/data
mkdir "$M"
up
mkdir "$B/t" "$B/s"
for name in a b z; do
	put old "$B/t/$name"
	put new "$B/s/$name"
done
if chattr +i "$L/buckets/data/t/z" 2>/dev/null; then
	exits 1 "a file that cannot be replaced" "$TARN" publish "$B/s" "$B/t" --replace
	is "$(cat "$B"/t/* "$B"/s/* | tr '\n' ' ')" "old old old new new new " "nothing has changed"
	is "$(versions "$B/t/a") $(versions "$B/s/a")" "1 1" "in history, either"
	chattr -i "$L/buckets/data/t/z"
fi
exits 0 "and then it can be published" "$TARN" publish "$B/s" "$B/t"
is "$(cat "$B"/t/{a,b,z}@v-1 "$B"/t/* | tr "\n" " ")" "old old old new new new " "once nothing is in the way"
down
up
is "$(cat "$B/daily/z" "$B/daily/f" | tr '\n' ' ')" "z first " "all is there after the next mount"
is "$(log_lines 'a publication was under way')" 0 "which finds nothing to undo"
down
