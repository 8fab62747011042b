#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The S3 server and the proxy of the tests do what tests rely on: else a test that passes says nothing.
set -u -o pipefail
export LC_ALL=C.UTF-8
: "${TARN_SOURCE:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$TARN_SOURCE/tests/s3/use.sh"

points=0
ok()
{
	local text=$1
	shift
	points=$((points + 1))
	if "$@" >"$T/said" 2>&1; then
		echo "ok $points - $text"
	else
		echo "not ok $points - $text"
		head -c 1000 "$T/said" | sed 's/^/# /'
	fi
}
not() { ! "$@"; }
curl_s3() { curl -sS -f --aws-sigv4 aws:amz:us-east-1:s3 -H x-amz-content-sha256:UNSIGNED-PAYLOAD "$@"; }

missing=$(s3_missing)
[ -z "$missing" ] || { echo "1..0 # SKIP $missing"; exit 0; }
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-server.XXXXXX") || exit 1
trap 'kill ${S3_PROXY_PID:-} 2>/dev/null; s3 empty "$bucket" 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
bucket=server-$$

ok "it starts" s3_use
ok "a bucket can be made" s3 mb $bucket
url=http://127.0.0.1:$S3_PORT/$bucket
seq 100000 >"$T/file"
key='a b+c=@ü~//x%41'
ok "an object can be put" s3 put $bucket "$key" "$T/file"
ok "its key is what was said" [ "$(s3 keys $bucket)" = "$key" ]
s3 get $bucket "$key" >"$T/back"
ok "its bytes, too" cmp "$T/file" "$T/back"
s3 put $bucket plain "$T/file"
ok "curl's signature is one" curl_s3 -u "$S3_ACCESS:$S3_SECRET" -o "$T/back" "$url/plain"
ok "a wrong secret is refused" not curl_s3 -u "$S3_ACCESS:wrong" "$url/plain"
ok "nobody gets nothing" not curl -sS -f "$url/plain"
curl_s3 -u "$S3_ACCESS:$S3_SECRET" -r 10-19 "$url/plain" >"$T/part"
ok "a range is what was asked for" cmp <(head -c 20 "$T/file" | tail -c 10) "$T/part"
ok "If-None-Match holds" not curl_s3 -u "$S3_ACCESS:$S3_SECRET" -T "$T/file" -H 'If-None-Match: *' "$url/plain"
ok "a body with another hash is refused" not curl -sS -f --aws-sigv4 aws:amz:us-east-1:s3 -u "$S3_ACCESS:$S3_SECRET" \
	-H "x-amz-content-sha256: $(echo other | sha256sum | cut -c1-64)" -T "$T/file" "$url/hash"
ok "TLS has the CA that it says" curl -sS --cacert "$S3_CA" "https://127.0.0.1:$S3_TLS_PORT/"
ok "and no other" not curl -sS "https://127.0.0.1:$S3_TLS_PORT/"

s3_faults "$T"
through=http://127.0.0.1:$S3_PROXY/$bucket/plain
get() { curl_s3 -u "$S3_ACCESS:$S3_SECRET" -o "$T/back" -w '%{http_code} %{size_download} %{errormsg}' "$@" "$through"; }
ok "the proxy passes on" get
ok "all of it" cmp "$T/file" "$T/back"
s3_rules '[{"do": "status", "status": 503, "code": "SlowDown", "times": 1}, {"do": "reset", "times": 1},
	{"do": "reset", "after": 1000, "times": 1}, {"do": "cut", "after": 1000, "times": 1}, {"do": "flip", "after": 7, "times": 1}]'
ok "it answers for the server" [ "$(get | cut -c1-3)" = 503 ]
ok "it resets" [ "$(get 2>/dev/null | cut -d' ' -f1,2)" = "000 0" ]
ok "also within a body" [ "$(get 2>/dev/null | cut -d' ' -f2)" = 1000 ]
ok "it cuts a body off" not get
ok "it changes a byte" get
ok "which is not as before" not cmp -s "$T/file" "$T/back"
ok "it counts" [ "$(s3_counts '[.requests, (.fired | add)] | join(" ")')" = "5 5" ]
s3_rules '[{"method": "PUT", "do": "lost"}]'
ok "it loses an answer" not curl_s3 -u "$S3_ACCESS:$S3_SECRET" -T "$T/file" "${through%plain}lost"
s3 get $bucket lost >"$T/back"
ok "of what was done" cmp "$T/file" "$T/back"
echo "1..$points"
