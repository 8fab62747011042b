#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn doctor: what is right, what is wrong, what to do; exit code 1 when something is wrong.
. "$(dirname "$0")/lib.sh"

lake lake
exits 0 "doctor of a lake" "$TARN" doctor "$L"
for check in /dev/fuse passthrough settings store 'free space' 'file handles'; do
	like "$(cat "$FOLDER/out")" "(ok|warning) +$check" "looks at: $check"
done
up
exits 0 "of a mounted one" "$TARN" doctor "$L" --json
ok "as JSON" jq -e . "$FOLDER/out"
down
chmod 755 "$L/catalog"
"$TARN" doctor "$L" >"$FOLDER/out" 2>&1
like "$(cat "$FOLDER/out")" "(warning|error) .*catalog" "finds a folder that others may look into"
chmod 700 "$L/catalog"
printf 'environments: {production: {storage: {min_age: never}}}\n' >"$L/config/settings.yaml"
exits 1 "finds an error in an environment that is not chosen" "$TARN" doctor "$L"
like "$(cat "$FOLDER/out")" "error .*settings.yaml:1:[0-9]+" "and says where"
rm "$L/config/settings.yaml"
exits 1 "finds that the settings are missing" "$TARN" doctor "$L"
"$TARN" doctor >"$FOLDER/out" 2>&1
like "$(cat "$FOLDER/out")" "/dev/fuse" "without a lake it looks at the machine"
