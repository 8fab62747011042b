# SPDX-License-Identifier: GPL-3.0-or-later
# What the suites of this folder share. A suite sources this file, makes lakes below $WORK, and prints one TAP point
# for each thing that it shows, with its figures. What the programs print goes to $WORK/*.log. Nothing that a suite
# starts outlives it: see clean_up().
#
# From run: TARN (the program), SUITES (a folder, or empty), RUN_USER (an ordinary user), WORK (an empty folder).
# shellcheck shell=bash
set -u -o pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAKE='' MNT='' MODE='' MODE_OPTIONS=()
MOUNTS=()    # what is mounted now
CHILDREN=()  # process ids started in the background by the suite

pass() { echo "ok - $*"; }
fail() { echo "not ok - $*"; }
skip() { echo "ok - $1 # SKIP $2"; }
note() { cut -c1-200 | sed 's/^/# /'; }

# result STATUS TEXT [LOG]: a point; when it failed, the end of the log too.
result()
{
	if [ "$1" -eq 0 ]; then
		pass "$2"
	else
		fail "$2"
		[ $# -lt 3 ] || tail -n 10 "$3" | note
	fi
}

# holds EXPRESSION: as test(1), for a result.
holds() { test "$@"; }

# Ends the suite when a program is missing. The words say what to install.
need()
{
	command -v "$1" >/dev/null || { skip "${0##*/}" "$1 is missing: $2"; exit 0; }
}

need_suite()
{
	[ -n "$SUITES" ] && [ -x "$SUITES/$1" ] || { skip "${0##*/}" "SUITES/$1 is missing (SUITES.md)"; exit 0; }
}

need_root()
{
	[ "$(id -u)" -eq 0 ] || { skip "${0##*/}" "needs root"; exit 0; }
}

clean_up()
{
	local pid dir
	cd /
	for pid in "${CHILDREN[@]}"; do
		kill -9 "$pid" 2>/dev/null
	done
	for dir in "${MOUNTS[@]}"; do
		timeout 60 "$TARN" umount "$dir" >/dev/null 2>&1 && continue
		mountpoint -q "$dir" 2>/dev/null || stat "$dir" 2>&1 | grep -q 'not connected' || continue
		pid=$(daemon_pid "$dir")
		[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null
		umount -l "$dir" 2>/dev/null || fusermount3 -uz "$dir" 2>/dev/null
	done
}
trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# as_user COMMAND…: as RUN_USER, with WORK/home, a folder of that user's, as its home and its WORK.
as_user()
{
	local user group
	user=$(id -u "$RUN_USER") group=$(id -g "$RUN_USER")
	[ -d "$WORK/home" ] || { mkdir "$WORK/home" && chown "$user:$group" "$WORK/home"; }
	setpriv --reuid="$user" --regid="$group" --clear-groups env -C "$WORK/home" "WORK=$WORK/home" "HOME=$WORK/home" \
		"USER=$RUN_USER" "LOGNAME=$RUN_USER" "$@"
}

# lake NAME: makes a lake without buckets; sets LAKE and MNT.
lake()
{
	LAKE=$WORK/$1 MNT=$WORK/$1.mnt
	"$TARN" init "$LAKE" --empty >"$WORK/init.log" 2>&1 && mkdir -p "$MNT" || {
		fail "tarn init"
		note <"$WORK/init.log"
		exit 1
	}
	[ -z "${LONG_TIERS:-}" ] || two_tiers
}

# two_tiers: LAKE has a cloud, a folder beside it. Its bucket work is of the tier that LONG_TIERS names (mirror, cloud);
# half of its other files, which no suite looks at, are stubs.
two_tiers()
{
	local i try files=()
	mkdir -p "$LAKE.cloud" "$LAKE/buckets/work" "$LAKE/buckets/other"
	cat >"$LAKE/config/settings.yaml" <<-END
		storage: {min_age: 0}
		hybrid_storage: {cloud_provider: dir, cloud_path: '$LAKE.cloud', cloud_allow_same_disk: true}
		buckets: {work: {tier: $LONG_TIERS}, other: {tier: local}}
	END
	for ((i = 0; i < 200; i++)); do
		head -c 100000 /dev/urandom >"$LAKE/buckets/other/$i"
		((i % 2)) || files+=("$MNT/other/$i")
	done
	up
	for ((try = 0; try < 60; try++)); do # they are found and hashed before
		"$TARN" evict "${files[@]}" >"$WORK/evict.log" 2>&1 && break
		sleep 0.5
	done
	down
	[ "$(find "$LAKE/buckets/other" -type l | wc -l)" -eq 100 ] && return 0
	fail "half of the files leave for the cloud"
	note <"$WORK/evict.log"
	exit 1
}

# up [OPTION…]: mounts LAKE at MNT.
up()
{
	is_up "$MNT" || MOUNTS+=("$MNT")
	"$TARN" mount "$LAKE" "$MNT" "${MODE_OPTIONS[@]}" "$@" >"$WORK/mount.log" 2>&1 </dev/null &&
		mountpoint -q "$MNT" && return 0
	fail "tarn mount${MODE:+ ($MODE)}"
	note <"$WORK/mount.log"
	exit 1
}

is_up()
{
	local dir
	for dir in "${MOUNTS[@]}"; do
		[ "$dir" != "$1" ] || return 0
	done
	return 1
}

# down [WHAT]: unmounts MNT; a point only if that fails.
down()
{
	local dir rest=()
	cd /
	timeout 120 "$TARN" umount "$MNT" >"$WORK/umount.log" 2>&1 </dev/null
	local status=$?
	if [ $status -ne 0 ] || mountpoint -q "$MNT"; then
		fail "tarn umount${1:+ after $1}: status $status"
		note <"$WORK/umount.log"
		exit 1
	fi
	for dir in "${MOUNTS[@]}"; do
		[ "$dir" = "$MNT" ] || rest+=("$dir")
	done
	MOUNTS=("${rest[@]}")
}

# The daemon that serves a mount point: the oldest process of this program that names it.
daemon_pid()
{
	local pid word
	for pid in $(ps -eo pid= --sort=start_time); do
		[ "$pid" -ne $$ ] && [ -r "/proc/$pid/cmdline" ] || continue
		[ "$(readlink "/proc/$pid/exe")" != "$(readlink -f /bin/bash)" ] || continue
		while IFS= read -r -d '' word; do
			[ "$word" = "$1" ] && { echo "$pid"; return; }
		done <"/proc/$pid/cmdline"
	done 2>/dev/null
}

# modes FUNCTION: calls it for a mount with passthrough and for one without, or for what LONG_MODES (with, without) says.
# MODE is for the words of a point.
modes()
{
	local mode
	for mode in ${LONG_MODES:-with without}; do
		MODE="$mode passthrough" MODE_OPTIONS=()
		[ "$mode" = with ] || MODE_OPTIONS=(-o passthrough=off)
		"$1"
	done
	MODE='' MODE_OPTIONS=()
}

# lake_up NAME: a fresh lake, mounted, with the bucket B, which is also the working folder.
lake_up()
{
	lake "$1"
	up
	B=$MNT/work
	mkdir -p "$B" && cd "$B" || { fail "mkdir at the mount's root"; exit 1; }
}

# lake_gone: unmounts and removes the lake of lake_up.
lake_gone()
{
	down "$@"
	rm -rf --one-file-system "$LAKE" "$LAKE.cloud" "$MNT"
}

# seconds SINCE: with two digits, since a value of EPOCHREALTIME.
seconds()
{
	awk -v a="$1" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", b - a }'
}
