#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Files of a mirror bucket are copied to the cloud at once, as plain objects under their names, which follow the files;
# what others have put there stays.
. "$(dirname "$0")/lib.sh"

R=$FOLDER/remote
mkdir "$R"
lake lake
cat >"$L/config/settings.yaml" <<YAML
storage: {local_capacity_gb: 1, cloud_burst_enabled: true, min_age: 0}
buckets: {data: {tier: mirror}, here: {tier: local}}
hybrid_storage: {cloud_provider: dir, cloud_path: "$R", cloud_prefix: lake, cloud_allow_same_disk: true}
YAML
K=$R/lake/data
objects() { find "$R/lake" -type f ! -path '*/.tarn/*' | wc -l; }
there() { cmp -s "$1" "$2"; }
uploaded() { [ "$(fact files_both)" = "$1" ]; }
# gone KEY…: none of them is there any more.
gone() { for key; do [ ! -e "$key" ] || return 1; done; }

mkdir -p "$R/lake/data"
echo "somebody else's" >"$K/taken"
up
for i in $(seq 100); do echo "file $i" >"$B/f$i"; done
head -c 3000000 /dev/urandom >"$B/big"
: >"$B/empty"
mkdir "$B/deep"
echo below >"$B/deep/below"
echo mine >"$B/taken"
mkdir -p "$M/here"
echo stays >"$M/here/local"
ok "all files of the bucket are uploaded" within 20 uploaded 104
is "$(for i in $(seq 100); do cmp "$B/f$i" "$K/f$i"; done)" "" "as plain objects under their names"
ok "a large one" cmp "$B/big" "$K/big"
ok "an empty one" cmp "$B/empty" "$K/empty"
ok "one in a folder" cmp "$B/deep/below" "$K/deep/below"
is "$(cat "$K/taken")" "somebody else's" "what somebody else put there is not overwritten"
ok "the file's object lies elsewhere" grep -qr '^mine$' "$R/lake"
ok "a local bucket waits until there is need" gone "$R/lake/here/local"
is "$(fact cloud_last_error)" null "nothing failed"

mv "$B/f1" "$B/g1"
mv "$B/f2" "$B/f3"
mv "$B/deep" "$B/deeper"
rm "$B/f4"
echo "another f5" >"$B/f5"
ok "an object follows its file to another name" within 20 there "$K/g1" "$B/g1"
ok "also over another file" within 20 there "$K/f3" "$B/f3"
ok "also when a folder is renamed" within 20 there "$K/deeper/below" "$B/deeper/below"
ok "a change is uploaded, too" within 20 there "$K/f5" "$B/f5"
ok "what no file is called any more goes" within 20 gone "$K/f1" "$K/f2" "$K/f4" "$K/deep/below"
mv "$B/f6" "$B/tmp" && mv "$B/f7" "$B/f6" && mv "$B/tmp" "$B/f7"
ok "two files exchange their names" within 20 there "$K/f6" "$B/f6"
ok "and their objects" within 20 there "$K/f7" "$B/f7"

for i in $(seq 200); do echo "before the crash $i" >"$B/c$i"; done
sleep 1
crash
up
mirrored() { for i in $(seq 200); do cmp -s "$B/c$i" "$K/c$i" || return 1; done; }
ok "after a crash in the middle of uploads all are uploaded" within 40 mirrored
ok "and known to be" within 20 uploaded 302
down
