# What tests of a lake with a cloud share. A test sources lib.sh, then this file:
#
#	cloud s3			# a remote of the test's own; or: cloud dir
#	lake lake
#	settings 'buckets: {data: {tier: cloud}}'
#	up
#
# s3 is a real server, shared by all tests of a run (tests/s3/rgw); libs3 the same through libs3. With `faulty` behind it
# a proxy is between (tests/s3/faults says what rules are):
#
#	cloud s3 faulty
#	faults '[{"method": "GET", "do": "reset", "times": 2}]'
# shellcheck shell=bash
. "$(dirname "${BASH_SOURCE[0]}")/../s3/use.sh"

# cloud KIND [faulty]: sets REMOTE, the section of the settings; for dir also CLOUD_DIR, else CLOUD_BUCKET.
cloud()
{
	CLOUD=$1
	if [ "$CLOUD" = dir ]; then
		CLOUD_DIR=$FOLDER/cloud
		mkdir "$CLOUD_DIR"
		REMOTE="hybrid_storage: {cloud_provider: dir, cloud_path: $CLOUD_DIR, cloud_prefix: pre, cloud_allow_same_disk: true}"
		return
	fi
	local missing port signature=v4
	missing=$(s3_missing)
	[ -z "$missing" ] || skip_all "$missing"
	s3_use || { point 1 "the S3 server starts"; exit 1; }
	[ "$CLOUD" != libs3 ] || signature=v2
	CLOUD_BUCKET=t-${FOLDER##*.}-$RANDOM
	CLOUD_BUCKET=${CLOUD_BUCKET,,} # as names of buckets must be
	s3 mb "$CLOUD_BUCKET" || { point 1 "a bucket can be made"; exit 1; }
	export AWS_ACCESS_KEY_ID=$S3_ACCESS AWS_SECRET_ACCESS_KEY=$S3_SECRET
	unset AWS_SESSION_TOKEN AWS_PROFILE http_proxy https_proxy
	port=$S3_PORT
	[ "${2:-}" != faulty ] || { s3_faults "$FOLDER" && port=$S3_PROXY; }
	REMOTE="hybrid_storage: {cloud_provider: s3, cloud_bucket: $CLOUD_BUCKET, cloud_prefix: pre, cloud_region: us-east-1, \
cloud_endpoint: 'http://127.0.0.1:$port', signature: $signature}"
}

# settings [LINES…]: settings.yaml is the remote and these lines.
settings() { printf '%s\n' "$REMOTE" "$@" >"$L/config/settings.yaml"; }

faults() { s3_rules "$1"; }

# objects [PREFIX]: the keys of the remote below pre/, a line each, sorted, without tarn's own.
objects()
{
	if [ "$CLOUD" = dir ]; then
		(cd "$CLOUD_DIR/pre" 2>/dev/null && find . -type f ! -path './.*' | sed 's|^\./||')
	else
		s3 keys "$CLOUD_BUCKET" pre/ | sed 's|^pre/||' | grep -v '^\.tarn/'
	fi | grep -E "^${1:-}" | sort
}

# record_copied COMMIT: has the record been copied to the remote up to there?
record_copied()
{
	local end
	end=$(sed -n 's/^end //p' "$L/catalog/changes/copied" 2>/dev/null)
	[ -n "$end" ] && [ $((16#$end)) -ge "$1" ]
}

# object KEY: its bytes; KEY without pre/.
object()
{
	if [ "$CLOUD" = dir ]; then cat "$CLOUD_DIR/pre/$1"; else s3 get "$CLOUD_BUCKET" "pre/$1"; fi
}

# put_object KEY FILE: as somebody else would who knows nothing of tarn.
put_object()
{
	if [ "$CLOUD" = dir ]; then
		mkdir -p "$(dirname "$CLOUD_DIR/pre/$1")" && cp "$2" "$CLOUD_DIR/pre/$1"
	else
		s3 put "$CLOUD_BUCKET" "pre/$1" "$2"
	fi
}

remove_object()
{
	if [ "$CLOUD" = dir ]; then rm "$CLOUD_DIR/pre/$1"; else s3 rm "$CLOUD_BUCKET" "pre/$1"; fi
}
