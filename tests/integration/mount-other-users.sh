#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Root's mounts are for everybody, as far as modes allow; with noallow_other they are for root only.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
mkdir -m 1777 "$B/all" && echo text >"$B/all/open" && echo secret >"$B/all/closed" && chmod 600 "$B/all/closed"
is "$(as_nobody cat "$B/all/open")" text "another user reads what is open"
fails EACCES "and not what is closed" as_nobody cat "$B/all/closed"
fails EPERM "a sticky folder protects others' files" as_nobody rm -f "$B/all/open"
ok "another user makes files" as_nobody touch "$B/all/mine"
is "$(stat -c %u "$B/all/mine")" "$NOBODY" "which are that user's"
exits 0 "status is for everybody" as_nobody "$TARN" status "$L"
exits 1 "umount is not" as_nobody "$TARN" umount "$L"
exits 1 "nor reload" as_nobody "$TARN" reload "$L"
ok "it is mounted still" mountpoint -q "$M"
down
up -o noallow_other
fails EACCES "noallow_other keeps others out" as_nobody ls "$M"
ok "root is in" ls "$M"
down
