#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What logrotate leaves in history: renaming takes the numbers along; with copytruncate they stay, and what the
# truncation took can be read.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_root
PATH=$PATH:/usr/sbin
need_program logrotate logrotate

# rotate OPTION…: of F.
rotate()
{
	{
		echo "\"$F\" {"
		printf '\t%s\n' 'su root root' 'rotate 3' "$@"
		echo '}'
	} >"$FOLDER/rotate.conf"
	chmod 644 "$FOLDER/rotate.conf"
	logrotate -s "$FOLDER/rotate.state" -f "$FOLDER/rotate.conf"
}

# A program that holds F open for appending, and writes what it is told through a FIFO.
start_writer()
{
	rm -f "$FOLDER/lines"
	mkfifo "$FOLDER/lines"
	cat "$FOLDER/lines" >>"$F" &
	writer=$!
	exec 9>"$FOLDER/lines"
}

write_line()
{
	local size
	size=$(stat -c %s "$F")
	echo "$1" >&9
	within 5 grown "$size"
}

grown() { [ "$(stat -c %s "$F")" -gt "$1" ]; }

stop_writer()
{
	exec 9>&-
	wait "$writer"
}

# The story, with N for the number of the last version.
last_named() { story "$1" | sed 's/ [0-9]*=/ N=/'; }

rows()
{
	begin renamed.log
	append B "$F"
	ok "$1: logrotate" rotate create
	tells "$F.1" "1=A 2=A,B" "$1: the log has taken its numbers along"
	append C "$F"
	is "$(cat "$F")" C "$1: the new one has what came since"
	ok "$1: logrotate again" rotate create
	tells "$F.2" "1=A 2=A,B" "$1: they go on to .2"

	begin copied.log
	append B "$F"
	ok "$1: logrotate with copytruncate" rotate copytruncate
	tells "$F.1" "1=A,B" "$1: the copy begins with 1"
	tells "$F" "1=A 2=A,B 3=" "$1: the log goes on, empty"
	append C "$F"
	tells "$F" "1=A 2=A,B 3= 4=C" "$1: and with what came since"

	begin open.log
	start_writer
	write_line B
	write_line C
	ok "$1: logrotate with copytruncate of a log that is open" rotate copytruncate
	tells "$F.1" "1=A,B,C" "$1: the copy has all of it"
	write_line D
	stop_writer
	is "$(cat "$F")" D "$1: the log has what came since"
	is "$(cat "$F@v1")" A "$1: what was there before can be read"
	ok "$1: and no other is listed" within 3 equal "1=A N=D" last_named "$F"
}
both_ways rows
