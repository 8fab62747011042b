#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A file with two names is one file: one number, one content, and nothing goes into history while a name is left.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/a"
ok "a second name" ln "$B/a" "$B/b"
is "$(stat -c %i "$B/b")" "$(stat -c %i "$B/a")" "has the same number"
is "$(stat -c %h "$B/a") $(stat -c %h "$B/b")" "2 2" "both show two links"
append two "$B/a"
is "$(cat "$B/b")" $'one\ntwo' "what one appends the other shows"
is "$(stat -c '%s %Y' "$B/b")" "$(stat -c '%s %Y' "$B/a")" "with size and time"
is "$(history_of "$B/a" '[.state, .how]')" '["kept","prefix"] ["live",null]' "appending through one name ends a version"
is "$(history_of "$B/b" .state)" "$(history_of "$B/a" .state)" "which the other name shows, too"
put three "$B/b"
is "$(cat "$B/a")" three "overwriting is for both"
is "$(stat -c %h "$B/a")" 2 "and breaks no link"
is "$(history_of "$B/a" '[.state, .how]')" '["kept","prefix"] ["kept","undo"] ["live",null]' "and keeps what was there"
is "$(cat "$B/a@v1" "$B/b@v2")" $'one\none\ntwo' "under both names"
rm "$B/b"
is "$(find "$L/versions" -type f -printf '%f\n' | grep -vc '\.undo$')" 0 "nothing goes aside when one of them goes"
is "$(cat "$B/a")" three "the other has the content"
is "$(stat -c %h "$B/a")" 1 "and one link"
put four "$B/a"
is "$(cat "$B/a@v-1")" three "with one link left the content goes aside"
is "$(history_of "$B/a" '[.version, .state]')" '[1,"kept"] [2,"kept"] [3,"kept"] [4,"live"]' "in the same series"

ok "a temporary second name" ln "$B/a" "$B/.a.swp"
rm "$B/.a.swp"
put five "$B/a"
is "$(cat "$B/a@v3" "$B/a@v4")" $'three\nfour' "does not drop the history"
ln "$B/a" "$B/a~"
put new "$B/.a.part"
mv "$B/.a.part" "$B/a"
is "$(cat "$B/a" "$B/a~")" $'new\nfive' "a backup by link, then a rename over the name"
is "$(cat "$B/a@v3" "$B/a@v4")" $'three\nfour' "the series stays"
rm "$B/a~"
is "$(cat "$B/a@v3" "$B/a@v4" "$B/a@v5")" $'three\nfour\nfive' "and misses nothing when the backup is removed"
rm "$B/a"
is "$(cat "$B/a@v-1")" new "removed at last, the content is kept"

put one "$B/f"
ln "$B/f" "$B/g"
put two "$B/new"
mv "$B/new" "$B/f"
is "$(cat "$B/f@v1" "$B/f" "$B/g")" $'one\ntwo\none' "a rename over one of two names leaves the other as it was"
put three "$B/g"
is "$(cat "$B/f@v1" "$B/g")" $'one\nthree' "written then, what it was stays history of the first"
is "$(versions "$B/f") $(versions "$B/g")" "1 2 1" "and it begins anew"
down
up
ln "$B/f" "$B/f~"
put three "$B/new"
mv "$B/new" "$B/f"
down
up
rm "$B/f~"
is "$(cat "$B/f@v1" "$B/f@v2" "$B/f@v3")" $'one\ntwo\nthree' "a backup by link that is removed after the next mount"

put one "$B/x"
ln "$B/x" "$B/y"
rm "$B/x"
rm "$B/y"
is "$(cat "$B/y@v1")" one "the last name takes the content into history"
put one "$B/r"
ln "$B/r" "$B/s"
ok "a rename onto another name of itself does nothing" mv "$B/r" "$B/r2"
ok "rename(2) of one link over another" python3 -c "import os; os.rename('$B/r2', '$B/s')"
ok "leaves both" test "$B/r2" -ef "$B/s"
down
is "$(stat -c %h "$B/s")" 2 "on disk they are links, too"
up
is "$(stat -c %i "$B/s")" "$(stat -c %i "$B/r2")" "and the next mount shows one number"
down
