#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# With -f the daemon stays in the foreground, logs to standard error, and SIGTERM unmounts.
. "$(dirname "$0")/lib.sh"

lake lake
for signal in TERM INT; do
	"$TARN" mount -f "$L" >"$FOLDER/stdout" 2>"$FOLDER/stderr" </dev/null &
	pid=$!
	ok "it mounts ($signal)" within 10 mountpoint -q "$M"
	ok "and says so on standard error" within 10 grep -q 'is mounted at' "$FOLDER/stderr"
	ok "paths to try come on standard output" within 10 grep -q .catalog/README "$FOLDER/stdout"
	is "$(daemon_pid)" "$pid" "the process is the daemon"
	echo "$signal" >"$B/file"
	kill -$signal "$pid"
	wait "$pid"
	is $? 0 "SIG$signal ends it with exit code 0"
	ok "and unmounts" not mountpoint -q "$M"
	is "$(cat "$B/file")" "$signal" "what was written is there"
done
