#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Changes in place and appends end a version, too, and what was there before is kept: what was overwritten is saved
# first, and of a file that only grew nothing has to be.
. "$(dirname "$0")/lib.sh"

for options in passthrough=on passthrough=off; do
	lake "lake-$options"
	up -o $options
	put one "$B/f"
	put two "$B/f"
	ok "$options: a write in place" python3 -c "import os; os.pwrite(os.open('$B/f', os.O_RDWR), b'T', 0)"
	is "$(cat "$B/f")" Two "$options: the file has it"
	is "$(history_of "$B/f" .how)" "aside undo null" "$options: the history says how the one before is kept"
	is "$(versions "$B/f")" "1 2 3" "$options: it is listed"
	is "$(cat "$B/f@v2")" two "$options: and can be read"
	is "$(cat "$B/f@v-1")" two "$options: -1 is the one before the live one"
	is "$(cat "$B/f@v3")" Two "$options: the live one can"
	printf 'more\n' >>"$B/f"
	is "$(cat "$B/f@v-1" && cat "$B/f")" $'Two\nTwo\nmore' "$options: an append"
	is "$(history_of "$B/f" .how)" "aside undo prefix null" "$options: is a version"
	truncate -s 2 "$B/f"
	is "$(cat "$B/f")" Tw "$options: a truncation"
	is "$(history_of "$B/f" .how)" "aside undo prefix undo null" "$options: too"
	is "$(cat "$B/f@v4")" $'Two\nmore' "$options: what it took away can be read"
	put new "$B/f"
	is "$(cat "$B/f@v5")" Tw "$options: then an overwrite puts it aside"
	is "$(cat "$B/f@v2" "$B/f@v3" "$B/f@v4")" $'two\nTwo\nTwo\nmore' "$options: those before are read through it"
	is "$(history_of "$B/f" .state)" "kept kept kept kept kept live" "$options: all of them are kept"
	is "$(fact versions_not_kept)" 0 "$options: stats.json counts none that is not"
	exits 0 "$options: tarn versions" "$TARN" versions "$B/f" --json
	is "$(jq -c '[.versions[].version]' "$FOLDER/out")" "[1,2,3,4,5,6]" "$options: shows what can be read"
	rm "$B/f"
	is "$(cat "$B/f@v2" "$B/f@v6")" $'two\nnew' "$options: a removal takes nothing"
	down
	up -o $options
	is "$(cat "$B/f@v2" "$B/f@v3" "$B/f@v4" "$B/f@v5")" $'two\nTwo\nTwo\nmore\nTw' "$options: nor does mounting again"
	down
done
