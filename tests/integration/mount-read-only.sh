#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# With -o ro everything can be read and nothing changed.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/file"
put two "$B/file"
mkdir "$B/folder"
down
up -o ro
is "$(cat "$B/file" "$B/file@v1")" $'two\none' "files and versions can be read"
is "$(ls "$B")" $'file\nfolder' "folders can be listed"
ok "the catalog is there" grep -q data/file "$M/.catalog/assets.csv"
fails EROFS "overwriting" put x "$B/file"
fails EROFS "appending" append x "$B/file"
fails EROFS "making a file" touch "$B/new"
fails EROFS "making a folder" mkdir "$B/new"
fails EROFS "making a bucket" mkdir "$M/new"
fails EROFS "removing" rm -f "$B/file"
fails EROFS "removing a folder" rmdir "$B/folder"
fails EROFS "renaming" mv "$B/file" "$B/name"
fails EROFS "linking" ln "$B/file" "$B/link"
fails EROFS "changing a mode" chmod 600 "$B/file"
fails EROFS "setting an attribute" setfattr -n user.x -v y "$B/file"
is "$("$TARN" status "$L" --json | jq .read_only)" true "status says so"
down
is "$(cat "$B/file")" two "nothing has changed"
