#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An ordinary user mounts through fusermount3: everything works but passthrough, and the files are that user's.
. "$(dirname "$0")/lib.sh"
need_root

# mountpoint(1) cannot look at what even root may not enter.
listed() { grep -qF " $M " /proc/self/mountinfo; }

nobody_home
L=$HOME_OF_NOBODY/lake M=$L/buckets B=$M/raw-data
exits 0 "init as an ordinary user" as_nobody "$TARN" init "$L"
exits 0 "mount" as_nobody "$TARN" mount "$L"
ok "is in the table" listed
ok "is mounted" as_nobody test -s "$M/.catalog/README"
as_nobody bash -c "echo one >'$B/file'; echo two >'$B/file'"
is "$(as_nobody cat "$B/file" "$B/file@v1")" $'two\none' "an overwrite can be undone"
is "$(as_nobody stat -c %u:%g "$B/file")" "$NOBODY:$NOBODY" "the file is the user's"
status=$(as_nobody "$TARN" status "$L" --json)
like "$(jq -r .passthrough <<<"$status")" '^no' "status says that there is no passthrough"
is "$(jq .privileged <<<"$status")" false "and that the daemon has no privileges"
as_nobody "$TARN" doctor "$L" >"$FOLDER/out" 2>&1
like "$(cat "$FOLDER/out")" "passthrough" "doctor says what that means"
ok "a folder and a rename" as_nobody bash -c "cd '$B' && mkdir a && mv file a/b && ln -s b a/c && rm a/b"
is "$(as_nobody cat "$B/a/b@v-1")" two "an unlink can be undone"
fails EACCES "others cannot look in" ls "$M"
exits 1 "a second mount is refused" as_nobody "$TARN" mount "$L"
exits 0 "umount" as_nobody "$TARN" umount "$L"
ok "is done" not listed

if grep -Eq '^[[:space:]]*user_allow_other' /etc/fuse.conf 2>/dev/null; then
	exits 0 "allow_other, where fuse.conf has it" as_nobody "$TARN" mount "$L" -o allow_other
	exits 0 "umount" as_nobody "$TARN" umount "$L"
else
	exits 1 "allow_other is refused" as_nobody "$TARN" mount "$L" -o allow_other
	like "$(cat "$FOLDER/out")" user_allow_other "and the message says what is missing"
	ok "nothing is mounted" not listed
fi

# As on a machine without /etc/mtab, where fusermount3 can mount, but not unmount.
mkdir "$FOLDER/unable"
printf '#!/bin/sh\necho "fusermount3: failed to open /etc/mtab: No such file or directory" >&2\nexit 1\n' >"$FOLDER/unable/fusermount3"
chmod 755 "$FOLDER/unable/fusermount3"
unable=(as_nobody env "PATH=$FOLDER/unable:$PATH")
exits 0 "mount, without an mtab" "${unable[@]}" "$TARN" mount "$L"
exits 0 "umount through umount(8)" "${unable[@]}" "$TARN" umount "$L"
ok "nothing is mounted" not listed
exits 0 "mount" "${unable[@]}" "$TARN" mount "$L"
exec 3< <(as_nobody bash -c "cd '$M/raw-data' && echo there && exec sleep 60")
sleeper=$!
read -r <&3
exits 1 "a busy one is not unmounted" "${unable[@]}" "$TARN" umount "$L"
like "$(cat "$FOLDER/out")" busy "and the message says so"
kill "$sleeper"
exec 3<&-
as_nobody kill "$(as_nobody "$TARN" status "$L" --json | jq .pid)"
ok "a daemon that is told to end unmounts, too" within 10 not listed
