#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Extended attributes are those of the file below; user.tarn.* are answers of the mount, which no listing shows.
. "$(dirname "$0")/lib.sh"

lake lake
up
F=$B/f.csv
put one "$F"
get() { getfattr --only-values --absolute-names -n "$1" "$2"; }
listed() { getfattr --absolute-names -m - "$1" | grep -v '^#' | grep . | paste -sd' '; }
ok "set" setfattr -n user.color -v blue "$F"
is "$(get user.color "$F")" blue "get"
ok "set another, with bytes" setfattr -n user.bytes -v 0x00ff0a "$F"
is "$(get user.bytes "$F" | od -An -tx1 | tr -d ' ')" 00ff0a "which come back"
is "$(listed "$F")" "user.bytes user.color" "both are listed"
ok "remove" setfattr -x user.bytes "$F"
fails ENODATA "it is gone" get user.bytes "$F"
fails ENODATA "removing what is not there" setfattr -x user.none "$F"
cat >"$FOLDER/flags.py" <<'END'
import errno, os, sys
f = sys.argv[1]
def fails(error, call, *args):
    try:
        call(*args)
    except OSError as e:
        assert e.errno == error, f"{call.__name__}{args[1:]}: {e}"
    else:
        raise AssertionError(f"{call.__name__}{args[1:]} worked")
fails(errno.EEXIST, os.setxattr, f, "user.color", b"x", os.XATTR_CREATE)
fails(errno.ENODATA, os.setxattr, f, "user.none", b"x", os.XATTR_REPLACE)
os.setxattr(f, "user.color", b"", os.XATTR_REPLACE)
assert os.getxattr(f, "user.color") == b""
os.setxattr(f, "user.large", b"y" * 3000)
assert os.getxattr(f, "user.large") == b"y" * 3000
os.removexattr(f, "user.large")
for name in "state", "tier", "version", "sha256", "run":
    fails(errno.EPERM, os.setxattr, f, "user.tarn." + name, b"x")
    fails(errno.EPERM, os.removexattr, f, "user.tarn." + name)
os.setxattr(f, "user.color", b"blue")
END
ok "flags, an empty and a large value; user.tarn.* but pin cannot be set" python3 "$FOLDER/flags.py" "$F"
mkdir "$B/folder"
ok "of a folder" setfattr -n user.color -v red "$B/folder"
is "$(get user.color "$B/folder")" red "too"
if [ "$(id -u)" -eq 0 ]; then
	ok "trusted.* as root" setfattr -n trusted.secret -v x "$F"
	is "$(get trusted.secret "$F")" x "can be read by root"
	chmod 755 "$B"
	ok "and not by others" not as_nobody getfattr -n trusted.secret "$F"
	fails EACCES "who cannot set any of another's file" as_nobody setfattr -n user.color -v x "$F"
	setfattr -x trusted.secret "$F"
fi

like "$(get user.tarn.state "$F")" '^[a-z]+$' "user.tarn.state"
is "$(get user.tarn.tier "$F")" local "user.tarn.tier"
is "$(get user.tarn.version "$F")" 1 "user.tarn.version"
ok "user.tarn.sha256, when it is known" within 15 equal "$(sha256sum <"$F" | cut -d' ' -f1)" get user.tarn.sha256 "$F"
fails ENODATA "user.tarn.none" get user.tarn.none "$F"
is "$(listed "$F")" "user.color" "none of them is listed"
put two "$F"
ok "an overwrite is the next version" within 15 equal 2 get user.tarn.version "$F" # once its close has arrived
is "$(get user.color "$F")" blue "and keeps the attributes of the file"
is "$(get user.color "$F@v1")" blue "which the old version has, too"
ok "a copy does not carry user.tarn.*" cp -a "$F" "$FOLDER/copy"
is "$(listed "$FOLDER/copy")" "user.color" "but the others"
down
is "$(get user.color "$F")" blue "on disk they are on the plain file"
is "$(listed "$F")" "user.color" "and no others"
