#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What tarn doctor says of the cloud, and the one warning of a lake that is above its threshold without one.
. "$(dirname "$0")/lib.sh"

lake lake
told() { "$TARN" doctor "$L" --json | jq -r '.findings[] | select(.check == "cloud") | .health + ": " + .what'; }
provider() { printf 'hybrid_storage: {%s}\nbuckets: {data: {tier: %s}}\n' "$1" "${2:-local}" >"$L/config/settings.yaml"; }

provider "cloud_provider: none" mirror
like "$(told)" "warning: none is configured, and these buckets want one: data" "no cloud, and a bucket that wants one"
mkdir "$FOLDER/remote"
provider "cloud_provider: dir, cloud_path: \"$FOLDER/remote\", cloud_allow_same_disk: true"
like "$(told)" "ok: .*remote can be used" "one that can be used"
provider "cloud_provider: dir, cloud_path: \"$FOLDER/none\", cloud_allow_same_disk: true"
like "$(told)" "error: .*cannot be used" "one that is not there"
provider "cloud_provider: dir, cloud_path: \"$FOLDER/remote\""
like "$(told)" "error: .*cannot be used" "one on the lake's own disk"
provider "cloud_provider: s3, cloud_bucket: b, cloud_region: r, cloud_endpoint: \"http://127.0.0.1:1\""
like "$(env -u AWS_ACCESS_KEY_ID -u AWS_SECRET_ACCESS_KEY -u AWS_PROFILE HOME="$FOLDER" AWS_EC2_METADATA_DISABLED=true \
	"$TARN" doctor "$L" --json | jq -r '.findings[] | select(.check == "cloud") | .health + ": " + .what')" \
	"error: .*cannot be used" "no credentials"

cat >"$L/config/settings.yaml" <<YAML
storage: {local_capacity_gb: 0.001, cloud_burst_enabled: true}
YAML
up
head -c 2M /dev/urandom >"$B/large"
warned() { [ "$(log_lines 'WARNING.*more than the threshold')" = "$1" ]; }
ok "above the threshold without a cloud is a warning" within 10 warned 1
head -c 1M /dev/urandom >"$B/more"
sleep 2
is "$(log_lines 'WARNING.*more than the threshold')" 1 "once"
is "$(fact cloud)" none "the status says that there is none"
is "$(wc -c <"$B/large")" 2097152 "and everything works"
down

# ---- the copy of the record there ----
record() { "$TARN" doctor "$L" --json | jq -r '.findings[] | select(.check == "record in the cloud") | .what'; }
provider "cloud_provider: dir, cloud_path: \"$FOLDER/remote\", cloud_allow_same_disk: true, metadata_interval: 1"
is "$(record)" "not copied yet" "a record that is not copied yet is a finding"
up
is_copied() { [[ $(record) == copied\ up\ to* ]]; }
ok "one that is copied is well" within 20 is_copied
down
provider "cloud_provider: dir, cloud_path: \"$FOLDER/remote\", cloud_allow_same_disk: true, metadata_backup: false"
is "$(record)" "is not copied" "one that is not to be copied is a finding"
