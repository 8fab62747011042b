#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Backup programs read a mount of the lake as it was (-o view=TIME), beside the live one that goes on: what they bring
# back is what the lake had then.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program rsync rsync
need_program borg borgbackup
need_program restic restic
export BORG_BASE_DIR=$FOLDER/borg-home BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
export RESTIC_PASSWORD=x RESTIC_CACHE_DIR=$FOLDER/restic-cache

make_tree()
{
	mkdir -p "$B/deep/er" "$B/empty"
	seq 20000 >"$B/table.csv"
	head -c 300000 /dev/urandom >"$B/deep/random"
	put text "$B/deep/er/text"
	put gone "$B/deep/gone"
	ln -s ../table.csv "$B/deep/link"
	chmod 600 "$B/deep/er/text"
	touch -d '2020-02-02 02:02:02 UTC' "$B/table.csv"
}

change_tree()
{
	append more "$B/table.csv"
	printf changed | dd of="$B/deep/random" bs=1 seek=100000 conv=notrunc status=none
	rm "$B/deep/gone"
	mv "$B/deep/er" "$B/deep/est"
	chmod 644 "$B/deep/est/text"
	put new "$B/new"
}

# What a tree has: names, kinds, modes, sizes, times and bytes. Nothing of the past can be written: modes are compared
# without those bits.
tree()
{
	(cd "$1" && find . -mindepth 1 ! -type d -printf '%p %y %m %s %Ts %l\n' -o -mindepth 1 -printf '%p %y %m\n' |
		awk '{ gsub("7", "5", $3); gsub("6", "4", $3); gsub("3", "1", $3); gsub("2", "0", $3); $1 = $1; print }' | sort &&
		find . -type f -exec md5sum {} + | sort -k 2)
}

same() { is "$(tree "$1" 2>&1)" "$wanted" "$2"; }

lake lake
up
make_tree
sleep 1.1
moment=$(date -u +%Y-%m-%dT%H-%M-%SZ)
wanted=$(tree "$B")
sleep 1.1
change_tree
mkdir "$FOLDER/view"
exits 0 "tarn mount -o view=$moment" "$TARN" mount "$L" "$FOLDER/view" -o "view=$moment"
V=$FOLDER/view/data
same "$V" "the mount has what was there then"
ok "cp -r" cp -r --preserve=mode,timestamps "$V" "$FOLDER/by-cp"
same "$FOLDER/by-cp" "brings it back"
ok "rsync -a" rsync -a "$V/" "$FOLDER/by-rsync/"
same "$FOLDER/by-rsync" "too"
is "$(rsync -ain "$V/" "$FOLDER/by-rsync/")" "" "once more it finds nothing to do"
is "$(rsync -ainc "$V/" "$FOLDER/by-rsync/")" "" "not by the contents either"
ok "borg init" borg init -e none "$FOLDER/borg"
ok "borg create" env -C "$V" borg create "$FOLDER/borg::a" .
mkdir "$FOLDER/by-borg"
ok "borg extract" env -C "$FOLDER/by-borg" borg extract "$FOLDER/borg::a"
same "$FOLDER/by-borg" "brings it back"
ok "restic init" restic -q init -r "$FOLDER/restic"
ok "restic backup" env -C "$V" restic -q backup -r "$FOLDER/restic" .
ok "restic check" restic -q check --read-data -r "$FOLDER/restic"
ok "restic restore" restic -q restore -r "$FOLDER/restic" latest --target "$FOLDER/by-restic"
same "$FOLDER/by-restic" "brings it back"
is "$(cat "$B/new")" new "the live mount goes on"
put later "$B/new"
fails ENOENT "and what is new there is not in the past" cat "$V/new"
fails EROFS "where nothing can be changed" touch "$V/table.csv"
exits 0 "it is unmounted" "$TARN" umount "$FOLDER/view"
is "$(cat "$B/new@v1")" new "the live mount is still there"
down
