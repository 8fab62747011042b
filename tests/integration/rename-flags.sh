#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# renameat2: RENAME_NOREPLACE, and RENAME_EXCHANGE, with which the series of versions stay with the paths.
. "$(dirname "$0")/lib.sh"

cat >"$FOLDER/rename.py" <<'END'
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.renameat2(-100, os.fsencode(sys.argv[1]), -100, os.fsencode(sys.argv[2]), int(sys.argv[3])) < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
END
noreplace() { python3 "$FOLDER/rename.py" "$1" "$2" 1; }
exchange() { python3 "$FOLDER/rename.py" "$1" "$2" 2; }
lake lake
up
mkdir "$M/other" "$B/folder"
put a1 "$B/a"
put a2 "$B/a"
put b1 "$B/b"
fails EEXIST "NOREPLACE of an existing name" noreplace "$B/a" "$B/b"
is "$(cat "$B/a" "$B/b")" $'a2\nb1' "changes nothing"
ok "of a free one" noreplace "$B/a" "$B/c"
is "$(cat "$B/c" "$B/c@v1")" $'a2\na1' "takes the series along"
ok "and back" noreplace "$B/c" "$B/a"

number=$(stat -c %i "$B/a")
ok "EXCHANGE" exchange "$B/a" "$B/b"
is "$(cat "$B/a" "$B/b")" $'b1\na2' "the contents have changed places"
is "$(stat -c %i "$B/b")" "$number" "the numbers go with them"
is "$(cat "$B/a@v1")" a1 "the series of a is that of the path"
is "$(cat "$B/a@v/latest")" b1 "whose newest is what lies there now"
is "$(history_of "$B/b" .version | cut -d' ' -f1)" 1 "so is that of b, which began with its first version"
is "$(cat "$B/b@v/latest")" a2 "and whose newest is what lies there now"
put a4 "$B/a"
is "$(cat "$B/a@v-1" "$B/a@v1")" $'b1\na1' "and both go on"
put b3 "$B/b"
is "$(cat "$B/b@v-1")" a2 "with what each was"
put deep "$M/other/f"
ok "EXCHANGE across buckets" exchange "$B/a" "$M/other/f"
is "$(cat "$B/a" "$M/other/f")" $'deep\na4' "works"
ok "of a file and a folder" exchange "$B/b" "$B/folder"
ok "makes each the other" test -d "$B/b" -a -f "$B/folder"
fails ENOENT "EXCHANGE with nothing" exchange "$B/a" "$B/none"
fails EINVAL "both flags" python3 "$FOLDER/rename.py" "$B/a" "$B/folder" 3

fails EPERM "a file to the root" noreplace "$B/a" "$M/a"
ok "EXCHANGE of a file and a bucket is refused" not exchange "$B/a" "$M/other"
is "$(cat "$B/a")" deep "changes nothing"
ok "the bucket is one" test -d "$M/other"
fails EEXIST "NOREPLACE of a bucket by another" noreplace "$M/data" "$M/other"
fails EROFS "into a view" noreplace "$B/a" "$M/.catalog/a"
before=$(history_of "$B/a" '[.version, .state]')
down
up
is "$(history_of "$B/a" '[.version, .state]')" "$before" "the next mount has the same history"
is "$(cat "$B/a" "$B/a@v1" "$B/folder")" $'deep\na1\nb3' "and contents"
down
