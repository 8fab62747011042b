#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A small disk that is full of history: what df promises can be written at once, for history gives way to who writes,
# however fast that is. Only what is live fills a disk.
. "$(dirname "$0")/lib.sh"
need_root
truncate -s 150M "$FOLDER/disk"
mkdir "$FOLDER/small"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
export TARN_STORAGE_HISTORY_BUDGET_GB=1 # room is what is looked at here

avail() { df --output=avail -B1 "$1" | tail -n 1; }
bytes() { yes "$1" | head -c "$2"; }
promised() { [ $(($(avail "$B") - $(avail "$FOLDER/small"))) -gt 70000000 ]; }

gives_way()
{
	local way=$1 n i
	for i in 1 2 3 4 5 6; do
		bytes "$i" 15000000 >"$B/f"
	done
	bytes live 5000000 >"$B/live"
	ok "$way: df counts history as free" within 10 promised
	n=$(($(avail "$B") - 12000000))
	ok "$way: what df promises is more than there is" test "$n" -gt "$(avail "$FOLDER/small")"
	ok "$way: and can be written in one go" cp <(bytes big "$n") "$B/big"
	ok "$way: all of it" cmp "$B/big" <(bytes big "$n")
	ok "$way: what is live stays" cmp "$B/live" <(bytes live 5000000)
	like "$(history_of "$B/f" .reason)" "space short" "$way: history says why it went"
	fails ENOSPC "$way: a disk full of live files is full" cp <(bytes more 20000000) "$B/more"
	rm "$B/big" "$B/more"
}

lake small/lake
up
gives_way passthrough
down
rm -r "$L"
lake small/lake
up -o passthrough=off
gives_way cached
# room for a mapping's pages, and for what is allocated
for i in 1 2 3 4 5; do
	bytes "$i" 15000000 >"$B/f"
done
ok "fallocate, too, is given what history has" fallocate -l $(($(avail "$B") - 12000000)) "$B/allocated"
down
ok "unmounted" umount "$FOLDER/small"
