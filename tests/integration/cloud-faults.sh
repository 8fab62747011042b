#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One request of ten fails, and the server is stopped in between, while files are written, evicted, read and renamed: no
# wrong byte, no lost file, no error later than 30 s, and what needs no cloud never waits. FAULTS_SECONDS (30) and
# FAULTS_STOPPED (8): how long; tests/long/cloud-faults.sh takes 15 minutes. The rates are of one request each; what is cut is
# an answer with a body.
seconds=${FAULTS_SECONDS:-30} stopped=${FAULTS_STOPPED:-8}
LIMIT=$((seconds + seconds / 10 + 240))
ALLOWED_ERRORS='cannot|cloud|s3://'
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

cloud s3 faulty
lake lake
settings 'storage: {min_age: 0, local_capacity_gb: 0.05}' 'buckets: {data: {tier: cloud}, kept: {tier: pinned}}'
mkdir "$M/kept"
up
mkfifo "$FOLDER/go"
python3 "$TARN_SOURCE/tests/long/cloud_faults.py" "$TARN" "$M" "$seconds" "$stopped" "$S3_PROXY_PID" \
	>"$FOLDER/told" 2>"$FOLDER/trace" <"$FOLDER/go" &
load=$!
exec 7>"$FOLDER/go"
told() { jq -r "select(.phase == \"$1\") | $2" "$FOLDER/told"; }
phase() { [ -n "$(told "$1" .phase)" ] || ! kill -0 $load 2>/dev/null; }
within $((seconds + 60)) phase clean
echo "# without faults: $(told clean '"\(.operations) operations, \(.errors) errors"')"
faults '[{"do": "status", "status": 503, "code": "SlowDown", "rate": 0.06, "seed": 1},
	{"do": "reset", "rate": 0.05, "seed": 2}, {"method": "GET", "do": "cut", "after": 500, "rate": 0.03, "seed": 3}]'
echo >&7
within $((seconds + 150)) phase load
echo "# $(told load '"\(.operations) operations, \(.errors) errors, the slowest \(.slowest) s, an error \(.slowest_error) s; \(.probes) probes, the slowest \(.slowest_probe) s"')"
echo "# $(s3_counts '"\(.requests) requests, failed: \(.fired), \(1000 * (.fired | add) / .requests | round / 10) %"')"
for what in list stat statfs local; do
	echo "# $what, median and 99th percentile in ms: $(told load ".probed | \"without faults \(.clean.$what), with \(.faults.$what), stopped \(.stopped.$what)\"")"
done
is "$(told load .hung)" 0 "nobody hangs"
is "$(told load '.wrong | join(", ")')" '' "no byte is wrong"
is "$(told load '.unexpected | join(", ")')" '' "no error is another than that the cloud cannot be reached"
is "$(told load '.late | join(", ")')" '' "no call takes longer than 30 s"
ok "what needs no cloud does not wait for it" [ "$(told load '.slow_probes * 100 <= .probes and .slowest_probe < '$((3 * SLOW)))" = true ]
ok "something was done" [ "$(told load .operations)" -gt 50 ]
ok "and did fail" [ "$(s3_counts '.fired | add')" -gt 3 ]
faults '[]'
echo >&7
within 120 phase end
is "$(told end '.lost | join(", ")')" '' "no file is lost"
is "$(told end '.unread | join(", ")')" '' "each can be read when the server answers again"
is "$(told end '.wrong | join(", ")')" '' "and has the right bytes"
note <"$FOLDER/trace"
wait $load
down
