#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn publish while the power fails or the daemon is killed: all is published or nothing, on disk and in history
# (publish.py). On ext4 and on XFS with reflinks, and the same in LazyFS.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need_root

# fails DISK [MOUNT OPTION…]: rounds on such a disk.
fails()
{
	local dir=$WORK/$1 disk=$1
	shift
	command -v "mkfs.${disk#lazy-}" >/dev/null || { skip "publish, $disk" "mkfs.${disk#lazy-} is missing"; return; }
	mkdir "$dir"
	MOUNTS+=("$dir/mnt")
	"$HERE/publish.py" --tarn "$TARN" --dir "$dir" --disk "$disk" --lazyfs "$SUITES/bin/lazyfs" \
		--rounds "${PUBLISH_ROUNDS:-60}" --seed "${MODEL_SEED:-1}" -- "$@" 2>"$WORK/publish.log"
	result $? "publish, $disk: came to its end" "$WORK/publish.log"
	rm -rf --one-file-system "$dir"
}

fails ext4
fails xfs
fails xfs -o passthrough=off
need_suite bin/lazyfs
fails lazy-ext4
fails lazy-xfs
