#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The daemon is killed at random moments under load, ten times: the store is whole, what was fsynced is there, every
# version that is listed can be read and has its bytes.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# Writes numbered files and overwrites one, fsyncs each, and says so after it.
cat >"$FOLDER/writer.py" <<'END'
import os, sys
folder, log, start = sys.argv[1], open(sys.argv[2], "a", buffering=1), int(sys.argv[3])
try:
    for n in range(start, start + 100000):
        for name in (f"file-{n % 50}", "same"):
            f = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.write(f, f"{name} {n}\n".encode() * 100)
            os.fsync(f)
            os.close(f)
            log.write(f"{name} {n}\n")
        f = os.open(f"{folder}/.save-{n}", os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        os.write(f, f"saved {n}\n".encode())
        os.fsync(f)
        os.close(f)
        os.rename(f"{folder}/.save-{n}", f"{folder}/saved")
        if n % 3 == 0:
            os.unlink(f"{folder}/saved")
except OSError:
    pass
END
# Every line of a file is the same, and every listed version can be read; a fsynced text is live or in the history.
cat >"$FOLDER/check.py" <<'END'
import json, os, sys
folder, log = sys.argv[1], sys.argv[2]
wrong = []
def lines(path):
    with open(path) as f:
        return f.read().splitlines()
texts = {}
for name in sorted(set(os.listdir(folder)) | {"same", "saved"}):
    if name.startswith(".save"):
        continue
    texts[name] = set()
    for path in [f"{folder}/{name}@v/{v}" for v in (os.listdir(f"{folder}/{name}@v") if os.path.exists(f"{folder}/{name}@v") else [])]:
        try:
            found = set(lines(path))
        except OSError as e:
            wrong.append(f"{path} is listed: {e}")
            continue
        if len(found) > 1:
            wrong.append(f"{path} mixes {sorted(found)[:3]}")
        texts[name] |= found
    if os.path.exists(f"{folder}/{name}") and len(set(lines(f"{folder}/{name}"))) > 1:
        wrong.append(f"{name} mixes {sorted(set(lines(f'{folder}/{name}')))[:3]}")
for line in lines(log):
    name = line.split()[0]
    if line not in texts.get(name, ()):
        wrong.append(f"fsynced, and neither live nor kept: {line}")
print("\n".join(wrong[:10]))
sys.exit(bool(wrong))
END
has_lines() { [ "$(wc -l <"$FOLDER/log")" -gt "$1" ]; }

touch "$FOLDER/log"
lake lake
for i in 1 2 3 4 5 6 7 8 9 10; do
	up
	python3 "$FOLDER/writer.py" "$B" "$FOLDER/log" $((i * 1000000)) &
	[ $((i % 2)) -eq 1 ] || within 10 has_lines $((i * 10)) # the others may be killed before they did anything
	sleep "$(awk -v seed="$RANDOM" 'BEGIN { srand(seed); printf "%.3f", 0.05 + rand() * 0.5 }')"
	crash
	wait
	up
	ok "killed $i times: fsynced and listed is there" python3 "$FOLDER/check.py" "$B" "$FOLDER/log"
	down
	is "$(sqlite3 "$L/catalog/tarn.db" 'PRAGMA integrity_check; PRAGMA foreign_key_check')" ok "the store is whole"
done
ok "there was work" has_lines 100
exits 0 "doctor is content" "$TARN" doctor "$L"
exits 0 "so is fsck" "$TARN" fsck "$L"
exits 0 "and scrub" "$TARN" scrub "$L"
