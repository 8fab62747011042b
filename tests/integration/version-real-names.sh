#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A real name always wins over one that means a version; such a name can be made only where it means none.
. "$(dirname "$0")/lib.sh"

lake lake
up
put one "$B/f"
put two "$B/f"
fails EROFS "a name that is a version cannot be made a file" put x "$B/f@v1"
# The kernel looks these up first, and answers itself.
fails EEXIST "nor a folder" mkdir "$B/f@v"
fails EEXIST "nor a link" ln "$B/f" "$B/f@v2"
fails EEXIST "nor a symlink" ln -s f "$B/f@v-1"
put x "$B/x"
fails EROFS "nor the target of a rename" mv "$B/x" "$B/f@v1"
is "$(cat "$B/x")" x "which is where it was"
ok "one that is none can be made" put real "$B/f@v3"
is "$(cat "$B/f@v3")" real "and is what it is"
put three "$B/f"
is "$(cat "$B/f@v3")" real "also when there is such a version"
is "$(cat "$B/f@v/3")" three "which is found in the folder"
ok "Go's x@v1.2.3" mkdir "$B/x@v1.2.3"
ok "x@v1 of a file that is not there" put real "$B/none@v1"
is "$(cat "$B/none@v1")" real "is a file"
put two "$B/none@v1"
is "$(cat "$B/none@v1@v1")" real "which has versions: the rightmost @v counts"
ok "a folder named @v" mkdir "$B/@v"
ok "and one in it" put text "$B/@v/@v1"
is "$(ls "$B")" "$(printf '%s\n' @v f f@v3 none@v1 x x@v1.2.3)" "they are listed"
down
is "$(cat "$B/f@v3")" real "on disk they are plain files"
touch "$B/f@v2"
up
is "$(stat -c %s "$B/f@v2")" 0 "what was made behind the mount wins, too"
ok "a real name can be removed" rm "$B/f@v2"
is "$(cat "$B/f@v2")" two "then it means the version"
down
