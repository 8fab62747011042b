# What the tests of this folder share. A test sources this file first of all, makes a lake, mounts it, prints TAP points
# and unmounts it:
#
#	. "$(dirname "$0")/lib.sh"
#	lake				# L: a lake with one bucket, data
#	up				# M: its mount, B: the bucket on it
#	ok "a file can be made" touch "$B/file"
#	down
#
# The script runs twice. Sourced first, this file makes a private folder and starts the script again below a time limit;
# that second run (it has FOLDER in its environment) is the test. Whatever happens to it, the first run then ends what
# it left running or mounted, removes the folder, and adds points of its own: the test came to its end, nothing was
# left mounted or running, no log has an ERROR line.
#
# A test may set, before it sources this file:
#	LIMIT		seconds for the whole test (180), which only one that hangs needs; with a sanitizer three times as many
#	ALLOWED_ERRORS	an extended regular expression: ERROR lines in logs that are meant
# shellcheck shell=bash
set -u -o pipefail
export LC_ALL=C.UTF-8

: "${TARN:?the program to test}" "${TARN_SOURCE:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${TARN_SANITIZE:=no}"
NOBODY=65534
SLOW=1
[ "$TARN_SANITIZE" = no ] || SLOW=10
unset TARN_ENV

# ---- points ----

# point STATUS TEXT: one TAP point, ok when STATUS is 0.
point()
{
	echo >>"$FOLDER/points"
	[ "$1" -eq 0 ] || printf 'not '
	echo "ok - $2"
	return "$1"
}

note() { head -c 4000 | head -n 20 | cut -c1-300 | sed 's/^/# /'; }

# ok TEXT COMMAND…: the command succeeds.
ok()
{
	local text=$1 status
	shift
	"$@" >"$FOLDER/said" 2>&1
	status=$?
	point "$status" "$text" || { echo "# status $status: $*" | head -n 1; note <"$FOLDER/said"; }
	return "$status"
}

# is GOT WANTED TEXT: two strings are equal.
is()
{
	if [ "$1" = "$2" ]; then
		point 0 "$3"
	else
		point 1 "$3"
		{ echo "got:    $1"; echo "wanted: $2"; } | note
		return 1
	fi
}

# like GOT PATTERN TEXT: the string matches an extended regular expression.
like()
{
	if [[ $1 =~ $2 ]]; then
		point 0 "$3"
	else
		point 1 "$3"
		{ echo "got:    $1"; echo "wanted: something like $2"; } | note
		return 1
	fi
}

# exits CODE TEXT COMMAND…: the command ends with that exit code. What it printed is in $FOLDER/out.
exits()
{
	local code=$1 text=$2 status
	shift 2
	"$@" >"$FOLDER/out" 2>&1
	status=$?
	[ "$status" -eq "$code" ]
	point $? "$text" || { echo "# exit code $status, not $code: $*" | head -n 1; note <"$FOLDER/out"; return 1; }
}

message_of()
{
	case $1 in
	EACCES) echo 'Permission denied' ;;
	EBUSY) echo 'Device or resource busy' ;;
	EEXIST) echo 'File exists' ;;
	EINVAL) echo 'Invalid argument' ;;
	ENOSPC) echo 'No space left on device' ;;
	EIO) echo 'Input/output error' ;;
	ENODATA) echo 'No data available|No such attribute' ;;
	ENOENT) echo 'No such file or directory' ;;
	ENOTCONN) echo 'not connected' ;;
	ENOTEMPTY) echo 'Directory not empty' ;;
	EOPNOTSUPP) echo 'Operation not supported' ;;
	EPERM) echo 'Operation not permitted' ;;
	EROFS) echo 'Read-only file system' ;;
	*) echo "no such error in lib.sh: $1" ;;
	esac
}

# fails ERROR TEXT COMMAND…: the command fails and says so with the words of that errno.
fails()
{
	local error=$1 text=$2 status
	shift 2
	"$@" >"$FOLDER/said" 2>&1
	status=$?
	[ $status -ne 0 ] && grep -Eq "$(message_of "$error")" "$FOLDER/said"
	point $? "$text" || { echo "# exit code $status, not $error: $*" | head -n 1; note <"$FOLDER/said"; return 1; }
}

# skip_all REASON: what is missing.
skip_all()
{
	echo "1..0 # SKIP $1"
	touch "$FOLDER/skipped"
	exit 0
}

need_root() { [ "$(id -u)" -eq 0 ] || skip_all "needs root"; }

# within SECONDS COMMAND…: tries the command until it succeeds, at most so long (with a sanitizer ten times).
within()
{
	local end=$((${EPOCHREALTIME/./} + $1 * SLOW * 1000000))
	shift
	until "$@"; do
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.02
	done
}

# equal WANTED COMMAND…: the command prints that. For within.
equal()
{
	local wanted=$1
	shift
	[ "$("$@" 2>/dev/null)" = "$wanted" ]
}

# ---- lakes and mounts ----

# lake [NAME [init's options…]]: makes a lake. Without options it has one bucket, data. Sets L, M and B.
lake()
{
	L=$FOLDER/${1:-lake} M=$L/buckets B=$M/data
	shift
	if [ $# -gt 0 ]; then
		"$TARN" init "$L" "$@" >"$FOLDER/init" 2>&1
	else
		"$TARN" init "$L" --empty >"$FOLDER/init" 2>&1 && mkdir "$B"
	fi || { point 1 "tarn init"; note <"$FOLDER/init"; exit 1; }
}

# up [mount's options…]: mounts L, at M.
up()
{
	local dir=()
	[ "$M" = "$L/buckets" ] || dir=("$M")
	"$TARN" mount "$L" "${dir[@]}" "$@" >"$FOLDER/mount" 2>&1 && mountpoint -q "$M" && return 0
	point 1 "tarn mount $*"
	note <"$FOLDER/mount"
	exit 1
}

# down: unmounts M, which must exit with 0.
down()
{
	cd / || exit 1
	"$TARN" umount "$M" >"$FOLDER/umount" 2>&1 && ! mountpoint -q "$M" && return 0
	point 1 "tarn umount"
	note <"$FOLDER/umount"
	exit 1
}

# both_ways FUNCTION: calls it with a lake that is mounted with passthrough, then with another, mounted without. Its
# argument says which, for the words of its points. It may unmount the lake itself.
both_ways()
{
	lake lake
	up
	"$1" passthrough
	! mountpoint -q "$M" || down
	lake second
	up -o passthrough=off
	"$1" cached
	! mountpoint -q "$M" || down
}

# linkat_module: for Python programs in $FOLDER, `from linkat import link`: link(fd, path) names an open file through
# /proc, which Python's own os.link does not always follow.
linkat_module()
{
	cat >"$FOLDER/linkat.py" <<-'END'
		import ctypes, os
		libc = ctypes.CDLL(None, use_errno=True)
		AT_FDCWD, AT_SYMLINK_FOLLOW = -100, 0x400
		def link(f, path):
		    name = f"/proc/self/fd/{f}".encode()
		    if libc.linkat(AT_FDCWD, name, AT_FDCWD, os.fsencode(path), AT_SYMLINK_FOLLOW) < 0:
		        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
	END
}

daemon_pid() { "$TARN" status "$L" --json | jq .pid; }

# crash: kills the daemon, and waits for its end. The mount stays, dead.
crash()
{
	local pid
	pid=$(daemon_pid)
	kill -9 "$pid"
	within 10 is_gone "$pid" || { point 1 "the daemon can be killed"; exit 1; }
}

# A process that nobody reaps is gone, too, once the last of its threads is.
is_gone()
{
	[ ! -e "/proc/$1" ] ||
		{ grep -q "^State:[[:space:]]*Z" "/proc/$1/status" && [ "$(grep -c . <(ls "/proc/$1/task"))" -le 1 ]; } 2>/dev/null
}

# fact NAME: a value of .catalog/stats.json.
fact() { jq -r ".$1" "$M/.catalog/stats.json"; }

# versions FILE: the names in FILE@v, in the order of their numbers, in one line.
versions()
{
	local names
	names=$(find "$1@v" -mindepth 1 -printf '%f\n' 2>/dev/null | sort -n)
	echo "${names//$'\n'/ }"
}

# history_of FILE FILTER: of each line of FILE@v/history.jsonl what jq's FILTER makes of it, in one line.
history_of()
{
	local lines
	lines=$(jq -rc "$2" "$1@v/history.jsonl")
	echo "${lines//$'\n'/ }"
}

# log_lines PATTERN: how many lines of the lake's log match.
log_lines() { grep -Ec "$1" "$L/logs/tarn.log"; }

# put TEXT FILE: overwrites a file, as `>` does, in a process of its own.
put() { sh -c 'printf "%s\n" "$1" >"$2"' sh "$1" "$2"; }

append() { sh -c 'printf "%s\n" "$1" >>"$2"' sh "$1" "$2"; }

# not COMMAND…: succeeds when the command fails.
not() { ! "$@"; }

# refused FILE, refused_in FOLDER: nothing about a synthetic file, or folder, can be changed (EROFS); but that one may make
# a folder in it. B/g is a file.
refused()
{
	local name=${1#"$M/"}
	fails EROFS "$name: overwriting" put x "$1"
	fails EROFS "$name: appending" append x "$1"
	fails EROFS "$name: truncating" truncate -s 0 "$1"
	fails EROFS "$name: removing" rm -f "$1"
	fails EROFS "$name: changing its mode" chmod 777 "$1"
	fails EROFS "$name: its owner" chown 1 "$1"
	fails EROFS "$name: its time" touch "$1"
	fails EROFS "$name: an attribute" setfattr -n user.x -v y "$1"
	fails EROFS "$name: renaming" mv "$1" "$B/name"
	fails EROFS "$name: renaming over it" mv "$B/g" "$1"
	fails EROFS "$name: linking" ln "$1" "$B/link"
}
refused_in()
{
	local name=${1#"$M/"}
	fails EROFS "$name: making a file in it" touch "$1/new"
	fails EROFS "$name: making a symlink in it" ln -s x "$1/new"
	fails EROFS "$name: making a pipe in it" mkfifo "$1/new"
	fails EROFS "$name: moving a file into it" mv "$B/g" "$1/new"
	fails EROFS "$name: removing it" rmdir "$1"
	fails EROFS "$name: renaming it" mv -T "$1" "$B/name"
	fails EROFS "$name: its mode" chmod 777 "$1"
}

# as_nobody COMMAND…: as an ordinary user without groups.
as_nobody()
{
	setpriv --reuid="$NOBODY" --regid="$NOBODY" --clear-groups env "HOME=$FOLDER/home" "USER=nobody" "$@"
}

# nobody_home: a folder of that user, with a copy of the program that the user can reach. Sets HOME_OF_NOBODY and TARN.
nobody_home()
{
	local program=$FOLDER/bin/tarn
	mkdir "$FOLDER/home" "$FOLDER/bin" && cp "$TARN" "$program" && chown "$NOBODY:$NOBODY" "$FOLDER/home"
	HOME_OF_NOBODY=$FOLDER/home TARN=$program
}

# ---- the first run: a time limit, and what is left afterwards ----

left_mounts()
{
	folder=$FOLDER awk 'index($5, ENVIRON["folder"] "/") == 1 { print $5 }' /proc/self/mountinfo | tac
}

# Processes that were started by the test have its folder in their environment.
left_processes()
{
	grep -lsazxF "FOLDER=$FOLDER" /proc/[0-9]*/environ | sed 's|^/proc/\([0-9]*\)/.*|\1|'
}

# Programs under test, not their helpers. One that is ending right now is not left.
left_daemons()
{
	local pid
	for pid in $(left_processes); do
		case $(readlink "/proc/$pid/exe") in
		"$(readlink -f "$TARN")" | "$FOLDER/bin/tarn") echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")" ;;
		esac
	done 2>/dev/null
}

no_daemons() { [ -z "$(left_daemons)" ]; }

log_errors()
{
	find "$FOLDER" -xdev -path '*/logs/*' -type f -exec grep -ha ' ERROR ' {} + 2>/dev/null |
		grep -Ev "${ALLOWED_ERRORS:-^$}"
}

tear_down()
{
	local pid dir
	for pid in $(left_processes); do
		kill -9 "$pid" 2>/dev/null
	done
	left_mounts | while read -r dir; do
		dir=$(printf '%b' "$dir")
		umount -l "$dir" 2>/dev/null || fusermount3 -u -z "$dir" 2>/dev/null
	done
	rm -rf --one-file-system "$FOLDER"
}

# nothing LIST TEXT: a point that is ok when the list is empty.
nothing()
{
	[ -z "$1" ]
	point $? "$2" || note <<<"$1"
}

# late STATUS: timeout(1) ended it.
late() { [ "$1" -eq 124 ] || [ "$1" -eq 137 ]; }

judge()
{
	local limit=$1 status=$2
	not late "$status"
	point $? "ended within $limit seconds"
	[ "$status" -eq 0 ] || late "$status" || point 1 "came to its end (status $status)"
	nothing "$(left_mounts)" "nothing is left mounted"
	within 5 no_daemons
	nothing "$(left_daemons)" "no daemon is left"
	nothing "$(log_errors)" "no log has errors"
	nothing "$(cat "$FOLDER"/report.* 2>/dev/null)" "no sanitizer has a report"
}

supervise()
{
	local limit=$((${LIMIT:-180} * (SLOW > 1 ? 3 : 1))) child status
	FOLDER=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-$(basename "$0" .sh).XXXXXX") || exit 1
	chmod 755 "$FOLDER"
	: >"$FOLDER/points"
	trap 'kill "$child" 2>/dev/null; wait "$child"; tear_down; exit 1' INT TERM HUP
	[ "$TARN_SANITIZE" = no ] || for tool in ASAN UBSAN TSAN; do
		eval "export ${tool}_OPTIONS=\${${tool}_OPTIONS:-log_path=$FOLDER/report}"
	done
	FOLDER=$FOLDER timeout --kill-after=10 "$limit" bash "$0" </dev/null &
	child=$!
	wait "$child"
	status=$?
	[ -e "$FOLDER/skipped" ] || { judge "$limit" "$status"; echo "1..$(wc -l <"$FOLDER/points")"; }
	tear_down
	exit 0
}

[ -n "${FOLDER:-}" ] || supervise
