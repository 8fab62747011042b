#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn diff` of folders: what was added, removed and changed below them.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir -p "$B/a/sub" "$B/a/gone"
echo same >"$B/a/same.txt"
echo one >"$B/a/sub/changed.txt"
echo x >"$B/a/gone/x"
ln -s there "$B/a/link"
cp -r "$B/a" "$B/b"
exits 0 "a copy" "$TARN" diff "$B/a" "$B/b"
is "$(cat "$FOLDER/out")" "" "is the same"
echo two >"$B/b/sub/changed.txt"
rm -r "$B/b/gone"
echo new >"$B/b/new.txt"
ln -sfn elsewhere "$B/b/link"
exits 1 "a copy that was changed" "$TARN" diff "$B/a" "$B/b/"
is "$(cat "$FOLDER/out")" "- gone/ (1 file, 2 B)
~ link (link -> link)
+ new.txt (4 B)
~ sub/changed.txt (4 B -> 4 B)
1 added, 1 removed, 2 changed, 1 same" "says what differs"
exits 1 "as JSON" "$TARN" diff "$B/a" "$B/b" --json
is "$(jq -c '[.kind, .added[0].path, .removed[0].files, (.changed | map(.path)), .unchanged, .same]' "$FOLDER/out")" \
	'["folders","new.txt",1,["link","sub/changed.txt"],1,false]' "likewise"
rm -r "$B/b/sub"
echo file >"$B/b/sub"
exits 1 "a folder that is a file now" "$TARN" diff "$B/a" "$B/b"
like "$(cat "$FOLDER/out")" '~ sub \(folder -> 5 B\)' "is changed"
down
