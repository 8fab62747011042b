# How a test gets the S3 server that all tests of a run share (tests/s3/rgw), and a proxy before it that makes faults.
# Sourced by tests/integration/cloud-lib.sh, tests/s3/*.sh and tests/long/.
# shellcheck shell=bash

S3_TOOLS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
S3_FOLDER=${TARN_BUILD:-${TMPDIR:-/var/tmp}}/s3-server

# s3_use: the server runs until this shell has ended. Sets S3_PORT and what else is in rgw's file, without exporting it;
# 1 when it does not start.
s3_use()
{
	mkdir -p "$S3_FOLDER" && exec {s3_users}>"$S3_FOLDER/users" && flock -s "$s3_users" || return
	"$S3_TOOLS/rgw" use "$S3_FOLDER" >&2 || return
	. "$S3_FOLDER/server"
}

# s3_missing: which program is not there; nothing when the server can be started.
s3_missing()
{
	local tool
	for tool in radosgw ceph-mon ceph-osd ceph openssl; do
		command -v $tool >/dev/null || { echo "$tool is missing (Debian: radosgw ceph-mon ceph-osd ceph-common openssl)"; return; }
	done
}

# s3 …: the little client that looks at the server from outside, past the proxy: see tests/s3/s3.
s3() { S3_PORT=$S3_PORT S3_ACCESS=$S3_ACCESS S3_SECRET=$S3_SECRET python3 "$S3_TOOLS/s3" "$@"; }

# s3_faults FOLDER [CERTIFICATE KEY]: a proxy before the server, that ends with this shell's test. Sets S3_PROXY, its port.
s3_faults()
{
	local folder=$1 try
	shift
	rm -f "$folder/proxy-port"
	python3 "$S3_TOOLS/faults" "$S3_PORT" "$folder/proxy-port" "$@" >"$folder/proxy.log" 2>&1 &
	S3_PROXY_PID=$!
	for try in $(seq 600); do
		[ ! -s "$folder/proxy-port" ] || break
		sleep 0.05
	done
	S3_PROXY=$(cat "$folder/proxy-port")
}

# s3_rules JSON: what the proxy does from now on; "[]": nothing.
s3_rules() { curl -sS -f -o /dev/null -X PUT --data-binary "$1" "http://127.0.0.1:$S3_PROXY/-/rules"; }

# s3_counts FILTER: of the proxy's counters, what jq's filter makes of them.
s3_counts() { curl -sS "http://127.0.0.1:$S3_PROXY/-/rules" | jq -r "$1"; }
