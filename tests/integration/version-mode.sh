#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The mode of an earlier version: no more than both the mode then and the mode now; nothing to write, no set-id bits.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/f
mode() { stat -c %a "$F@v$1"; }
install -m 4755 /dev/null "$F"
put one "$F"
put two "$F"
chmod 644 "$F"
put three "$F"
put four "$F"
one=$(history_of "$F" 'select(.size == 4) | .version' | cut -d' ' -f1)
is "$(mode "$one")" 444 "then 4755, now 644"
chmod 6777 "$F"
is "$(mode "$one")" 555 "then 4755, now 6777"
is "$(mode -1)" 444 "then 644, now 6777"
chmod 600 "$F"
is "$(mode "$one")" 400 "chmod 600 closes the past"
is "$(stat -c %a "$F@v")" 500 "and its folder"
chmod 644 "$F"
is "$(stat -c %a "$F@v")" 555 "which opens again"
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$B"
	is "$(as_nobody cat "$F@v$one")" one "another user may read what is open"
	chmod 600 "$F"
	fails EACCES "and not what is closed now" as_nobody cat "$F@v$one"
	fails EACCES "by no name" as_nobody cat "$F@v/$one"
	fails EACCES "nor list it" as_nobody ls "$F@v"
	chmod 644 "$F"
	chown 1000:1001 "$F"
	is "$(stat -c %u:%g "$F@v$one")" 1000:1001 "the owner is that of now"
	setfacl -m "u:$NOBODY:r" "$F"
	chmod o-r "$F"
	is "$(as_nobody cat "$F")" four "an ACL lets a user read the file"
	fails EACCES "and not its past: named entries drop" as_nobody cat "$F@v$one"
	setfacl -b "$F" && chown "0:$NOBODY" "$F" && setfacl -m g::-,u:1000:r "$F"
	fails EACCES "an ACL shuts the group out" as_nobody cat "$F"
	rm "$F"
	fails EACCES "of the past of a removed file, too: the mask is not the group's" as_nobody cat "$F@v-1"
	put secret "$B/g"
	chmod 600 "$B/g"
	rm "$B/g"
	fails EACCES "a removed file is as closed as it was" as_nobody cat "$B/g@v-1"
	put secret "$B/h"
	chmod 600 "$B/h"
	put public "$B/h"
	chmod 644 "$B/h"
	fails EACCES "what was closed while it was live stays closed" as_nobody cat "$B/h@v1"
fi
down
