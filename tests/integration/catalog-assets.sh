#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog/assets.csv and .json: every file with its facts, as RFC 4180 and JSON, whatever its name is.
. "$(dirname "$0")/lib.sh"

lake lake
up
cat >"$FOLDER/names.py" <<'END'
import os, sys
folder = os.fsencode(sys.argv[1])
names = [b"plain.csv", b"comma,quote\".csv", b"new\nline", b"cr\rlf", b"tab\t", b" blank ", b"-dash", b"=1+1", b"\xff\xfe invalid",
         "grün 漢字 🎉".encode(), b"x@v", b"a'b", b"back\\slash", b"\x01\x1b[31m", b"n" * 255, b"$(id)", b"#hash", b"\"", b"%00", b"."* 3]
for n in names:
    with open(folder + b"/" + n, "wb") as f:
        f.write(n)
END
ok "files with hostile names" python3 "$FOLDER/names.py" "$B"
mkdir "$B/folder" && echo text >"$B/folder/inner.txt" && ln -s inner.txt "$B/folder/link"
put again "$B/folder/inner.txt"
cat >"$FOLDER/check.py" <<'END'
import csv, io, json, os, sys
mount = os.fsencode(sys.argv[1])
real = {}
for folder, _, files in os.walk(mount):
    for name in files:
        path = folder + b"/" + name
        if not os.path.islink(path):
            real[os.path.relpath(path, mount)] = os.stat(path)
raw = open(mount + b"/.catalog/assets.csv", "rb").read()
assert raw.endswith(b"\r\n"), "lines end in CRLF"
rows = list(csv.DictReader(io.StringIO(raw.decode("utf-8", "surrogateescape"), newline=""), strict=True))
assert list(rows[0]) == ["path", "bucket", "size", "mtime", "mime", "versions", "tier", "sha256"], list(rows[0])
text = open(mount + b"/.catalog/assets.json", "rb").read()
objects = json.loads(text.decode("utf-8"))
for kind, table in ("csv", rows), ("json", objects):
    got = {row["path"].encode("utf-8", "surrogateescape"): row for row in table}
    assert len(got) == len(table), f"{kind}: a row twice"
    assert set(got) == set(real), f"{kind}: {set(got) ^ set(real)}"
    for path, row in got.items():
        assert int(row["size"]) == real[path].st_size, f"{kind}: size of {path}"
        assert row["bucket"] == "data" and row["tier"] == "local", f"{kind}: {row}"
        assert row["mtime"][:10] == "%04d-%02d-%02d" % __import__("time").gmtime(real[path].st_mtime)[:3], row["mtime"]
        assert int(row["versions"]) == (2 if path.endswith(b"inner.txt") else 1), f"{kind}: versions of {path}: {row}"
END
ok "csv and json have every file, once, with its facts" python3 "$FOLDER/check.py" "$M"
ok "jq reads the JSON" jq -e 'length > 20' "$M/.catalog/assets.json"
size=$(stat -c %s "$M/.catalog/assets.csv")
is "$(wc -c <"$M/.catalog/assets.csv")" "$size" "stat tells the exact size"
rm -r "$B/folder"
is "$(grep -c inner "$M/.catalog/assets.csv")" 0 "what was removed is gone at once"
put x "$B/late"
ok "what was made is there at once" grep -q '^data/late,' "$M/.catalog/assets.csv"
ok "README says what there is" grep -q assets.csv "$M/.catalog/README"
down
