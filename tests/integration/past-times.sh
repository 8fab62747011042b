#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The times of folders as they were: what is made in one moves its time, what is given holds until then. And a day, as
# the plain date that people type, from which files are copied out.
. "$(dirname "$0")/lib.sh"

moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }
mtime() { stat -c %.Y "$1"; }
# close TIME TIME TEXT: no further apart than a hundredth of a second, and what the store needs to write it down.
close() { ok "$3 ($1, $2)" awk -v a="$1" -v b="$2" -v slow="$SLOW" 'BEGIN { d = a - b; exit !(d * d < (0.1 * slow) ^ 2) }'; }

lake lake
up
D=$B/d
mkdir -p "$D/sub"
now=() then=()
note() { now+=("$(mtime "$D")"); then+=("$(moment)"); sleep 0.3; }
note
put one "$D/f"
note
touch -d 2001-02-03 "$D"
note
put two "$D/f"
note
put one "$D/g"
note
mv "$D/g" "$D/sub/g"
note
rm "$D/sub/g"
chmod 700 "$D"
note
touch -d 2002-02-03 "$D"
rmdir "$D/sub"
note
words=("made" "a file was made in it" "given" "a file in it was changed" "another was made" "one moved away" "its mode"
	"given, and a folder was removed")
for i in "${!now[@]}"; do
	close "$(mtime "$D@v/${then[i]}")" "${now[i]}" "${words[i]}"
done
is "$(stat -c %y "$D@v/${then[2]}" | cut -c1-29)" "2001-02-03 00:00:00.000000000" "a time that was given is that exactly"
close "$(mtime "$B@v/${then[6]}/d")" "${now[6]}" "below another folder, too"
before=$(mtime "$B@v/${then[6]}/d")
put more "$D/h"
is "$(mtime "$B@v/${then[6]}/d")" "$before" "what is made later does not move it"
rm -r "$D"
close "$(mtime "$D@v/${then[4]}")" "${now[4]}" "nor that it was removed"

# What lay there before tarn came has the times that it had.
down
mkdir -p "$B/old/below"
echo old >"$B/old/below/f"
touch -d 2003-04-05 "$B/old/below" "$B/old"
up
ok "it is found" within 20 test -e "$B/old/below/f@v1"
found=$(moment)
is "$(stat -c %.10y "$B/old@v/$found" "$B/old@v/$found/below" | cut -c1-10 | paste -sd' ')" "2003-04-05 2003-04-05" \
	"what was there before has its times"

# Days: what was recorded until now happened two days ago.
put first "$B/old/below/f"
mkdir -p "$B/old/more/deep"
put deep "$B/old/more/deep/g"
chmod 640 "$B/old/more/deep/g"
down
sqlite3 "$L/catalog/tarn.db" 'UPDATE change SET time = time - 2 * 86400000000000;
	UPDATE version SET time = time - 2 * 86400000000000; UPDATE folder_day SET day = day - 2'
up
put second "$B/old/below/f"
rm -r "$B/old/more"
day=$(date -ud yesterday +%F)
ok "a day is copied out" cp -r "$B/old@v/$day" "$FOLDER/out"
is "$(cd "$FOLDER/out" && find . -type f -exec cat {} + | sort | paste -sd' ')" "deep first" "as it was at its beginning"
ok "with its attributes" cp -a "$B/old@v/$day/" "$FOLDER/kept"
is "$(stat -c %a "$FOLDER/kept/more/deep/g")" 440 "modes then, and nothing to write"
is "$(mtime "$FOLDER/kept/more/deep")" "$(mtime "$B/old@v/$day/more/deep")" "times then"
ok "a folder of it" cp -r "$B/old@v/$day/more" "$B/old/"
is "$(cat "$B/old/more/deep/g")" deep "brought back by hand"
is "$(ls "$B/old@v")" "$(date -u +%F)" "the days are listed"
like "$("$TARN" versions "$B/old")" "$(date -u +%F) +day" "by tarn versions, too"
down
