#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file opened with O_SYNC or O_DSYNC needs no fsync: what was written, its name and its record outlive a crash.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/write.py" <<'END'
import os, sys
folder = sys.argv[1]
for name in "O_SYNC", "O_DSYNC":
    for way, flags in ("create", os.O_CREAT), ("truncate", os.O_TRUNC), ("append", os.O_APPEND):
        f = os.open(f"{folder}/{name}", os.O_WRONLY | flags | getattr(os, name), 0o640)
        for i in range(5):
            os.write(f, f"{way} {i}\n".encode())
        if way != "append":
            os.close(f)
    os.mkdir(f"{folder}/{name}-folder")
    f = os.open(f"{folder}/{name}-folder/inner", os.O_RDWR | os.O_CREAT | getattr(os, name), 0o600)
    os.pwrite(f, b"inner\n", 0)
print("written", flush=True)
sys.stdin.read()
END
run()
{
	coproc WRITER { exec python3 "$FOLDER/write.py" "$B" 2>&1; }
	writer=$WRITER_PID
	read -r answer <&"${WRITER[0]}"
	is "$answer" written "$1: writing"
	crash
	eval "exec ${WRITER[1]}>&-"
	wait "$writer"
	for name in O_SYNC O_DSYNC; do
		is "$(sqlite3 "$L/catalog/tarn.db" "SELECT count(*) FROM entry WHERE name = CAST('$name' AS BLOB) OR name = '$name'")" 1 \
			"$1: $name: the name is in the store"
	done
	up
	for name in O_SYNC O_DSYNC; do
		is "$(paste -sd, "$B/$name")" "$(printf 'truncate %d,' 0 1 2 3 4)$(printf 'append %d\n' 0 1 2 3 4 | paste -sd,)" \
			"$1: $name: after a crash the content is there"
		is "$(head -n 1 "$B/$name@v1")" "create 0" "$1: $name: so is the version before"
		is "$(cat "$B/$name-folder/inner")" inner "$1: $name: and what lies in a new folder"
		is "$(stat -c %a "$B/$name")" 640 "$1: $name: with its mode"
	done
	down
}
both_ways run
