#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Objects that others have put to the remote appear as files; what others change there is found.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
get() { getfattr --absolute-names --only-values -n "user.tarn.$1" "$2" 2>/dev/null; }
json() { "$TARN" "$@" --json 2>/dev/null; }

cloud dir
lake lake
settings 'buckets: {data: {}}'
sed -i 's/cloud_prefix: pre/cloud_prefix: pre, metadata_backup: false/' "$L/config/settings.yaml"
up
mkdir -p "$FOLDER/o/deep/er"
for i in $(seq 50); do echo "object $i" >"$FOLDER/o/file $i"; done
head -c 3000000 /dev/urandom >"$FOLDER/o/deep/er/large"
: >"$FOLDER/o/deep/empty"
printf 'ä\n' >"$FOLDER/o/deep/ümlaut"
(cd "$FOLDER/o" && find . -type f -printf '%P\n') >"$FOLDER/list"
while read -r name; do put_object "shared/$name" "$FOLDER/o/$name"; done <"$FOLDER/list"
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2); }

exits 0 "objects are imported to a new bucket" "$TARN" import "$CLOUD_DIR/pre/shared" "$M/shared"
like "$(cat "$FOLDER/out")" '^53 new files' "all of them"
is "$(find "$M/shared" -type f | wc -l)" 53 "as files"
is "$(stat -c %s "$M/shared/deep/er/large") $(get state "$M/shared/deep/er/large")" "3000000 cloud" "of which nothing was downloaded"
ok "their bytes come when they are read" diff <(sums "$FOLDER/o/deep") <(sums "$M/shared/deep")
exits 0 "again, nothing is new" "$TARN" import "$CLOUD_DIR/pre/shared" "$M/shared"
like "$(cat "$FOLDER/out")" '^0 new files.*53 as they were' "and that is said"
echo mine >"$B/file 1"
exits 0 "a file that is there stays" "$TARN" import "$CLOUD_DIR/pre/shared/" "$B"
is "$(cat "$B/file 1") $(find "$B" -type f | wc -l)" "mine 1" "and what is imported already is not imported twice"
exits 1 "another remote cannot be imported from" "$TARN" import "$FOLDER/o" "$B"

# ---- what others change ----
exits 0 "nothing has changed" "$TARN" sync "$CLOUD_DIR/pre/shared" "$M/shared"
echo 'changed there' >"$FOLDER/x"
put_object "shared/file 2" "$FOLDER/x"
put_object "shared/file 3" "$FOLDER/x"
put_object "shared/new one" "$FOLDER/x"
echo 'changed here' >"$M/shared/file 3"
exits 3 "changes are found, and a conflict is told" "$TARN" sync "$CLOUD_DIR/pre/shared" "$M/shared"
like "$(cat "$FOLDER/out")" 'file 3: changed here and in the cloud: both are kept' "which one"
is "$(cat "$M/shared/file 2")" 'changed there' "the new content is there"
is "$(cat "$M/shared/new one")" 'changed there' "so is the new file"
is "$(cat "$M/shared/file 3")/$(cat "$M/shared/file 3.from-cloud")" "changed here/changed there" "both sides of the conflict are"
is "$(get version "$M/shared/file 2")" 2 "a change is the next version"
ok "of which the first is history" "$TARN" versions --all "$M/shared/file 2"
exits 0 "once more, nothing has changed" "$TARN" sync "$CLOUD_DIR/pre/shared" "$M/shared"
is "$(cat "$M/shared/file 5")" 'object 5' "one is read before"
remove_object "shared/file 4"
remove_object "shared/file 5"
exits 3 "what is removed there is told" "$TARN" sync "$CLOUD_DIR/pre/shared" "$M/shared"
like "$(cat "$FOLDER/out")" 'file 4: removed in the cloud by somebody else' "what was only there is lost"
is "$(cat "$M/shared/file 5")" 'object 5' "what is here stays"
down
up
ok "after the next mount, too" test "$(find "$M/shared" -type f | wc -l)" -eq 55
is "$(cat "$M/shared/deep/ümlaut")" 'ä' "with its bytes"
down

# ---- what tarn itself takes away there ----
sed -i 's/^buckets: .*/buckets: {data: {}, own: {tier: mirror}}\nstorage: {min_age: 0}/' "$L/config/settings.yaml"
up
mkdir "$M/own"
echo mine >"$M/own/removed"
there() { [ "$(get state "$M/own/removed")" = both ]; }
ok "a file is uploaded" within 60 there
ok "its object cannot go" mount --bind "$CLOUD_DIR/pre/own/removed" "$CLOUD_DIR/pre/own/removed"
rm "$M/own/removed"
"$TARN" sync "$M/own" >"$FOLDER/out" 2>&1
umount "$CLOUD_DIR/pre/own/removed"
like "$(cat "$FOLDER/out")" '^0 new files' "of a file that was removed here it is not a new one"
is "$(ls "$M/own")" "" "which would bring it back"
down
