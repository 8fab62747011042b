#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What appends leave in history: those of one run within two seconds, with no reader in between, are one version.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"

rows()
{
	local i
	begin loop
	for i in $(seq 1000); do echo "$i" >>"$F"; done
	is "$(versions "$F")" "1 2" "$1: >> 1,000 times is one version"
	ok "$1: the first has what was there" cmp "$F@v/1" <(echo A)
	ok "$1: the second all lines" cmp "$F@v/2" <(echo A && seq 1000)
	F=$B/new
	for i in $(seq 100); do echo "$i" >>"$F"; done
	is "$(versions "$F")" 1 "$1: so it is for a file that it makes"
	ok "$1: with all lines" cmp "$F@v/1" <(seq 100)

	begin reader
	echo B >>"$F"
	cat "$F" >"$FOLDER/out"
	echo C >>"$F"
	tells "$F" "1=A 2=A,B 3=A,B,C" "$1: a reader in between makes it two"
	begin pause
	echo B >>"$F"
	sleep 2.5
	echo C >>"$F"
	tells "$F" "1=A 2=A,B 3=A,B,C" "$1: so does a pause"
	begin rewritten
	echo B >"$F"
	echo C >"$F"
	tells "$F" "1=A 2=B 3=C" "$1: rewrites are never one"
	echo D >>"$F"
	echo E >"$F"
	tells "$F" "1=A 2=B 3=C 4=C,D 5=E" "$1: nor is what is added to them"

	begin programs
	append B "$F"
	tells "$F" "1=A 2=A,B" "$1: >> by a program"
	append C "$F"
	append D "$F"
	tells "$F" "1=A 2=A,B 3=A,B,C 4=A,B,C,D" "$1: and by two others"
	begin teed
	{ echo B; sleep 0.3; echo C; } | tee -a "$F" >"$FOLDER/out"
	tells "$F" "1=A 2=A,B,C" "$1: tee -a"
}
both_ways rows
