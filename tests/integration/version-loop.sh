#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Overwrites in a tight loop: each is a version of its own, with the right bytes.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/f
n=200
for i in $(seq $n); do
	echo "content $i" >"$F"
done
is "$(versions "$F" | wc -w)" $n "$n overwrites, $n versions"
wrong=0
for i in $(seq $n); do
	[ "$(<"$F@v$i")" = "content $i" ] || wrong=$((wrong + 1))
done
is $wrong 0 "each has its bytes"
is "$(cat "$F")" "content $n" "the file has the last"
is "$(fact versions_not_kept)" 0 "none was lost"
down
up -o passthrough=off
F=$B/g
for i in $(seq $n); do
	echo "content $i" >"$F"
done
is "$(versions "$F" | wc -w)" $n "without passthrough, too"
wrong=0
for i in $(seq $n); do
	[ "$(<"$F@v$i")" = "content $i" ] || wrong=$((wrong + 1))
done
is $wrong 0 "with the bytes of each"
down
