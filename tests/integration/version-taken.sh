#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who may write in a folder can take a file's name, with rename or after removing it, but gets nothing of what it was:
# a version's rights are those of the file that it was of, as they were at its end. They stay its owner's.
. "$(dirname "$0")/lib.sh"
need_root

nobody_home
lake lake
up
mkdir -m 777 "$B/all"
cd "$B/all" || exit 1

# take NAME: another user puts a file of that name in its place.
take() { as_nobody bash -c "echo mine >new; mv -f new '$1'"; }

for f in renamed removed acl; do
	put secret "$f"
	put "secret 2" "$f"
	is "$(as_nobody cat "$f@v1")" secret "$f: what is open is read"
	chmod 600 "$f"
done
setfacl -m u:1:r acl
hashes() { jq -r 'select(.uid == 0) | .sha256' "$1" | sort -u; }
hashed() { ! hashes removed@v/history.jsonl | grep -q null; }
ok "the checksums become known" within 20 hashed
within 2 not as_nobody cat renamed@v1 &>"$FOLDER/out" # the kernel is told right after it
fails EACCES "chmod 600 closes the past" as_nobody cat renamed@v1
take renamed
as_nobody bash -c "rm -f removed; echo mine >removed"
take acl
closed()
{
	local f

	for f in renamed removed acl; do
		fails EACCES "$f$1: version 1 stays closed" as_nobody cat "$f@v1"
		fails EACCES "$f$1: and version 2, by its place in the list" as_nobody cat "$f@v/2"
		is "$(as_nobody cat "$f@v/latest" "$f")" $'mine\nmine' "$f$1: who took the name has the new one"
		is "$(cat "$f@v1")" secret "$f$1: its owner has the old one"
	done
}
closed ""
is "$(as_nobody cat removed@v/history.jsonl >"$FOLDER/lines"; hashes "$FOLDER/lines")" null "no checksum tells"
is "$(stat -c %u:%a renamed@v1 renamed@v3 | paste -sd' ')" "0:400 $NOBODY:444" "each is its owner's"
exits 1 "who took the name may not purge it" as_nobody "$TARN" purge -y renamed@v1
exits 1 "nor all there is" as_nobody "$TARN" purge -y removed
is "$(cat renamed@v1 removed@v1)" $'secret\nsecret' "nothing is lost"
as_nobody bash -c 'echo more >removed; echo mine >removed'
ok "his own he may" as_nobody "$TARN" purge -y removed@v3
is "$(cat removed@v1)" secret "which leaves the others"

# The other way round: what was a user's stays it, even where the new file is closed to that user.
as_nobody bash -c 'echo his >his; chmod 600 his'
put new "$FOLDER/new"
cp "$FOLDER/new" new && chmod 600 new && mv -f new his
fails EACCES "another's file is closed" as_nobody cat his
is "$(as_nobody cat his@v1)" his "one's own version is not"
ok "and may be purged" as_nobody "$TARN" purge -y his@v1

# Saving by rename, and in place.
save() { as_nobody bash -c "echo $1 >doc.tmp; mv -f doc.tmp doc"; }
save one
save two
as_nobody bash -c 'chmod 600 doc'
save three
as_nobody bash -c 'echo four >doc; chmod 600 doc'
is "$(as_nobody cat doc@v1 doc@v2 doc@v3 doc | paste -sd' ')" "one two three four" "an owner reads all that was saved"
ok "others not what was closed at its end" not setpriv --reuid=1234 --regid=1234 --clear-groups cat doc@v2
ok "nor what is closed now" not setpriv --reuid=1234 --regid=1234 --clear-groups cat doc@v1
as_nobody chmod 644 doc
is "$(setpriv --reuid=1234 --regid=1234 --clear-groups cat doc@v1)" one "what never was, they read when it is open now"
ok "but not what was closed" not setpriv --reuid=1234 --regid=1234 --clear-groups cat doc@v2
put given given
put given2 given
chmod 600 given
chown "$NOBODY" given
is "$(as_nobody cat given@v1)" given "a file that was given away is the new owner's, with its past"
cd / || exit 1
down
up
cd "$B/all" || exit 1
closed ", mounted anew"
cd / || exit 1
down
