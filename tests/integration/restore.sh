#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn restore` brings content, mode and attributes back: over the file, for a removed one, or to another place.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/orders.csv
put one "$F"
chmod 640 "$F"
setfattr -n user.note -v first "$F"
put two "$F"
setfattr -n user.note -v second "$F"
exits 0 "restore" "$TARN" restore "$F@v1"
like "$(cat "$FOLDER/out")" "orders.csv" "says what it did"
is "$(cat "$F")" one "the content is back"
is "$(stat -c %a "$F")" 640 "the mode is that of then"
is "$(getfattr --only-values --absolute-names -n user.note "$F")" first "the attribute is that of the version"
ok "what was there is a version" within 5 equal "1.csv 2.csv 3.csv" versions "$F"
is "$(cat "$F@v2")" two "which can be restored itself"
is "$(ls -A "$B")" orders.csv "nothing else is left"
exits 0 "by another name of a version" "$TARN" restore "$F@v/2.csv"
is "$(cat "$F")" two "works, too"

chmod 600 "$F"
touch -d 2026-01-01 "$F"
setfattr -n user.later -v x "$F"
exits 0 "a version whose content is there already" "$TARN" restore "$F@v-1"
exits 0 "and again" "$TARN" restore "$F@v-1"
put two "$F"
numbers=$(versions "$F")
exits 0 "the content of now, as it was" "$TARN" restore "$F@v2"
like "$(cat "$FOLDER/out")" 'the content was the same' "is not written again"
is "$(versions "$F")" "$numbers" "so it is no new version"
is "$(stat -c %a "$F")" 640 "only the mode is put right"
ok "and the time" test "$F" -nt "$B" -o "$(stat -c %Y "$F")" = "$(stat -c %Y "$F@v2")"
exits 0 "--dry-run" "$TARN" restore "$F@v1" --dry-run
like "$(cat "$FOLDER/out")" 'orders.csv would be overwritten' "says what would be done"
is "$(cat "$F")" two "and does nothing"

rm "$F"
exits 0 "a removed file" "$TARN" restore "$F@v1"
is "$(cat "$F")" one "is back"
is "$(stat -c %a "$F")" 640 "with its mode"
is "$(getfattr --only-values --absolute-names -n user.note "$F")" first "and its attribute"
is "$(cat "$F@v1" "$F@v2")" $'one\ntwo' "its history goes on"

exits 0 "--to another name, as JSON" "$TARN" restore "$F@v2" --to "$B/copy.csv" --json
is "$(jq -r .bytes "$FOLDER/out")" 4 "which tells the size"
is "$(cat "$B/copy.csv" "$F")" $'two\none' "writes there, and leaves the file"
mkdir "$B/folder"
exits 0 "--to a folder" "$TARN" restore "$F@v2" --to "$B/folder"
is "$(cat "$B/folder/orders.csv")" two "goes into it"
put other "$B/there.csv"
chmod 600 "$B/there.csv"
exits 0 "--to a file that exists" "$TARN" restore "$F@v2" --to "$B/there.csv"
is "$(cat "$B/there.csv" "$B/there.csv@v-1")" $'two\nother' "whose content becomes history"
is "$(stat -c %a "$B/there.csv")" 640 "and whose mode is that of the version"
exits 0 "--to a place outside of the lake" "$TARN" restore "$F@v2" --to "$FOLDER/outside.csv"
is "$(cat "$FOLDER/outside.csv")" two "works"

truncate -s 64M "$B/sparse"
printf end >>"$B/sparse"
put other "$B/sparse"
exits 0 "a file with holes" "$TARN" restore "$B/sparse@v-1"
is "$(stat -c %s "$B/sparse")" 67108867 "has its size"
ok "and its holes" test "$(stat -c %b "$B/sparse")" -lt 4096

# refused TEXT PATTERN ARGUMENTS…: status 1 and a message.
refused()
{
	local text=$1 pattern=$2
	shift 2
	exits 1 "$text is refused" "$TARN" restore "$@"
	like "$(cat "$FOLDER/out")" "$pattern" "and the message says why"
}
refused "a version that is not there" 'orders.csv@v99.*no such version' "$F@v99"
refused "a file that never was" 'never@v1' "$B/never@v1"
refused "a name without a version" 'names nothing of the past' "$F"
refused "all versions" "is all of the past, name one .as in $F@v3" "$F@v"
refused "the past of the whole lake" 'of the whole lake, name a moment' "$M/@v"
refused "a folder" 'folder@v1: .*(folder|no such version)' "$B/folder@v1"
refused "--to into a folder that is not there" 'none' "$F@v1" --to "$B/none/x.csv"
mkfifo "$B/fifo"
refused "--to a fifo" 'not a plain file' "$F@v1" --to "$B/fifo"
is "$(cat "$F")" one "nothing has changed"
is "$(find "$B" -name '.*tarn-*')" "" "and no temporary file is left"
exits 2 "without an argument it is usage" "$TARN" restore
down
exits 1 "on a lake that is not mounted it fails" "$TARN" restore "$F@v1"
