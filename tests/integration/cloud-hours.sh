#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Work that can wait waits for the hours that the settings give to it, and keeps to their bandwidth.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"

# In two hours from now.
later() { date -d "+$1 hours" +%H:00; }
there() { objects data/ | grep -qx "data/$1"; }
remote=''
set_remote()
{
	REMOTE=${remote/cloud_prefix: pre/cloud_prefix: pre, $1}
	settings 'storage: {min_age: 0, cloud_burst_enabled: true}' 'buckets: {data: {tier: mirror}}'
}

cloud dir
lake lake
remote=$REMOTE
set_remote "cloud_hours: '$(later 2)-$(later 3)'"
up
echo one >"$B/one"
sleep 5
ok "outside the hours nothing leaves" not there one
set_remote "cloud_bandwidth_mb: 1"
"$TARN" reload "$L"
ok "without hours it does" within 20 there one
begun=$(date +%s)
head -c 6000000 /dev/urandom >"$B/large"
ok "a large file follows" within 40 there large
ok "as slowly as the bandwidth wants" test $(($(date +%s) - begun)) -ge 4
down
set_remote "cloud_hours: '25:00-1'"
ok "hours that are none are an error" not "$TARN" mount "$L" "$M"
