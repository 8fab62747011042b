#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The record of the lake is copied to the remote while it is mounted: a snapshot, then what was changed.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
[ -x "$(command -v zstd)" ] || skip_all "no zstd"

not() { ! "$@"; }
meta() { META=$(echo "$CLOUD_DIR"/pre/.tarn/meta/*); }
generations() { find "$CLOUD_DIR/pre/.tarn/meta" -mindepth 2 -maxdepth 2 -type d ! -name config | sort; }
snapshots() { find "$CLOUD_DIR/pre/.tarn/meta" -name 'snapshot-*' | wc -l; }
# The commit up to which all is there.
state() { sed -n "s/^$1 //p" "$L/catalog/changes/copied"; }
commit() { "$TARN" status "$L" --json | jq .commit; }
# tells WORD: it is somewhere in the copy.
tells() { [ "$(find "$CLOUD_DIR/pre/.tarn/meta" -name '*.zst' -exec zstd -dcq {} + | grep -ac "$1")" -gt 0 ]; }

cloud dir
lake lake
settings "buckets: {data: {}}"
sed -i 's/cloud_prefix: pre/cloud_prefix: pre, metadata_interval: 1/' "$L/config/settings.yaml"
up
echo one >"$B/the-first-file"
ok "a snapshot goes there" within 20 test -s "$L/catalog/changes/copied"
ok "and is known of here" within 20 equal 1 snapshots
echo two >"$B/the-second-file"
now=$(commit)
ok "what is changed follows within seconds" within 20 record_copied "$now"
ok "a name is in it" tells the-second-file
meta
ok "the settings are there" cmp "$META/config/settings.yaml" "$L/config/settings.yaml"
sed -i '$a # changed' "$L/config/settings.yaml"
ok "also when they change" within 20 cmp -s "$META/config/settings.yaml" "$L/config/settings.yaml"
sh -c 'echo three >"$1/the-third-file" # a-secret-on-the-command-line' sh "$B"
now=$(commit)
within 20 record_copied "$now"
ok "command lines stay here" not tells a-secret-on-the-command-line
like "$("$TARN" status "$L" --json | jq -r .metadata_copied_at)" '^20' "the status tells when it was copied"

# A daemon that was killed, one that ended.
first=$(state generation)
echo four >"$B/the-fourth-file"
crash
up
echo five >"$B/the-fifth-file"
now=$(commit)
ok "the next daemon goes on" within 20 record_copied "$now"
down
up
echo six >"$B/the-sixth-file"
down
ok "what was changed last is copied while it ends" tells the-sixth-file
is "$(state generation)" "$first" "all of it is one history"
is "$(snapshots)" 1 "with one snapshot"

# The remote is away for a while.
up
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
echo seven >"$B/the-seventh-file"
sleep 2.5
ok "a remote that is away holds nobody up" touch "$B/quick"
mv "$CLOUD_DIR.away" "$CLOUD_DIR"
now=$(commit)
ok "what waited is copied once it is back" within 60 record_copied "$now"
is "$(state generation)" "$first" "and goes on"

# What is erased for good is in no older copy.
echo secret-name >"$B/the-leaked-secret"
echo other >"$B/the-leaked-secret"
now=$(commit)
within 20 record_copied "$now"
within 10 "$TARN" purge "$B/the-leaked-secret" --yes >"$FOLDER/purged" 2>&1
renewed() { [ -n "$(state generation)" ] && [ "$(state generation)" != "$first" ] && [ "$(generations | wc -l)" = 1 ]; }
ok "after a purge the copy begins anew, and the old one goes" within 30 renewed

# Changes that were not kept: while it was switched off, and after a store from a backup.
second=$(state generation)
down
sed -i 's/metadata_interval: 1/metadata_interval: 1, metadata_backup: false/' "$L/config/settings.yaml"
up
echo eight >"$B/the-eighth-file"
down
sed -i 's/, metadata_backup: false//' "$L/config/settings.yaml"
up
differs() { [ -n "$(state generation)" ] && [ "$(state generation)" != "$1" ]; }
ok "a gap begins anew" within 30 differs "$second"
within 10 equal 1 snapshots
ok "with what was changed in it" tells the-eighth-file
third=$(state generation)
down
cp "$L/catalog/tarn.db" "$FOLDER/old.db"
up
echo nine >"$B/the-ninth-file"
now=$(commit)
within 20 record_copied "$now"
down
rm -f "$L"/catalog/tarn.db-*
cp "$FOLDER/old.db" "$L/catalog/tarn.db"
up
ok "and so does a store from a backup" within 30 differs "$third"

# With all there is, when it is asked for.
down
sed -i 's/metadata_interval: 1/metadata_interval: 1, metadata_full: true/' "$L/config/settings.yaml"
up
fourth=$(state generation)
sh -c 'echo ten >"$1/the-tenth-file" # a-secret-on-the-command-line' sh "$B"
ok "asked for more, it begins anew" within 30 differs "$fourth"
now=$(commit)
within 20 record_copied "$now"
ok "and has command lines" tells a-secret-on-the-command-line
down
