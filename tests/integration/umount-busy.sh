#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A busy mount stays, and umount names who uses it; --lazy detaches it, and the daemon ends after the last close.
. "$(dirname "$0")/lib.sh"

lake lake
up
echo text >"$B/file"
tail -f "$B/file" >"$FOLDER/tail" &
tail=$!
within 5 test -s "$FOLDER/tail"
exits 1 "a busy mount is not unmounted" "$TARN" umount "$L"
like "$(cat "$FOLDER/out")" busy "and says why"
like "$(cat "$FOLDER/out")" "$tail" "and by whom"
is "$(cat "$B/file")" text "it works on"
kill "$tail" && wait "$tail" 2>/dev/null
exits 0 "once that is closed it goes" "$TARN" umount "$L"

up
pid=$(daemon_pid)
exec 5<>"$B/file"
exits 0 "umount --lazy" "$TARN" umount --lazy "$L"
ok "detaches it at once" not mountpoint -q "$M"
ok "the daemon serves what is open" test -e "/proc/$pid"
echo later >&5
exec 5>&-
ok "and ends after the last close" within 10 is_gone "$pid"
is "$(head -n 1 "$B/file")" later "what was written in between is there"
ok "the lake mounts again" within 10 "$TARN" mount -q "$L"
down
