#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# flock(2) and fcntl(2) locks hold between processes, also across overwrites of the file, and go with their process.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/locks.py" <<'END'
import fcntl, os, sys
f = sys.argv[1]
def child(work):
    pid = os.fork()
    if not pid:
        try:
            os._exit(0 if work() else 1)
        except BlockingIOError:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def check(text, got, wanted):
    print(("ok" if got == wanted else f"not ok: {got}, not {wanted}") + " " + text)
def flock(how):
    return lambda: fcntl.flock(os.open(f, os.O_RDWR), how | fcntl.LOCK_NB) is None
def posix(how, *range):
    return lambda: fcntl.lockf(os.open(f, os.O_RDWR), how | fcntl.LOCK_NB, *range) is None
a = os.open(f, os.O_RDWR)
fcntl.flock(a, fcntl.LOCK_EX)
check("flock exclusive keeps others out", child(flock(fcntl.LOCK_SH)), 2)
fcntl.flock(a, fcntl.LOCK_SH)
check("shared lets shared in", child(flock(fcntl.LOCK_SH)), 0)
check("and not exclusive", child(flock(fcntl.LOCK_EX)), 2)
fcntl.flock(a, fcntl.LOCK_UN)
check("unlocked lets all in", child(flock(fcntl.LOCK_EX)), 0)
fcntl.lockf(a, fcntl.LOCK_EX, 10, 0)
check("fcntl locks a range", child(posix(fcntl.LOCK_EX, 5, 5)), 2)
check("and not the rest", child(posix(fcntl.LOCK_EX, 5, 10)), 0)
check("flock is apart from it", child(flock(fcntl.LOCK_EX)), 0)
os.close(os.open(f, os.O_RDONLY))
check("closing any descriptor drops it", child(posix(fcntl.LOCK_EX)), 0)
fcntl.flock(a, fcntl.LOCK_EX)
os.write(os.open(f, os.O_WRONLY | os.O_TRUNC), b"new\n")
check("an overwrite leaves the lock", child(flock(fcntl.LOCK_SH)), 2)
END
lake lake
up
for way in '' passthrough=off; do
	put text "$B/f"
	while read -r status text; do
		[ "$status" = ok ]
		point $? "$text${way:+, $way}" || note <<<"$text"
	done < <(python3 "$FOLDER/locks.py" "$B/f" 2>&1)
	coproc HOLD { exec flock "$B/f" bash -c 'echo held; read -r'; }
	holder=$HOLD_PID
	read -r answer <&"${HOLD[0]}"
	is "$answer" held "flock(1) holds it${way:+, $way}"
	ok "another waits in vain" not flock -w 0.2 "$B/f" true
	flock -w 20 "$B/f" touch "$B/got" &
	echo >&"${HOLD[1]}"
	wait "$holder" $!
	ok "and gets it when the first has ended" test -e "$B/got"
	flock -o "$B/f" sleep 5 & # the child does not have it
	within 10 not flock -n "$B/f" true
	kill -9 $!
	wait $! 2>/dev/null
	ok "a lock goes with its process${way:+, $way}" within 10 flock -n "$B/f" true
	rm "$B/got"
	down
	up -o passthrough=off
done
down
