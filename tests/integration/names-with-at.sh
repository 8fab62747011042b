#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Real files and folders whose names look like versions: the real one always wins, each can be reached, read, written,
# renamed and removed, and so can the versions that such a name would mean.
. "$(dirname "$0")/lib.sh"

names=(@v @v3 x@v@v2 x@v1.2.3 x@v x@v-1 x@v0 x@vlatest @@v x@v2026-11-20)

# A tree as Go's module cache has it, and folders and files of all the names.
make_tree()
{
	local name
	mkdir -p "$1/folders" "$1/files" "$1/go/example.com/x@v1.2.3" "$1/go/cache/download/example.com/x/@v" || return
	for name in "${names[@]}"; do
		mkdir "$1/folders/$name" && echo "in $name" >"$1/folders/$name/1.txt" && echo "$name" >"$1/files/$name" || return
	done
	echo module >"$1/go/example.com/x@v1.2.3/go.mod"
	printf '%s\n' v1.2.3 >"$1/go/cache/download/example.com/x/@v/list"
	echo '{}' >"$1/go/cache/download/example.com/x/@v/v1.2.3.info"
}

tree() { (cd "$1" && find . -type f -exec md5sum {} + | sort -k 2); }

rows()
{
	local name
	ok "$1: a tree of such names is made" make_tree "$B/made"
	is "$(tree "$B/made")" "$(tree "$FOLDER/plain")" "$1: and has what a plain one has"
	ok "$1: cp -a of it" cp -a "$FOLDER/plain" "$B/copied"
	ok "$1: is the same" diff -r "$FOLDER/plain" "$B/copied"
	ok "$1: tar, too" tar -C "$B" -xf "$FOLDER/plain.tar"
	ok "$1: is the same" diff -r "$FOLDER/plain" "$B/plain"

	for name in "${names[@]}"; do
		put new "$B/made/files/$name"
		is "$(cat "$B/made/files/$name")" new "$1: $name can be written"
		is "$(cat "$B/made/files/$name@v1")" "$name" "$1: and has versions"
		is "$(cat "$B/made/files/$name@v/1"*)" "$name" "$1: which are listed"
		ok "$1: it can be renamed" mv "$B/made/files/$name" "$B/made/files/moved"
		is "$(cat "$B/made/files/moved@v1")" "$name" "$1: with its history"
		ok "$1: and back" mv "$B/made/files/moved" "$B/made/files/$name"
		ok "$1: and removed" rm "$B/made/files/$name"
		is "$(cat "$B/made/files/$name@v2")" new "$1: its versions stay"
	done
	for name in "${names[@]}"; do
		ok "$1: the folder $name can be renamed" mv "$B/made/folders/$name" "$B/made/folders/moved"
		is "$(cat "$B/made/folders/moved/1.txt")" "in $name" "$1: with what is in it"
		ok "$1: and removed" rm -r "$B/made/folders/moved"
	done
	ok "$1: Go's cache can be removed" rm -r "$B/made/go"
}

# What would mean a version of a real @v, made before that one.
nested()
{
	mkdir "$B/nested"
	put one "$B/nested/@v@v1"
	mkdir "$B/nested/@v@v"
	put one "$B/nested/@v"
	put two "$B/nested/@v"
	is "$(ls "$B/nested")" $'@v\n@v@v\n@v@v1' "$1: @v@v and @v@v1 beside @v"
	is "$(cat "$B/nested/@v@v1")" one "$1: they are what they are"
	put two "$B/nested/@v@v1"
	is "$(cat "$B/nested/@v@v1@v1" "$B/nested/@v@v-1")" $'one\none' "$1: and versions of both are found"
	fails EROFS "$1: what means a version cannot be made" put x "$B/nested/@v@v2"
}

# Names that mean a version of f, made where nobody looks; the versions stay within reach.
behind()
{
	put one "$B/f.csv"
	put two "$B/f.csv"
	put three "$B/f.csv"
	down
	mkdir "$B/f.csv@v"
	echo real >"$B/f.csv@v/1.csv"
	echo real >"$B/f.csv@v2"
	up "$@"
	is "$(cat "$B/f.csv@v/1.csv" "$B/f.csv@v2")" $'real\nreal' "what is really there wins"
	is "$(ls "$B/f.csv@v")" 1.csv "a real folder lists what it has"
	is "$(cat "$B/f.csv@v1" "$B/f.csv@v-1")" $'one\ntwo' "the versions are found under their other names"
	exits 1 "tarn versions has no list to read" "$TARN" versions "$B/f.csv"
	like "$(cat "$FOLDER/out")" "f.csv@v: is there as such" "and says why"
	ok "the real ones can be moved away" mv "$B/f.csv@v" "$B/away"
	rm "$B/f.csv@v2"
	is "$(cat "$B/f.csv@v/1.csv" "$B/f.csv@v2")" $'one\ntwo' "then the names mean versions again"
	is "$(cat "$B/away/1.csv")" real "and nothing is lost"
}

make_tree "$FOLDER/plain" || point 1 "a plain tree can be made"
tar -C "$FOLDER" -cf "$FOLDER/plain.tar" plain
lake lake
up
rows passthrough
nested passthrough
behind
down
lake second
up -o passthrough=off
rows cached
nested cached
behind -o passthrough=off
ok "a bucket may be called as a module of Go" mkdir "$M/x@v1.2.3"
put one "$M/x@v1.2.3/f"
put two "$M/x@v1.2.3/f"
is "$(cat "$M/x@v1.2.3/f@v1")" one "and has history"
down
