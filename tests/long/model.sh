#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 5,000 random operations against a model, and the same with 20 kills of the daemon in between (tests/model/run.py); and
# once more, with 100 kills, with files that are stubs most of the time.
. "$(dirname "$0")/lib.sh"
need python3 "install python3"
need_root

operations=${MODEL_OPERATIONS:-5000}

# play NAME OPTION…: one run with a folder of its own.
play()
{
	local dir=$WORK/$1
	shift
	mkdir "$dir"
	MOUNTS+=("$dir/mnt")
	"$HERE/../model/run.py" --tarn "$TARN" --dir "$dir" --operations "$operations" --seed "${MODEL_SEED:-1}" "$@" \
		2>"$WORK/model.log"
	local status=$?
	[ $status -eq 0 ] || result 1 "model, ${dir##*/}: ended with status $status" "$WORK/model.log"
	rm -rf --one-file-system "$dir"
}

both()
{
	local name=${MODE%% *}
	play "$name" --words "$MODE" -- "${MODE_OPTIONS[@]}"
	play "$name-kills" --kills 20 --words "$MODE" -- "${MODE_OPTIONS[@]}"
}
modes both
play cloud --kills 100 --cloud --words 'files in the cloud'
