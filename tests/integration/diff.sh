#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn diff` of text, of bytes, and of what cannot be compared; its exit codes are those of diff(1).
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/notes.txt
put one "$F"
put two "$F"
exits 1 "a version with the live file" "$TARN" diff "$F@v1"
like "$(cat "$FOLDER/out")" "--- $F@v1.*\+\+\+ $F.*-one.*\+two" "is a unified diff with both names"
exits 1 "two versions" "$TARN" diff "$F@v/1.txt" "$F@v2"
exits 0 "a version with itself" "$TARN" diff "$F@v2" "$F@v/2.txt"
is "$(cat "$FOLDER/out")" "" "says nothing"
exits 1 "as JSON" "$TARN" diff "$F@v1" "$F" --json
is "$(jq -c '[.kind, .same, .lines_removed, .lines_added]' "$FOLDER/out")" '["text",false,1,1]' "counts lines"
exits 0 "the same as JSON" "$TARN" diff "$F" "$F" --json
is "$(jq .same "$FOLDER/out")" true "says so"

cp "$F" "$FOLDER/outside.txt"
exits 0 "a file of the lake and one elsewhere" "$TARN" diff "$F" "$FOLDER/outside.txt"
printf 'a\0bcd' >"$FOLDER/one.bin"
printf 'a\0bXde' >"$FOLDER/two.bin"
exits 1 "binary files" "$TARN" diff "$FOLDER/one.bin" "$FOLDER/two.bin"
like "$(cat "$FOLDER/out")" 'first difference at byte 3, 1 bytes differ, and the second is 1 bytes longer' "are summed up"
like "$(cat "$FOLDER/out")" "$(sha256sum <"$FOLDER/one.bin" | cut -c1-64)" "with their checksums"
exits 1 "as JSON" "$TARN" diff "$FOLDER/one.bin" "$FOLDER/two.bin" --json
is "$(jq -c '[.kind, .before.size, .after.size, .first_difference]' "$FOLDER/out")" '["bytes",5,6,3]' "likewise"

exits 2 "a file that is not there" "$TARN" diff "$B/none" "$F"
like "$(cat "$FOLDER/out")" 'none: No such file' "is named"
exits 2 "a version that is not there" "$TARN" diff "$F@v9"
exits 2 "one path that is no version" "$TARN" diff "$F"
exits 2 "a file and a folder" "$TARN" diff "$F" "$B"
exits 2 "no path" "$TARN" diff
exits 2 "a number of rows that is none" "$TARN" diff "$F@v1" --rows many
down
