#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A removed file that is still open can be opened again through /proc and written: the version that its removal made
# never shows other bytes than it had. It is right, or it is not kept.
. "$(dirname "$0")/lib.sh"

# right FILE TEXT: version 1 has the text, or is not there.
right()
{
	local got
	if got=$(cat "$1@v1" 2>/dev/null); then
		[ "$got" = "$2" ]
	else
		[ "$(history_of "$1" 'select(.version == 1) | .state')" = not-kept ]
	fi
}

scenario()
{
	put original "$B/overwritten"
	exec 3<"$B/overwritten"
	rm "$B/overwritten"
	echo X >"/proc/self/fd/3"
	ok "$1: O_TRUNC through /proc" right "$B/overwritten" original
	exec 3<&-
	within 20 equal 0 fact unsettled
	ok "$1: and after close" right "$B/overwritten" original

	put original "$B/appended"
	exec 3<"$B/appended"
	rm "$B/appended"
	echo more >>"/proc/self/fd/3"
	ok "$1: O_APPEND" right "$B/appended" original
	exec 3<&-
	within 20 equal 0 fact unsettled
	ok "$1: and after close" right "$B/appended" original

	put original "$B/replaced"
	exec 3<"$B/replaced"
	put new "$B/replaced.part" && mv "$B/replaced.part" "$B/replaced"
	printf X 1<>"/proc/self/fd/3"
	ok "$1: written in place after a rename over it" right "$B/replaced" original
	exec 3<&-
	within 20 equal 0 fact unsettled
	ok "$1: and after close" right "$B/replaced" original
	is "$(cat "$B/replaced")" new "$1: the live file is the new one"

	put original "$B/open"
	exec 3>>"$B/open"
	rm "$B/open"
	echo more >&3
	exec 3>&-
	within 20 equal 0 fact unsettled
	newest=$(cat "$B/open@v-1" 2>/dev/null)
	ok "$1: written through a handle that was open before" right "$B/open" original
	[ -z "$newest" ] || is "$newest" $'original\nmore' "$1: the last content is the version"

	put original "$B/truncated"
	exec 3<>"$B/truncated"
	rm "$B/truncated"
	ok "$1: ftruncate of a removed file" truncate -s 3 /proc/self/fd/3
	exec 3>&-
	within 20 equal 0 fact unsettled
	ok "$1: is no other version 1" right "$B/truncated" original
}

both_ways scenario
