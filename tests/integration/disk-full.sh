#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A disk that is full to its last block: the past can be read still, and what is removed makes room.
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
is "$(cat "$B/f@v/2")" two "the past can be read"
like "$(history_of "$B/f" .state)" live "and is told"
rm "$B/live"
ok "what is removed makes room" within 20 has_room
ok "for what is new" put three "$B/new"
down
up
is "$(cat "$B/new")" three "which is there after the next mount"
down
ok "unmounted" umount "$FOLDER/small"
