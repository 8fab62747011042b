#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Some hundred random operations by several clients against a model, with the daemon killed three times: the mount is
# what the model is, and so is every version that is listed (tests/model/run.py; tests/long/model.sh does more).
LIMIT=120
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

mkdir "$FOLDER/model"
"$TARN_SOURCE/tests/model/run.py" --tarn "$TARN" --dir "$FOLDER/model" --operations 400 --each 50 --kills 3 \
	--seed "${MODEL_SEED:-1}" >"$FOLDER/points.model" 2>"$FOLDER/stderr"
status=$?
said "$FOLDER/points.model"
is "$status" 0 "the model test came to its end" || note <"$FOLDER/stderr"
