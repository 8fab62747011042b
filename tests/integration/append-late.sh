#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What is appended right after a rewrite is a version of its own, however late the kernel says that it was closed.
. "$(dirname "$0")/lib.sh"

N=60

histories() { for ((i = 0; i < N; i++)); do history_of "$B/f$i" '[.version, .size, .state]'; done; }

contents()
{
	for ((i = 0; i < N; i++)); do
		for v in 1 2 3; do cat "$B/f$i@v$v"; done | paste -sd ' '
	done
}

scenario()
{
	for ((i = 0; i < N; i++)); do
		echo one >"$B/f$i"
		echo two >"$B/f$i"
		echo three >>"$B/f$i"
	done
	is "$(histories | sort | uniq -c | xargs)" \
		"$N [1,4,kept] [2,4,kept] [3,10,live]" "$1: three versions each"
	is "$(contents | sort | uniq -c | xargs)" "$N one two two three" "$1: with what was written"
	down
	if [ "$1" = cached ]; then up -o passthrough=off; else up; fi
	is "$(contents | sort | uniq -c | xargs)" "$N one two two three" "$1: also after mounting again"
}

both_ways scenario
