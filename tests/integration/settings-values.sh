#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Settings from the environment, expanded variables, chosen environments, and files that were written for other systems.
. "$(dirname "$0")/lib.sh"

lake lake
mounted() { "$TARN" mount "$L" "$@" >"$FOLDER/out" 2>&1 && "$TARN" umount "$L" >>"$FOLDER/out" 2>&1; }
tier() { "$TARN" bucket list --lake "$L" --json | jq -r '.. | objects | select(.name? == "data" or .bucket? == "data") | .tier'; }

exits 78 "a wrong value in the environment" env TARN_STORAGE_MIN_AGE=soon "$TARN" mount "$L"
like "$(cat "$FOLDER/out")" 'TARN_STORAGE_MIN_AGE.*soon' "is named"
exits 78 "an environment that there is not" env TARN_ENV=nowhere "$TARN" mount "$L"
ok "without one the log has what is usual" mounted
ok "that it is mounted" grep -q ' INFO .* is mounted' "$L/logs/tarn.log"
: >"$L/logs/tarn.log"
TARN_MONITORING_LOG_LEVEL=error ok "with another level in the environment" mounted
is "$(cat "$L/logs/tarn.log")" "" "it has not"

cat >"$L/config/settings.yaml" <<-'END'
	storage: {local_capacity_gb: "${TARN_TEST_CAPACITY:-5}"}
	buckets:
	  data: {tier: "${TARN_TEST_TIER}"}
	environments:
	  production: {buckets: {data: {tier: mirror}}}
END
exits 78 "a variable that is not set" "$TARN" mount "$L"
like "$(cat "$FOLDER/out")" TARN_TEST_TIER "is named"
export TARN_TEST_TIER=pinned
ok "when it is set the lake mounts" mounted
is "$(tier)" pinned "and it is used"
is "$(TARN_ENV=production tier)" mirror "the environment that is chosen is merged over"
TARN_ENV=production ok "TARN_ENV is for mount, too" mounted
ok "so is -o env" mounted -o env=production
unset TARN_TEST_TIER

for file in windows-born example; do
	cp "$TARN_SOURCE/tests/data/settings/$file.yaml" "$L/config/settings.yaml"
	ok "$file.yaml mounts" mounted
	is "$(grep -c error "$FOLDER/out")" 0 "$file.yaml: with warnings at most"
done
