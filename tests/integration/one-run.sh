#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What one run makes (O_EXCL) and removes again is no history: scratch files, whatever their name. Everything else is.
. "$(dirname "$0")/lib.sh"

lake lake
up
cat >"$FOLDER/scratch.py" <<'END'
import os, sys
path, flags, unlink = sys.argv[1], getattr(os, sys.argv[2]), sys.argv[3] == "unlink"
f = os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o644)
os.write(f, b"scratch\n" * 1000)
if len(sys.argv) > 4:
    os.close(f)
if unlink:
    os.unlink(path)
END
scratch() { python3 "$FOLDER/scratch.py" "$@"; }
ok "made O_EXCL and removed while open" scratch "$B/one" O_EXCL unlink
fails ENOENT "has no history" ls "$B/one@v"
ok "made O_EXCL and removed after close" scratch "$B/two" O_EXCL unlink close
is "$(ls "$B/two@v")" "" "neither: nothing of it can be read"
ok "mkstemp, as libraries do it" python3 -c "
import tempfile
for i in range(20):
    with tempfile.NamedTemporaryFile(dir='$B') as f:
        f.write(b'x' * 10000)"
within 20 equal 0 fact unsettled
is "$(find "$L/versions" -type f | wc -l)" 0 "nothing of it lies in versions/"
is "$(fact versions_kept)" 0 "nor is listed"
is "$(ls -A "$B")" "" "nor live"

ok "made O_EXCL by one run" scratch "$B/three" O_EXCL keep
ok "and removed by another" rm "$B/three"
# A process that ends is gone before the mount hears of its last close.
ok "is kept" within 10 equal 1000 grep -c scratch "$B/three@v1"
ok "made without O_EXCL and removed by one run" scratch "$B/four" O_TRUNC unlink close
ok "is kept, too" within 10 equal 1000 grep -c scratch "$B/four@v1"
ok "made O_EXCL, truncated and renamed over by one run, and not removed" python3 -c "
import os
for way in 'truncated', 'replaced':
    f = os.open(f'$B/{way}', os.O_WRONLY | os.O_CREAT | os.O_EXCL); os.write(f, b'first'); os.close(f)
open('$B/truncated', 'w').write('second')
open('$B/new', 'w').write('second')
os.rename('$B/new', '$B/replaced')"
is "$(cat "$B/truncated" "$B/replaced")" secondsecond "has its last content"
is "$(cat "$B/truncated@v1" "$B/replaced@v1")" firstfirst "and history: it is no scratch file"
put mine "$B/five"
ok "removed by the run that overwrote it" bash -c "echo more >'$B/five'; rm '$B/five'"
is "$(cat "$B/five@v1" "$B/five@v2")" $'mine\nmore' "is kept"
ok "a scratch name of a run that has history" scratch "$B/five" O_EXCL unlink
is "$(cat "$B/five@v1" "$B/five@v2")" $'mine\nmore' "leaves the history alone"
is "$(versions "$B/five")" "1 2" "and adds nothing"
down
