#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A write, truncation or chown by another user takes set-id bits away, whichever way the file is open.
. "$(dirname "$0")/lib.sh"
need_root

cat >"$FOLDER/write.py" <<'END'
import os, sys
f, way = sys.argv[1:]
if way == "truncate":
    os.truncate(f, 1)
elif way == "fallocate":
    os.posix_fallocate(os.open(f, os.O_WRONLY), 0, 5000)
else:
    flags = {"append": os.O_WRONLY | os.O_APPEND, "trunc": os.O_WRONLY | os.O_TRUNC, "place": os.O_WRONLY, "rdwr": os.O_RDWR}
    os.write(os.open(f, flags[way]), b"x")
END
# changes MODE WORDS COMMAND…: after the command on $f the mode is the same as on the disk below.
f=
changes()
{
	local start=$1 words=$2 wanted
	shift 2
	for f in "$FOLDER/plain/f" "$B/d/f"; do
		rm -f "$f" && echo text >"$f" && chmod "$start" "$f" && ("$@") >"$FOLDER/out" 2>&1
		wanted=${wanted:-$(stat -c %a "$f")}
	done
	is "$(stat -c %a "$f")" "$wanted" "$words: $start becomes $wanted"
}
# cleared WORDS WAY: root's own write takes the bits away, too, where the disk would keep them (tarn(7)).
cleared()
{
	f=$B/d/f
	rm -f "$f" && echo text >"$f" && chmod 6755 "$f" && by_root "$2"
	is "$(stat -c %a "$f")" 755 "$1: 6755 becomes 755"
}
by_other() { as_nobody python3 "$FOLDER/write.py" "$f" "$1"; }
by_root() { python3 "$FOLDER/write.py" "$f" "$1"; }
while_read() { exec 3<"$f" && head -c 1 <&3 && by_other place; }
by_chown() { chown 1234:1234 "$f"; }
by_owner() { chown "$NOBODY:$NOBODY" "$f" && as_nobody chmod 4755 "$f" && as_nobody sh -c "echo x >>'$f'"; }
not_my_group() { chown "$NOBODY:4321" "$f" && as_nobody chmod 2755 "$f"; }
run()
{
	chmod 755 "$B"
	mkdir -m 777 "$B/d"
	for way in append trunc place rdwr truncate fallocate; do
		for start in 6777 4766; do
			changes $start "$1: $way by another user" by_other $way
		done
		cleared "$1: $way by root" $way
	done
	changes 6777 "$1: another user's write while somebody reads" while_read
	changes 6755 "$1: chown" by_chown
	changes 644 "$1: chmod and a write by the owner" by_owner
	changes 644 "$1: set-group-id of a group one is not in" not_my_group
}
mkdir -m 777 "$FOLDER/plain"
both_ways run
