#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The old bytes of a 4 GiB file after overwrites in place: right, or listed as not kept (big.py). On ext4 and on XFS with
# reflinks, each a file that is mounted; with passthrough and without.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need_root
bytes=$((${BIG_MIB:-4096} * 1024 * 1024))

# on KIND MKFS…: with the lake on a file system of its own. What is removed there takes no room below.
on()
{
	local kind=$1 disk=$WORK/$1
	shift
	command -v "$1" >/dev/null || { skip "big, $kind" "$1 is missing"; return; }
	mkdir "$disk" && truncate -s $((bytes * 6)) "$disk.image" && "$@" "$disk.image" >"$WORK/mkfs.log" 2>&1
	if ! mount -o loop,discard "$disk.image" "$disk" 2>"$WORK/mount.log"; then
		skip "big, $kind" "$(head -n 1 "$WORK/mount.log")"
		return
	fi
	lake "$kind/lake"
	up
	mkdir "$MNT/work"
	"$HERE/big.py" "$TARN" "$MNT" "$bytes" "$kind, $MODE" 2>"$WORK/big.log"
	result $? "big, $kind, $MODE: came to its end" "$WORK/big.log"
	down
	umount "$disk"
	rm -f "$disk.image"
	rmdir "$disk" "$MNT"
}

on_both()
{
	on ext4 mkfs.ext4 -q -F
	on xfs mkfs.xfs -q -m reflink=1
}
modes on_both
