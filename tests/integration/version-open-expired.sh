#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who has an old version open can look at it and read it to its end, also when it has expired meanwhile,
# whichever way it was kept.
. "$(dirname "$0")/lib.sh"

# Opens each of its arguments, says so, waits for a line, and then reads all of each.
cat >"$FOLDER/reader.py" <<'END'
import hashlib, os, sys
fds = [os.open(p, os.O_RDONLY) for p in sys.argv[1:]]
for fd in fds:
    os.read(fd, 10)
print("open", flush=True)
sys.stdin.readline()
for path, fd in zip(sys.argv[1:], fds):
    try:
        size, data = os.fstat(fd).st_size, b""
        os.lseek(fd, 0, os.SEEK_SET)
        while part := os.read(fd, 100000):
            data += part
        print(size == len(data), hashlib.sha256(data).hexdigest())
    except OSError as e:
        print(e.strerror)
END

# make FILE: its first version, which is then kept as its name says.
make()
{
	seq 60000 >"$B/$1"
	sync "$B/$1"
	case $1 in
	aside) seq 3 >"$B/$1" ;;
	prefix) echo more >>"$B/$1" ;;
	undo) printf other | dd of="$B/$1" conv=notrunc bs=1 seek=100000 status=none ;;
	esac
}

scenario()
{
	local name wanted paths=()
	wanted=$(seq 60000 | sha256sum | cut -d' ' -f1)
	"$TARN" bucket set data retention_days=0 keep_last=0 --lake "$L" >"$FOLDER/said" 2>&1
	for name in aside prefix undo; do
		make "$name"
		within 10 equal "1 2" versions "$B/$name"
		is "$(history_of "$B/$name" 'select(.version == 1) | .how')" "$name" "$1: a version kept as $name"
		paths+=("$B/$name@v1" "$B@v/commit-$(history_of "$B/$name" 'select(.version == 1) | .commit')/$name")
	done
	mkfifo "$FOLDER/go.$1"
	python3 "$FOLDER/reader.py" "${paths[@]}" <"$FOLDER/go.$1" >"$FOLDER/read.$1" &
	exec 5>"$FOLDER/go.$1"
	ok "$1: they are open" within 10 grep -q open "$FOLDER/read.$1"
	exits 0 "$1: gc" "$TARN" gc "$L"
	for name in aside prefix undo; do
		fails ENOENT "$1: $name@v1 has expired" cat "$B/$name@v1"
	done
	echo >&5
	exec 5>&-
	wait $!
	is "$(sed 1d "$FOLDER/read.$1" | sort | uniq -c | tr -s ' ')" " 6 True $wanted" "$1: what was open is read to its end"
}
both_ways scenario
