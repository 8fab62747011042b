#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# With passthrough the kernel reads and writes itself; which way each open got is counted.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
way=$("$TARN" status "$L" --json | jq -r .passthrough)
like "$way" '^yes' "status says that there is passthrough"
counts() { jq -c '[.opens_passthrough, .opens_passthrough_direct, .opens_cached]' "$M/.catalog/stats.json"; }
# opened PASSTHROUGH DIRECT CACHED TEXT PYTHON: how many opens of each kind a program makes of the file.
opened()
{
	local before after
	before=$(counts)
	python3 -c "import os, mmap; f = '$B/f'; o = os.open; $5" || { point 1 "$4"; return; }
	after=$(counts)
	is "$(jq -c -n "[$after, $before] | transpose | map(.[0] - .[1])")" "[$1,$2,$3]" "$4"
}
# at rest: who looks into a file just now is a reader, too
fresh() { rm -f "$B/f"; put fresh "$B/f"; within 5 equal 0 fact jobs; }

opened 1 0 0 "a new file" "o(f, os.O_WRONLY|os.O_CREAT)"
fresh
opened 1 0 0 "reading" "os.read(o(f, os.O_RDONLY), 9)"
opened 1 0 0 "O_TRUNC" "os.write(o(f, os.O_WRONLY|os.O_TRUNC), b'truncated')"
fresh
opened 1 0 0 "appending" "os.write(o(f, os.O_WRONLY|os.O_APPEND), b'more')"
fresh
opened 0 1 0 "O_WRONLY in place" "os.write(o(f, os.O_WRONLY), b'X')"
fresh
opened 0 0 1 "O_RDWR of an idle file" "os.write(o(f, os.O_RDWR), b'X')"
fresh
opened 0 1 0 "O_DIRECT" "o(f, os.O_WRONLY|os.O_DIRECT)"
fresh
opened 0 0 2 "reading while it is cached" "a = o(f, os.O_RDWR); os.write(a, b'X'); assert os.read(o(f, os.O_RDONLY), 9) == b'Xresh\n'"
fresh
opened 2 0 0 "O_RDWR while a reader has passthrough: the base is copied, and both see the same" \
	"a = o(f, os.O_RDONLY); b = o(f, os.O_RDWR); os.pwrite(b, b'X', 0); assert os.pread(a, 9, 0) == b'Xresh\n'; assert os.pread(b, 9, 0) == b'Xresh\n'"
fresh
opened 2 0 0 "a mapping of that writer and the reader see the same" \
	"a = o(f, os.O_RDONLY); b = o(f, os.O_RDWR); m = mmap.mmap(b, 6); m[0:1] = b'M'; assert os.pread(a, 9, 0) == b'Mresh\n'"
mkdir "$B/.git"
put one "$B/.git/f"
before=$(counts)
python3 -c "import os; os.write(os.open('$B/.git/f', os.O_RDWR), b'X')"
is "$(jq -c -n "[$(counts), $before] | transpose | map(.[0] - .[1])")" "[1,0,0]" "O_RDWR of an excluded file"
down
up -o passthrough=off
like "$("$TARN" status "$L" --json | jq -r .passthrough)" '^no' "with passthrough=off status says no"
fresh
opened 0 0 1 "and every open is cached" "os.read(o(f, os.O_RDONLY), 9)"
down
