#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What rsync leaves in history, with and without --inplace: one version for each file that it changed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program rsync rsync

# sync WHICH OPTION…: a source that is never taken for what is there: its time is WHICH's. The seed is fixed: by one of
# its own rsync may take two blocks for the same at first, finds out, and writes all of it again, which is one more
# version.
sync_to()
{
	touch -d "2001-01-0$1" "$FOLDER/source$1"
	rsync -a --checksum-seed=1 "${@:2}" "$FOLDER/source$1" "$F"
}

series()
{
	F=$B/$2.csv
	for i in 1 2 3; do
		ok "$1: rsync ${*:3}, $i" sync_to "$i" "${@:3}"
		ok "$1: and once more" sync_to "$i" "${@:3}"
	done
	is "$(versions "$F")" "1.csv 2.csv 3.csv" "$1: are three versions"
	for i in 1 2 3; do
		ok "$1: number $i has its bytes" cmp "$FOLDER/source$i" "$F@v/$i.csv"
	done
	is "$(cd "$B" && ls -A "$2"* ".$2"* 2>/dev/null)" "$2.csv" "$1: nothing else is left"
}

rows()
{
	seq 1 50000 >"$FOLDER/source1"
	{ seq 1 20000; echo changed; seq 20002 60000; } >"$FOLDER/source2"
	{ seq 1 100; echo less; seq 30000 40000; } >"$FOLDER/source3"
	series "$1" renamed
	series "$1" in-place --inplace
	series "$1" blocks --inplace --no-whole-file
	seq 1 70000 >"$FOLDER/source4"
	F=$B/appended.csv
	sync_to 1
	sync_to 4 --append
	is "$(versions "$F")" "1.csv 2.csv" "$1: rsync --append"
	ok "$1: the first is there" cmp "$FOLDER/source1" "$F@v1"
	ok "$1: the second, too" cmp "$FOLDER/source4" "$F@v2"
	begin untouched.csv
	cp -p "$F" "$FOLDER/A"
	rsync -a "$FOLDER/A" "$F"
	tells "$F" "1=A" "$1: a file that needs nothing"
}
both_ways rows
