#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Two lakes on one prefix, as a copy of a whole lake and the lake are: the one that comes second is told, leaves what
# lies there alone and keeps its own files, until it takes over; then the other one does.
LIMIT=300
ALLOWED_ERRORS='is used by lake'
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
cloud dir
export TARN_HYBRID_STORAGE_METADATA_INTERVAL=1
lake lake
settings 'buckets: {data: {tier: mirror}}' 'storage: {min_age: 0}'
up
put 'one' "$B/one"
put 'away' "$B/away"
uploaded() { [ "$(fact files_both)" = "$1" ] && [ "$(fact cloud_waiting)" = 0 ]; }
ok "a lake uses its remote" within 20 uploaded 2
ok "a file leaves" "$TARN" evict "$B/away"
commit() { "$TARN" status "$L" --json | jq .commit; }
now=$(commit)
ok "the record is copied" within 30 record_copied "$now"
down
first=$L second=$FOLDER/second
cp -a "$first" "$second"
up
put 'of the first' "$B/new"
ok "it goes on when it is mounted again" within 20 equal 'of the first' object data/new
listing() { (cd "$CLOUD_DIR" && find . -type f ! -path '*own/meta*' ! -path '*own/temp*' -printf '%p %s %T@\n' | grep -v /meta/ | sort); }
listing >"$FOLDER/before"

L=$second M=$L/buckets B=$M/data
up
used_by() { "$TARN" tier status "$L" --json | jq -r .used_by; }
is_other() { [[ $(used_by) == "lake "*" of "* ]]; }
ok "its copy is told that it is another lake" within 20 is_other
like "$("$TARN" doctor "$L" 2>&1)" 'is used by lake' "doctor says so"
is "$(log_lines 'ERROR.*is used by lake .*tarn tier take-over')" 1 "and the log, once, with what can be done"
put 'changed in the copy' "$B/one"
put 'of the copy' "$B/new"
is "$(cat "$B/one")" 'changed in the copy' "its files can be written"
is "$(cat "$B/away")" away "and read, also from the remote"
exits 3 "none leaves" "$TARN" evict "$B/one"
like "$(cat "$FOLDER/out")" "is another lake's" "which is told"
exits 8 "nor is anything put right there" "$TARN" fsck "$L" --remote --repair
like "$(cat "$FOLDER/out")" 'another lake' "which is told, too"
rm "$B/one"
ok "nothing that lies there was touched" diff "$FOLDER/before" <(listing)
exits 0 "until it takes over" "$TARN" tier take-over "$L"
like "$(cat "$FOLDER/out")" 'it was used by lake' "from whom, is told"
ok "then its files go there" within 20 uploaded 1
is "$(object data/new)" 'of the first' "but not over what the other one has put there"
is "$(used_by)" null "it is its own"

L=$first M=$L/buckets B=$M/data
ok "the other one looks again" "$TARN" reload "$L"
ok "and is told" within 20 is_other
is "$(cat "$B/new")" 'of the first' "its files stay"
down
L=$second M=$L/buckets B=$M/data
down
rm -rf "$L"
"$TARN" restore-lake "$CLOUD_DIR/pre" "$L" >"$FOLDER/restored" 2>&1
up
put 'of the restored' "$B/more"
ok "a lake that was brought back goes on" within 20 equal 'of the restored' object data/more
is "$(used_by)" null "and is told nothing"
down
