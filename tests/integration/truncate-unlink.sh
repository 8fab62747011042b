#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A thread overwrites a file (O_TRUNC) while others remove it: every version that is listed is one content that was
# written, in full, and stays what it is.
LIMIT=300
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/race.py" <<'END'
import os, sys, threading, time
path, turns, pause, size = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), 5000
def content(n):
    return f"{n:08d}|".encode() * size
def write():
    for n in range(turns):
        f = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(f, content(n))
        os.close(f)
done = threading.Event()
def remove():
    while not done.is_set():
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        time.sleep(pause)
seen, wrong = {}, []
def look():
    try:
        names = [n for n in os.listdir(path + "@v") if n[0].isdigit()]
    except FileNotFoundError:
        return
    for name in names:
        try:
            with open(f"{path}@v/{name}", "rb") as f:
                got = f.read()
        except FileNotFoundError:  # live when listed, and written since
            continue
        if seen.setdefault(name, got) != got:
            wrong.append(f"version {name} changed: {len(seen[name])} bytes {seen[name][:20]}, then {len(got)} {got[:20]}")
writer = threading.Thread(target=write)
removers = [threading.Thread(target=remove) for _ in range(2)]
for t in [writer, *removers]:
    t.start()
while writer.is_alive():
    look()
    time.sleep(0.1)
done.set()
for t in removers:
    t.join()
end = time.monotonic() + 20
while len(seen) < 10 and time.monotonic() < end:
    look()
time.sleep(1)
look()
for name, got in seen.items():
    if got and got != got[:9] * size:
        wrong.append(f"version {name} is not one content in full: {len(got)} bytes, {got[:20]} to {got[-20:]}")
if not seen:
    wrong.append(f"only {len(seen)} versions were ever listed")
print("\n".join(wrong[:20]))
sys.exit(bool(wrong))
END
lake lake
up
turns=400 pause=0.001
[ "$SLOW" = 1 ] || turns=100 pause=0.02 # between two removals an overwrite has to fit in now and then
ok "$turns overwrites against unlink" python3 "$FOLDER/race.py" "$B/one" $turns $pause
within 20 equal 0 fact unsettled
is "$(history_of "$B/one" .version | tr ' ' '\n' | sort -n | uniq -d)" "" "no number is used twice"
down
lake second
up -o passthrough=off
ok "without passthrough, too" python3 "$FOLDER/race.py" "$B/two" $turns $pause
down
is "$(sqlite3 "$L/catalog/tarn.db" 'PRAGMA integrity_check')" ok "the store is whole"
