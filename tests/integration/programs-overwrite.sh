#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What `>`, cp, tee, mv and rm leave in history: the contents that tarn(7) lists.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"

rows()
{
	echo B >"$FOLDER/B"
	begin redirected
	echo B >"$F"
	tells "$F" "1=A 2=B" "$1: >"
	begin copied
	cp "$FOLDER/B" "$F"
	tells "$F" "1=A 2=B" "$1: cp over"
	begin teed
	echo B | tee "$F" >"$FOLDER/out"
	tells "$F" "1=A 2=B" "$1: tee"

	begin replaced.csv
	put B "$B/new.csv"
	mv "$B/new.csv" "$F"
	tells "$F" "1=A 2=B" "$1: mv over"
	is "$(versions "$B/new.csv")" "" "$1: the name that it had has none"
	begin replaced-again.csv
	put B "$B/other.csv"
	put C "$B/other.csv"
	mv "$B/other.csv" "$F"
	tells "$F" "1=A 2=C" "$1: mv over, of a file with a history"
	tells "$B/other.csv" "1=B 2=C" "$1: which stays where it was, down to the last one"
	begin replaced-from-outside.csv
	cp "$FOLDER/B" "$FOLDER/moved"
	mv "$FOLDER/moved" "$F"
	tells "$F" "1=A 2=B" "$1: mv over, from another file system"

	begin from.csv
	mv "$F" "$B/to.csv"
	tells "$B/to.csv" "1=A" "$1: mv to a free name takes the numbers along"
	is "$(versions "$F")" "" "$1: none stays"
	put B "$B/to.csv"
	tells "$B/to.csv" "1=A 2=B" "$1: they go on there"
	put C "$F"
	tells "$F" "1=C" "$1: and begin anew here"

	begin removed.csv
	rm "$F"
	tells "$F" "1=A" "$1: rm"
	put B "$F"
	tells "$F" "1=A 2=B" "$1: a new file goes on"
	install -m 644 "$FOLDER/B" "$F.installed"
	echo C >"$FOLDER/C"
	install -m 644 "$FOLDER/C" "$F.installed"
	tells "$F.installed" "1=B 2=C" "$1: install, which removes and makes anew"
}
both_ways rows
