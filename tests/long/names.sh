#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 1,000 hostile names: 255 bytes, newlines, invalid UTF-8, leading dashes, `@v`, quotes, commas.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"

hostile()
{
	lake lake
	up
	"$HERE/names.py" "$TARN" "$MNT" "$MODE" 2>"$WORK/names.log"
	local status=$?
	[ $status -eq 0 ] || result 1 "names, $MODE: ended with status $status" "$WORK/names.log"
	lake_gone names
}
modes hostile
