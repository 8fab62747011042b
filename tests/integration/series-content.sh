#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that takes the place of another goes on with that one's history, and what it was before stays readable where it
# lay: the content does not change by being renamed.
. "$(dirname "$0")/lib.sh"

exchange()
{
	python3 -c '
import ctypes, os, sys
if ctypes.CDLL(None).renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), 2):
    sys.exit("renameat2 failed")' "$1" "$2"
}

# past PATH COMMIT: what it was then.
past() { cat "$B@v/commit-$2/$1"; }

try()
{
	local moved exchanged
	put "a 1" "$B/a"
	put "a 2" "$B/a"
	put "b 1" "$B/b"
	put "b 2" "$B/b"
	moved=$(fact commit)
	mv "$B/a" "$B/b"
	is "$(past a "$moved") $(past b "$moved")" "a 2 b 2" "before one was moved over the other, $1"
	is "$(cat "$B/b@v-1")" "b 2" "and the path's history goes on, $1"

	put "c 1" "$B/c"
	put "c 2" "$B/c"
	put "d 1" "$B/d"
	put "d 2" "$B/d"
	exchanged=$(fact commit)
	exchange "$B/c" "$B/d"
	is "$(past c "$exchanged") $(past d "$exchanged")" "c 2 d 2" "before two were exchanged, $1"
	append "c 3" "$B/d"
	printf X | dd of="$B/c" conv=notrunc status=none
	is "$(cat "$B/c") $(paste -sd' ' "$B/d")" "X 2 c 2 c 3" "and then changed in place, $1"
	is "$(past c "$exchanged") $(past d "$exchanged")" "c 2 d 2" "they are what they were, $1"
	down
	up
	is "$(past c "$exchanged") $(past d "$exchanged")" "c 2 d 2" "after the next mount, too, $1"
	is "$(past a "$moved") $(past b "$moved")" "a 2 b 2" "all of them, $1"
	down
}
both_ways try
