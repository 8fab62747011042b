#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stores through a mapping after close(), then O_TRUNC, rename over it, unlink and rsync: the version is the right one,
# never changes, and rsync does not skip the file.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need rsync "install rsync"
need "${CC:-cc}" "install gcc"

"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -o "$WORK/mapstore" "$HERE/../crash/mapstore.c" || exit 1

mappings()
{
	lake_up lake
	"$HERE/mapping.py" "$WORK/mapstore" "$B" "$MODE" 2>"$WORK/mapping.log"
	local status=$?
	[ $status -eq 0 ] || result 1 "mapping, $MODE: ended with status $status" "$WORK/mapping.log"
	lake_gone mapping
}
modes mappings
