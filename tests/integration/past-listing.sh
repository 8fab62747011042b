#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A listing of a folder as it was says of each entry what a look-up of its name says, whatever became of it since, and
# is read in parts without a gap; looking at all of it asks for the way there but once.
LIMIT=300
. "$(dirname "$0")/lib.sh"

need_root
moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }

# by_listing FOLDER, by_name FOLDER NAMES: number, mode, owner, size, times of each entry, sorted.
facts='f"{s.st_ino} {s.st_mode:o} {s.st_uid} {s.st_gid} {s.st_size} {s.st_nlink} {s.st_blocks} {s.st_mtime_ns} {s.st_ctime_ns}"'
by_listing()
{
	python3 -c "
import os, sys
for e in sorted(os.scandir(sys.argv[1]), key=lambda e: e.name):
    s = os.lstat(e.path)
    print(e.name, $facts, 'the number differs' if s.st_ino != e.inode() else '')" "$1"
}
by_name()
{
	python3 -c "
import os, sys
for name in sys.argv[2].split('\n'):
    s = os.lstat(sys.argv[1] + '/' + name)
    print(name, $facts, '')" "$1" "$2"
}

lake lake
up
D=$B/d
mkdir -p "$D/folder" "$D/closed" "$D/given" "$B/other"
for name in same written removed again moved chmodded chowned unreadable 'a b' z; do
	put "$name" "$D/$name"
done
chmod 4711 "$D/chmodded"
chown 7:8 "$D/chowned" "$D/given"
ln -s somewhere/else "$D/link"
ln -s gone "$D/gone-link"
put inner "$D/folder/inner"
chmod 711 "$D/closed"
put acl "$D/acl"
put acl "$D/acl-later"
setfacl -m u:1:r "$D/acl"
mkfifo "$D/fifo"
for i in $(seq 1 400); do : >"$D/n$i"; done
then=$(moment)
put anew "$D/written"
rm "$D/removed" "$D/again" "$D/gone-link"
put again "$D/again"
mv "$D/moved" "$B/other/moved"
chmod 600 "$D/chmodded"
chmod 700 "$D/folder"
chown 9:9 "$D/chowned"
chown 0:0 "$D/given"
setfacl -m u:1:- "$D/acl-later"
rm "$D"/n1*
put new "$D/new"
ok "a version is erased" "$TARN" purge "$D/unreadable" --yes
rm "$D/unreadable"
ok "the last one, too" "$TARN" purge "$D/unreadable" --yes
down

compare()
{
	local listed found names
	up "${@:2}"
	listed=$(by_listing "$1@v/$then")
	down
	names=$(sed -E 's/( [^ ]+){9} ?$//; s/ the number differs$//' <<<"$listed")
	up "${@:2}"
	found=$(by_name "$1@v/$then" "$names")
	is "$(diff <(echo "$listed") <(echo "$found"))" "" "what is listed is what is found ($*)"
	is "$(wc -l <<<"$names")" "$(find "$1@v/$then" -mindepth 1 -maxdepth 1 | wc -l)" "all of it"
	is "$(grep -c '^n[0-9]' <<<"$names")" 400 "without a gap"
	down
}
compare "$D"
compare "$D" -o passthrough=off
M=$FOLDER/elsewhere
mkdir "$M"
compare "$M/data/d"

M=$L/buckets
up
is "$(find "$D@v/$then" -mindepth 1 -maxdepth 1 ! -name 'n[0-9]*' -printf '%f\n' | sort | paste -sd' ')" \
	"a b acl acl-later again chmodded chowned closed folder given gone-link link moved removed same written z" \
	"names in it"
is "$(stat -c '%a %u' "$D@v/$then/chmodded" "$D@v/$then/chowned" | paste -sd' ')" "400 0 444 9" \
	"modes then and now, owners of now"
chmod 0 "$D/same"
is "$(stat -c %a "$D@v/$then/same")" 0 "a change of permissions holds at once"

# The way to a folder that is being listed is remembered meanwhile, and forgotten when something else takes its name.
exec 7<"$D@v/$then"
before=$(fact synthetic_lookups)
for i in 2 3 4 5 6 7 8 9; do stat "$D@v/$then/n${i}0" >/dev/null; done
after=$(fact synthetic_lookups)
ok "looking at 8 names below it takes no look-up of the way for each ($before, $after)" test $((after - before)) -lt 16
mv "$D" "$B/e"
put file "$D"
is "$(within 5 equal 1 ls "$D@v" && ls "$D@v")" 1 "a file takes its name: its versions"
exec 7<&-
down
