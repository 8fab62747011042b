#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn label` names moments of folders and of the whole lake, lists the names and drops them.
. "$(dirname "$0")/lib.sh"

lake lake
up
D=$B/report
mkdir "$D"
put one "$D/a.csv"
exits 0 "a folder without labels" "$TARN" label "$D"
like "$(cat "$FOLDER/out")" 'no labels' "says so"
exits 0 "label" "$TARN" label "$D" before
like "$(cat "$FOLDER/out")" 'report@v/before/' "says where the moment is"
put two "$D/a.csv"
is "$(cat "$D@v/before/a.csv")" one "it shows what was"
exits 0 "another, as JSON" "$TARN" label "$D" after --json
is "$(jq -r .label "$FOLDER/out")" after "tells its name"
exits 0 "list" "$TARN" label "$D" --json
is "$(jq -c 'map(.label)' "$FOLDER/out")" '["after","before"]' "the newest first"
ok "with commits that rise" jq -e '.[0].commit > .[1].commit and .[1].commit > 0' "$FOLDER/out"
exits 0 "list for people" "$TARN" label "$D"
like "$(cat "$FOLDER/out")" 'LABEL +TIME +COMMIT.*after +20.*before +20' "is a table"
exits 0 "of the whole lake" "$TARN" label "$M" all
is "$(cat "$M/@v/all/data/report/a.csv")" two "is a moment of the whole lake"

exits 0 "what a label names can be restored" "$TARN" restore "$D@v/before"
is "$(cat "$D/a.csv")" one "as it was"
exits 1 "and compared" "$TARN" diff "$D@v/after"
like "$(cat "$FOLDER/out")" '~ a.csv' "with what is there now"
exits 0 "--remove" "$TARN" label "$D" before --remove
ok "drops the name" test ! -e "$D@v/before"

# refused CODE TEXT PATTERN ARGUMENTS…
refused()
{
	local code=$1 text=$2 pattern=$3
	shift 3
	exits "$code" "$text is refused" "$TARN" label "$@"
	like "$(cat "$FOLDER/out")" "$pattern" "and the message says why"
}
refused 1 "a name that is there" 'already' "$D" after
refused 1 "removing one that is not there" 'no such label' "$D" none --remove
refused 1 "a name like a time" 'looks like a time' "$D" 2026-11-20
refused 1 "a name like a number" 'looks like' "$D" commit-7
refused 1 "a name with a slash" 'cannot be a label|Invalid' "$D" a/b
refused 1 "a file" 'not a folder' "$D/a.csv" x
refused 1 "a folder that is in no lake" 'not on a mounted lake' "$FOLDER" x
refused 2 "--remove without a name" 'name the label' "$D" --remove
mkdir "$FOLDER/past"
"$TARN" mount "$L" "$FOLDER/past" -q -o view=all
refused 1 "on a mount of the past a label" 'mount of the past' "$FOLDER/past/data/report" x
exits 1 "nor are there versions" "$TARN" versions "$FOLDER/past/data/report/a.csv"
exits 1 "nor moments" "$TARN" versions "$FOLDER/past"
exits 1 "nor anything to restore" "$TARN" restore "$FOLDER/past/@v/all/data/report"
exits 1 "nor to publish" "$TARN" publish "$FOLDER/past/data/report" "$FOLDER/past/data/r"
exits 1 "but it can be compared" "$TARN" diff "$FOLDER/past/data/report" "$D"
"$TARN" umount "$FOLDER/past" >"$FOLDER/out"
chmod 755 "$D"
nobody_home
exits 1 "who may not write in the folder" as_nobody "$TARN" label "$D" theirs
like "$(cat "$FOLDER/out")" 'Permission denied' "may not label it"
for bad in '' a/b "$(printf 'x%.0s' $(seq 256))"; do
	"$TARN" label "$D" "$bad"
done >"$FOLDER/out" 2>&1
is "$(grep -Eo 'it (is empty|has a slash|is longer than 255 bytes)$' "$FOLDER/out" | wc -l)" 3 "why a name is refused is said"
down
