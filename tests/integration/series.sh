#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Series of versions follow what people mean: editors that rename the file away first, backups, exchanges, the names of
# temporary files.
. "$(dirname "$0")/lib.sh"

# What vim does when it saves, in one run: f to f~, f made anew, f~ removed. SAVED: the new content.
save_as_vim()
{
	python3 - "$1" "$2" <<-'END'
		import os, sys
		f, text = sys.argv[1:]
		probe = os.path.join(os.path.dirname(f), "4913")
		os.close(os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
		os.unlink(probe)
		os.rename(f, f + "~")
		with open(f, "w") as out:
		    out.write(text + "\n")
		os.unlink(f + "~")
	END
}

save_and_look()
{
	local way=$1

	put one "$B/f.txt"
	ok "$way: saved as vim does" save_as_vim "$B/f.txt" two
	ok "$way: again" save_as_vim "$B/f.txt" three
	is "$(versions "$B/f.txt")" "1.txt 2.txt 3.txt" "$way: each save is a version of the file"
	is "$(cat "$B/f.txt@v1" "$B/f.txt@v2" "$B/f.txt")" $'one\ntwo\nthree' "$way: with its content"
	is "$(versions "$B/f.txt~")" "" "$way: the backup's name has none"
	is "$(versions "$B/4913")" "" "$way: nor the probe's"
	is "$(fact versions_kept)" 2 "$way: nothing else was kept"
	is "$(fact versions_not_kept)" 0 "$way: nothing was lost"
	is "$(sqlite3 "$L/catalog/tarn.db" 'SELECT count(*) FROM version')" 3 "$way: the probes left no trace"

	put one "$B/g"
	mv "$B/g" "$B/g~"
	is "$(cat "$B/g@v1")" one "$way: renamed to a temporary name, the series stays at the path"
	put two "$B/g"
	is "$(cat "$B/g@v1" "$B/g@v2")" $'one\ntwo' "$way: a create there soon after goes on with it"
	mv "$B/g" "$B/g~"
	put three "$B/g"
	is "$(cat "$B/g@v1" "$B/g@v2" "$B/g@v3")" $'one\ntwo\nthree' "$way: a backup over the backup keeps the older"
	put other "$B/g~"
	is "$(cat "$B/g@v2")" two "$way: so does a backup that is overwritten"
	is "$(history_of "$B/g" .state)" "kept kept live" "$way: says the history"
	rm "$B/g~"
	is "$(history_of "$B/g" .how)" "aside aside null" "$way: all of them"

	put one "$B/h"
	put two "$B/h"
	mv "$B/h" "$B/h~"
	mv "$B/h~" "$B/h2"
	is "$(cat "$B/h2@v1" "$B/h2@v2")" $'one\ntwo' "$way: by way of a temporary name the series goes to another name"
	put new "$B/h"
	is "$(versions "$B/h")" 1 "$way: and the next file begins one"

	put A "$B/left"
	put B "$B/right"
	exchange_names "$B/left" "$B/right"
	is "$(cat "$B/left@v1" "$B/left@v2")" $'A\nB' "$way: an exchange leaves the series with the paths"
	is "$(cat "$B/right@v1" "$B/right@v2")" $'B\nA' "$way: both of them"
	put C "$B/right"
	append D "$B/left"
	is "$(cat "$B/left@v1" "$B/left@v2" "$B/left@v3")" $'A\nB\nB\nD' "$way: which go on"
	is "$(cat "$B/right@v1" "$B/right@v2" "$B/right@v3")" $'B\nA\nC' "$way: with what was exchanged"
}

# rename(2) with RENAME_EXCHANGE, which mv of Debian 12 cannot do.
exchange_names()
{
	python3 - "$1" "$2" <<-'END'
		import ctypes, os, sys
		libc = ctypes.CDLL(None, use_errno=True)
		if libc.renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), 2):
		    raise OSError(ctypes.get_errno(), "renameat2")
	END
}

both_ways save_and_look
lake third
up
put one "$B/f"
mv "$B/f" "$B/f~"
down
up
rm "$B/f~"
is "$(cat "$B/f@v1")" one "a backup that is removed after the next mount is history, too"
down
