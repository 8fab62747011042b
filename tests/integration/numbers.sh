#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Inode numbers: a listing and stat agree, they last over overwrites, renames and mounts, and are never used again.
. "$(dirname "$0")/lib.sh"

number() { stat -c %i "$1"; }
cat >"$FOLDER/agree.py" <<'END'
import os, sys
wrong = 0
for folder, _, _ in os.walk(sys.argv[1]):
    with os.scandir(folder) as it:
        for e in it:
            if e.inode() != os.lstat(e.path).st_ino:
                print(f"{e.path}: {e.inode()} in the listing, {os.lstat(e.path).st_ino} by stat")
                wrong = 1
sys.exit(wrong)
END
lake lake
up
mkdir -p "$B/folder/inner" "$M/second"
for i in $(seq 50); do echo "$i" >"$B/folder/$i"; done
ln -s x "$B/symlink" && mkfifo "$B/fifo" && ln "$B/folder/1" "$B/link"
ok "what a listing says stat says, too" python3 "$FOLDER/agree.py" "$M"
is "$(find "$M" -mindepth 1 -links 1 -printf '%i\n' | sort | uniq -d)" "" "no two files share one"
n=$(number "$B/folder/7")
put more "$B/folder/7"
is "$(number "$B/folder/7")" "$n" "an overwrite keeps it"
mv "$B/folder/7" "$M/second/seven"
is "$(number "$M/second/seven")" "$n" "a rename, too"
find "$M" -printf '%i %P\n' | sort >"$FOLDER/before"
echo new >"$B/.f.part" && n=$(number "$B/.f.part") && echo old >"$B/f" && mv "$B/.f.part" "$B/f"
is "$(number "$B/f")" "$n" "what is renamed over a file brings its own"
rm "$B/f"
used=
for i in $(seq 30); do
	echo "$i" >"$B/f"
	used+="$(number "$B/f") "
	rm "$B/f"
	mkdir "$B/f"
	used+="$(number "$B/f") "
	rmdir "$B/f"
done
is "$(tr ' ' '\n' <<<"$used" | grep . | sort | uniq -d)" "" "none is used again after a removal"
is "$(tr ' ' '\n' <<<"$used" | grep . | sort -n | head -n 1)" "${used%% *}" "they only rise"
last=$(tr ' ' '\n' <<<"$used" | sort -n | tail -n 1)
down
up
is "$(find "$M" -printf '%i %P\n' | sort | diff - "$FOLDER/before")" "" "the next mount shows the same"
touch "$B/f"
ok "and goes on behind the last one" test "$(number "$B/f")" -gt "$last"
ok "the listing agrees" python3 "$FOLDER/agree.py" "$M"
last=$(number "$B/f")
rm "$B/f"
crash
up
touch "$B/f"
ok "after a crash, too" test "$(number "$B/f")" -gt "$last"
down
