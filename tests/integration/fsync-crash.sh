#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What was fsynced is there after the daemon was killed and the lake mounted again: the bytes, the name, the record.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/synced.py" <<'END'
import os, sys
folder = sys.argv[1]
def put(name, text, flags=0, sync=True):
    f = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | flags)
    os.write(f, text)
    if sync:
        os.fsync(f)
    os.close(f)
put("new", b"new")
put("over", b"one")
put("over", b"two")
put("target", b"old")
put("temporary", b"saved")
os.rename(f"{folder}/temporary", f"{folder}/target")
d = os.open(folder, os.O_RDONLY)
os.fsync(d)
put("o_sync", b"o_sync", os.O_SYNC, False)
f = os.open(f"{folder}/deep", os.O_WRONLY | os.O_CREAT)
os.write(f, b"x" * 1000000)
os.fdatasync(f)
put("gone", b"gone")
os.unlink(f"{folder}/gone")
os.fsync(d)
END
for options in passthrough=on passthrough=off; do
	lake "lake-$options"
	up -o $options
	ok "$options: files are written and fsynced" python3 "$FOLDER/synced.py" "$B"
	crash
	up -o $options
	is "$(cat "$B/new" "$B/over" "$B/target" "$B/o_sync")" newtwosavedo_sync "$options: the bytes are there"
	is "$(stat -c %s "$B/deep")" 1000000 "$options: all of them"
	fails ENOENT "$options: what was removed is not" stat "$B/gone"
	is "$(cat "$B/over@v1" "$B/target@v1" "$B/gone@v-1")" oneoldgone "$options: so is what was replaced"
	is "$(versions "$B/over")" "1 2" "$options: with its numbers"
	is "$(fact total_assets)" 5 "$options: the store has each file once"
	down
	is "$(sqlite3 "$L/catalog/tarn.db" 'PRAGMA integrity_check')" ok "$options: the store is whole"
done
