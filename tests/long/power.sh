#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 5,000 random operations against a model with 20 kills and 20 power failures in between: what was fsynced is there, every
# version that is listed has its bytes, and each state that was durable is what it was (tests/model/run.py). On ext4 and
# on XFS with reflinks, in a file that is mounted and loses what was not flushed; the same while history is packed and
# collected; and the same with that file in LazyFS.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need_root

# fails DISK [OPTION…]: one run on such a disk.
fails()
{
	local dir=$WORK/$1 disk=$1 status
	shift
	command -v "mkfs.${disk#lazy-}" >/dev/null || { skip "power, $disk" "mkfs.${disk#lazy-} is missing"; return; }
	mkdir "$dir"
	MOUNTS+=("$dir/mnt")
	"$HERE/../model/run.py" --tarn "$TARN" --dir "$dir" --operations "${POWER_OPERATIONS:-5000}" --kills 20 \
		--failures 20 --seed "${MODEL_SEED:-1}" --disk "$disk" --lazyfs "$SUITES/bin/lazyfs" \
		"$@" 2>"$WORK/power.log"
	status=$?
	[ $status -eq 0 ] || result 1 "power, $disk: ended with status $status" "$WORK/power.log"
	rm -rf --one-file-system "$dir"
}

both()
{
	fails ext4 --words "$MODE" -- "${MODE_OPTIONS[@]}"
	fails xfs --words "$MODE" -- "${MODE_OPTIONS[@]}"
}
modes both
fails ext4 --collect --words "packed and collected"
fails xfs --collect --words "packed and collected"
need_suite bin/lazyfs
fails lazy-ext4
fails lazy-xfs
