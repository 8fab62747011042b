#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn fsck --remote: what the store says of objects in the cloud is compared with what lies there; leftovers of kills go,
# what others put there stays, and nothing that is the only copy of a file is touched.
LIMIT=300
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
cloud dir
lake lake
settings 'buckets: {data: {tier: mirror}}' 'storage: {min_age: 0}'
up
for i in 1 2 3 4; do put "file $i" "$B/f$i"; done
put same "$B/twin1"
put same "$B/twin2"
uploaded() { [ "$(fact files_both)" = "$1" ] && [ "$(fact cloud_waiting)" = 0 ]; }
ok "all files are in the cloud" within 20 uploaded 6
ok "some only there" "$TARN" evict "$B/f1" "$B/f2" "$B/twin1"
exits 0 "a lake with a cloud is clean" "$TARN" fsck "$L" --remote
like "$(cat "$FOLDER/out")" '[6-9] objects in the cloud: clean' "with what lies there"
down
exits 0 "not mounted, too" "$TARN" fsck "$L" --remote

check() { "$TARN" fsck "$L" --remote "$@"; }
found() # WHAT PATTERN
{
	exits 4 "$1: it is found" check
	like "$(cat "$FOLDER/out")" "$2" "…and named"
	exits 1 "…repaired" check --repair
	like "$(cat "$FOLDER/out")" "$2.*repaired" "…which is said"
	exits 0 "…and gone then" check
}

sql() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*c.execute(sys.argv[2])); c.commit()' \
	"$L/catalog/tarn.db" "$1"; }

# a kill in the middle of an upload: the intent is there, the object perhaps
sql "UPDATE cloud SET state = 1, etag = NULL WHERE key = CAST('pre/data/f3' AS BLOB)" >/dev/null
sql "UPDATE lake SET value = value - 1 WHERE key IN ('store.uploaded', 'store.cloud')" >/dev/null
sql "UPDATE lake SET value = value - 7 WHERE key IN ('store.uploaded_bytes', 'store.cloud_bytes')" >/dev/null
sql "UPDATE lake SET value = value + 1 WHERE key = 'store.cloud_intents'" >/dev/null
sql "UPDATE lake SET value = value + 7 WHERE key = 'store.cloud_intent_bytes'" >/dev/null
found "an upload that did not end" 'pre/data/f3: an upload that did not end'
is "$(objects data/f3)" "" "its object is gone"

# of this lake below .tarn/, and no row names it: a copy of another object with all its facts
mkdir -p "$CLOUD_DIR/pre/.tarn/objects"
copy_own() # KEY
{
	TARN_KEY=$1 python3 - "$CLOUD_DIR" <<'END'
import hashlib, os, shutil, sys
root, to = sys.argv[1], os.environ["TARN_KEY"]
source = "pre/data/f4"
shutil.copy2(f"{root}/{source}", f"{root}/{to}")
for name in os.listxattr(f"{root}/{source}"):
    os.setxattr(f"{root}/{to}", name, os.getxattr(f"{root}/{source}", name))
def facts(key):
    h = hashlib.sha256(key.encode()).hexdigest()
    return [f"{d}/{h}" for d, _, f in os.walk(root) if h in f]
for f in facts(source):
    h = hashlib.sha256(to.encode()).hexdigest()
    top = os.path.dirname(os.path.dirname(f))
    os.makedirs(f"{top}/{h[:2]}", exist_ok=True)
    shutil.copy2(f, f"{top}/{h[:2]}/{h}")
END
}
copy_own pre/.tarn/objects/0123456789012345678901234567890123456789012345678901234567890123
found "an object of this lake that nothing refers to" 'pre/.tarn/objects/0123.*nothing refers to'
copy_own pre/data/copied
echo theirs >"$FOLDER/theirs"
put_object data/theirs "$FOLDER/theirs"
put_object .tarn/objects/theirs "$FOLDER/theirs"
exits 0 "objects of others are no damage" check --repair
like "$(cat "$FOLDER/out")" '3 objects are not this lake' "and counted"
is "$(object data/theirs)$(object .tarn/objects/theirs)$(object data/copied)" "theirstheirsfile 4" "they stay"

# objects that are missing
remove_object data/f4
found "a file that is here whose object is missing" 'pre/data/f4: the object is missing'
remove_object data/twin1
found "one that is missing, and another has the same content" 'pre/data/twin1: the object is missing'
is "$(object data/twin1)" same "it is there again"
mv "$CLOUD_DIR/pre/data/f1" "$FOLDER/f1"
exits 4 "the only bytes of a file are missing" check
like "$(cat "$FOLDER/out")" 'pre/data/f1: the object is missing, and nothing else has its content' "which is said"
exits 4 "and cannot be repaired" check --repair
mv "$FOLDER/f1" "$CLOUD_DIR/pre/data/f1"
exits 0 "it comes back, and all is right" check
echo others >"$CLOUD_DIR/pre/data/f2"
exits 4 "an object that was overwritten is found" check --repair
like "$(cat "$FOLDER/out")" 'pre/data/f2: the object is another than the one that was uploaded' "and named"
up
is "$(cat "$B/f1" "$B/twin1")" "file 1
same" "files whose objects are there are read"
ok "what has no object any more goes there again" within 20 equal "file 4" object data/f4
down
mv "$CLOUD_DIR" "$CLOUD_DIR.away"
exits 8 "a remote that is away" check
like "$(cat "$FOLDER/out")" 'the cloud:' "is told"
