#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn status: of a lake, of a file, mounted or not, for people and as JSON.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/file.csv"
put two "$B/file.csv"
exits 0 "status of the lake" "$TARN" status "$L"
like "$(cat "$FOLDER/out")" "mountpoint +$M" "says where it is mounted"
like "$(cat "$FOLDER/out")" "passthrough +(yes|no)" "and about passthrough"
exits 0 "as JSON" "$TARN" status "$L" --json
ok "which is JSON" jq -e '.lake and .mountpoint and .pid and .total_assets == 1 and .versions_kept == 1' "$FOLDER/out"
exits 0 "status of the mount point" "$TARN" status "$M"
exits 0 "status of the current folder" env -C "$B" "$TARN" status
exits 0 "status of a file" "$TARN" status "$B/file.csv" --json
ok "tells node, version and size" jq -e '.path == "data/file.csv" and .version == 2 and .size == 4 and .state == "live"' \
	"$FOLDER/out"
is "$(jq .node "$FOLDER/out")" "$(stat -c %i "$B/file.csv")" "the node is the inode number"
exits 1 "status of a file that is not there" "$TARN" status "$B/none"
down
exits 0 "status of a lake that is not mounted" "$TARN" status "$L" --json
ok "tells what the store knows" jq -e '.mounted == false and .total_assets == 1 and .versions_kept == 1' "$FOLDER/out"
exits 0 "for people" "$TARN" status "$L"
like "$(cat "$FOLDER/out")" "mounted +no" "too"

echo changed >"$B/file.csv"
up
cat "$B/file.csv" >/dev/null
exits 0 "after a change that nobody saw" "$TARN" status "$L" --json
ok "why a version is not kept, and how the others are" \
	jq -e '.not_kept_because == "changed outside tarn: 1" and .versions_kept_aside == 1 and .history_bytes == 4' \
	"$FOLDER/out"
down
exits 0 "not mounted" "$TARN" status "$L" --json
ok "the same" jq -e '.not_kept_because == "changed outside tarn: 1" and .versions_kept_undo == 0' "$FOLDER/out"
