#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A bucket that the settings name is there once they are applied, also when it lies elsewhere, with the files in it. One
# that is in use does not move before the next mount.
. "$(dirname "$0")/lib.sh"

lake lake
mkdir "$FOLDER/near" "$FOLDER/moved"
echo one >"$FOLDER/near/found.csv"
known() { jq -r '.[].path' "$M/.catalog/assets.json" | sort | paste -sd' '; }
up
exits 0 "a bucket with a path is added" "$TARN" bucket set near "path=$FOLDER/near" tier=pinned --lake "$L"
is "$(ls "$M")" $'data\nnear' "it is listed at once"
ok "and scanned, without anybody's look-up" within 10 equal near/found.csv known
is "$(cat "$M/near/found.csv")" one "its files can be read"
put two "$M/near/found.csv"
is "$(cat "$FOLDER/near/found.csv")" two "and written, over there"
is "$(cat "$M/near/found.csv@v1")" one "with versions"
is "$(fact scan)" "done" "the scan is over"

exits 0 "one that cannot be reached" "$TARN" bucket set far "path=$FOLDER/far" --lake "$L"
like "$(cat "$FOLDER/out")" "bucket far cannot be reached at $FOLDER/far: No such file" "is named"
fails ENOENT "and not there" stat "$M/far"
mkdir "$FOLDER/far" && echo three >"$FOLDER/far/late.csv"
exits 0 "when it is there" "$TARN" reload "$L"
is "$(cat "$M/far/late.csv")" three "a reload finds it"
ok "with its files" within 10 equal "far/late.csv near/found.csv" known

exits 0 "a bucket without a path" "$TARN" bucket set local tier=local --lake "$L"
ok "is a folder, too" test -d "$M/local"
echo four >"$B/f.csv" && echo five >"$FOLDER/moved/f.csv"
exits 0 "the path of a bucket that is in use" "$TARN" bucket set data "path=$FOLDER/moved" --lake "$L"
like "$(cat "$FOLDER/out")" "bucket data is in use at buckets/, and lies at $FOLDER/moved from the next mount on" "is said"
is "$(cat "$B/f.csv")" four "it stays where it is"
exits 0 "another reload" "$TARN" reload "$L"
like "$(cat "$FOLDER/out")" "bucket data is in use at buckets/" "says so again"
down
up
is "$(cat "$B/f.csv")" five "and moves with the next mount"
is "$(ls "$M")" $'data\nfar\nlocal\nnear' "the others are there"
down
is "$(cat "$B/f.csv")" four "what lay in buckets/ is not lost"
