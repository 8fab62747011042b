#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What a user makes is that user's, with that user's group or the folder's when it is set-group-id; sticky folders
# protect what others made.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
chmod 755 "$B"
mkdir -m 1777 "$B/all"
D=$B/all
owner() { stat -c %u:%g "$1"; }
as_user() { setpriv --reuid=1234 --regid=1235 --groups=1236,1237 "$@"; }
ok "another user makes a file, folder, symlink, fifo and link" as_nobody bash -c \
	"cd '$D' && echo x >file && mkdir folder && ln -s file symlink && mkfifo fifo && ln file link && cp file copy"
for name in file folder symlink fifo link copy; do
	is "$(owner "$D/$name")" "$NOBODY:$NOBODY" "the $name is that user's"
done
ok "open O_EXCL" as_nobody python3 -c "import os; os.open('$D/excl', os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)"
is "$(owner "$D/excl") $(stat -c %a "$D/excl")" "$NOBODY:$NOBODY 600" "too"
as_nobody bash -c "echo y >'$D/copy'"
is "$(owner "$D/copy")" "$NOBODY:$NOBODY" "after an overwrite"
echo z >"$D/copy"
is "$(owner "$D/copy") $(cat "$D/copy")" "$NOBODY:$NOBODY z" "and after one by root"
is "$(owner "$D/copy@v1")" "$NOBODY:$NOBODY" "an old version is that user's, too"

mkdir -m 2777 "$B/group" && chgrp 1236 "$B/group" && chmod g+s "$B/group"
ok "in a set-group-id folder" as_user bash -c "cd '$B/group' && echo x >file && mkdir folder && ln -s x symlink"
is "$(owner "$B/group/file") $(owner "$B/group/folder") $(owner "$B/group/symlink")" "1234:1236 1234:1236 1234:1236" \
	"what is made has its group"
is "$(stat -c %A "$B/group/folder" | cut -c7)" s "a folder passes it on"
mkdir "$B/members" && chgrp 1237 "$B/members" && chmod 770 "$B/members"
ok "a supplementary group lets in" as_user touch "$B/members/f"
is "$(owner "$B/members/f")" 1234:1235 "with the primary group for what is made"
fails EACCES "others stay out" as_nobody touch "$B/members/g"
ok "chgrp to a group of one's own" as_user chgrp 1236 "$B/members/f"
fails EPERM "not to another" as_user chgrp 4321 "$B/members/f"
fails EPERM "nor chown" as_user chown "$NOBODY" "$B/members/f"

as_user bash -c "echo x >'$D/users'"
fails EPERM "sticky: another's file cannot be removed" as_nobody rm -f "$D/users"
fails EPERM "nor renamed" as_nobody mv "$D/users" "$D/taken"
fails EPERM "nor replaced" as_nobody mv -f "$D/file" "$D/users"
ok "the owner can remove it" as_user rm "$D/users"
fails EACCES "in root's folder nobody makes anything" as_nobody touch "$B/x"
fails EACCES "nor a bucket" as_nobody mkdir "$M/mine"
ok "read-only files can be made and written" as_nobody bash -c "umask 777; echo text >'$D/none'"
is "$(stat -c '%a %s' "$D/none")" "0 5" "with mode 0"
down
is "$(owner "$D/file") $(owner "$B/group/file")" "$NOBODY:$NOBODY 1234:1236" "on disk it is the same"
