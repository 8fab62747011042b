#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A folder that was removed a moment ago: tarn versions says what there was, of the folder and of what was in it, and
# tarn restore brings a file of it back by its old path, with the folders that it was in.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir -p "$B/d/e"
chmod 750 "$B/d"
chmod 700 "$B/d/e"
put one "$B/d/e/g"
put two "$B/d/e/g"
put f "$B/d/f"
setfattr -n user.note -v kept "$B/d"
rm -r "$B/d"

exits 0 "of a folder that is gone" "$TARN" versions "$B/d"
like "$(cat "$FOLDER/out")" "d was removed or renamed at .*: $B/d@v/commit-([0-9]+)/" "tarn versions says when, and what it was"
last=$B/d@v/commit-${BASH_REMATCH[1]}
is "$(cat "$last/e/g" "$last/f")" $'two\nf' "where all of it is"
is "$("$TARN" versions "$B/d" --json | jq -r .last)" "$last" "as JSON, too"
exits 0 "of a file in it" "$TARN" versions "$B/d/e/g"
like "$(cat "$FOLDER/out")" "$last/e/g .4 B.*version 2; .tarn restore $B/d/e/g@v-1" "what it was, and how it comes back"
is "$(cd "$B" && "$TARN" versions d/e/g --json | jq -r '.last, .version')" "$last/e/g"$'\n'2 "as JSON"
exits 0 "of a folder in it" "$TARN" versions "$B/d/e"
like "$(cat "$FOLDER/out")" "$last/e/ " "the same"
exits 1 "of what was not" "$TARN" versions "$B/d/none"
like "$(cat "$FOLDER/out")" "$B/d was removed or renamed at .*not in it" "that it was not"

exits 0 "a dry run" "$TARN" restore --dry-run "$B/d/e/g@v-1"
like "$(cat "$FOLDER/out")" "$B/d/e/g would be made" "says what would be done"
exits 0 "restored to elsewhere" "$TARN" restore "$B/d/e/g@v-1" --to "$B/other"
is "$(cat "$B/other")" two "it is there"
exits 1 "what is not there" "$TARN" restore "$B/d/e/none@v-1"
fails ENOENT "none of this made the folder" ls "$B/d"
exits 0 "restored" "$TARN" restore "$B/d/e/g@v1"
is "$(cat "$B/d/e/g")" one "that version of the file is there"
is "$(stat -c %a "$B/d" "$B/d/e")" $'750\n700' "in its folders, which have their modes"
is "$(getfattr --only-values -n user.note "$B/d")" kept "and attributes"
is "$(versions "$B/d/e/g")" "1 2 3" "its history goes on"
is "$(cat "$B/d/f@v-1")" f "that of the others is found again"
rm -r "$B/d"
exits 0 "a file out of the folder of then" "$TARN" restore "$last/e/g"
is "$(stat -c %a "$B/d" "$B/d/e")" $'750\n700' "comes with its folders, too"
rm -r "$B/d"
exits 0 "its versions are erased by the old path" "$TARN" purge --yes "$B/d/e/g"
fails ENOENT "and gone" cat "$last/e/g"
is "$(cat "$last/f")" f "others are not"
mkdir "$B/moved"
put one "$B/moved/f"
put two "$B/moved/f"
within 10 equal 0 fact unsettled
mv "$B/moved" "$B/elsewhere"
exits 0 "a file whose folder was renamed" "$TARN" restore "$B/moved/f@v-1"
is "$(cat "$B/moved/f") $(versions "$B/elsewhere/f")" "two 1 2" "is copied back, its versions are where it went"
down
