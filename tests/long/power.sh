#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Random operations against a model with 20 power failures in between: what was fsynced is there, every version that is
# listed has its bytes, and each state that was durable is what it was (tests/model/run.py). On ext4 and on XFS with
# reflinks, in a file that is mounted and loses what was not flushed; and the same with that file in LazyFS.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need_root

# fails DISK: one run on such a disk.
fails()
{
	local dir=$WORK/$1 kind=${1#lazy-}
	command -v "mkfs.$kind" >/dev/null || { skip "power, $1" "mkfs.$kind is missing"; return; }
	mkdir "$dir"
	MOUNTS+=("$dir/mnt")
	"$HERE/../model/run.py" --tarn "$TARN" --dir "$dir" --operations "${POWER_OPERATIONS:-2000}" --failures 20 \
		--seed "${MODEL_SEED:-1}" --disk "$1" --lazyfs "$SUITES/bin/lazyfs" 2>"$WORK/power.log"
	local status=$?
	[ $status -eq 0 ] || result 1 "power, $1: ended with status $status" "$WORK/power.log"
	rm -rf --one-file-system "$dir"
}

fails ext4
fails xfs
need_suite bin/lazyfs
fails lazy-ext4
fails lazy-xfs
