#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# fsx: one file, random reads, writes, truncations, holes and mapped accesses, each checked against a copy in memory.
# Three seeds; read()/write() with mapped accesses, the same by aio, by io_uring, and with O_DIRECT.
. "$(dirname "$0")/lib.sh"
need_suite bin/fsx

operations=${FSX_OPERATIONS:-200000}

# one LOG OPTION…: a run of fsx in the working folder.
one()
{
	local log=$1
	shift
	"$SUITES/bin/fsx" -q -N "$operations" -P "$WORK" "$@" "fsx-${log##*/}" >"$log" 2>&1 </dev/null
	echo $? >"$log.status"
}

all_kinds()
{
	local kind seed log bad start text
	local -A options=([mapped]='' [aio]='-A' [uring]='-U' [direct]='-Z -o 8192 -r 4096 -w 4096 -t 4096')
	lake_up lake
	for kind in mapped aio uring direct; do
		bad=0 start=$SECONDS text=''
		for seed in 1 2 3; do
			log=$WORK/fsx-$kind-$seed-${MODE%% *}.log
			# shellcheck disable=SC2086 # several words
			one "$log" -S $seed ${options[$kind]} &
			CHILDREN=($!)
			wait $!
			CHILDREN=()
			[ "$(cat "$log.status")" -eq 0 ] || { bad=$((bad + 1)); text+=" seed $seed failed: $log"; }
		done
		result $bad "fsx $kind, $MODE: 3 seeds of $operations operations, $bad failed, $((SECONDS - start)) s"
		[ $bad -eq 0 ] || tail -n 8 "$WORK"/fsx-$kind-*-"${MODE%% *}".log | note
	done
	lake_gone fsx
}
modes all_kinds
