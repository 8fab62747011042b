#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The power fails: what was fsynced is there, live or in history, and no version is listed whose bytes never reached the
# disk. The disk is a file with ext4, which is shut down without writing its log.
. "$(dirname "$0")/lib.sh"
need_root
DISK=$FOLDER/disk
truncate -s 512M "$FOLDER/image" && mkfs.ext4 -q -F "$FOLDER/image" && mkdir "$DISK" "$FOLDER/mnt" || exit 1
mount -o loop "$FOLDER/image" "$DISK" 2>"$FOLDER/said" || skip_all "needs loop devices: $(head -n 1 "$FOLDER/said")"

power_fails()
{
	local pid
	pid=$(daemon_pid)
	python3 -c '
import array, fcntl, os, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, array.array("I", [2]))' "$DISK" || exit 1
	kill -9 "$pid"
	within 10 is_gone "$pid" || exit 1
	umount -l "$M"
	within 10 umount "$DISK" || exit 1
	mount -o loop "$FOLDER/image" "$DISK" || exit 1
	up
}

put_synced() { printf '%s\n' "$1" | dd of="$2" conv=fsync status=none; }

# The store becomes durable, with all that was recorded; file contents do not.
sync_store() { put_synced "$RANDOM" "$B/other"; }

# Of earlier versions: the live one is "new", or cut off by the failure.
contents() { find "$1@v/" -type f -exec cat {} + | grep -vx new | sort | paste -sd' '; }

lake disk/lake
M=$FOLDER/mnt B=$M/data
up
put old-durable "$B/unmounted"
down
up
put_synced synced "$B/synced"
put_synced synced "$B/removed"
python3 -c '
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_SYNC)
os.write(f, b"written with O_SYNC\n")
os.close(f)' "$B/osync"
put_synced later "$B/closed"
put "not synced" "$B/not-synced"
put "is synced by name" "$B/by-name"
sync "$B/by-name"
put "fsynced while it was open" "$B/opened"
python3 -c '
import os, sys
f = os.open(sys.argv[1], os.O_RDWR)
os.fsync(f)
os.close(f)' "$B/opened"
put_synced base "$B/copied"
python3 -c '
import os, sys
reader = os.open(sys.argv[1], os.O_RDONLY)
os.read(reader, 1)
writer = os.open(sys.argv[1], os.O_RDWR)
os.write(writer, b"lost")' "$B/copied"
put_synced base "$B/in-place"
put_synced base "$B/grown"
printf X | dd of="$B/in-place" conv=notrunc status=none
sync_store
for name in unmounted synced osync not-synced by-name opened; do
	put new "$B/$name"
done
rm "$B/removed"
put new "$B/in-place"
sync_store
append "not synced" "$B/grown"
power_fails
is "$(cat "$B/closed")" later "a file that was fsynced is there"
is "$(contents "$B/synced")" "synced" "what was fsynced and then overwritten is in history"
is "$(contents "$B/removed")" "synced" "or removed"
is "$(contents "$B/osync")" "written with O_SYNC" "or written with O_SYNC"
is "$(contents "$B/by-name")" "is synced by name" "or fsynced after it was closed"
is "$(contents "$B/opened")" "fsynced while it was open" "or fsynced while it was open for writing"
is "$(contents "$B/unmounted")" "old-durable" "or written before the last unmount"
is "$(contents "$B/in-place")" "base" "or changed in place, though the version that came next is lost"
printf more | dd of="$B/copied" conv=notrunc status=none
is "$(contents "$B/copied" | cut -c1-4)" "base" "or copied before it was changed"
like "$(contents "$B/grown")" "^base" "or appended to in the last moment"
is "$(contents "$B/not-synced")" "" "what no fsync had written is not listed"
like "$(history_of "$B/not-synced" .reason)" "the power failed" "and history says why"
for file in "$B"/*; do
	ok "${file##*/}: all that is listed can be read" find "$file" "$file@v" -type f -exec cat {} +
done
like "$(grep -a 'power failed' "$L/logs/tarn.log")" "are not kept" "the log counts what was lost"

# What is published is on the disk, and in history as of that commit, though nobody fsynced it.
mkdir "$B/staging"
exits 0 "many files are published" python3 -c '
import os, sys
for i in range(300):
    with open(f"{sys.argv[2]}/{i}", "w") as f:
        f.write(f"{i}\n" * (i + 1))
os.execv(sys.argv[1], ["tarn", "publish", *sys.argv[2:], "--json"])' "$TARN" "$B/staging" "$B/target"
commit=$(jq .commit "$FOLDER/out")
power_fails
is "$(find "$B/target" -type f | wc -l)" 300 "after the next power failure all are there"
is "$(find "$B/target@v/commit-$commit" -type f | wc -l)" 300 "in history, too"
ok "and all are the same" diff -r "$B/target" "$B/target@v/commit-$commit"
down
umount "$DISK"
