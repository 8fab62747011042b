#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The secret of the remote is where it is needed, and nowhere else; a server that nobody vouches for gets nothing.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

cloud s3
[ -n "${S3_TLS_PORT:-}" ] || skip_all "the server speaks no TLS"
AWS_SESSION_TOKEN=''
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
secret=$S3_SECRET
export -n S3_SECRET
copied() { S3_SECRET=$secret s3 keys "$CLOUD_BUCKET" pre/.tarn/meta/ | grep -c snapshot-; }
says() { grep -q "$1" "$L/logs/tarn.log"; }
# The daemon and what it has started, as /proc has them.
of_daemon()
{
	local pid
	for pid in "$daemon" $(pgrep -P "$daemon"); do
		cat "/proc/$pid/environ" "/proc/$pid/cmdline" 2>/dev/null | tr '\0' '\n'
	done
}

# ---- TLS ----
lake lake
REMOTE=${REMOTE/http:\/\/127.0.0.1:$S3_PORT/https:\/\/127.0.0.1:$S3_TLS_PORT}
REMOTE=${REMOTE/cloud_prefix: pre/cloud_prefix: pre, metadata_interval: 1}
settings 'buckets: {data: {}}'
up
echo one >"$B/one"
ok "a certificate of an unknown authority is refused" within 30 says 'certificate'
is "$(copied)" 0 "and nothing goes there"
ok "the mount works all the same" test -s "$B/one"
down

REMOTE=${REMOTE/cloud_prefix: pre/cloud_prefix: pre, cloud_ca_file: $S3_CA}
settings 'buckets: {data: {}}'
up
echo two >"$B/two"
ok "one of an authority that is named is taken" within 60 test -s "$L/catalog/changes/copied"
ok "and the record goes there" within 30 equal 1 copied

# ---- the secret ----
daemon=$(daemon_pid)
of_daemon >"$FOLDER/shown"
ok "the daemon's environment can be seen" grep -q '^PATH=' "$FOLDER/shown"
ok "and shows it no more, nor do its arguments" not grep -qF "$secret" "$FOLDER/shown"
is "$(cat "/proc/$daemon/coredump_filter")" 00000000 "memory is not in core dumps"
{
	"$TARN" status "$L" --json
	"$TARN" status "$L"
	"$TARN" doctor "$L"
	cat "$M/.catalog/stats.json"
} >"$FOLDER/out" 2>&1
ok "nor do status and doctor" not grep -qF "$secret" "$FOLDER/out"
down
sed -i 's/cloud_region/cloud_storage_class: NONE-SUCH, cloud_region/' "$L/config/settings.yaml"
AWS_SECRET_ACCESS_KEY=wrong-$secret up
echo three >"$B/three"
ok "a wrong one is told" within 60 says 'the secret key is wrong'
down
ok "and no file of the lake has it, logs and catalog" not grep -rqF "$secret" "$L"
