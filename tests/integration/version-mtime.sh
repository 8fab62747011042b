#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An earlier version has the time that its file had last, also when that was set after the content was written, as tar
# and touch do.
. "$(dirname "$0")/lib.sh"

rows()
{
	local moment F=$B/file
	put one "$F"
	touch -d '2001-02-03 04:05:06.789 UTC' "$F"
	mkdir -p "$FOLDER/source/$1"
	put extracted "$FOLDER/source/$1/member"
	touch -d '2002-02-02 02:02:02 UTC' "$FOLDER/source/$1/member"
	tar -C "$FOLDER/source" -cf - "$1" | tar -C "$B" -xf -
	sleep 1.1
	moment=$(date -u +%Y-%m-%dT%H-%M-%SZ)
	sleep 1.1
	is "$(stat -c %.Y "$F@v1")" 981173106.789000000 "$1: the live version has the time that touch gave it"
	put two "$F"
	put two "$B/$1/member"
	is "$(stat -c %.Y "$F@v1")" 981173106.789000000 "$1: so it has when it is an earlier one"
	is "$(stat -c %Y "$B/$1/member@v1")" 1012615322 "$1: and what tar extracted, too"
	is "$(stat -c %Y "$B@v/$moment/$1/member")" 1012615322 "$1: also in the folder as it was"
	not test "$(stat -c %Y "$F@v2")" -lt 1700000000
	point $? "$1: the next version has a time of its own"
	python3 -c 'import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(f, b"more")
os.utime(f, (1, 1))
os.close(f)' "$F"
	is "$(stat -c %Y "$F") $(stat -c %Y "$F@v3")" "1 1" "$1: a time given while it is written goes to what is written"
}
both_ways rows
