#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# `tarn restore` of what had an ACL: its mask was never the group's, so nobody is let in who was not.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
mode_of() { stat -c %a "$1"; }
told_of() { getfattr --absolute-names --only-values -n user.tarn.mode "$1"; }

D=$B/team
mkdir "$D" "$D/sub" "$D/open"
put secret "$D/s"
put secret "$D/sub/t"
chmod 600 "$D/s" "$D/sub/t"
chmod 700 "$D/sub"
setfacl -m u:1:rw "$D/s"
put secret2 "$D/s" # made while the ACL is there
setfacl -m u:1:rw "$D/sub/t"
setfacl -m u:1:rwx "$D/sub"
setfacl -m u:1:rx "$D/open"
is "$(mode_of "$D/s") $(mode_of "$D/sub") $(mode_of "$D/open")" "660 770 755" "the modes show the masks"
ok "this moment" "$TARN" label "$D" S
is "$(told_of "$D@v/S/s")" 0600 "of the past the mode is told without the mask"
is "$(told_of "$D/s@v/latest")" 0600 "of the live version, too"
rm "$D/s"
ok "a file from the folder's past" "$TARN" restore "$D@v/S/s"
is "$(mode_of "$D/s") $(cat "$D/s")" "600 secret2" "is as closed as it was"
rm "$D/s"
put other "$D/s"
chmod 600 "$D/s"
ok "over a closed one" "$TARN" restore "$D@v/S/s"
is "$(mode_of "$D/s") $(cat "$D/s")" "600 secret2" "it stays closed"
setfacl -b "$D/s"
rm "$D/s"
ok "a version that was made under an ACL" "$TARN" restore "$D/s@v2"
is "$(mode_of "$D/s") $(cat "$D/s")" "600 secret2" "is closed, too"
then=$(date +epoch-%s.%N)
rm -r "$D/sub" "$D/open" "$D/s"
ok "the folder, by label" "$TARN" restore "$D@v/S"
is "$(mode_of "$D/s") $(mode_of "$D/sub") $(mode_of "$D/sub/t")" "600 700 600" "all of it is closed"
is "$(mode_of "$D/open")" 755 "what the group could do it can"
rm -r "$D/sub"
ok "by time" "$TARN" restore "$D@v/$then"
is "$(mode_of "$D/sub") $(mode_of "$D/sub/t")" "700 600" "the same"
down
