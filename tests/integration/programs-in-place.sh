#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What writes in place leave in history: dd conv=notrunc, truncate, stores through a mapping; and that touch is none.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"

# Compares every byte of a file of some size, of which little changes.
large()
{
	F=$B/large.bin
	seq 200000 >"$F"
	cp "$F" "$FOLDER/1"
	printf changed | dd of="$F" bs=1 seek=700000 conv=notrunc status=none
	cp "$F" "$FOLDER/2"
	truncate -s 900000 "$F"
	cp "$F" "$FOLDER/3"
	printf end >>"$F"
	cp "$F" "$FOLDER/4"
	head -c 300000 /dev/zero | dd of="$F" bs=4k seek=1 conv=notrunc status=none
	is "$(versions "$F")" "1.bin 2.bin 3.bin 4.bin 5.bin" "$1: dd, truncate, >>, dd of a large file: five versions"
	for i in 1 2 3 4; do
		ok "$1: version $i has its bytes" cmp "$FOLDER/$i" "$F@v/$i.bin"
	done
	ok "$1: the fifth is the live one" cmp "$F" "$F@v/5.bin"
}

rows()
{
	begin dd
	printf B | dd of="$F" conv=notrunc status=none
	tells "$F" "1=A 2=B" "$1: dd conv=notrunc"
	begin shortened
	put ABCDEF "$F"
	truncate -s 3 "$F"
	tells "$F" "1=A 2=ABCDEF 3=ABC" "$1: truncate to less"
	begin grown
	truncate -s 4 "$F"
	is "$(versions "$F")" "1 2" "$1: truncate to more"
	ok "$1: has zeros at its end" cmp "$F@v/2" <(printf 'A\n\0\0')
	ok "$1: the first has not" cmp "$F@v/1" <(echo A)
	begin emptied
	truncate -s 0 "$F"
	tells "$F" "1=A 2=" "$1: truncate to nothing"
	begin truncated
	python3 -c 'import sys; f = open(sys.argv[1], "r+"); f.truncate(0); f.write("B\n")' "$F"
	tells "$F" "1=A 2=B" "$1: open, truncate, write"
	begin mapped
	python3 -c 'import mmap, sys; f = open(sys.argv[1], "r+b"); mmap.mmap(f.fileno(), 2)[0:1] = b"B"' "$F"
	tells "$F" "1=A 2=B" "$1: a store through a mapping"
	begin touched
	touch "$F"
	touch -d 2001-01-01 "$F"
	tells "$F" "1=A" "$1: touch"
	touch "$B/made-by-touch"
	tells "$B/made-by-touch" "1=" "$1: touch of a new file"
	large "$1"
}
both_ways rows
