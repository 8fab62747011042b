#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# import, sync and restore-lake with a real S3 server.
LIMIT=280
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
export TARN_HYBRID_STORAGE_METADATA_INTERVAL=1
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }

cloud s3
lake lake
settings 'buckets: {data: {}}'
mkdir "$FOLDER/o"
for i in $(seq 30); do
	echo "object $i" >"$FOLDER/o/f $i"
	put_object "shared/a b/f $i" "$FOLDER/o/f $i"
done
for i in $(seq 20); do echo "mine $i" >"$B/g$i"; done
(cd "$B" && find . -type f -printf 'data/%P\n') | "$SEND" "$L" -s - || point 1 'the files are sent'
up
exits 0 "objects are imported" "$TARN" import "s3://$CLOUD_BUCKET/pre/shared" "$M/shared"
like "$(cat "$FOLDER/out")" '^30 new files' "all of them"
ok "with their bytes" diff <(sums "$FOLDER/o") <(sums "$M/shared/a b")
echo changed >"$FOLDER/x"
put_object "shared/a b/f 2" "$FOLDER/x"
exits 0 "a change is found" "$TARN" sync "s3://$CLOUD_BUCKET/pre/shared" "$M/shared"
is "$(cat "$M/shared/a b/f 2")" changed "and is the file's content"
sums "$M" >"$FOLDER/sums"
now=$("$TARN" status "$L" --json | jq .commit)
ok "the record is copied" within 60 record_copied "$now"
down
rm -rf "$L"
"$TARN" restore-lake "s3://$CLOUD_BUCKET/pre" "$L" --endpoint "http://127.0.0.1:$S3_PORT" --region us-east-1 \
	>"$FOLDER/restored" 2>&1
is $? 3 "the lake comes back, but for the version that was only here"
up
ok "with all bytes" diff "$FOLDER/sums" <(sums "$M")
down
