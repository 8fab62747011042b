#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs that walk a whole tree meet nothing synthetic with synth=hidden (the daemon counts what is looked up there),
# and come to an end with synth=visible.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program rsync rsync

lookups() { "$TARN" status "$L" --json | jq .synthetic_lookups; }

# What a tree has, but for the times of its root.
real() { grep -v "$@" '^\./\.\(catalog\|lineage\)'; }
tree() { (cd "$1" && find . -mindepth 1 -printf '%p %y %m %s %l\n' | real | sort); }

# walk WORDS COMMAND…: of the root of the mount, M.
walk()
{
	local before after
	before=$(lookups)
	ok "$1: comes to its end" timeout $((20 * SLOW)) "${@:2}"
	after=$(lookups)
	[ "$mode" = visible ] || is "$after" "$before" "$1: looks up nothing synthetic"
}

all()
{
	walk "$mode: cp -r" cp -r "$M" "$FOLDER/by-cp-$mode"
	walk "$mode: rsync -a --delete" rsync -a --delete "$M/" "$FOLDER/by-rsync/"
	walk "$mode: find" find "$M" -type f -size -1000
	walk "$mode: du" du -ak "$M"
	walk "$mode: tar" tar -C "$M" -cf "$FOLDER/$mode.tar" .
	walk "$mode: grep -r" grep -rc two "$M"
	walk "$mode: ls -laR" ls -laR "$M"
	is "$(tree "$FOLDER/by-cp-$mode")" "$(tree "$L/buckets")" "$mode: the copy by cp has what there is"
	is "$(tree "$FOLDER/by-rsync")" "$(tree "$L/buckets")" "$mode: so has the one by rsync"
	is "$(tar -tf "$FOLDER/$mode.tar" | real -c)" $(($(tree "$L/buckets" | wc -l) + 1)) "$mode: and tar's"
	is "$(find "$M" "$FOLDER/by-cp-$mode" "$FOLDER/by-rsync" -name '*@v*' ! -name 'real@v*' | wc -l)" 0 "$mode: no @v in any"
}

lake lake
up
mkdir -p "$M/other/deep/er" "$B/folder" "$B/real@v"
for f in "$B/file.csv" "$B/folder/file" "$M/other/deep/er/x.tar.gz" "$B/gone.csv" "$B/real@v/file"; do
	put one "$f"
	put two "$f"
done
rm "$B/gone.csv"
ln -s folder "$B/symlink"
ln -s ../../other "$B/folder/up"
down
for mode in hidden visible; do
	up -o synth=$mode
	is "$(cat "$B/file.csv@v1")" one "$mode: there is something synthetic"
	all
	down
done
up
put stale "$B/stale"
mkdir "$FOLDER/source"
put one "$FOLDER/source/file.csv"
ok "rsync -a --delete onto a bucket" rsync -a --delete "$FOLDER/source/" "$B/"
is "$(ls -A "$B")" file.csv "removes what is real"
is "$(cat "$B/stale@v1") $(cat "$B/gone.csv@v2")" "stale two" "and no history"
down
