#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Where what is changed in place cannot be kept, no write fails: the version is listed as not kept, with the reason, and
# what was saved of it is given back. Where it is not sure, its hash decides.
LIMIT=300
. "$(dirname "$0")/lib.sh"

undo_files() { find "$L/versions" -name '*.undo' | wc -l; }
reason() { history_of "$1" "select(.version == $2) | [.state, .reason]"; }
hashed() { [ "$(history_of "$1" "select(.version == $2) | .sha256")" != null ]; }

lake
sed -i 's/^storage:$/&\n  history_budget_gb: 0.004/' "$L/config/settings.yaml"
up
head -c 4000000 /dev/urandom >"$B/f"
append end "$B/f"
cp "$B/f" "$FOLDER/f"
ok "a little is changed" dd if=/dev/zero of="$B/f" bs=4096 seek=10 count=1 conv=notrunc status=none
ok "and is kept" cmp "$B/f@v2" "$FOLDER/f"
is "$(undo_files)" 1 "by an undo file"
ok "more than half of the history budget is overwritten" dd if="$FOLDER/f" of="$B/f" bs=1M conv=notrunc status=none
cmp "$B/f" "$FOLDER/f"
like "$(reason "$B/f" 3)" "not-kept.*half of the history budget" "its version is not kept, and the history says why"
like "$(reason "$B/f" 1)" "not-kept.*half of the history budget" "nor are those that were read through it"
is "$(versions "$B/f")" 4 "so they are not listed"
is "$(undo_files)" 0 "what was saved of them is given back"
ok "the next change" dd if=/dev/zero of="$B/f" bs=4096 seek=10 count=1 conv=notrunc status=none
ok "is kept again" cmp "$B/f@v4" "$FOLDER/f"
down

# A large file that is mapped for writing while others have it open under passthrough: the stores are not seen.
lake second
up
head -c 70000000 /dev/urandom >"$B/seen"
cp "$B/seen" "$B/unseen"
cp "$B/seen" "$FOLDER/large"
ok "two large files are hashed" within 60 hashed "$B/seen" 1
within 60 hashed "$B/unseen" 1
cat >"$FOLDER/change.py" <<-'END'
	import mmap, os, sys
	r = os.open(sys.argv[1], os.O_RDONLY)
	os.pread(r, 10, 0)
	w = os.open(sys.argv[1], os.O_RDWR)
	if sys.argv[2] == "write":
	    os.pwrite(w, b"X", 35000000)
	else:
	    m = mmap.mmap(w, 0)
	    m[35000000] = 88
END
ok "one is written while it is read" python3 "$FOLDER/change.py" "$B/seen" write
ok "the other through a mapping" python3 "$FOLDER/change.py" "$B/unseen" map
within 60 equal 0 fact unsettled
is "$(reason "$B/seen" 1)" '["kept",null]' "what came by was saved: its hash proves it"
ok "and it is right" cmp "$B/seen@v1" "$FOLDER/large"
like "$(reason "$B/unseen" 1)" "not-kept.*mapping" "what did not is not kept"
is "$(cmp -l "$B/unseen" "$FOLDER/large" | wc -l)" 1 "the live file has it"
down
