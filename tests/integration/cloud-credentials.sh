#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What has no secret in it: every verb that tells of the remote, what tarn starts, the log of a lake whose secret is
# refused, all files of a lake.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

# holds_secret FILE…: one of them has the secret, or the start of it.
holds_secret() { grep -lasF -e "$secret" -e "${secret:0:12}" "$@"; }
pids_of_tarn()
{
	local pid
	for pid in $(left_processes) "$(daemon_pid)"; do
		[ "$(readlink "/proc/$pid/exe")" != "$(readlink -f "$TARN")" ] || echo "$pid"
	done
}
uploaded() { [ "$(fact files_cloud)" -ge 1 ]; }

cloud s3
secret=$S3_SECRET
lake lake
settings 'buckets: {data: {tier: cloud}}' 'storage: {min_age: 0}' 'monitoring: {log_level: DEBUG}'
export AWS_SESSION_TOKEN=
ulimit -c unlimited
up
seq 100000 >"$B/file"
ok "a file is uploaded" within 30 uploaded
ok "and read back" cmp <(seq 100000) "$B/file"

pid=$(daemon_pid)
is "$(holds_secret "/proc/$pid/environ" "/proc/$pid/cmdline")" '' "the daemon's environment and arguments do not have it"
is "$(for p in $(pids_of_tarn); do holds_secret "/proc/$p/environ" "/proc/$p/cmdline"; done)" '' "nor have those of others"
ps axww -o args >"$FOLDER/ps"
is "$(holds_secret "$FOLDER/ps")" '' "ps does not show it"
is "$(find "$L" -xdev -type f -exec grep -lasF "$secret" {} +)" '' "no file of the lake has it, no log either"
for verb in "status $L" "status $L --json" "doctor $L" "doctor $L --json" "tier status $L" "tier status $L --json" "tier plan $L"; do
	# shellcheck disable=SC2086
	is "$("$TARN" $verb 2>&1 | grep -cF "$secret")" 0 "tarn ${verb/$L/LAKE} does not say it"
done

# What tarn starts does not get it: diff(1) is another one here, that says what it was given.
mkdir "$FOLDER/path"
cat >"$FOLDER/path/diff" <<-END
	#!/bin/sh
	env >"$FOLDER/given"
END
chmod +x "$FOLDER/path/diff"
echo one >"$B/a.txt"
echo two >"$B/b.txt"
PATH=$FOLDER/path:$PATH "$TARN" diff "$B/a.txt" "$B/b.txt" >"$FOLDER/said" 2>&1
ok "a child was started" test -s "$FOLDER/given"
is "$(holds_secret "$FOLDER/given")" '' "and was not given it"

# A core dump has no memory that it could be in.
is $((0x$(cat "/proc/$pid/coredump_filter") & 3)) 0 "no anonymous memory goes to core dumps"
down

# ---- a secret that is refused is not told either, nor that it is wrong by showing it ----
export AWS_SECRET_ACCESS_KEY=another-secret-of-nobody
secret=$AWS_SECRET_ACCESS_KEY
up
seq 10 >"$B/late"
refused() { log_lines 'cannot .*Permission denied' >/dev/null; }
ok "a wrong secret is said" within 30 refused
ok "what was written is there" cmp <(seq 10) "$B/late"
"$TARN" doctor "$L" >"$FOLDER/out" 2>&1
is "$(find "$L" -xdev -type f -exec grep -lasF "$secret" {} +)$(holds_secret "$FOLDER/out")" '' "neither has the secret"
down
