#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Buckets on other file systems: history is found again whichever of them are there, in whatever order.
ALLOWED_ERRORS="cannot open the folder of bucket"
. "$(dirname "$0")/lib.sh"
need_root

lake lake
for disk in one two; do
	mkdir "$FOLDER/$disk"
	truncate -s 64M "$FOLDER/$disk.img"
	mkfs.ext4 -q -F "$FOLDER/$disk.img" && mount -o loop "$FOLDER/$disk.img" "$FOLDER/$disk" || skip_all "no loop device"
	mkdir "$FOLDER/$disk/data"
done
# settings BUCKET…: which of them are declared, in that order.
settings()
{
	local name
	echo "buckets:" >"$L/config/settings.yaml"
	for name; do
		echo "  $name: {path: \"$FOLDER/$name/data\"}" >>"$L/config/settings.yaml"
	done
	[ $# -gt 0 ] || echo "buckets: {}" >"$L/config/settings.yaml"
}
# kept BUCKET TEXT: its three versions are right.
kept() { is "$(cat "$M/$1/f@v1" "$M/$1/f@v2" "$M/$1/gone@v1")" "$1 first"$'\n'"$1 second"$'\n'"$1 gone" "$2"; }

settings one two
up
for name in one two; do
	for text in first second third; do put "$name $text" "$M/$name/f"; done
	put "$name gone" "$M/$name/gone"
	rm "$M/$name/gone"
done
kept one "a bucket on a disk of its own has history"
kept two "a second one, too"
put local1 "$B/f"
put local2 "$B/f"
down

settings two
up
kept two "without the first: the second's versions are right"
is "$(cat "$M/two/f")" "two third" "and its file"
put "two fourth" "$M/two/f"
is "$(cat "$M/two/f@v3")" "two third" "the series goes on"
is "$(cat "$B/f@v1")" local1 "so does the lake's own bucket"
ok "nothing of the first is shown" not test -e "$M/one/f"
down

settings two one
up
kept one "the first is back, declared behind the second: its versions are right"
kept two "the second's, too"
down

umount "$FOLDER/one"
settings one two
up
kept two "the first one's disk is missing: the second's are right"
ok "and the first one's are not read from elsewhere" not cat "$M/one/f@v1"
is "$(cat "$B/f@v1")" local1 "nor are others touched"
down

mount -o loop "$FOLDER/one.img" "$FOLDER/one"
umount "$FOLDER/two" && mount -o loop "$FOLDER/two.img" "$FOLDER/two"
up
kept one "both disks mounted anew, in another order: the first"
kept two "and the second"
put "one fourth" "$M/one/f"
is "$(cat "$M/one/f@v-1")" "one third" "the series goes on"
is "$(history_of "$M/one/f" .state)" "kept kept kept live" "and being out of the settings for a while made no version" ||
	note <"$M/one/f@v/history.jsonl"
down

settings
up
is "$(cat "$B/f@v1")" local1 "with none of them the lake works"
down
umount "$FOLDER/one" "$FOLDER/two"
