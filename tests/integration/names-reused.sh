#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A name that was a file's, then a folder's, then a file's again: whatever lies there now, nothing of before is out of
# reach, and the series of the files is one.
. "$(dirname "$0")/lib.sh"

moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }

reused()
{
	local way=$1 f=$B/f.csv first between
	put one "$f"
	put two "$f"
	first=$(moment)
	rm "$f"
	mkdir "$f"
	put inside "$f/g"
	between=$(moment)
	mkdir "$f@v/label"
	is "$(ls "$f@v")" label "$way: where a folder is now, its moments are listed"
	is "$(cat "$f@v1" "$f@v2" "$f@v-1" "$f@v-2")" $'one\ntwo\ntwo\none' "$way: the file that was has its numbers"
	is "$(cat "$f@v/1.csv" "$f@v/-1.csv" "$f@v/latest.csv" "$f@v/2")" $'one\ntwo\ntwo\ntwo' \
		"$way: also in the folder of moments"
	is "$(cat "$f@v/$first" "$f@v/$first.csv" "$f@v/$between/g" "$f@v/label/g")" $'two\ntwo\ninside\ninside' \
		"$way: a time finds what lay there"
	is "$(history_of "$f" .version)" "1 2" "$way: history.jsonl is there"
	like "$("$TARN" versions "$f")" 'label.*a file had this name.*@vN:.*kept' "$way: tarn versions tells both"
	is "$("$TARN" versions "$f" --json | jq -c '[.moments[].name, .versions[].version]')" '["label",1,2]' "$way: as JSON, too"
	fails EROFS "$way: such a name cannot be made" put x "$f@v1"
	ok "$way: a version is brought back under another name" "$TARN" restore "$f@v1" --to "$B/other"
	is "$(cat "$B/other")" one "$way: as it was"

	rm -r "$f"
	is "$(ls "$f@v")" label "$way: a folder that is gone has its moments"
	is "$(cat "$f@v2" "$f@v/1.csv" "$f@v/label/g")" $'two\none\ninside' "$way: and the file before it its versions"
	is "$(cat "$f@v/commit-$(getfattr --only-values -n user.tarn.commit "$f@v")/g")" inside \
		"$way: it says as of when it was whole"

	put three "$f"
	is "$(versions "$f")" "1.csv 2.csv 3.csv" "$way: a file that is made there goes on with the file before"
	is "$(cat "$f@v2" "$f@v-1")" $'two\ntwo' "$way: by number"
	is "$(cat "$f@v/$first.csv" "$f@v/$between/g" "$f@v/label/g" "$f@v/$(moment)")" $'two\ninside\ninside\nthree' \
		"$way: times and labels find the folder that was between"
	fails ENOENT "$way: others nothing" ls "$f@v/none"

	rm "$f"
	ln -s other "$f"
	is "$(versions "$f")" "1.csv 2.csv 3.csv" "$way: a symbolic link hides no versions, either"
	rm "$f"
	mkdir "$f"
	exits 0 "$way: one version of the file is erased" "$TARN" purge "$f@v1" --yes
	fails ENOENT "$way: and gone" cat "$f@v1"
	is "$(cat "$f@v2")" two "$way: others stay"
	exits 1 "$way: a number that was not is none" "$TARN" purge "$f@v9" --yes
	exits 0 "$way: the name as a whole" "$TARN" purge "$f" --yes
	fails ENOENT "$way: is erased with the file that it was" cat "$f@v2"
	fails ENOENT "$way: and the folder" cat "$f@v/label/g"
}
both_ways reused
