#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that was renamed is the same file after the next mount: nothing is found changed.
. "$(dirname "$0")/lib.sh"

lake lake
up
mkdir "$B/d" "$B/from"
for name in a b c over; do
	put "$name" "$B/$name"
done
mv "$B/a" "$B/d/a"
mv "$B/b" "$B/over"
mv "$B/from" "$B/d/to"
python3 - "$B/c" "$B/d/a" <<'END'
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), 2):
    raise OSError(ctypes.get_errno(), "renameat2")
END
down
up
is "$(cat "$B/d/a" "$B/c" "$B/over" | tr '\n' ' ')" "c a b " "all is there"
ok "the scan ends" within 10 equal "done" fact scan
is "$(sqlite3 -readonly "$L/catalog/tarn.db" "select count(*) from change join node on node.id = change.node
	where run = 2 and kind <> 2")" 0 "no file was found changed"
down
