#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Changes in place and appends are recorded: the content that they ended is listed as not kept, with the reason.
. "$(dirname "$0")/lib.sh"

for options in passthrough=on passthrough=off; do
	lake "lake-$options"
	up -o $options
	put one "$B/f"
	put two "$B/f"
	ok "$options: a write in place" python3 -c "import os; os.pwrite(os.open('$B/f', os.O_RDWR), b'T', 0)"
	is "$(cat "$B/f")" Two "$options: the file has it"
	is "$(history_of "$B/f" .state)" "kept not-kept live" "$options: the history says what is not kept"
	like "$(history_of "$B/f" 'select(.state == "not-kept") | .reason')" "overwritten" "$options: and why"
	is "$(versions "$B/f")" "1 3" "$options: it is not listed"
	fails ENOENT "$options: and cannot be read" cat "$B/f@v2"
	is "$(cat "$B/f@v-1")" one "$options: -1 is the one before that can be read"
	is "$(cat "$B/f@v3")" Two "$options: the live one can"
	printf 'more\n' >>"$B/f"
	is "$(cat "$B/f@v-1" && cat "$B/f")" $'one\nTwo\nmore' "$options: an append"
	is "$(history_of "$B/f" .state)" "kept not-kept not-kept live" "$options: is a version"
	truncate -s 2 "$B/f"
	is "$(cat "$B/f")" Tw "$options: a truncation"
	is "$(history_of "$B/f" .state)" "kept not-kept not-kept not-kept live" "$options: too"
	put new "$B/f"
	is "$(cat "$B/f@v5")" Tw "$options: then an overwrite keeps it"
	is "$(fact versions_not_kept)" 3 "$options: stats.json counts what was not"
	exits 0 "$options: tarn versions" "$TARN" versions "$B/f" --json
	is "$(jq -c '[.versions[].version]' "$FOLDER/out")" "[1,5,6]" "$options: shows what can be read"
	exits 0 "$options: tarn versions --all" "$TARN" versions --all "$B/f" --json
	is "$(jq -c '[.versions[].version]' "$FOLDER/out")" "[1,2,3,4,5,6]" "$options: shows all"
	down
done
