#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# O_TMPFILE: a file without a name that can be given one, where libfuse passes the request on; else a clear error.
. "$(dirname "$0")/lib.sh"

linkat_module
cat >"$FOLDER/tmpfile.py" <<'END'
import os, sys
from linkat import link
folder, name = sys.argv[1:]
f = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o640)
os.write(f, b"text\n")
assert os.fstat(f).st_nlink == 0 and os.pread(f, 9, 0) == b"text\n"
assert os.listdir(folder) == []
link(f, f"{folder}/{name}")
assert os.fstat(f).st_nlink == 1 and os.stat(f"{folder}/{name}").st_ino == os.fstat(f).st_ino
os.close(f)
os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o600))
os.close(os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_EXCL, 0o600))
END
lake lake
up
mkdir "$B/d"
python3 "$FOLDER/tmpfile.py" "$B/d" named >"$FOLDER/out" 2>&1
status=$?
if grep -q 'Operation not supported' "$FOLDER/out"; then
	point 0 "O_TMPFILE is said not to be supported"
	is "$(ls -A "$B/d")" "" "and leaves nothing"
	ok "programs fall back on names" python3 -c "import tempfile; f = tempfile.TemporaryFile(dir='$B/d'); f.write(b'x')"
	is "$(ls -A "$B/d")" "" "which they remove"
else
	point $status "O_TMPFILE works, and can be given a name" || note <"$FOLDER/out"
	is "$(ls -A "$B/d")" named "which is all that is left"
	is "$(cat "$B/d/named") $(stat -c %a "$B/d/named")" "text 640" "with content and mode"
	put more "$B/d/named"
	is "$(cat "$B/d/named@v1")" text "and history from then on"
fi
within 20 equal 0 fact unsettled
down
is "$(find "$L/temp" "$L/versions" -type f | wc -l)" "$(find "$B/d" -type f | wc -l)" "nothing else is left on disk"
