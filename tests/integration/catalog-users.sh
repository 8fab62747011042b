#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# .catalog/assets.* shows each user the files that this user may read, and never what another was shown.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
put public "$B/public.csv"
put secret "$B/secret.csv" && chmod 600 "$B/secret.csv"
mkdir "$B/locked" && put inner "$B/locked/inner.csv" && chmod 700 "$B/locked"
mkdir "$B/search" && put hidden "$B/search/hidden.csv" && chmod 711 "$B/search"
mkdir -m 1777 "$B/all"
as_nobody bash -c "echo mine >'$B/all/mine.csv' && chmod 600 '$B/all/mine.csv'"
put denied "$B/denied.csv" && setfacl -m "u:$NOBODY:-" "$B/denied.csv"
as_other() { setpriv --reuid=1234 --regid=1234 --clear-groups "$@"; }

names() { tail -n +2 | cut -d, -f1 | sort | tr -d '\r' | sed 's|^data/||' | paste -sd' '; }
root_sees="all/mine.csv denied.csv locked/inner.csv public.csv search/hidden.csv secret.csv"
# A name that cannot be listed is not shown, nor a file that has an ACL, which may take away what its mode gives.
nobody_sees="all/mine.csv public.csv"
other_sees="public.csv"
C=$M/.catalog
hashed() { [ "$(grep -Ec ',[0-9a-f]{64}' "$C/assets.csv")" -eq 6 ]; }
ok "what a job finds out of the files is there, and changes no more" within 20 hashed
for round in first second; do
	is "$(names <"$C/assets.csv")" "$root_sees" "the $round time: root sees all"
	is "$(as_nobody cat "$C/assets.csv" | names)" "$nobody_sees" "a user what that user may read"
	is "$(as_other cat "$C/assets.csv" | names)" "$other_sees" "another user something else"
	is "$(as_nobody cat "$C/assets.json" | jq -r '.[].path' | sort | sed 's|^data/||' | paste -sd' ')" "$nobody_sees" \
		"in JSON the same"
done
exec 3<"$C/assets.csv"
is "$(as_nobody cat "$C/assets.csv" | names)" "$nobody_sees" "also while root has it open"
is "$(names <&3)" "$root_sees" "who still sees all"
exec 3<&-
size=$(as_nobody stat -c %s "$C/assets.csv")
is "$(as_nobody cat "$C/assets.csv" | wc -c)" "$size" "stat tells each the size of the own view"
wrong=0
for i in $(seq 20); do
	as_nobody cat "$C/assets.csv" >"$FOLDER/nobody" &
	as_other cat "$C/assets.csv" >"$FOLDER/other" &
	cat "$C/assets.csv" >"$FOLDER/root"
	wait
	[ "$(names <"$FOLDER/nobody")" = "$nobody_sees" ] && [ "$(names <"$FOLDER/other")" = "$other_sees" ] &&
		[ "$(names <"$FOLDER/root")" = "$root_sees" ] || wrong=$((wrong + 1))
done
is $wrong 0 "all three at the same time, 20 times"
chmod 644 "$B/secret.csv"
ok "what is opened to a user is shown at once" as_nobody grep -q secret "$C/assets.csv"
chmod 600 "$B/public.csv"
ok "what is closed is not" not as_nobody grep -q public "$C/assets.csv"
down
