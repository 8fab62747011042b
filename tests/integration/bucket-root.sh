#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The root of the mount: mkdir makes a bucket, rmdir removes an empty one, mv renames one with policy and history, and
# nothing else can be there.
. "$(dirname "$0")/lib.sh"

lake lake
cat >"$L/config/settings.yaml" <<-'END'
	buckets:
	  data: {retention_days: 7}  # a week
END
up
policy() { "$TARN" bucket list --lake "$L" --json | jq -c ".[] | select(.name == \"$1\") | [$2]"; }

ok "mkdir makes a bucket" mkdir "$M/New Folder"
is "$(policy 'New Folder' '.retention_days, .declared')" '[30,false]' "with the default policy"
put one "$M/New Folder/f"
put two "$M/New Folder/f"
is "$(cat "$M/New Folder/f@v1")" one "which has versions"
fails ENOTEMPTY "rmdir of one with files" rmdir "$M/New Folder"
rm "$M/New Folder/f"
ok "rmdir of an empty one" rmdir "$M/New Folder"
fails ENOENT "it is gone" ls "$M/New Folder"

put one "$B/f"
put two "$B/f"
ino=$(stat -c %i "$B/f")
ok "mv renames a bucket" mv "$B" "$M/renamed"
is "$(cat "$M/renamed/f" "$M/renamed/f@v1")" $'two\none' "files and history go along"
is "$(stat -c %i "$M/renamed/f")" "$ino" "so does the number"
is "$(policy renamed '.retention_days')" '[7]' "so does the policy"
ok "the settings are edited, the comment stays" grep -Eq '^ *renamed: .*# a week' "$L/config/settings.yaml"
put three "$M/renamed/f"
is "$(versions "$M/renamed/f")" "1 2 3" "and the series goes on"
ok "the name is free again" mkdir "$B"
is "$(versions "$B/f")" "" "with no history"
rmdir "$B"

before=$(log_lines .)
fails EPERM "a file at the root is refused" touch "$M/file"
is $(($(log_lines .) - before)) 1 "with one line in the log"
like "$(tail -n 1 "$L/logs/tarn.log")" "file" "which names it"
fails EPERM "a symlink, too" ln -s renamed "$M/link"
fails EPERM "moving a file there" mv "$M/renamed/f" "$M/f"
ok "it is where it was" test -f "$M/renamed/f"
for name in .catalog .lineage; do
	ok "$name cannot be made" not mkdir "$M/$name"
done
mkdir "$M/renamed/inner"
ok "a folder becomes a bucket" mv "$M/renamed/inner" "$M/outer"
put one "$M/outer/g"
put two "$M/outer/g"
is "$(versions "$M/outer/g")" "1 2" "with versions"
ok "a bucket becomes a folder" mv "$M/outer" "$M/renamed/inner"
is "$(cat "$M/renamed/inner/g@v1")" one "with its history"
down
is "$(ls "$M")" renamed "on disk it is the same"
up
is "$(cat "$M/renamed/f@v2")" two "after the next mount, too"
down
