#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A program that runs cannot be opened for writing, and one that is open for writing cannot be run: ETXTBSY. It can be
# replaced and removed, and goes on running.
. "$(dirname "$0")/lib.sh"

run()
{
	local p=$B/program child
	cp "$(type -P sleep)" "$p"
	ok "$1: a program runs" "$p" 0
	"$p" 100 &
	child=$!
	# shellcheck disable=SC2317 # called by within
	runs() { [ "$(readlink "/proc/$child/exe")" = "$p" ]; }
	within 10 runs
	for open in '>' '>>' '1<>'; do
		eval "true $open\"\$p\"" 2>"$FOLDER/said"
		like "$(cat "$FOLDER/said")" 'Text file busy' "$1: cannot be opened with $open while it runs"
	done
	ok "$1: nor truncated" not truncate -s 0 "$p"
	ok "$1: it is whole" cmp "$p" "$(type -P sleep)"
	cp "$(type -P true)" "$p.new"
	ok "$1: it can be replaced" mv "$p.new" "$p"
	ok "$1: and goes on" kill -0 $child
	ok "$1: while the new one runs" "$p"
	kill $child
	wait $child 2>/dev/null
	ok "$1: the old one is a version" cmp "$p@v1" "$(type -P sleep)"
	exec 3>>"$p"
	"$p" 2>"$FOLDER/said"
	like "$(cat "$FOLDER/said")" 'Text file busy' "$1: one that is open for writing cannot be run"
	exec 3>&-
	ok "$1: after close it can" within 10 "$p"
	rm "$p"
}
both_ways run
