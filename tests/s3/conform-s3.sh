# The conformance test of tier/ (tests/s3/conform.h) over a real server, with signature $1, or only the cases with $2 in
# their names: for conform-curl.sh, conform-libs3.sh.
# shellcheck shell=bash
set -u
export LC_ALL=C.UTF-8
: "${TARN_BUILD:?the build tree}" "${TARN_SOURCE:=$(cd "$(dirname "$0")/../.." && pwd)}"
. "$TARN_SOURCE/tests/s3/use.sh"

missing=$(s3_missing)
[ -z "$missing" ] || { echo "1..0 # SKIP $missing"; exit 0; }
T=$(mktemp -d "${TMPDIR:-/var/tmp}/tarn-conform-s3.XXXXXX") || exit 1
trap 'kill ${S3_PROXY_PID:-} 2>/dev/null; rm -rf "$T"' EXIT
trap 'exit 1' INT TERM HUP
bucket=conform-$1-$$
s3_use && s3 mb "$bucket" && s3_faults "$T" || exit 1
unset AWS_SESSION_TOKEN AWS_PROFILE AWS_CA_BUNDLE http_proxy https_proxy
export S3_CA S3_PORT S3_PROXY S3_SECRET S3_TLS_PORT TMPDIR=$T AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
remote="cloud_provider: s3, cloud_bucket: $bucket, cloud_prefix: pre, cloud_region: us-east-1, signature: $1, \
cloud_endpoint: "
export CONFORM_SETTINGS="hybrid_storage: {$remote'http://127.0.0.1:$S3_PORT'}"
export CONFORM_FAULTY="hybrid_storage: {$remote'http://127.0.0.1:$S3_PROXY'}"
timeout 600 "$TARN_BUILD/tests/s3/conformance" ${2:+"$2"}
