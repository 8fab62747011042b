#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A log that is written for long while `watch wc -l` reads it: while it is open, one partial version for each
# version_interval, and a single version when it is closed. tests/long/log.sh does it for an hour.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program watch procps

export TARN_STORAGE_VERSION_INTERVAL=1
SECONDS_OPEN=6

# One program that writes ten lines a second.
write_log()
{
	local i
	for i in $(seq $((SECONDS_OPEN * 10))); do
		echo "line $i"
		sleep 0.1
	done >>"$F"
}

partial() { history_of "$F" 'select(.state == "partial") | .version'; }

# Those that only a reader has caused go again.
few_partial() { [ "$(partial | wc -w)" -le $((SECONDS_OPEN + 1)) ]; }

rows()
{
	local n reader writer last wrong=0
	begin open.log
	write_log &
	writer=$!
	TERM=vt100 watch -n 0.2 wc -l "$F" >"$FOLDER/watch" 2>&1 &
	reader=$!
	sleep $((SECONDS_OPEN / 2))
	is "$(versions "$F")" 1.log "$1: while it is open, what was there before is listed"
	is "$(cat "$F@v1")" A "$1: with its content"
	wait "$writer"
	kill "$reader"
	wait "$reader"
	{ echo A; for i in $(seq $((SECONDS_OPEN * 10))); do echo "line $i"; done; } >"$FOLDER/wanted"
	is "$(versions "$F" | wc -w)" 2 "$1: when it is closed, one more"
	last=$(versions "$F" | sed 's/.* //')
	ok "$1: it has all lines" cmp "$FOLDER/wanted" "$F@v/$last"
	ok "$1: the file, too" cmp "$FOLDER/wanted" "$F"
	ok "$1: the first is what it was" cmp "$F@v1" <(echo A)
	ok "$1: there are partial ones" test "$(partial | wc -w)" -ge 2
	ok "$1: one for each interval, not for each look" within 20 few_partial
	for n in $(partial); do
		cat "$F@v$n" >"$FOLDER/partial" && [ -s "$FOLDER/partial" ] &&
			cmp -s "$FOLDER/partial" <(head -c "$(stat -c %s "$FOLDER/partial")" "$FOLDER/wanted") || wrong=$((wrong + 1))
	done
	is $wrong 0 "$1: each has what the log had then"
}
both_ways rows
