#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Wrong usage exits with 2 and says what is wrong; help and version exit with 0.
. "$(dirname "$0")/lib.sh"

exits 0 "--version" "$TARN" --version
like "$(cat "$FOLDER/out")" '^tarn [0-9]' "says what this is"
exits 0 "--help" "$TARN" --help
exits 0 "help" "$TARN" help
verbs='init adopt mount umount reload status doctor bucket versions restore diff label publish'
for verb in $verbs; do
	exits 0 "$verb --help" "$TARN" "$verb" --help
	like "$(cat "$FOLDER/out")" "tarn $verb" "says how it is used"
	exits 0 "help $verb" "$TARN" help "$verb"
	exits 2 "$verb with an unknown option" "$TARN" "$verb" --no-such-option
	exits 2 "$verb with too many arguments" "$TARN" "$verb" a b c d e
done
exits 2 "no verb" "$TARN"
exits 2 "an unknown verb" "$TARN" frobnicate
like "$(cat "$FOLDER/out")" frobnicate "is named"
exits 2 "init without a lake" "$TARN" init
exits 2 "mount without a lake" "$TARN" mount
exits 2 "umount without a lake" "$TARN" umount
exits 2 "an unknown mount option" "$TARN" mount "$FOLDER" -o no-such-thing
like "$(cat "$FOLDER/out")" no-such-thing "is named"
exits 2 "a wrong value of a mount option" "$TARN" mount "$FOLDER" -o synth=maybe
exits 2 "versions without a path" "$TARN" versions
exits 2 "restore without a path" "$TARN" restore
exits 2 "diff without a path" "$TARN" diff
exits 2 "bucket without a verb" "$TARN" bucket
exits 2 "bucket set without settings" "$TARN" bucket set data
exits 1 "a folder that is in no lake" "$TARN" status "$FOLDER"
