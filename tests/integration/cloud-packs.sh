#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# History that was never uploaded leaves for the cloud when there is no room for it: as packs, and what does not pack as
# it is. Nothing of it expires, it is read as before, and purged there, too.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

export TARN_HYBRID_STORAGE_METADATA_INTERVAL=1
cloud dir
lake lake
settings 'buckets: {data: {}}' \
	'storage: {history_budget_gb: 0.00001, pack_after: 3600, cloud_burst_enabled: true}'
up
F=$B/table.csv

rows() { awk -v n="$2" -v seed="$1" 'BEGIN { srand(seed); for (i = 0; i < n; i++) print i "," rand() "," rand() }'; }
packs() { find "$CLOUD_DIR" -type f -path '*/.tarn/packs/*' | wc -l; }
at_most() { [ "$("${@:2}")" -le "$1" ]; }
at_least() { [ "$("${@:2}")" -ge "$1" ]; }

rows 1 20000 >"$FOLDER/1"
for i in 2 3 4 5 6; do
	{ sed "${i}0s/,/,changed,/; ${i}000s/,/,,/" "$FOLDER/$((i - 1))"; rows "$i" 10; } >"$FOLDER/$i"
done
for i in 1 2 3 4 5 6; do cp "$FOLDER/$i" "$F"; done
rm "$F"
head -c 300000 /dev/urandom >"$FOLDER/noise"
cp "$FOLDER/noise" "$B/noise"
rm "$B/noise"
{ head -c 1000 /dev/urandom; echo 'xQ7#zKp9@LwVt2 nobody knows'; head -c 1000 /dev/urandom; } >"$B/secret"
rm "$B/secret"

ok "packs leave for the cloud" within 60 at_least 1 packs
ok "and what does not pack as it is" within 60 equal 1 fact versions_kept_cloud
ok "until history takes no more than its budget" within 60 at_most 10000 fact history_bytes
is "$(cat "$F@v/history.jsonl" "$B/noise@v/history.jsonl" | grep -c '"state":"expired"')" 0 "nothing expired"
all() { for i in 1 2 3 4 5 6; do cmp "$FOLDER/$i" "$F@v/$i.csv" || return 1; done; cmp "$FOLDER/noise" "$B/noise@v/1"; }
ok "every version reads as it was" all
is "$(tail -c 1000 "$F@v/3.csv" | cksum)" "$(tail -c 1000 "$FOLDER/3" | cksum)" "in part, too"
down
rm -rf "$L/cache"/*
up
ok "and after the next mount" all

exits 0 "what is in the cloud is right" "$TARN" scrub "$L" --cloud
rm -rf "$L/cache"/*
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
exits 0 "a remote that is away is no damage" "$TARN" scrub "$L" --again
like "$(cat "$FOLDER/out")" ' 0 damaged' "which is said"
mv "$CLOUD_DIR.away" "$CLOUD_DIR"
ok "all is still there" all

grep -rqF 'xQ7#zKp9@LwVt2 nobody knows' "$CLOUD_DIR"
is $? 0 "a secret is in the cloud"
ok "it is purged" "$TARN" purge --yes "$B/secret"
gone() { ! grep -rqF 'xQ7#zKp9@LwVt2 nobody knows' "$CLOUD_DIR" "$L"; }
ok "and is nowhere any more" within 20 gone
ok "all the others read as they were" all
ok "history comes down to its budget again" within 60 at_most 10000 fact history_bytes
ok "and is all there" all
ok "the record of it is copied" within 30 record_copied "$("$TARN" status "$L" --json | jq .commit)"
down
is "$(log_lines ERROR)" 0 "nothing went wrong"

# The disk is lost. Packs are read from the cloud then, without an index.
rm -rf "$L"
ok "the lake is restored" "$TARN" restore-lake "$CLOUD_DIR/pre" "$L"
up
ok "with its history" all
down
