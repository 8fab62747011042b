#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The mode of an earlier version: no more than both the mode then and the mode now; nothing to write, no set-id bits.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/f
mode() { stat -c %a "$F@v$1"; }
put one "$F"
chmod 4755 "$F"
put two "$F"
chmod 644 "$F"
put three "$F"
is "$(mode 1)" 444 "then 4755, now 644"
chmod 6777 "$F"
is "$(mode 1)" 555 "then 4755, now 6777"
is "$(mode 2)" 444 "then 644, now 6777"
chmod 600 "$F"
is "$(mode 1)" 400 "chmod 600 closes the past"
is "$(stat -c %a "$F@v")" 500 "and its folder"
chmod 644 "$F"
is "$(stat -c %a "$F@v")" 555 "which opens again"
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$B"
	is "$(as_nobody cat "$F@v1")" one "another user may read what is open"
	chmod 600 "$F"
	fails EACCES "and not what is closed now" as_nobody cat "$F@v1"
	fails EACCES "by no name" as_nobody cat "$F@v/1"
	fails EACCES "nor list it" as_nobody ls "$F@v"
	chmod 644 "$F"
	chown 1000:1001 "$F"
	is "$(stat -c %u:%g "$F@v1")" 1000:1001 "the owner is that of now"
	setfacl -m u:$NOBODY:r "$F"
	chmod o-r "$F"
	is "$(as_nobody cat "$F")" three "an ACL lets a user read the file"
	fails EACCES "and not its past: named entries drop" as_nobody cat "$F@v1"
	chmod 600 "$F" && setfacl -b "$F"
	rm "$F"
	fails EACCES "a removed file is as closed as it was" as_nobody cat "$F@v-1"
fi
down
