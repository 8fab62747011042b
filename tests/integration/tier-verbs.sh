#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn tier, evict, recall, pin, unpin, and the extended attributes that say the same.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
SEND=$TARN_BUILD/tests/integration/send_away
get() { getfattr --absolute-names --only-values -n "user.tarn.$1" "$2" 2>/dev/null; }
placeholders() { find "$FOLDER/raw/buckets/data" -type l | wc -l; }
json() { "$TARN" "$@" --json 2>/dev/null; }

cloud dir
lake lake
settings 'buckets: {data: {}}'
sed -i 's/cloud_prefix: pre/cloud_prefix: pre, metadata_backup: false, cloud_price_get: 1, cloud_price_out: 100/' \
	"$L/config/settings.yaml"
mkdir -p "$B/a/b" "$B/c"
for i in $(seq 300); do printf '%1000d' "$i" >"$B/a/f$i"; done
head -c 20000000 /dev/urandom >"$B/a/b/large"
for i in 1 2 3; do echo "kept $i" >"$B/c/k$i"; done
: >"$B/a/empty"
echo linked >"$B/c/one"
(cd "$B" && find . -type f ! -empty -printf 'data/%P\n') | "$SEND" "$L" -s - || point 1 'the files are sent'
(cd "$B" && find . -type f -exec sha256sum {} + | sort -k 2) >"$FOLDER/sums"
ln "$B/c/one" "$B/c/two"
mkdir "$FOLDER/raw"
mount --bind "$L" "$FOLDER/raw" || exit 1
up

is "$(get state "$B/a/f1") $(get pin "$B/a/f1") $(get tier "$B/a/f1")" "both 0 local" "the attributes of a file that was sent"
exits 0 "a folder is evicted" "$TARN" evict "$B/a"
like "$(cat "$FOLDER/out")" '^301 files \(19.4 MiB\) left' "which is told"
is "$(placeholders)" 301 "placeholders lie in its place"
is "$(get state "$B/a/f1")" cloud "the attribute says so"
exits 0 "again" "$TARN" evict "$B/a"
like "$(cat "$FOLDER/out")" '302 were there already' "nothing is left to do"

# ---- what it would cost ----
is "$(json tier plan --read "$B/a" | jq -c '[.files, .files_here, .bytes, .requests]')" '[301,1,20300000,303]' \
	"reading it is planned: files, bytes, requests"
like "$(json tier plan --read "$B/a" | jq .cost)" '^2\.33' "and costs"
like "$("$TARN" tier plan --read "$B/a/b/large")" '1 \(19.1 MiB\) would come from the cloud with 3 requests' "in words"
is "$(placeholders)" 301 "asking moves nothing"
is "$(json tier status "$L" | jq -c '[.files_cloud, .files_cloud_bytes]')" '[301,20300000]' "tier status counts"
like "$("$TARN" tier plan "$L")" 'nothing would leave now' "nothing is to leave"

# ---- back ----
exits 0 "one comes back" "$TARN" recall "$B/a/b/large"
is "$(get state "$B/a/b/large")" both "and is both here and there"
exits 0 "all come back" "$TARN" recall "$B"
like "$(cat "$FOLDER/out")" '^300 files' "those that were away"
is "$(placeholders)" 0 "nothing is left of the placeholders"
ok "with the right bytes" diff <(grep -v ' ./c/' "$FOLDER/sums") \
	<(cd "$B" && find . -type f -exec sha256sum {} + | sort -k 2 | grep -v ' ./c/')

# ---- pins ----
exits 0 "a folder is pinned" "$TARN" pin "$B/c"
is "$(get pin "$B/c") $(get pin "$B/c/k1")" "1 above" "and what lies in it"
echo busy >"$B/fresh"
exec 5<"$B/a/f7"
exits 3 "pinned and open files are skipped" "$TARN" evict "$M"
like "$(cat "$FOLDER/out")" 'data/c/k1: skipped: pinned' "it is said why"
like "$(cat "$FOLDER/out")" 'data/a/f7: skipped: in use' "of each"
exec 5<&-
is "$(json evict "$B/c" | jq -c '[.done, .skipped, (.list | length)]')" '[0,5,5]' "also as JSON"
exits 0 "a pin is taken away" "$TARN" unpin "$B/c"
is "$(get pin "$B/c/k1")" 0 "as the attribute says"
"$TARN" evict "$B/c" >"$FOLDER/evicted" 2>&1
like "$(cat "$FOLDER/evicted")" 'c/one: skipped: has several names' "a file with two names stays"
is "$(get state "$B/c/k1")" cloud "the others leave"
ok "a pin is an extended attribute" setfattr -n user.tarn.pin -v 1 "$B/c/k1"
is "$(get pin "$B/c/k1")" 1 "that can be set"
exits 0 "tarn pin brings what is away" "$TARN" pin "$B/c/k1"
is "$(get state "$B/c/k1")" both "so that it is here"
ok "and taken away" setfattr -x user.tarn.pin "$B/c/k1"
fails EINVAL "nothing else can be said of it" setfattr -n user.tarn.pin -v maybe "$B/c/k1"
fails EPERM "the others cannot be set" setfattr -n user.tarn.state -v cloud "$B/c/k1"
is "$(getfattr -d "$B/c/k1")" '' "none of them is listed"

# ---- what goes wrong ----
exits 0 "away again" "$TARN" evict "$B/a/b/large" "$B/c/k2"
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
exits 3 "a cloud that is away is told of" "$TARN" recall "$B/a/b/large"
like "$(cat "$FOLDER/out")" 'skipped: the cloud cannot be reached' "in words"
mv "$CLOUD_DIR.away" "$CLOUD_DIR"
exits 0 "and then it goes on" "$TARN" recall "$B/a/b/large"
exits 1 "what is not there cannot be evicted" "$TARN" evict "$B/nothing"
exits 2 "something must be named" "$TARN" recall
exits 2 "tier knows two words" "$TARN" tier state
umount "$FOLDER/raw"
down
