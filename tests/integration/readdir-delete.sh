#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Entries are removed and made while their folder is listed: none that stays is missed or comes twice.
LIMIT=240
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/walk.py" <<'END'
import os, sys
folder, n, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
os.mkdir(folder)
for i in range(n):
    os.close(os.open(f"{folder}/file-{i:05d}", os.O_CREAT | os.O_WRONLY, 0o644))
everything = {f"file-{i:05d}" for i in range(n)}
seen = []
with os.scandir(folder) as it:
    for e in it:
        seen.append(e.name)
        if what == "remove-seen":
            os.unlink(f"{folder}/{e.name}")
        elif what == "remove-half" and len(seen) == n // 10:
            gone = {f"file-{i:05d}" for i in range(0, n, 2)}
            for name in gone:
                os.unlink(f"{folder}/{name}")
        elif what == "make" and len(seen) % 100 == 0:
            os.close(os.open(f"{folder}/new-{len(seen)}", os.O_CREAT | os.O_WRONLY, 0o644))
assert len(seen) == len(set(seen)), "an entry came twice"
if what == "remove-seen":
    assert set(seen) == everything, f"{len(everything - set(seen))} were missed"
    os.rmdir(folder)
elif what == "remove-half":
    assert everything - gone <= set(seen) <= everything, f"{len(everything - gone - set(seen))} were missed"
    assert set(os.listdir(folder)) == everything - gone
else:
    assert everything <= set(seen), f"{len(everything - set(seen))} were missed"
END
lake lake
up
n=$((SLOW == 1 ? 5000 : 2000))
for what in remove-seen remove-half make; do
	ok "$n entries, $what" python3 "$FOLDER/walk.py" "$B/$what" $n $what
done
mkdir "$B/folder"
for i in $(seq 300); do echo "$i" >"$B/folder/$i"; done
ok "rm -r" rm -r "$B/folder"
fails ENOENT "leaves no folder" ls "$B/folder"
cat >"$FOLDER/seek.py" <<'END'
import ctypes, os, sys
c = ctypes.CDLL(None, use_errno=True)
c.opendir.restype = c.readdir.restype = ctypes.c_void_p
c.telldir.restype = ctypes.c_long
c.telldir.argtypes = c.readdir.argtypes = c.closedir.argtypes = c.rewinddir.argtypes = [ctypes.c_void_p]
c.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
d = c.opendir(os.fsencode(sys.argv[1]))
def name():  # struct dirent: d_ino, d_off, d_reclen, d_type, d_name
    e = c.readdir(d)
    return ctypes.string_at(e + 19) if e else None
places, names = [], []
while True:
    places.append(c.telldir(d))
    names.append(name())
    if names[-1] is None:
        break
for i in list(range(0, len(names) - 1, 97)) + [0]:
    c.seekdir(d, places[i])
    assert name() == names[i], f"seekdir to entry {i}"
c.rewinddir(d)
os.close(os.open(sys.argv[1] + "/after", os.O_CREAT | os.O_WRONLY))
c.rewinddir(d)
again = set(iter(name, None))
assert again >= set(names[:-1]) and b"after" in again, "rewinddir"
END
ok "telldir, seekdir and rewinddir" python3 "$FOLDER/seek.py" "$B/remove-half"
down
