#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The power fails after a file was closed to others, removed, and appended to by somebody who had it open. Of the append
# only the time is on the disk, as XFS may leave it, and of the record nothing. The version has what it had, and is
# closed to others as its file was.
. "$(dirname "$0")/lib.sh"

lake lake
up -o passthrough=off
seq 10000 >"$FOLDER/old"
cp "$FOLDER/old" "$B/f"
hashed() { history_of "$B/f" 'select(.sha256 != null) | .version'; }
within 10 equal 1 hashed
sync "$B/f"
cp "$FOLDER/old" "$B/g"
sync "$B/g"
cp -r "$L/catalog" "$FOLDER/catalog"
setfattr -n user.a -v kept "$B/g"
echo new >"$B/g"
chmod 600 "$B/f"
mkfifo "$FOLDER/go"
python3 - "$B/f" "$FOLDER/go" >"$FOLDER/appended" 2>&1 <<'END' &
import os, sys
f = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
size = os.fstat(f).st_size
os.unlink(sys.argv[1])
os.write(f, b"more")
os.ftruncate(f, size)
print("appended", flush=True)
open(sys.argv[2]).read()
END
within 10 grep -q appended "$FOLDER/appended"
crash
echo >"$FOLDER/go"
wait
"$TARN" umount "$M" >/dev/null 2>&1
rm -r "$L/catalog" && mv "$FOLDER/catalog" "$L/catalog" && rm -f "$L"/catalog/*-shm
up -o passthrough=off
within 10 equal 0 fact unsettled
ok "a label for now" mkdir "$B@v/now"
is "$(getfattr -n user.a --only-values "$B@v/now/g")" kept "an attribute that a truncation took along is in the past"
ok "the file is gone" test ! -e "$B/f"
ok "the version has what it had" cmp "$FOLDER/old" "$B/f@v1"
is "$(stat -c %a "$B/f@v1")" 400 "and is as closed as the file was last"
is "$(history_of "$B/f" 'select(.version == 1) | .state')" kept "says the history"
down
