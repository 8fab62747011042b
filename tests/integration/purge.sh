#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# tarn purge: of what was erased no byte is left in the lake: not in versions/, not in the store, not in its log.
. "$(dirname "$0")/lib.sh"

lake lake
up
SECRET=correct-horse-battery-staple
echo "$SECRET" >"$FOLDER/secret" # not on a command line: those are recorded
# Files of the lake that have the secret; the live ones are seen through the mount.
leaks() { grep -rlFf "$FOLDER/secret" "$L" 2>/dev/null | sed "s|^$L/||" | sort | paste -sd' '; }
secret() { for i in {1..2000}; do echo "line $i: $1"; done; }

secret "$SECRET" >"$B/keys"
NOTE=$SECRET python3 -c "import os, sys; os.setxattr(sys.argv[1], 'user.note', os.environ['NOTE'].encode())" "$B/keys"
bash -c "for i in {1..2000}; do echo 'again $SECRET'; done >'$B/keys'"
secret harmless >"$B/keys"
setfattr -n user.note -v harmless "$B/keys"
echo other >"$B/other" && echo text >"$B/other"
hashed() { [ "$(grep -c '"sha256":"' "$B/keys@v/history.jsonl")" -eq 3 ]; }
ok "its versions are hashed" within 15 hashed
ok "a secret is in the lake" test -n "$(leaks)"

exits 0 "a dry run" "$TARN" purge --dry-run "$B/keys"
like "$(cat "$FOLDER/out")" '2 versions would be erased' "says what would be erased"
is "$(cd "$B/keys@v" && echo *)" "1 2 3" "and erases nothing"
exits 1 "without --yes, and nobody to ask" "$TARN" purge "$B/keys"
is "$(cd "$B/keys@v" && echo *)" "1 2 3" "nothing"
exits 1 "the live version" "$TARN" purge --yes "$B/keys@v3"
like "$(cat "$FOLDER/out")" 'is the file as it is' "is refused"
exits 1 "the root" "$TARN" purge --yes "$M"
exits 1 "a file that never was" "$TARN" purge --yes "$B/never"
exits 0 "one version" "$TARN" purge --yes "$B/keys@v1"
is "$(cd "$B/keys@v" && echo *)" "2 3" "goes"
exits 0 "all of them" "$TARN" purge --yes "$B/keys"
is "$(cd "$B/keys@v" && echo *)" "3" "go"
like "$(cat "$FOLDER/out")" 'the file itself stays' "the live file stays"
is "$(leaks)" "" "no byte of the secret is left in the lake"
exits 1 "looking for it" grep -r "$SECRET" "$M"
exits 0 "by a program that changes nothing" cat "$B/keys"
is "$(leaks)" "" "leaves no command line"
fails ENOENT "an erased version" cat "$B/keys@v1"
like "$(grep '"version":1,' "$B/keys@v/history.jsonl")" '"state":"purged"' "is told to be purged"
ok "without its hash" not grep -q '"version":1,.*"sha256":"' "$B/keys@v/history.jsonl"
is "$(cat "$B/other@v1")" other "other files keep their history"

secret "$SECRET" >"$B/gone" && rm "$B/gone"
ok "a deleted file has the secret" test -n "$(leaks)"
exits 0 "its history is erased by its old path" "$TARN" purge --yes --json "$B/gone"
is "$(leaks)" "" "and nothing is left"

if [ "$(id -u)" -eq 0 ]; then
	nobody_home
	chmod 755 "$B"
	echo one >"$B/his" && echo two >"$B/his" && chown "$NOBODY" "$B/his"
	exits 1 "another user" as_nobody "$TARN" purge --yes "$B/other"
	is "$(cat "$B/other@v1")" other "may not"
	exits 0 "the owner" as_nobody "$TARN" purge --yes "$B/his"
	fails ENOENT "may" cat "$B/his@v1"
fi
down
is "$(leaks)" "" "nothing is left after unmounting"
is "$(sqlite3 "$L/catalog/tarn.db" 'PRAGMA integrity_check')" ok "the store is whole"

# What was changed in place is kept by what was saved of it, what was appended to by its length.
lake places
up
secret "$SECRET" >"$B/log"
sleep 2.5
echo appended >>"$B/log"
python3 -c "import os; f = os.open('$B/log', os.O_WRONLY); os.pwrite(f, b'x' * 100000, 0)"
within 10 test -e "$B/log@v3"
ok "a version that was appended to" grep -qFf "$FOLDER/secret" "$B/log@v1"
ok "and one that was changed in place have the secret" grep -qFf "$FOLDER/secret" "$B/log@v2"
exits 0 "both are erased" "$TARN" purge --yes "$B/log"
is "$(leaks)" "" "and nothing is left"
is "$(head -c 3 "$B/log")" xxx "but the file as it is"
down

# A folder, with all that ever was in it; what was moved elsewhere took its past along.
up
D=$B/people
mkdir -p "$D/a/b" "$B/else"
secret "$SECRET" >"$D/one" && secret harmless >"$D/one"
secret "$SECRET" >"$D/a/b/two" && rm -r "$D/a"
secret "$SECRET" >"$D/three" && secret harmless >"$D/other" && mv "$D/other" "$D/three"
echo moved >"$D/moved" && echo again >"$D/moved" && mv "$D/moved" "$B/else/moved"
rm -r "$D" && mkdir -p "$D/new"
secret harmless >"$D/one" && secret "$SECRET" >"$D/one" && secret harmless >"$D/one"
secret "$SECRET" >"$D/new/four" && rm "$D/new/four"
ok "a folder has had the secret" test -n "$(leaks)"
exits 1 "a folder has no numbers" "$TARN" purge --yes "$D@v1"
exits 0 "a dry run tells files" "$TARN" purge --dry-run "$D"
like "$(cat "$FOLDER/out")" 'data/people/a/b/two.*' "also those that are gone"
if [ "$(id -u)" -eq 0 ]; then
	chmod 755 "$D" && chown "$NOBODY" "$D"
	exits 1 "with files of others in it" as_nobody "$TARN" purge --yes "$D"
	chown 0 "$D"
fi
exits 0 "it is erased" "$TARN" purge --yes "$D"
is "$(leaks)" "" "no byte of the secret is left"
is "$(tail -n 1 "$D/one")" "line 2000: harmless" "what is there stays"
is "$(cat "$B/else/moved@v1")" moved "what was moved elsewhere has its past"
# on a slow machine a close is heard of late, and with it of a version
nothing_left() { "$TARN" purge --yes "$D" | grep -q '^0 versions'; }
ok "again there is nothing left to erase" within 10 nothing_left

# While the lake is not mounted.
secret "$SECRET" >"$B/offline" && secret harmless >"$B/offline"
down
exits 0 "a dry run while it is not mounted" "$TARN" purge --dry-run "$B/offline"
like "$(cat "$FOLDER/out")" '1 versions would be' "tells"
exits 0 "and erasing it" "$TARN" purge --yes "$B/offline"
is "$(leaks)" "" "leaves nothing"
exits 0 "gc while it is not mounted" "$TARN" gc "$L" --dry-run
[ "$(id -u)" -ne 0 ] || exits 1 "not for others" as_nobody "$TARN" purge --yes "$B/offline"
up
is "$(versions "$B/offline")" 2 "after the next mount it is gone, too"
is "$(cat "$B/else/moved@v1")" moved "and all else is there"
down
