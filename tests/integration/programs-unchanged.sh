#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same content as before is no version, however it was written; what comes after is one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"

rows()
{
	seq 300000 >"$FOLDER/large"
	begin same.txt
	put A "$F"
	tells "$F" "1=A" "$1: >"
	cp "$F" "$FOLDER/A"
	cp "$FOLDER/A" "$F"
	tells "$F" "1=A" "$1: cp over"
	cp "$FOLDER/A" "$B/new"
	mv "$B/new" "$F"
	tells "$F" "1=A" "$1: mv over"
	printf A | dd of="$F" conv=notrunc status=none
	tells "$F" "1=A" "$1: dd conv=notrunc"
	rm "$F"
	cp "$FOLDER/A" "$F"
	tells "$F" "1=A" "$1: removed and made anew"
	rsync -a --ignore-times "$FOLDER/A" "$F"
	rsync -a --ignore-times --inplace "$FOLDER/A" "$F"
	tells "$F" "1=A" "$1: rsync, with and without --inplace"
	put B "$F"
	put A "$F"
	tells "$F" "1=A 2=B 3=A" "$1: there and back again is a change"

	F=$B/large.txt
	cp "$FOLDER/large" "$F"
	cp "$FOLDER/large" "$F"
	ok "$1: a large file, copied over, is one version once it was looked at" within 20 equal 1.txt versions "$F"
	echo end >>"$F"
	is "$(versions "$F" | wc -w)" 2 "$1: and changed, two"
	ok "$1: the first has its bytes" cmp "$FOLDER/large" "$F@v1"
	ok "$1: the second, too" cmp "$F" "$F@v/latest.txt"
}
both_ways rows
