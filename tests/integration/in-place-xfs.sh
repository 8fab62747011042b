#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same on a file system that can share blocks: what is opened to be written in place is cloned first.
LIMIT=300
. "$(dirname "$0")/lib.sh"
need_root
command -v mkfs.xfs >"$FOLDER/said" || skip_all "needs mkfs.xfs"
truncate -s 1G "$FOLDER/disk"
mkdir "$FOLDER/xfs"
mkfs.xfs -q -m reflink=1 "$FOLDER/disk" && mount -o loop "$FOLDER/disk" "$FOLDER/xfs" || skip_all "needs a loop device"

scenario()
{
	lake "xfs/$1"
	if [ "$1" = cached ]; then up -o passthrough=off; else up; fi
	while read -r said; do
		is "${said% *}" ok "$1: ${said##* }"
	done < <(python3 "$TARN_SOURCE/tests/integration/in-place.py" "$B")
	is "$(fact versions_not_kept)" 0 "$1: nothing is not kept"
	like "$(history_of "$B/pwrite" .how)" "^reflink reflink reflink null$" "$1: a clone was made before each change"
	like "$(history_of "$B/appended" .how)" "^prefix prefix reflink" "$1: but not for an append"
	head -c 30000000 /dev/urandom >"$B/large"
	sync -f "$B"
	before=$(df --output=used -B1 "$FOLDER/xfs" | tail -n 1)
	printf x | dd of="$B/large" bs=1 seek=15000000 conv=notrunc status=none
	is "$(cmp -l "$B/large" "$B/large@v1" | wc -l)" 1 "$1: a byte is changed in a large file"
	sync -f "$B"
	after=$(df --output=used -B1 "$FOLDER/xfs" | tail -n 1)
	ok "$1: which costs no more than its block" [ $((after - before)) -lt 10000000 ]
	down
}

scenario passthrough
scenario cached
ok "unmounted" umount "$FOLDER/xfs"
