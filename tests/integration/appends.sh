#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Appends of one run within two seconds of each other, with no reader in between, are one version. Nothing else is.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# loop FILE N TEXT…: appends N lines from one shell, which opens the file for each.
loop() { bash -c 'for ((i = 0; i < $2; i++)); do echo "$3 $i" >>"$1"; done' bash "$@"; }
sizes() { history_of "$1" '[.version, .size]'; }
whole_hash() { [ "$(history_of "$1" 'select(.state == "live") | .sha256')" = "$(sha256sum <"$1" | cut -d' ' -f1)" ]; }

append_all()
{
	local way=$1

	put first "$B/f"
	ok "$way: a loop of 1,000 appends" loop "$B/f" 1000 line
	is "$(wc -l <"$B/f")" 1001 "$way: wrote its lines"
	is "$(sizes "$B/f")" "[1,6] [2,$(stat -c %s "$B/f")]" "$way: and is one version"
	ok "$way: whose hash is right" within 20 whole_hash "$B/f"
	loop "$B/new" 100 line
	is "$(sizes "$B/new")" "[1,$(stat -c %s "$B/new")]" "$way: also from an empty file on"

	append a "$B/each"
	append b "$B/each"
	append c "$B/each"
	is "$(sizes "$B/each")" "[1,2] [2,4] [3,6]" "$way: each make a version"
	echo a | tee -a "$B/tee" >/dev/null
	echo b | tee -a "$B/tee" >/dev/null
	is "$(sizes "$B/tee")" "[1,2] [2,4]" "$way: tee -a, too"

	bash -c 'echo a >"$1"; echo b >"$1"' bash "$B/over"
	is "$(history_of "$B/over" '[.version, .state]')" '[1,"kept"] [2,"live"]' "$way: rewrites never are one"
	bash -c 'echo a >"$1"; echo b >>"$1"; echo c >>"$1"' bash "$B/mixed"
	is "$(sizes "$B/mixed")" "[1,2] [2,6]" "$way: appends do not go on with a rewrite"

	bash -c 'echo a >>"$1"; cat "$1" >/dev/null; sleep .3; echo b >>"$1"; echo c >>"$1"' bash "$B/read"
	is "$(sizes "$B/read")" "[1,2] [2,6]" "$way: a reader comes between two versions"
	bash -c 'echo a >>"$1"; ls "$1@v/" >/dev/null; echo b >>"$1"' bash "$B/listed"
	is "$(sizes "$B/listed")" "[1,2] [2,4]" "$way: one who looks at the versions, too"
	bash -c 'exec 3<>"$1"; echo a >&3; exec 4<"$1" 3>&-; sleep .1
		echo c >>"$1"; sleep .1; echo d >>"$1"' bash "$B/held"
	is "$(sizes "$B/held")" "[1,2] [2,4] [3,6]" "$way: with a reader each append is one"
	bash -c 'echo a >>"$1"; sleep 2.2; echo b >>"$1"' bash "$B/slow"
	is "$(sizes "$B/slow")" "[1,2] [2,4]" "$way: so are those that are far apart"
	bash -c 'echo a >>"$1"; ls -d "$2@v/$(date -u +%FT%TZ)" >/dev/null; echo b >>"$1"' bash "$B/moment" "$B"
	is "$(sizes "$B/moment")" "[1,2] [2,4]" "$way: a moment that was looked at stays as it is"

	bash -c 'echo a >>"$1"; mkdir "$2@v/named"; echo b >>"$1"' bash "$B/named" "$B"
	is "$(sizes "$B/named")" "[1,2] [2,4]" "$way: and one that gets a name"
	is "$(cat "$B@v/named/named")" a "$way: which is the content under that name"
	rmdir "$B@v/named"
	bash -c 'echo a >>"$1"; mkdir "$2@v/named"; dd if=/dev/null of="$1" conv=notrunc status=none; echo b >>"$1"' \
		bash "$B/opened" "$B"
	is "$(cat "$B@v/named/opened")" a "$way: also when somebody opened the file to write since, and did not"
	rmdir "$B@v/named"
	bash -c 'echo a >>"$1"; cat "$1" >/dev/null; dd if=/dev/null of="$1" conv=notrunc status=none; echo b >>"$1"' \
		bash "$B/seen"
	is "$(sizes "$B/seen")" "[1,2] [2,4]" "$way: nor is a reader forgotten by that"

	head -c 3000000 /dev/zero >>"$B/big"
	ok "$way: a large file is hashed" within 20 whole_hash "$B/big"
	loop "$B/big" 20 line
	ok "$way: the hash goes on with what was appended" within 20 whole_hash "$B/big"
	printf X | dd of="$B/big" conv=notrunc status=none
	ok "$way: and starts anew when something else was written" within 20 whole_hash "$B/big"
}

both_ways append_all
