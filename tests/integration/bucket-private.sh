#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A bucket whose name begins with a dot is private: no versions, no place in the catalog. The trash of desktops works.
. "$(dirname "$0")/lib.sh"

lake lake
up
ok "the trash of a desktop can be made" mkdir -p "$M/.Trash-1000/files" "$M/.Trash-1000/info"
put one "$M/.Trash-1000/info/f.trashinfo"
put two "$M/.Trash-1000/info/f.trashinfo"
is "$(versions "$M/.Trash-1000/info/f.trashinfo")" "" "files in it have no versions"
put one "$B/f"
put two "$B/f"
ok "a file goes to the trash" mv "$B/f" "$M/.Trash-1000/files/f"
is "$(cat "$M/.Trash-1000/files/f")" two "it is there"
is "$(grep -c Trash "$M/.catalog/assets.csv")" 0 "the catalog does not have it"
ok "it comes back" mv "$M/.Trash-1000/files/f" "$B/f"
is "$(cat "$B/f")" two "with its content"
ok "it is in the catalog again" grep -q '^data/f,' "$M/.catalog/assets.csv"
is "$(cat "$B/f@v1")" one "with its history"
rm -r "$M/.Trash-1000"
is "$(find "$L/versions" -type f | wc -l)" 1 "nothing of it was kept but what data has"
down
