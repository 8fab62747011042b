#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files that are only in the cloud exchange their names: those of the same content, names that are no UTF-8, and many
# times while others take the keys of their objects. Each has its bytes, and so have the old versions; in the end each
# object lies under its file's name.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

cat >"$FOLDER/exchange.py" <<'END'
import ctypes, os, sys, time

libc = ctypes.CDLL(None, use_errno=True)


def exchange(a, b):
    if libc.renameat2(-100, os.fsencode(a), -100, os.fsencode(b), 2) < 0:
        sys.exit(f"{a} {b}: {os.strerror(ctypes.get_errno())}")


def content(n):
    return b"%d %01000d" % (n, 0)


def check(names, order):
    for name, n in zip(names, order):
        with open(name, "rb") as f:
            got = f.read()
        if got != content(n):
            sys.exit(f"{name}: {got[:10]}, not {n}")


def play(names):
    order = list(range(len(names)))
    for n, name in enumerate(names):
        with open(name, "wb") as f:
            f.write(content(n))
    for turn in range(40):
        a, b = turn % len(names), (turn * 5 + 2) % len(names)
        exchange(names[a], names[b])
        order[a], order[b] = order[b], order[a]
        time.sleep(0.1)
        if turn % 5 == 0:
            check(names, order)
        if turn % 7 == 0: # another file takes a name for a moment, and has another's content
            os.rename(names[0], names[0] + ".aside")
            with open(names[0], "wb") as f:
                f.write(content(order[1]))
            time.sleep(0.3)
            os.rename(names[0] + ".aside", names[0])
    check(names, order)
    print(*order)


if sys.argv[1] == "play":
    play(sys.argv[2:])
elif sys.argv[1] == "check":
    check(sys.argv[3:], map(int, sys.argv[2].split()))
else:
    exchange(*sys.argv[1:])
END
exchange() { python3 "$FOLDER/exchange.py" "$@"; }
long() { printf '%s %01000d' "$1" 0; } # more than there is room for
first() { head -qc "$1" "${@:2}"; } # its first N bytes
stub() { [ "$(stat -c %b "$1")" = 1 ]; }

cloud dir
lake lake
odd=$B/$'odd\xff.bin'
# Whatever nobody uses leaves.
settings 'storage: {local_capacity_gb: 0.000001, cloud_burst_enabled: true, min_age: 0, history_budget_gb: 5}' \
	'buckets: {data: {tier: local}}'
up
long same >"$B/twin1"
long same >"$B/twin2"
long 'odd ' >"$odd"
long even >"$B/even"
all_left() { stub "$B/twin1" && stub "$B/twin2" && stub "$odd" && stub "$B/even"; }
ok "four files leave" within 30 all_left

ok "two stubs of the same content exchange their names" exchange "$B/twin1" "$B/twin2"
ok "so do two with other contents, one with a name that is no UTF-8" exchange "$odd" "$B/even"
is "$(first 4 "$B/twin1" "$B/twin2")" samesame "the twins can be read"
is "$(first 4 "$odd" "$B/even")" 'evenodd ' "and the others, under each other's name"
is "$(first 4 "$B/even@v1")" even "the old version stays with the path"
ok "they leave again" within 30 all_left
is "$(first 4 "$B/twin1" "$B/twin2" "$odd" "$B/even")" 'samesameevenodd ' "and can be read again"

# ---- many times ----
files=("$B"/f{0..5})
order=$(exchange play "${files[@]}")
ok "names are exchanged and taken many times, while files leave and come back" test -n "$order"
crash
up
ok "after the daemon was killed each has its content, too" exchange check "$order" "${files[@]}"
keys_right()
{
	local i=0 n
	for n in $order; do
		object "data/f$i" 2>/dev/null | cmp -s - <(long "$n") || return 1
		i=$((i + 1))
	done
	[ "$(objects data/ | wc -l)" = 9 ]
}
ok "each object comes to lie under its file's name, and nothing else does" within 60 keys_right
is "$(fact cloud_going)" 0 "nothing is left to be removed"
down
