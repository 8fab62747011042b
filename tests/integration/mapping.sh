#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Stores through a shared mapping whose descriptor is closed: stat and rsync see them, and when such a file is
# truncated, replaced or removed, the version is the right one and never changes.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# Makes FILE of 20,000 a's unless it is there, maps and closes it. Each line of input is a letter, with which it then
# fills the file, or "sync"; one line answers it.
cat >"$FOLDER/map.py" <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
size = 20000
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
if not os.fstat(f).st_size:
    os.write(f, b"a" * size)
at = libc.mmap(None, size, 3, 1, f, 0)  # PROT_READ|PROT_WRITE, MAP_SHARED
assert at != ctypes.c_void_p(-1).value
os.close(f)
print("mapped", flush=True)
for line in sys.stdin:
    if line == "sync\n":
        assert libc.msync(ctypes.c_void_p(at), ctypes.c_size_t(size), 4) == 0  # MS_SYNC
    else:
        ctypes.memset(at, ord(line[0]), size)
    print("stored", flush=True)
END
start_mapping() { coproc MAP { exec python3 "$FOLDER/map.py" "$1" 2>&1; }; map_pid=$MAP_PID; read -r answer <&"${MAP[0]}"; }
tell() { echo "$1" >&"${MAP[1]}" && read -r answer <&"${MAP[0]}"; }
end_mapping() { eval "exec ${MAP[1]}>&-"; wait "$map_pid"; }
fill() { head -c 20000 /dev/zero | tr '\0' "$1"; }
# letters FILE: which ones its content consists of.
letters() { head -c 20000 "$1" 2>/dev/null | fold -w 1 | sort -u | tr -d '\n'; }
# listed FILE: "NUMBER LETTERS" of each listed version.
listed()
{
	local v
	for v in $(versions "$1"); do
		echo "$v $(letters "$1@v/$v")"
	done
}
readable() { ! listed "$1" | grep -q ' $'; }
# changed EARLIER LATER: the numbers that were readable both times, with other letters.
changed() { join <(grep -v ' $' <<<"$1") <(grep -v ' $' <<<"$2") | awk '$2 != $3'; }
latest_is() { [ "$(letters "$2@v/latest")" = "$1" ]; }

# seen MODE: a new file under passthrough needs no msync(2); what is cached is not known before it.
seen()
{
	local before f=$B/seen
	start_mapping "$f"
	rsync -a "$f" "$FOLDER/copy"
	before=$(stat -c %.Y "$f")
	sleep 1.1 # rsync compares whole seconds
	tell b
	[ "$1" = passthrough ] || tell sync
	ok "$1: stat sees the time of a store after close()" test "$(stat -c %.Y "$f")" != "$before"
	rsync -a "$f" "$FOLDER/copy"
	is "$(letters "$FOLDER/copy")" b "$1: rsync does not skip the file"
	is "$(letters "$f")" b "$1: readers see the store"
	end_mapping
	ok "$1: after the mapping's end a version is cut" within 20 latest_is b "$f"
}

# taken MODE WAY: a file that is mapped and closed is truncated, renamed over or removed.
taken()
{
	local f=$B/$2 early late
	fill a >"$f"
	fill c >"$f"
	start_mapping "$f"
	tell d
	case $2 in
	truncate) fill x >"$f" ;;
	rename) fill x >"$f.part" && mv "$f.part" "$f" ;;
	unlink) rm "$f" ;;
	esac
	early=$(listed "$f")
	ok "$1: $2: every listed version can be read" within 5 readable "$f" || note < <(listed "$f")
	[ "$2" = truncate ] || tell e
	late=$(listed "$f")
	is "$(changed "$early" "$late")" "" "$1: $2: none changes while the mapping lives"
	end_mapping
	within 20 equal 0 fact unsettled
	if [ "$2" != unlink ]; then
		is "$(letters "$f")" x "$1: $2: the live file is the new one"
	fi
	if [ "$2" != truncate ]; then
		last=$(history_of "$f" 'select(.state == "kept") | .version' | awk '{ print $NF }')
		is "$(letters "$f@v${last:-none}")" e "$1: $2: what was stored last is the version"
	fi
	is "$(changed "$early" "$(listed "$f")")$(changed "$late" "$(listed "$f")")" "" "$1: $2: nor afterwards"
	is "$(letters "$f@v1")" a "$1: $2: the first version is the first"
	is "$(listed "$f" | grep -Ev '^[0-9]+ [acdex]$')" "" "$1: $2: none mixes"
}

run()
{
	seen "$1"
	for way in truncate rename unlink; do
		taken "$1" $way
	done
	rm -f "$B"/* "$FOLDER/copy"
}

both_ways run
