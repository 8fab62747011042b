#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What programs leave in history that write a new file and rename it over the old one: sed -i, gio save (as GNOME's
# programs do), Python's os.replace; and those that write a whole folder anew.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program gio libglib2.0-bin

replace()
{
	python3 -c '
import os, sys
path, text = sys.argv[1:]
with open(path + ".tmp", "w") as f:
	f.write(text + "\n")
os.replace(path + ".tmp", path)' "$@"
}

save() { echo "$1" | gio save "${@:2}" "$F"; }

rows()
{
	begin sed.txt
	sed -i s/A/B/ "$F"
	tells "$F" "1=A 2=B" "$1: sed -i"
	sed -i s/X/Y/ "$F"
	tells "$F" "1=A 2=B" "$1: sed -i that changes nothing"
	sed -i.bak s/B/C/ "$F"
	tells "$F" "1=C" "$1: sed -i.bak begins anew"
	tells "$F.bak" "1=A 2=B" "$1: the old file has taken its numbers along"

	begin gio.txt
	save B
	tells "$F" "1=A 2=B" "$1: gio save"
	save C --backup
	save D --backup
	tells "$F" "1=A 2=B 3=C 4=D" "$1: gio save with a backup, twice"
	is "$(cat "$F~")" C "$1: the backup is there"
	rm "$F~"
	tells "$F" "1=A 2=B 3=C 4=D" "$1: and nothing is missing when it is removed"

	begin python.txt
	replace "$F" B
	replace "$F" C
	tells "$F" "1=A 2=B 3=C" "$1: os.replace, twice"
	replace "$F" C
	tells "$F" "1=A 2=B 3=C" "$1: os.replace with the same content"
	is "$(versions "$F.tmp")" "" "$1: no versions of the temporary name"

	mkdir "$B/out"
	begin out/part.txt
	rm -r "$B/out"
	mkdir "$B/out"
	put B "$F"
	tells "$F" "1=A 2=B" "$1: a folder that is removed and made again"
	rm -r "$B/out"
	is "$(ls "$B")" $'gio.txt\npython.txt\nsed.txt\nsed.txt.bak' "$1: nothing else is left"
}
both_ways rows
