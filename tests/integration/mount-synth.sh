#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog and FILE@v: found by name and never listed, listed at the root, or not there at all.
. "$(dirname "$0")/lib.sh"

lake lake
for mode in hidden visible off; do
	up -o synth=$mode
	put $mode "$B/file"
	put again "$B/file"
	case $mode in
	hidden) listed=data ;;
	visible) listed=$'.catalog\n.lineage\ndata' ;;
	off) listed=data ;;
	esac
	is "$(ls -A "$M")" "$listed" "$mode: what the root lists"
	is "$(ls -A "$B")" file "$mode: a folder lists no @v"
	if [ $mode = off ]; then
		fails ENOENT "off: no .catalog" ls "$M/.catalog"
		fails ENOENT "off: no @v" ls "$B/file@v"
		ok "off: such names are free" touch "$B/file@v1"
		rm "$B/file@v1"
	else
		ok "$mode: .catalog is found" test -s "$M/.catalog/assets.csv"
		ok "$mode: .lineage is found" test -s "$M/.lineage/edges.csv"
		is "$(cat "$B/file@v-1")" $mode "$mode: @v is found"
		is "$(find "$M" -name '*@v*' | wc -l)" 0 "$mode: find meets no @v"
	fi
	down
done
up -o synth=visible
is "$(ls "$M/.catalog")" "$(printf '%s\n' README assets.csv assets.json by-date by-name by-type catalog.json \
	columns.{csv,json} export index.html popular.{csv,json} quality.{csv,json} schemas.json search stats.{csv,json} table \
	tables.{csv,json} tag tags.{csv,json})" "ls can look into .catalog"
down
up
is "$(tar -C "$M" -cf - . | tar -tf - | sort | tr '\n' ' ')" "./ ./data/ ./data/file " "tar meets nothing synthetic"
ok "a copy has the same" cp -a "$M" "$FOLDER/copy"
is "$(cd "$FOLDER/copy" && find . | sort | tr '\n' ' ')" ". ./data ./data/file " "and no more"
down
