#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# POSIX ACLs: they are obeyed, a folder's default ACL goes to what is made in it, and then the umask does not count.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
chmod 755 "$B"
acl_of() { getfacl -cpE "$1" | grep . | paste -sd,; }
put text "$B/f" && chmod 600 "$B/f"
fails EACCES "a closed file" as_nobody cat "$B/f"
ok "an entry for a user" setfacl -m "u:$NOBODY:r" "$B/f"
is "$(as_nobody cat "$B/f")" text "opens it"
fails EACCES "for reading only" as_nobody bash -c ">>'$B/f'"
is "$(stat -c %a "$B/f")" 640 "the mode shows the mask"
chmod 600 "$B/f"
fails EACCES "chmod sets the mask" as_nobody cat "$B/f"
chmod 644 "$B/f" && setfacl -m "u:$NOBODY:-,u:1234:r" "$B/f"
fails EACCES "an entry may take rights away" as_nobody cat "$B/f"
setfacl -b "$B/f"
is "$(as_nobody cat "$B/f")" text "without the ACL the mode counts again"

mkdir "$B/d"
ok "a default ACL" setfacl -d -m u::rwx,g::rwx,o::-,u:1234:rw,m::rwx "$B/d"
(umask 077 && echo new >"$B/d/file" && mkdir "$B/d/folder" && mkfifo "$B/d/fifo")
is "$(acl_of "$B/d/file")" "user::rw-,user:1234:rw-,group::rwx,mask::rw-,other::---" "a file inherits it, umask or not"
is "$(stat -c %a "$B/d/file")" 660 "as its mode shows"
is "$(stat -c %a "$B/d/folder")" 770 "a folder, too"
is "$(acl_of "$B/d/folder" | tr ',' '\n' | grep -c '^default:')" 5 "which passes it on"
is "$(stat -c %a "$B/d/fifo")" 660 "a fifo, too"
python3 -c "import os; os.close(os.open('$B/d/narrow', os.O_CREAT | os.O_WRONLY, 0o600))"
is "$(stat -c %a "$B/d/narrow")" 600 "the mode of open(2) limits it"
(umask 027 && echo plain >"$B/plain")
is "$(stat -c %a "$B/plain")" 640 "without a default ACL the umask counts"
ok "the user may write" setpriv --reuid=1234 --regid=1234 --clear-groups bash -c "echo more >>'$B/d/file'"

put over "$B/d/file"
is "$(acl_of "$B/d/file")" "user::rw-,user:1234:rw-,group::rwx,mask::rw-,other::---" "an overwrite keeps the ACL"
ok "setfacl by another user" not as_nobody setfacl -m "u:$NOBODY:rw" "$B/plain"
cp -a "$B/d" "$B/copy"
is "$(getfacl -cp "$B/copy" "$B/copy/file")" "$(getfacl -cp "$B/d" "$B/d/file")" "cp -a keeps ACLs"
ok "rsync -A, too" rsync -aA "$B/d/" "$B/synced/"
is "$(getfacl -cp "$B/synced/file")" "$(getfacl -cp "$B/d/file")" "as it was"
down
is "$(acl_of "$B/d/file")" "user::rw-,user:1234:rw-,group::rwx,mask::rw-,other::---" "on disk it is the same"
