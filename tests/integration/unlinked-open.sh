#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file that was removed or replaced while open: its handles go on, see no links, and no name comes back.
. "$(dirname "$0")/lib.sh"

linkat_module
cat >"$FOLDER/open.py" <<'END'
import mmap, os, sys
from linkat import link
folder, way = sys.argv[1:]
path = f"{folder}/{way}"
with open(path, "wb") as f:
    f.write(b"0123456789")
r, w = os.open(path, os.O_RDONLY), os.open(path, os.O_RDWR)
a = os.open(path, os.O_WRONLY | os.O_APPEND)
ino = os.fstat(r).st_ino
if way == "unlink":
    os.unlink(path)
else:
    with open(path + ".new", "wb") as f:
        f.write(b"new")
    os.rename(path + ".new", path)
for f in r, w, a:
    assert os.fstat(f).st_nlink == 0, os.fstat(f)
    assert os.fstat(f).st_ino == ino
assert os.pread(r, 20, 0) == b"0123456789"
os.pwrite(w, b"AB", 0)
assert os.pread(r, 20, 0) == b"AB23456789"
os.write(a, b"xyz")
assert os.pread(r, 20, 0) == b"AB23456789xyz" and os.fstat(r).st_size == 13
os.ftruncate(w, 5)
assert os.pread(r, 20, 0) == b"AB234" and os.fstat(r).st_size == 5
os.fchmod(w, 0o600)
assert os.fstat(r).st_mode & 0o777 == 0o600
os.utime(w, (1, 2))
assert os.fstat(r).st_mtime == 2
os.setxattr(w, "user.x", b"y")
assert os.getxattr(r, "user.x") == b"y"
os.fsync(w)
m = mmap.mmap(w, 5)
m[0:1] = b"M"
m.close()
assert os.pread(r, 20, 0) == b"MB234", os.pread(r, 20, 0)
again = os.open(f"/proc/self/fd/{r}", os.O_RDONLY)
assert os.read(again, 20) == b"MB234"
assert os.path.exists(path) == (way != "unlink")
try:
    link(r, path + ".back")
    raise AssertionError("a removed file was linked")
except FileNotFoundError:
    pass
if way != "unlink":
    assert open(path, "rb").read() == b"new" and os.stat(path).st_ino != ino
os.mkdir(path + ".folder")
d = os.open(path + ".folder", os.O_RDONLY)
os.rmdir(path + ".folder")
assert os.listdir(d) == []
try:
    os.open("x", os.O_CREAT | os.O_WRONLY, dir_fd=d)
    raise AssertionError("a file was made in a removed folder")
except FileNotFoundError:
    pass
END
run()
{
	ok "$1: removed while open" python3 "$FOLDER/open.py" "$B" unlink
	is "$(ls -A "$B")" "" "$1: nothing is left"
	ok "$1: replaced while open" python3 "$FOLDER/open.py" "$B" replace
	is "$(ls -A "$B")" replace "$1: only the new one is left"
	within 20 equal 0 fact unsettled
	down
	is "$(find "$L/buckets" -type f | wc -l)" 1 "$1: on disk, too"
}
both_ways run
