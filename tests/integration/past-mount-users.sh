#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who sees what on a mount of the past: root's is for everybody as far as modes allow; an ordinary user has one, too.
. "$(dirname "$0")/lib.sh"
need_root

moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }
nobody_home
lake lake
up
O=$FOLDER/old
mkdir "$O"
put open "$B/open"
put closed "$B/closed"
chmod 600 "$B/closed"
put later "$B/later"
mkdir "$B/private"
put inner "$B/private/f"
then=$(moment)
chmod 600 "$B/later"
chmod 700 "$B/private"
"$TARN" mount "$L" "$O" -q -o "view=$then"
is "$(as_nobody cat "$O/data/open")" open "another user reads what is open"
fails EACCES "not what was closed" as_nobody cat "$O/data/closed"
fails EACCES "nor what is closed now" as_nobody cat "$O/data/later"
fails EACCES "nor what is in a folder that is closed now" as_nobody cat "$O/data/private/f"
is "$(cat "$O/data/later" "$O/data/private/f")" $'later\ninner' "root reads it"
chmod 600 "$B/open"
fails EACCES "a chmod holds at once" as_nobody cat "$O/data/open"
exits 1 "another user cannot unmount it" as_nobody "$TARN" umount "$O"
exits 1 "nor mount one" as_nobody "$TARN" mount "$L" "$HOME_OF_NOBODY" -o "view=$then"
down
up
"$TARN" mount "$L" "$O" -q -o "view=$then,noallow_other"
fails EACCES "noallow_other keeps others out" as_nobody ls "$O"
down

# An ordinary user's lake.
H=$HOME_OF_NOBODY
as_nobody mkdir "$H/old"
as_nobody "$TARN" init "$H/lake" --empty >/dev/null
as_nobody mkdir "$H/lake/buckets/data"
ok "an ordinary user mounts a lake" as_nobody "$TARN" mount "$H/lake" -q
F=$H/lake/buckets/data/f
as_nobody bash -c "echo one >'$F'"
# without leases, what is quiet is settled after a minute; a rename over it ends it at once
as_nobody bash -c "echo two >'$F.part' && mv '$F.part' '$F'"
first=$(as_nobody jq -r 'select(.state == "kept") | .commit' "$F@v/history.jsonl" | head -n 1)
if [ -n "$first" ]; then
	ok "and a view of it" as_nobody "$TARN" mount "$H/lake" "$H/old" -q -o "view=commit-$first"
	is "$(as_nobody cat "$H/old/data/f")" one "which shows the past"
	ok "cp -r of it ends" as_nobody cp -r "$H/old" "$H/copy"
	fails EROFS "and is read-only" as_nobody touch "$H/old/data/f"
	ok "umount of it" as_nobody "$TARN" umount "$H/old"
fi
ok "umount of the lake" as_nobody "$TARN" umount "$H/lake"
