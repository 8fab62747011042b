#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Programs read a folder as it was: cp -r, rsync -a, tar, diff -r and find of D@v/<time>, and of the whole lake.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program rsync rsync

tree()
{
	(cd "$1" && find . -mindepth 1 ! -type d -printf '%p %y %s %l\n' -o -mindepth 1 -printf '%p %y\n' | sort &&
		find . -type f -exec md5sum {} + | sort -k 2)
}

rows()
{
	local moment wanted D=$B/project
	mkdir -p "$D/src" "$D/doc"
	put one "$D/src/main.c"
	put readme "$D/README"
	put gone "$D/doc/gone.txt"
	ln -s src/main.c "$D/main"
	sleep 1.1
	moment=$(date -u +%Y-%m-%dT%H-%M-%SZ)
	wanted=$(tree "$D")
	sleep 1.1
	put two "$D/src/main.c"
	printf R | dd of="$D/README" conv=notrunc status=none
	rm -r "$D/doc"
	put new "$D/src/new.c"

	ok "$1: cp -r D@v/<time>" cp -r "$D@v/$moment" "$FOLDER/$1-cp"
	is "$(tree "$FOLDER/$1-cp")" "$wanted" "$1: has what was there"
	ok "$1: rsync -a" rsync -a "$D@v/$moment/" "$FOLDER/$1-rsync/"
	is "$(tree "$FOLDER/$1-rsync")" "$wanted" "$1: has it, too"
	ok "$1: tar" tar -C "$D@v/$moment" -cf "$FOLDER/$1.tar" .
	mkdir "$FOLDER/$1-tar"
	tar -C "$FOLDER/$1-tar" -xf "$FOLDER/$1.tar"
	is "$(tree "$FOLDER/$1-tar")" "$wanted" "$1: has it, too"
	is "$(tree "$D@v/$moment")" "$wanted" "$1: find and md5sum in the past"
	is "$(diff -rq --no-dereference "$D@v/$moment" "$D" | wc -l)" 4 "$1: diff -r of then and now finds the four changes"
	is "$(cat "$M/@v/$moment/data/project/doc/gone.txt")" gone "$1: through the whole lake"
	is "$(cat "$B@v/$moment/project/src/main.c")" one "$1: and through the bucket"
	ok "$1: a label" mkdir "$D@v/before-the-release"
	put three "$D/src/main.c"
	is "$(cat "$D@v/before-the-release/src/main.c")" two "$1: names the moment at which it was made"
	rm -r "$D"
	is "$(tree "$D@v/$moment")" "$wanted" "$1: of a folder that was removed, too"
	ok "$1: which cp -r brings back" cp -r "$D@v/$moment" "$D"
	is "$(tree "$D")" "$wanted" "$1: as it was"
}
both_ways rows
