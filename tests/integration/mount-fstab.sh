#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What mount(8) does for a line of fstab: mount.tarn LAKE DIR with its options.
. "$(dirname "$0")/lib.sh"

lake lake
ln -s "$TARN" "$FOLDER/mount.tarn"
mount=$FOLDER/mount.tarn
exits 0 "buckets/ with the options of fstab" "$mount" "$L" "$M" -o rw,defaults,nofail,_netdev,noauto,x-systemd.automount
ok "is mounted" mountpoint -q "$M"
is "$(cat "$FOLDER/out")" "" "without a word"
like "$(grep " $M " /proc/self/mountinfo)" ' - fuse.tarn ' "the type is fuse.tarn"
echo text >"$B/file"
down
exits 0 "-f checks and mounts nothing" "$mount" -f "$L" "$M" -o defaults
ok "nothing" not mountpoint -q "$M"
exits 2 "an unknown option is refused" "$mount" "$L" "$M" -o no-such-thing
exits 0 "with -s it is left out" "$mount" -s "$L" "$M" -o no-such-thing,noatime
like "$(grep " $M " /proc/self/mountinfo)" noatime "the others hold"
down
M=$FOLDER/mnt
mkdir "$M"
exits 0 "elsewhere, with the options first" "$mount" -o noexec -v "$L" "$M"
like "$(cat "$FOLDER/out")" "$M/.catalog" "-v prints paths to try"
like "$(grep " $M " /proc/self/mountinfo)" noexec "the option holds"
down
