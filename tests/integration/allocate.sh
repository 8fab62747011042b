#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# fallocate, holes, SEEK_HOLE and SEEK_DATA, and copy_file_range do what they do on the disk below.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/seek.py" <<'END'
import errno, os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
at, found, size = 0, [], os.fstat(f).st_size
while at < size:
    try:
        data = os.lseek(f, at, os.SEEK_DATA)
    except OSError as e:
        assert e.errno == errno.ENXIO, e
        break
    at = os.lseek(f, data, os.SEEK_HOLE)
    found.append(f"{data}-{at}")
print(" ".join(found))
END
cat >"$FOLDER/copy.py" <<'END'
import os, sys
a, b = os.open(sys.argv[1], os.O_RDONLY), os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT, 0o644)
n, left = 0, int(sys.argv[5])
while left:
    done = os.copy_file_range(a, b, left, int(sys.argv[3]) + n, int(sys.argv[4]) + n)
    if not done:
        break
    n, left = n + done, left - done
print(n)
END
run()
{
	local f=$B/f g=$B/g
	ok "$1: fallocate" fallocate -l 1MiB "$f"
	is "$(stat -c %s "$f")" 1048576 "$1: makes it so long"
	ok "$1: with blocks" test "$(stat -c %b "$f")" -ge 2048
	ok "$1: --keep-size" fallocate --keep-size -o 1MiB -l 1MiB "$f"
	is "$(stat -c %s "$f")" 1048576 "$1: does not"
	head -c 1048576 /dev/urandom >"$g"
	cp "$g" "$FOLDER/copy"
	cp "$g" "$FOLDER/first"
	ok "$1: a hole is punched" fallocate --punch-hole -o 64KiB -l 128KiB "$g"
	fallocate --punch-hole -o 64KiB -l 128KiB "$FOLDER/copy"
	ok "$1: reads as zeros, and nothing else" cmp "$g" "$FOLDER/copy"
	is "$(python3 "$FOLDER/seek.py" "$g")" "0-65536 196608-1048576" "$1: and is found by SEEK_HOLE and SEEK_DATA"
	is "$(history_of "$g" '[.state, .how]' | cut -d' ' -f1)" '["kept","undo"]' "$1: and ends the version, which is kept"
	ok "$1: as it was" cmp "$g@v1" "$FOLDER/first"
	ok "$1: zeroing a range" fallocate --zero-range -o 0 -l 4096 "$g"
	ok "$1: reads as zeros" cmp -n 4096 "$g" /dev/zero
	truncate -s 10M "$B/sparse" && echo tail | dd of="$B/sparse" bs=1M seek=5 conv=notrunc status=none
	is "$(python3 "$FOLDER/seek.py" "$B/sparse" | cut -d- -f1)" 5242880 "$1: a sparse file has its hole first"
	cp --sparse=auto "$B/sparse" "$B/sparse-copy"
	ok "$1: cp keeps it sparse" test "$(stat -c %b "$B/sparse-copy")" -le 64
	ok "$1: and equal" cmp "$B/sparse" "$B/sparse-copy"
	is "$(python3 "$FOLDER/copy.py" "$g" "$B/h" 0 0 1048576)" 1048576 "$1: copy_file_range of all"
	ok "$1: is equal" cmp "$g" "$B/h"
	is "$(python3 "$FOLDER/copy.py" "$g" "$B/h" 500000 100 5000)" 5000 "$1: of a part"
	ok "$1: to its place" cmp -i 500000:100 -n 5000 "$g" "$B/h"
	ok "$1: and nowhere else" cmp -i 5100 "$g" "$B/h"
	is "$(python3 "$FOLDER/copy.py" "$g" "$B/h" 1048000 2000000 5000)" 576 "$1: past the end as much as there is"
	is "$(stat -c %s "$B/h")" 2000576 "$1: behind the end of the target"
	ok "$1: fallocate of what is read elsewhere" bash -c "exec 3<'$B/h'; fallocate -l 3000000 '$B/h'; cmp -n 100 '$B/h' '$g'"
	is "$(history_of "$B/h" .state | awk '{ print $NF }')" live "$1: the last content is live"
	rm "$B"/*
}
both_ways run
