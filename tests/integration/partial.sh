#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that is still being written is cut when another program reads it, and each version_interval: partial versions,
# which F@v/ does not list.
LIMIT=300
. "$(dirname "$0")/lib.sh"

rows() { sqlite3 "$L/catalog/tarn.db" 'SELECT count(*) FROM version'; }
states() { history_of "$1" .state; }
# A writer in the background: it does what comes through a pipe, a line of Python each, with fd open on FILE.
writer()
{
	rm -f "$FOLDER/pipe" "$FOLDER/done"
	mkfifo "$FOLDER/pipe"
	python3 -c '
import os, sys
fd = os.open(sys.argv[1], eval(sys.argv[2]), 0o644)
for line in open(sys.argv[3]):
    exec(line)
    open(sys.argv[4], "a").write("x")
os.close(fd)' "$1" "$2" "$FOLDER/pipe" "$FOLDER/done" &
	WRITER=$!
	exec 9>"$FOLDER/pipe"
	steps=0
}
does()
{
	echo "$1" >&9
	steps=$((steps + 1))
	within 10 has_done
}
has_done() { [ "$(stat -c %s "$FOLDER/done" 2>/dev/null || echo 0)" -ge "$steps" ]; }
finish() { exec 9>&-; wait "$WRITER"; }

read_by_others()
{
	local way=$1 before i

	put first "$B/log"
	writer "$B/log" 'os.O_WRONLY | os.O_APPEND'
	does "os.write(fd, b'one\\n')"
	is "$(wc -l <"$B/log")" 2 "$way: a log is read while it is written"
	is "$(states "$B/log")" "kept partial" "$way: what was read is a partial version"
	is "$(versions "$B/log")" 1 "$way: which is not listed"
	is "$(history_of "$B/log" '[.version, .size, .how]')" '[1,6,"prefix"] [2,10,null]' "$way: as its history says"
	is "$(cat "$B/log@v2")" $'first\none' "$way: and is found by number"
	before=$(rows)
	for i in 1 2 3; do wc -l <"$B/log" >/dev/null; done
	is "$(rows)" "$before" "$way: reading the same again makes none"
	for i in 1 2 3 4 5 6 7 8; do
		does "os.write(fd, b'more\\n')"
		wc -l <"$B/log" >/dev/null
	done
	sleep .2
	is "$(rows)" "$before" "$way: reading more takes the place of what was read before"
	does "os.read(os.open('$B/log', os.O_RDONLY), 10)"
	is "$(rows)" "$before" "$way: the writer's own reading makes none"
	finish
	ok "$way: when it is closed" within 10 equal "kept live" states "$B/log"
	is "$(versions "$B/log")" "1 $(history_of "$B/log" 'select(.state == "live") | .version')" "$way: there is the whole of it"
	is "$(cat "$B/log@v1")" first "$way: and what was before"

	seq 10000 >"$B/data" && seq 10000 >"$FOLDER/data"
	writer "$B/data" os.O_RDWR
	does "os.pwrite(fd, b'AAAA', 100)"
	ok "$way: a file that is changed in place is read" grep -q AAAA "$B/data"
	n=$(history_of "$B/data" 'select(.state == "partial") | .version')
	[ -z "$n" ] || cp "$B/data@v$n" "$FOLDER/then"
	does "os.pwrite(fd, b'BBBB', 102)"
	does "os.pwrite(fd, b'CCCC', 40000)"
	[ -z "$n" ] || ok "$way: its partial version stays what it was" cmp "$FOLDER/then" "$B/data@v$n"
	finish
	ok "$way: when it is closed there is a live version" within 10 last_is_live "$B/data"
	ok "$way: and the first is as it was" cmp "$FOLDER/data" "$B/data@v1"
	is "$(states "$B/data" | grep -c partial)" 0 "$way: the partial one has gone"

	writer "$B/new" 'os.O_WRONLY | os.O_CREAT'
	does "os.write(fd, b'one\\n')"
	cat "$B/new" >/dev/null
	does "os.write(fd, b'two\\n')"
	cat "$B/new" >/dev/null
	like "$(states "$B/new")" '^(transient|partial|(expired|partial) transient)$' "$way: of a new one there is one at a time"
	finish
	ok "$way: when it is closed" within 10 last_is_live "$B/new"
	is "$(versions "$B/new" | wc -w)" 1 "$way: there is one version"
	is "$(sqlite3 "$L/catalog/tarn.db" 'SELECT count(*) FROM version WHERE state = 4')" 0 "$way: nothing is left of those without bytes"
}
last_is_live() { history_of "$1" .state | grep -q 'live$'; }

long_open()
{
	local way=$1 n

	put first "$B/long"
	writer "$B/long" 'os.O_WRONLY | os.O_APPEND'
	does "os.write(fd, b'one\\n')"
	ok "$way: a file long open is cut" within 10 equal "kept partial" states "$B/long"
	does "os.write(fd, b'two\\n')"
	ok "$way: again when it has changed" within 10 equal "kept partial partial" states "$B/long"
	sleep 2.5
	is "$(states "$B/long")" "kept partial partial" "$way: not when it has not"
	finish
	ok "$way: they stay when it is closed" within 10 equal "kept partial partial live" states "$B/long"
	is "$(cat "$B/long@v2")" $'first\none' "$way: with what it had then"
	is "$(versions "$B/long")" "1 4" "$way: and are not listed"

	writer "$B/crash" 'os.O_WRONLY | os.O_APPEND | os.O_CREAT'
	does "os.write(fd, b'one\\n')"
	ok "$way: another" within 10 equal partial states "$B/crash"
	does "os.write(fd, b'two\\n'); os.fsync(fd)"
	cat "$B/crash" >/dev/null
}

both_ways read_by_others
for way in passthrough cached; do
	lake "long-$way"
	printf 'storage: {version_interval: 1}\n' >"$L/config/settings.yaml"
	if [ $way = cached ]; then up -o passthrough=off; else up; fi
	long_open $way
	crash
	finish 2>/dev/null
	up
	is "$(cat "$B/crash")" $'one\ntwo' "$way: after a crash the file is whole"
	ok "$way: and has its version" within 20 last_is_live "$B/crash"
	is "$(history_of "$B/crash" '[.version, .size, .state]' | cut -d' ' -f1)" '[1,4,"partial"]' "$way: and the partial one"
	is "$(cat "$B/crash@v1")" one "$way: which is what it was"
	down
done
