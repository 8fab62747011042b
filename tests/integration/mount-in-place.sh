#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lake is mounted over its own buckets, once; after umount the files are plain files there, and it mounts again at once.
. "$(dirname "$0")/lib.sh"

lake lake
echo before >"$B/before.txt"
exits 0 "mount" "$TARN" mount "$L"
paths=$(sed -n 's/^  [a-z]* \(\/[^ ]*\).*/\1/p' "$FOLDER/out")
is "$(wc -l <<<"$paths")" 3 "mount prints three paths to try"
for path in $paths; do
	ok "which is there: ${path#"$FOLDER"}" test -e "$path"
done
is "$(cat "$B/before.txt")" before "what was there is there"
echo during >"$B/during.txt"
exits 1 "a second mount is refused" "$TARN" mount "$L"
like "$(cat "$FOLDER/out")" "mounted" "and says why"
mkdir "$FOLDER/other"
exits 1 "elsewhere, too" "$TARN" mount "$L" "$FOLDER/other"
is "$(cat "$B/during.txt")" during "the first is not harmed"
exits 0 "umount" "$TARN" umount "$L"
ok "is done when it returns" not mountpoint -q "$M"
is "$(cat "$B/during.txt")" during "the files are plain files then"
for i in 1 2 3; do
	exits 0 "mount at once, $i" "$TARN" mount "$L"
	is "$(cat "$B/during.txt" && echo "$i" >"$B/again$i.txt")" during "it works, $i"
	exits 0 "umount, $i" "$TARN" umount "$L"
done
is "$(ls "$B")" "$(printf '%s\n' again1.txt again2.txt again3.txt before.txt during.txt)" "everything is there"
exits 1 "umount of what is not mounted" "$TARN" umount "$L"
like "$(cat "$FOLDER/out")" "not mounted" "says so"
