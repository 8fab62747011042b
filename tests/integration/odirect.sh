#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Direct writing and reading work, an odd tail included, and what is read in other ways agrees.
. "$(dirname "$0")/lib.sh"

head -c 1234567 /dev/urandom >"$FOLDER/source"
run()
{
	ok "$1: dd oflag=direct with an odd tail" dd if="$FOLDER/source" of="$B/f" bs=64k oflag=direct status=none
	ok "$1: arrives" cmp "$FOLDER/source" "$B/f"
	ok "$1: dd iflag=direct" dd if="$B/f" of="$FOLDER/back" bs=64k iflag=direct status=none
	ok "$1: reads the same" cmp "$FOLDER/source" "$FOLDER/back"
	ok "$1: over an old file" dd if="$FOLDER/source" of="$B/f" bs=4k skip=1 oflag=direct status=none
	ok "$1: with the new content" cmp -i 4096:0 "$FOLDER/source" "$B/f"
	ok "$1: and the old one as version 1" cmp "$FOLDER/source" "$B/f@v1"
	ok "$1: in the middle" dd if="$FOLDER/source" of="$B/f" bs=4k count=5 seek=7 conv=notrunc oflag=direct status=none
	ok "$1: arrives at its place" cmp -n 20480 -i 0:28672 "$FOLDER/source" "$B/f"
	exec 3<"$B/f"
	head -c 100 <&3 >"$FOLDER/first"
	dd if="$FOLDER/source" of="$B/f" bs=4k count=1 conv=notrunc oflag=direct status=none
	ok "$1: a reader that was there before sees it" cmp -n 4096 "$FOLDER/source" "$B/f"
	exec 3<&-
	ok "$1: direct, appending" dd if="$FOLDER/source" of="$B/f" bs=4096 count=1 oflag=direct,append conv=notrunc status=none
	ok "$1: oflag=direct,dsync" dd if="$FOLDER/source" of="$B/g" bs=1M oflag=direct,dsync status=none
	ok "$1: arrives" cmp "$FOLDER/source" "$B/g"
	rm "$B"/*
}
both_ways run
