#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The power fails after a file was renamed over another that somebody still writes through a mapping. Its old content is
# aside, the record of that is lost, and so is the time of the last store, for which the disk keeps no promise: what the
# version had was saved before, and that is what it has.
. "$(dirname "$0")/lib.sh"

lake lake
up
seq 10000 >"$FOLDER/old"
cp "$FOLDER/old" "$B/f"
echo new >"$B/new"
hashed() { history_of "$B/f" 'select(.sha256 != null) | .version'; }
within 10 equal 1 hashed
sync "$B/f"
time=$(stat -c %y "$B/f")
mkfifo "$FOLDER/go"
python3 - "$B/f" "$FOLDER/go" >"$FOLDER/mapped" 2>&1 <<'END' &
import mmap, os, sys
f = os.open(sys.argv[1], os.O_RDWR)
m = mmap.mmap(f, 0)
os.close(f)
print("mapped", flush=True)
open(sys.argv[2]).read()
m[5000:5006] = b"stored"
m.flush()
print("stored", flush=True)
open(sys.argv[2]).read()
END
within 10 grep -q mapped "$FOLDER/mapped"
sync "$B/new"
cp -r "$L/catalog" "$FOLDER/catalog"
mv "$B/new" "$B/f"
echo >"$FOLDER/go"
within 10 grep -q stored "$FOLDER/mapped"
ok "what is about to be stored over is saved" test -n "$(find "$L/versions" -name '*.undo')"
crash
echo >"$FOLDER/go"
wait
"$TARN" umount "$M" >/dev/null 2>&1
rm -r "$L/catalog" && mv "$FOLDER/catalog" "$L/catalog" && rm -f "$L"/catalog/*-shm
find "$L/versions" -type f ! -name '*.undo' -exec touch -d "$time" {} +
up
is "$(cat "$B/f")" new "the file is the one that was renamed over it"
ok "the version has what it had" cmp "$FOLDER/old" "$B/f@v1"
for name in "$B/f@v"/*; do
	ok "${name##*/} can be read" cat "$name"
done
down
