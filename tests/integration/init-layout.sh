#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn init lays a lake out, with or without the starter buckets, and refuses what would be in the way.
. "$(dirname "$0")/lib.sh"

L=$FOLDER/lake
exits 0 "init makes a lake" "$TARN" init "$L"
like "$(cat "$FOLDER/out")" "tarn mount $L" "and says how to go on"
is "$(cd "$L" && echo *)" "README.md buckets cache catalog config logs temp versions" "the folders of a lake"
is "$(cd "$L/buckets" && echo *)" "analytics archive ml-models processed raw-data" "the starter buckets"
is "$(find "$L/buckets" -name BUCKET_INFO.txt -size +0 | wc -l)" 5 "each says what it is for"
ok "there are settings" test -s "$L/config/settings.yaml"
ok "there is a store" test -s "$L/catalog/tarn.db"
is "$(find "$L" -mindepth 1 -maxdepth 1 -type d ! -name buckets ! -perm 700)" "" "all but buckets/ is for the owner only"
ok "buckets/ is for everybody" test "$(stat -c %a "$L/buckets")" = 755

exits 0 "init --empty makes a lake" "$TARN" init "$FOLDER/empty" --empty
is "$(ls -A "$FOLDER/empty/buckets")" "" "without buckets"
mkdir "$FOLDER/there"
exits 0 "an empty folder is taken" "$TARN" init "$FOLDER/there"

before=$(find "$L" | sort)
exits 1 "a lake is not made twice" "$TARN" init "$L"
like "$(cat "$FOLDER/out")" "$L" "which names it"
is "$(find "$L" | sort)" "$before" "and leaves it as it is"
mkdir "$FOLDER/full" && echo data >"$FOLDER/full/file"
exits 1 "a folder with something in it is refused" "$TARN" init "$FOLDER/full"
is "$(ls -A "$FOLDER/full")" file "and left alone"
exits 1 "a file is refused" "$TARN" init "$FOLDER/full/file"
exits 1 "a folder in a folder that is not there is refused" "$TARN" init "$FOLDER/no/lake"
ok "and not made" test ! -e "$FOLDER/no"
exits 1 "what is not a lake cannot be mounted" "$TARN" mount "$FOLDER/full"
like "$(cat "$FOLDER/out")" "not a lake: .*tarn init" "and the message says what to do"
