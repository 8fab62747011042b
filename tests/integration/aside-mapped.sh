#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file is removed, or replaced, while somebody has it mapped and goes on storing: what it was before is what it was,
# also for the next daemon.
. "$(dirname "$0")/lib.sh"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "$FOLDER/mapstore" "$TARN_SOURCE/tests/crash/mapstore.c" || exit 1

digests() { find "$1@v/" -type f -exec sha256sum {} + | sort -k 2 | cut -c1-20 | paste -sd' '; }
settled() { [ "$(fact unsettled)" = 0 ]; }

# gone NAME COMMAND…: what COMMAND does to the file NAME while it is mapped.
gone()
{
	local name=$1 file=$B/$1 first second
	shift
	head -c 200000 /dev/urandom >"$file"
	first=$(sha256sum "$file" | cut -c1-20)
	head -c 70000 /dev/urandom >>"$file"
	second=$(sha256sum "$file" | cut -c1-20)
	coproc MAPPED { "$FOLDER/mapstore" "$file"; }
	local out=${MAPPED[1]} in=${MAPPED[0]} pid=$MAPPED_PID line
	read -r line <&"$in"
	printf more | dd of="$file" bs=1 seek=300000 conv=notrunc status=none
	"$@"
	echo "store 100000 stored after it was gone" >&"$out"
	read -r line <&"$in"
	exec {out}>&-
	wait "$pid"
	ok "$name: settled" within 20 settled
	is "$(digests "$file" | cut -d' ' -f1,2)" "$first $second" "$name: what it was is as it was"
	down
	up
	is "$(digests "$file" | cut -d' ' -f1,2)" "$first $second" "$name: after the next mount, too"
}

replace() { head -c 1000 /dev/urandom >"$B/other" && mv "$B/other" "$1"; }

lake lake
up
gone removed rm "$B/removed"
gone replaced replace "$B/replaced"
down
