#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A log that one program writes for an hour while `watch wc -l` reads it: a partial version for each version_interval
# (15 minutes), and a single version with all lines when it is closed. What was there before stays.
# LOG_SECONDS: how long instead (3600).
. "$(dirname "$0")/lib.sh"
need watch "install procps"
need jq "install jq"

seconds_open=${LOG_SECONDS:-3600}

write_log()
{
	local i
	for i in $(seq $((seconds_open * 4))); do
		echo "line $i"
		sleep 0.25
	done >>"$B/open.log"
}

# of STATE: the numbers of the versions in that state.
of() { jq -r "select(.state == \"$1\") | .version" "$B/open.log@v/history.jsonl"; }

listed() { find "$B/open.log@v" -mindepth 1 -printf '%f\n' | sort -n; }

is_prefix() { cmp -s "$1" <(head -c "$(stat -c %s "$1")" "$WORK/wanted"); }

hour()
{
	local log=$WORK/log.log reader n wrong=0 intervals=$((seconds_open / ${TARN_STORAGE_VERSION_INTERVAL:-900})) last
	lake_up lake
	echo before >open.log
	TERM=vt100 watch -n 2 wc -l "$B/open.log" >"$WORK/watch" 2>&1 &
	reader=$!
	CHILDREN+=("$reader")
	write_log &
	CHILDREN+=($!)
	wait $!
	kill "$reader"
	wait "$reader"
	{ echo before; for n in $(seq $((seconds_open * 4))); do echo "line $n"; done; } >"$WORK/wanted"
	sleep 10 # for what nobody needs any more to go
	listed >"$log"
	last=$(tail -n 1 "$log")
	holds "$(wc -l <"$log")" -eq 2
	result $? "two versions are listed, $MODE" "$log"
	[ "$(cat "open.log@v1")" = before ] && cmp "open.log@v/$last" "$WORK/wanted" >>"$log" 2>&1
	result $? "what was there before, and all lines, $MODE" "$log"
	of partial >"$log"
	n=$(wc -l <"$log")
	holds "$n" -ge $((intervals - 1)) && holds "$n" -le $((intervals + 1))
	result $? "$n partial ones in $seconds_open seconds, $MODE" "$log"
	for n in $(of partial); do
		cat "open.log@v$n" >"$WORK/partial" && [ -s "$WORK/partial" ] && is_prefix "$WORK/partial" || wrong=$((wrong + 1))
	done
	result $wrong "each has what the log had then, $MODE"
	lake_gone log
}
modes hour
