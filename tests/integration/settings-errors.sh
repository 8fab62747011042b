#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A wrong settings file: one line with file, line and column, exit code 78, and nothing is mounted.
. "$(dirname "$0")/lib.sh"

lake lake
good=$(cat "$L/config/settings.yaml")
for file in "$TARN_SOURCE"/tests/data/settings/broken/*.yaml; do
	name=$(basename "$file" .yaml)
	[ -s "$file" ] || continue # empty.yaml is right
	cp "$file" "$L/config/settings.yaml"
	"$TARN" mount "$L" >"$FOLDER/out" 2>&1
	status=$?
	mountpoint -q "$M" && { point 1 "$name: is mounted"; down; }
	[ $status -eq 78 ] && [ "$(grep -Ec 'settings\.yaml:[0-9]+:[0-9]+: ' "$FOLDER/out")" -eq 1 ] &&
		[ "$(wc -l <"$FOLDER/out")" -eq 2 ] && tail -n 1 "$FOLDER/out" | grep -q 'not mounted'
	point $? "$name" || { echo "# exit code $status"; note <"$FOLDER/out"; }
done
echo "$good" >"$L/config/settings.yaml"
up
printf 'storage:\n  local_capacity_gb: lots\n' >"$L/config/settings.yaml"
exits 78 "reload of a wrong file" "$TARN" reload "$L"
like "$(cat "$FOLDER/out")" 'settings.yaml:2:22: .*lots' "names file, line, column and value"
ok "the mount goes on" touch "$B/file"
down
exits 1 "doctor finds it" "$TARN" doctor "$L"
like "$(cat "$FOLDER/out")" 'settings.yaml:2:22' "and says where"
