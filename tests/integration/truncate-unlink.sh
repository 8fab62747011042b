#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Threads overwrite a file (O_TRUNC) while others remove it: every version that is listed is one content that was
# written, in full, and stays what it is.
LIMIT=120
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/race.py" <<'END'
import os, sys, threading, time
path, turns, size = sys.argv[1], int(sys.argv[2]), 5000
def content(who, n):
    return f"{who}.{n:08d}|".encode() * size
def writer(who):
    for n in range(turns):
        f = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.write(f, content(who, n))
        os.close(f)
done = threading.Event()
def remover():
    while not done.is_set():
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass
        time.sleep(0.001)
def read(name):
    try:
        with open(f"{path}@v/{name}", "rb") as f:
            return f.read()
    except FileNotFoundError:
        return None
def listed():
    try:
        return {n: read(n) for n in os.listdir(path + "@v") if n[0].isdigit()}
    except FileNotFoundError:
        return {}
writers = [threading.Thread(target=writer, args=(str(i),)) for i in range(int(sys.argv[3]))]
removers = [threading.Thread(target=remover) for i in range(2)]
for t in writers + removers:
    t.start()
seen, wrong = {}, []
def look():
    for name, got in listed().items():
        if got is None:
            continue
        if name in seen and seen[name] != got:
            wrong.append(f"version {name} changed: {seen[name][:30]} {len(seen[name])}, then {got[:30]} {len(got)}")
        seen[name] = got
while any(t.is_alive() for t in writers):
    look()
for t in writers:
    t.join()
done.set()
for t in removers:
    t.join()
end = time.monotonic() + 5
while time.monotonic() < end and len(seen) < turns / 4:
    look()
time.sleep(1)
look()
for name, got in seen.items():
    if got and (len(got) != len(content("0", 0)) or got != got[:11] * size):
        wrong.append(f"version {name} is not one content in full: {len(got)} bytes, {got[:30]} … {got[-30:]}")
if len(seen) < 10:
    wrong.append(f"only {len(seen)} versions")
print("\n".join(wrong[:20]))
sys.exit(bool(wrong))
