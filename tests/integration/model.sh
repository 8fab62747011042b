#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Some hundred random operations by several clients against a model, with the daemon killed three times: the mount is
# what the model is, and so is every version that is listed (tests/model/run.py); a short play with files that are stubs
# most of the time, too. tests/long/model.sh does more.
LIMIT=240
. "$(dirname "$0")/lib.sh"
need_root

# said FILE: its points as points of this test, its notes as they are.
said()
{
	local line
	while IFS= read -r line; do
		case $line in
		'ok - '*) point 0 "${line#ok - }" ;;
		'not ok - '*) point 1 "${line#not ok - }" ;;
		*) echo "$line" ;;
		esac
	done <"$1"
}

# play FOLDER OPTION…
play()
{
	local folder=$FOLDER/$1 status
	shift
	mkdir "$folder"
	"$TARN_SOURCE/tests/model/run.py" --tarn "$TARN" --dir "$folder" --each 50 --seed "${MODEL_SEED:-1}" "$@" \
		>"$FOLDER/points.model" 2>"$FOLDER/stderr"
	status=$?
	said "$FOLDER/points.model"
	is "$status" 0 "the model test came to its end" || note <"$FOLDER/stderr"
}

play model --operations 400 --kills 3
play cloud --operations 150 --kills 2 --cloud
