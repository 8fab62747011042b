#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Modes, owners, extended attributes and targets of symlinks are part of the past, also of what is gone.
. "$(dirname "$0")/lib.sh"
need_root

lake lake
up
sql() { sqlite3 "file:$L/catalog/tarn.db?mode=ro" "$1"; }
last() { sleep 0.1; sql "SELECT max(commit_id) FROM change"; }
node_of() { stat -c %i "$1"; }
# The attributes of a node as of a commit, as HEX.
xattrs_at()
{
	sql "SELECT hex(xattrs) FROM (SELECT to_commit, xattrs FROM node_past WHERE node = $1 UNION ALL
		SELECT 9223372036854775807, xattrs FROM node WHERE id = $1) WHERE to_commit > $2 ORDER BY to_commit LIMIT 1"
}
hex() { printf '%s' "$1" | od -An -tx1 -v | tr -d ' \n' | tr a-f A-F; }

put one "$B/f" && chmod 640 "$B/f"
node=$(node_of "$B/f")
setfattr -n user.b -v 2 "$B/f" && setfattr -n user.a -v 1 "$B/f"
first=$(last)
chmod 600 "$B/f" && setfattr -x user.b "$B/f" && chown 12:34 "$B/f"
second=$(last)
setfacl -m u:1234:rw "$B/f"
third=$(last)
is "$(xattrs_at "$node" "$first")" "$(hex user.a)0001000000$(hex 1)$(hex user.b)0001000000$(hex 2)" \
	"extended attributes as they were"
is "$(xattrs_at "$node" "$second")" "$(hex user.a)0001000000$(hex 1)" "one was removed"
like "$(xattrs_at "$node" "$third")" "^$(hex system.posix_acl_access)00" "ACLs are among them"
chmod 660 "$B/f"
before=$(last)
chmod 600 "$B/f"
ok "chmod of a file with an ACL changes the ACL" \
	not equal "$(xattrs_at "$node" "$before")" xattrs_at "$node" "$(last)"

ln -s 'some where' "$B/link"
was=$(last)
rm "$B/link"
is "$(readlink "$M/@v/commit-$was/data/link")" 'some where' "where a removed symlink pointed to"

mkdir "$B/d" && setfacl -d -m u:1234:rw "$B/d" && put x "$B/d/inherits"
last >/dev/null
like "$(xattrs_at "$(node_of "$B/d/inherits")" 9223372036854775806)" "^$(hex system.posix_acl_access)00" \
	"an ACL that was inherited"

ok "mknod(2) makes a file" python3 -c "import os, sys; os.mknod(sys.argv[1], 0o100644)" "$B/made"
is "$(cat "$B/made@v1")" "" "which has a first version, an empty one"
put text "$B/made"
is "$(cat "$B/made@v1")$(cat "$B/made@v2")" text "before what is written to it"
down

put outside "$B/o" && setfattr -n user.o -v z "$B/o" && ln -s target "$B/l"
up
is "$(readlink "$B/l")$(cat "$B/o")" targetoutside "what was made while nothing was mounted"
last >/dev/null
is "$(xattrs_at "$(node_of "$B/o")" 9223372036854775806)" "$(hex user.o)0001000000$(hex z)" \
	"is taken in with its extended attributes"
is "$(sql "SELECT cast(target AS TEXT) FROM node WHERE id = $(node_of "$B/l")")" target "and its target"
down
