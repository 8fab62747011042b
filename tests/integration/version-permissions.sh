#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nobody reads through history what they could not read when it was the file: whoever makes the name anew, and whatever
# the file is allowed today.
. "$(dirname "$0")/lib.sh"
need_root

nobody_home
lake lake
up
mkdir -m 1777 "$B/shared"
F=$B/shared/report.csv
put secret "$F"
chmod 600 "$F"
put "more secret" "$F"
rm "$F"
fails EACCES "another user cannot read a removed file that was closed" as_nobody cat "$F@v1"
ok "who makes a file of that name" as_nobody bash -c "echo mine >'$F'"
is "$(as_nobody cat "$F")" mine "owns it"
is "$(stat -c %u "$F")" "$NOBODY" "as stat says"
for name in @v1 @v2 @v-1 @v-2 @v/1.csv @v/2.csv @v/-1.csv; do
	ok "and cannot read report.csv$name" not as_nobody grep secret "$F$name"
done
ok "after chmod 777" as_nobody chmod 777 "$F"
ok "not report.csv@v1" not as_nobody grep secret "$F@v1"
ok "not report.csv@v2" not as_nobody grep secret "$F@v2"
ok "none by a pattern" not as_nobody bash -c "grep secret '$F'@v/*"
ok "none by restore" not as_nobody "$TARN" restore "$F@v1"
is "$(as_nobody cat "$F")" mine "which changes nothing"
is "$(cat "$F@v1" "$F@v2")" $'secret\nmore secret' "root can"
as_nobody bash -c "echo newer >'$F'"
is "$(as_nobody cat "$F@v-1")" mine "that user's own history is readable"

G=$B/shared/renamed
put secret "$G"
chmod 600 "$G"
as_nobody bash -c "echo mine >'$B/shared/new'"
fails EPERM "a sticky folder keeps others from renaming over it" as_nobody mv -f "$B/shared/new" "$G"
mv -f "$B/shared/new" "$G"
is "$(stat -c %u "$G")" "$NOBODY" "root puts another user's file in its place"
ok "who cannot read what it was" not as_nobody grep secret "$G@v1"
is "$(cat "$G@v1")" secret "root can"

H=$B/shared/closed
put open "$H"
put open2 "$H"
is "$(as_nobody cat "$H@v1")" open "what everybody may read everybody reads"
chmod 600 "$H"
rm "$H"
fails EACCES "chmod 600 and rm: version 1 is closed" as_nobody cat "$H@v1"
fails EACCES "version 2, too" as_nobody cat "$H@v2"
fails EACCES "and the list" as_nobody ls "$H@v"
fails EACCES "and history.jsonl" as_nobody cat "$H@v/history.jsonl"

mkdir "$B/locked"
put inner "$B/locked/f"
put other "$B/locked/f"
chmod 700 "$B/locked"
fails EACCES "in a closed folder nothing is found" as_nobody cat "$B/locked/f@v1"
down
up
fails EACCES "after the next mount, too" as_nobody cat "$H@v1"
ok "report.csv@v1 neither" not as_nobody grep secret "$F@v1"
down
