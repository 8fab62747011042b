#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is full to its last block: the past can be read still. Nothing can be recorded any more when what the
# store keeps for that is used up, too; and still, what is removed makes room.
. "$(dirname "$0")/lib.sh"
need_root
truncate -s 100M "$FOLDER/disk"
mkdir "$FOLDER/small"
mkfs.ext4 -q -m 0 "$FOLDER/disk" >"$FOLDER/said" 2>&1 && mount -o loop "$FOLDER/disk" "$FOLDER/small" ||
	skip_all "needs mkfs.ext4 and a loop device"
lake small/lake
up

free() { df --output=avail -B1 "$FOLDER/small" | tail -n 1; }
has_room() { [ "$(free)" -gt 20000000 ]; }
fill() { head -c 200M /dev/zero >>"$1"; }

put one "$B/f"
put two "$B/f"
cat "$B/f@v1" >"$FOLDER/said" # recorded
fill "$B/live" 2>"$FOLDER/said"
# what the daemon gives back of its own is taken, too
is_full()
{
	head -c 1M /dev/zero >>"$B/more-$RANDOM"
	[ "$((0 + $(free)))" = 0 ]
} 2>"$FOLDER/said"
ok "a disk is filled to its last block" within 10 is_full
for i in 1 2 3 4 5; do
	printf x | dd of="$B/live" bs=1 seek=$((i * 10000000)) conv=notrunc status=none
done
ok "what is there can be written in place" cmp -s <(printf x) <(dd if="$B/live" bs=1 skip=10000000 count=1 status=none)
# More than the log of the store has room for: it must start again at its front while nothing is free.
busy()
{
	for i in $(seq 200); do
		touch "$B/t$i" && touch -d "@$i" "$B/t$i" && mv "$B/t$i" "$B/u$i" && rm "$B/u$i" || return
		[ $((i % 10)) != 0 ] || [ "$(cat "$B/f@v/2")" = two ] || return
	done
}
ok "changes go on to be recorded" busy
is "$(cat "$B/f@v/2")" two "the past can be read"
like "$(history_of "$B/f" .state)" live "and is told"
# Each leaves a row of its name, until the store has no room left at all.
fill_store()
{
	python3 - "$B/" <<-END
		import os, sys
		old, new = sys.argv[1] + "n" * 200, sys.argv[1] + "m" * 200
		os.rename(sys.argv[1] + "f", old)
		for i in range(100000):
		    os.rename(old, new)
		    os.rename(new, old)
		    if i % 100 == 0:
		        try:
		            open(old + "@v/2").close()
		        except OSError:
		            break
		else:
		    sys.exit("it has no end")
		os.rename(old, sys.argv[1] + "f")
	END
}
ok "a store is filled to its last block" fill_store
rm "$B/live"
ok "what is removed makes room" within 20 has_room
ok "for what is new" put three "$B/new"
down
up
is "$(cat "$B/new")" three "which is there after the next mount"
down
fill "$FOLDER/small/other" 2>"$FOLDER/said"
up
is "$(cat "$B/f@v/2")" two "a disk that others fill meanwhile can be mounted, too"
rm "$FOLDER/small/other"
down
ok "unmounted" umount "$FOLDER/small"
