#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A bucket whose path is on another file system: its history lies there, in .tarn-versions, which the mount does not show.
ALLOWED_ERRORS="cannot open the folder of bucket far"
. "$(dirname "$0")/lib.sh"
need_root

lake lake
mkdir "$FOLDER/disk"
truncate -s 64M "$FOLDER/disk.img"
mkfs.ext4 -q -F "$FOLDER/disk.img" && mount -o loop "$FOLDER/disk.img" "$FOLDER/disk" || skip_all "no loop device"
mkdir "$FOLDER/disk/far"
printf 'buckets:\n  far: {path: "%s"}\n' "$FOLDER/disk/far" >"$L/config/settings.yaml"
up
ok "it is listed" test "$(ls "$M")" = $'data\nfar'
put one "$M/far/f.csv"
put two "$M/far/f.csv"
is "$(cat "$FOLDER/disk/far/f.csv")" two "a file is a plain file over there"
is "$(cat "$M/far/f.csv@v/1.csv")" one "an earlier version can be read"
is "$(find "$FOLDER/disk/far/.tarn-versions/"?? -type f | wc -l)" 1 "and lies there"
is "$(find "$L/versions" -type f | wc -l)" 0 "not in the lake"
is "$(ls -A "$M/far")" f.csv "the mount does not list .tarn-versions"
fails ENOENT "and does not find it" ls "$M/far/.tarn-versions"
rm "$M/far/f.csv"
is "$(cat "$M/far/f.csv@v-1")" two "an unlink is kept, too"
echo new >"$M/far/.f.tmp" && echo old >"$M/far/g" && mv "$M/far/.f.tmp" "$M/far/g"
is "$(cat "$M/far/g" "$M/far/g@v-1")" $'new\nold' "so is what a rename replaces"
size=$(stat -f -c %b "$FOLDER/disk")
is "$(stat -f -c %b "$M/far")" "$size" "df shows the disk on which it lies"
echo across >"$B/h"
ok "mv to it is a copy, as between disks" mv "$B/h" "$M/far/h"
is "$(cat "$M/far/h")" across "with the content"
ok "a bucket elsewhere cannot be removed" not rmdir "$M/far"
echo outside >"$FOLDER/disk/far/behind"
ok "what is made there behind the mount is seen" within 10 equal outside cat "$M/far/behind"
echo changed-by-another >"$FOLDER/disk/far/behind"
ok "what is changed, too" within 10 equal changed-by-another cat "$M/far/behind"
down
up
is "$(cat "$M/far/g@v-1")" old "the next mount finds its history"
down
umount "$FOLDER/disk"
up
ok "without that disk the rest of the lake works" touch "$B/works"
down
