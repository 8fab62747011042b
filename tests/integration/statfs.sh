#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# df shows the disk below: its size, what is free, and falls when something is written.
. "$(dirname "$0")/lib.sh"
need_root

mkdir "$FOLDER/disk"
truncate -s 200M "$FOLDER/disk.img"
mkfs.ext4 -q -F "$FOLDER/disk.img" && mount -o loop "$FOLDER/disk.img" "$FOLDER/disk" || skip_all "no loop device"
lake disk/lake
up
below() { stat -f -c "$1" "$FOLDER/disk"; }
there() { stat -f -c "$1" "${2:-$B}"; }
same() { [ $(($(there %f) * $(there %S) / 4000000)) -eq $(($(below %f) * $(below %S) / 4000000)) ]; }
is "$(there '%b %S')" "$(below '%b %S')" "the size is that of the disk"
is "$(there %b "$M")" "$(below %b)" "at the root, too"
is "$(there %c)" "$(below %c)" "so is the number of inodes"
is "$(there %l)" 255 "names have 255 bytes"
ok "what is free is, too" within 10 same
like "$(df "$B" | tail -n 1)" "$M" "df names the mount"
before=$(there %f)
dd if=/dev/urandom of="$B/large" bs=1M count=50 conv=fsync status=none
ok "50 MB less is free after writing them" test $(((before - $(there %f)) * $(there %S))) -ge 50000000
ok "and df agrees with the disk" within 10 same
echo small >"$B/large"
free_here() { echo $(($(there %f) * $(there %S) / 1000000)); }
free_below() { echo $(($(below %f) * $(below %S) / 1000000)); }
more_free()
{
	local more=$(($(free_here) - $(free_below)))
	[ "$more" -ge 49 ] && [ "$more" -le 56 ]
}
ok "what history occupies counts as free, for it gives way" within 10 more_free
fails ENOENT "a name that is not there has none" stat -f "$B/none"
is "$(there %b "$M/.catalog")" "$(below %b)" ".catalog has it, too"
down
umount "$FOLDER/disk"
