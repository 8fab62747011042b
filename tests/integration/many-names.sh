#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Sixty hostile names are made, listed, overwritten, restored, renamed, catalogued and removed as any other.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/names.py" <<'END'
import csv, io, json, os, subprocess, sys
mount, folder, tarn = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), sys.argv[3]
names = [b"n" * 255, "ü".encode() * 127, b"a" * 250 + b".csv", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf0\x9f\x8e\x89", b"\n", b"\r\n",
         b"a\nb.csv", b"\t", b" ", b"  x  ", b"-", b"--", b"-rf", b"--help", b"...", b".hidden", b"..x", b"a'b", b'a"b', b'"', b"'",
         b'""",', b",", b",,", b";", b"=cmd", b"@", b"@v", b"x@v", b"x@v0", b"x@v1.2.3", b"a@b", b"@vx", b"*", b"?", b"[a]", b"$(id)",
         b"`id`", b"a&b", b"a|b", b"a;b", b"<x>", b"#", b"%s%n", b"\\", b"a\\nb", b"\x01", b"\x7f", b"\x1b[31m", b"~x", b"!x",
         b"CON", b"nul.txt", b"a:b", "\u202ex".encode(), "e\u0301".encode(), "\u00e9".encode(), b"null", b"{}"]
assert len(names) == len(set(names)) >= 60, len(names)
def p(name, end=b""):
    return folder + b"/" + name + end
def put(path, text):
    with open(path, "wb") as f:
        f.write(text)
def read(path):
    with open(path, "rb") as f:
        return f.read()
def catalog():
    rows = csv.DictReader(io.StringIO(read(mount + b"/.catalog/assets.csv").decode("utf-8", "surrogateescape"), newline=""),
                          strict=True)
    a = {os.fsencode(r["path"]) for r in rows}
    b = {r["path"].encode("utf-8", "surrogateescape") for r in json.loads(read(mount + b"/.catalog/assets.json"))}
    return a, b
for n in names:
    put(p(n), b"one of " + n)
assert sorted(os.listdir(folder)) == sorted(names), set(os.listdir(folder)) ^ set(names)
prefix = os.path.relpath(folder, mount) + b"/"
for kind in catalog():
    assert kind == {prefix + n for n in names}, kind ^ {prefix + n for n in names}
for n in names:
    put(p(n), b"two of " + n)
for n in names:
    assert read(p(n)) == b"two of " + n, n
    if len(n) <= 252:
        assert read(p(n, b"@v1")) == b"one of " + n, n
        subprocess.run([tarn, "restore", p(n, b"@v1")], check=True, stdout=subprocess.DEVNULL)
        assert read(p(n)) == b"one of " + n, n
for n in names:
    other = bytes(reversed(n)) if n != bytes(reversed(n)) else n[:-1] + b"Z"
    if other in names or b"@v" in other or len(other) > 255 or other.endswith(b"~"): # a backup's name: history stays
        continue
    os.rename(p(n), p(other))
    if len(other) <= 252:
        assert read(p(other, b"@v1")) == b"one of " + n, (n, other)
    os.rename(p(other), p(n))
for n in names:
    os.unlink(p(n))
assert os.listdir(folder) == []
for kind in catalog():
    assert not kind, kind
for n in names:
    if len(n) <= 252:
        assert read(p(n, b"@v1")) == b"one of " + n, n
END
lake lake
up
mkdir "$B/folder"
ok "hostile names are as good as others" python3 "$FOLDER/names.py" "$M" "$B/folder" "$TARN"
down
is "$(sqlite3 "$L/catalog/tarn.db" 'PRAGMA integrity_check')" ok "the store is whole"
up
is "$(find "$B/folder" -type f | wc -l)" 0 "the next mount shows none"
down
