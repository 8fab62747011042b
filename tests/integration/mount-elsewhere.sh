#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A lake is mounted on another folder, which has to be empty and outside of it; umount takes either name.
. "$(dirname "$0")/lib.sh"

lake lake
echo text >"$B/file"
M=$FOLDER/mnt
mkdir "$M" "$FOLDER/full" && touch "$FOLDER/full/file"
exits 0 "mount elsewhere" "$TARN" mount "$L" "$M"
is "$(cat "$M/data/file")" text "the files are there"
echo more >"$M/data/more"
is "$(cat "$L/buckets/data/more")" more "and in buckets/, too"
exits 0 "umount by the mount point" "$TARN" umount "$M"
exits 0 "mount again" "$TARN" mount "$L" "$M"
exits 0 "umount by the lake" "$TARN" umount "$L"
ok "it is gone" not mountpoint -q "$M"

exits 1 "a folder that is not empty is refused" "$TARN" mount "$L" "$FOLDER/full"
like "$(cat "$FOLDER/out")" nonempty "and the message says what to do"
exits 0 "-o nonempty takes it" "$TARN" mount "$L" "$FOLDER/full" -o nonempty
is "$(ls "$FOLDER/full")" data "and hides what is in it"
exits 0 "umount" "$TARN" umount "$FOLDER/full"
is "$(ls "$FOLDER/full")" file "which is there again"
exits 1 "a folder that is not there is refused" "$TARN" mount "$L" "$FOLDER/none"
exits 1 "a file is refused" "$TARN" mount "$L" "$FOLDER/full/file"
exits 1 "a folder in the lake is refused" "$TARN" mount "$L" "$L/temp"
exits 1 "a folder around the lake is refused" "$TARN" mount "$L" "$FOLDER"
exits 0 "buckets/ by its name" "$TARN" mount "$L" "$L/buckets"
exits 0 "umount" "$TARN" umount "$L/buckets"
