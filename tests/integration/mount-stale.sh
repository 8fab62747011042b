#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a killed daemon leaves mounted gives errors, not an empty folder; `tarn mount` recovers it, `tarn umount` removes it.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/file"
crash
fails ENOTCONN "a dead mount gives an error" ls "$M"
is "$("$TARN" status "$L" --json | jq -r .mounted)" false "status knows"
like "$("$TARN" status "$L" --json | jq -r .dead_mount)" "$M" "and says where the rest of it is"
exits 1 "gc cannot go on" "$TARN" gc "$L"
like "$(cat "$FOLDER/out")" "its daemon is gone and left $M mounted .run .tarn mount" "and says why, and what to do"
exits 1 "nor can purge" "$TARN" purge "$B/file" --yes
like "$(cat "$FOLDER/out")" "its daemon is gone" "which says it, too"
exits 0 "mount recovers it" "$TARN" mount "$L"
is "$(cat "$B/file")" one "the files are there"
crash
exits 0 "umount removes a dead mount" "$TARN" umount "$L"
is "$(cat "$B/file")" one "the files are plain files"
M=$FOLDER/mnt
mkdir "$M"
up
crash
exits 0 "a dead mount elsewhere is recovered, too" "$TARN" mount "$L" "$M"
is "$(cat "$M/data/file")" one "the files are there"
down
