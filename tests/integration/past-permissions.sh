#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Nobody learns names or bytes of the past that the live permissions deny them: neither through D@v nor through @v.
. "$(dirname "$0")/lib.sh"

refused() { ! "$@" >"$FOLDER/refused" 2>&1; }

# shuts TEXT COMMAND…: fails with EACCES. The kernel is told of a change right after it, not before it is answered.
shuts()
{
	within 2 refused "${@:2}"
	fails EACCES "$@"
}
need_root

nobody_home
lake lake
up
moment() { sleep 0.02; date +epoch-%s.%N; sleep 0.02; }
mkdir "$B/open" "$B/closed" "$B/open/sub"
put text "$B/open/f"
put text "$B/open/sub/f"
put text "$B/open/moving"
put text "$B/open/gone"
put secret "$B/closed/f"
chmod 700 "$B/closed"
then=$(moment)
T=$M/@v/$then/data
is "$(as_nobody cat "$T/open/f" "$T/open/sub/f" "$B/open@v/$then/f")" $'text\ntext\ntext' "what is open is open in the past"
shuts "a closed folder is closed" as_nobody ls "$T/closed"
shuts "and what is in it" as_nobody cat "$T/closed/f"
shuts "by its own name" as_nobody ls "$B/closed@v/$then"

chmod 600 "$B/open/f"
shuts "chmod 600 closes the past of a file" as_nobody cat "$T/open/f"
shuts "through each folder" as_nobody cat "$B/open@v/$then/f"
shuts "and by its own name" as_nobody cat "$B/open/f@v1"
chmod 644 "$B/open/f"
is "$(as_nobody cat "$T/open/f")" text "and it opens again"
chmod 700 "$B/open/sub"
shuts "chmod 700 closes all that is below, then too" as_nobody cat "$T/open/sub/f"
shuts "and its names" as_nobody ls "$B/open@v/$then/sub"
chmod 700 "$B/open"
shuts "of a parent, too" as_nobody ls "$T/open"
shuts "by D@v" as_nobody ls "$B/open@v"
chmod 755 "$B/open"
chmod 711 "$B/open"
shuts "names that cannot be listed now cannot be listed then" as_nobody ls "$T/open"
is "$(as_nobody cat "$T/open/f")" text "but be read, as now"
chmod 755 "$B/open"

mv "$B/open/moving" "$B/closed/moving"
shuts "what was moved into a closed folder is closed where it was" as_nobody cat "$T/open/moving"
is "$(cat "$T/open/moving")" text "root reads it"
mkdir -m 700 "$B/closed/below"
mv "$B/closed/moving" "$B/closed/below/moving"
chmod 755 "$B/closed/below"
shuts "also further below one" as_nobody cat "$T/open/moving"
rm "$B/closed/below/moving"
shuts "and after it was removed there" as_nobody cat "$T/open/moving"
rm "$B/open/gone"
is "$(as_nobody cat "$T/open/gone")" text "what was open when it was removed stays open"
chmod 600 "$B/open/f"
rm "$B/open/f"
shuts "what was closed stays closed" as_nobody cat "$T/open/f"

mkdir "$B/dir"
put text "$B/dir/f"
then2=$(moment)
chmod 700 "$B/dir"
rm -r "$B/dir"
shuts "a folder that was closed and removed stays closed" as_nobody ls "$B/dir@v/$then2"
shuts "through @v, too" as_nobody cat "$M/@v/$then2/data/dir/f"

put setuid "$B/prog"
chmod 6777 "$B/prog"
then3=$(moment)
is "$(stat -c %a "$M/@v/$then3/data/prog")" 555 "no set-id and no write bits"
setfacl -m "u:$NOBODY:---" "$B/prog"
shuts "an ACL that shuts somebody out holds for the past" as_nobody cat "$M/@v/$then3/data/prog"
shuts "of a version, too" as_nobody cat "$B/prog@v/latest"
then4=$(moment)
setfacl -b "$B/prog"
chmod 755 "$B/prog"
is "$(as_nobody cat "$M/@v/$then3/data/prog")" setuid "without it the past is open again"
shuts "but for the time when it was there" as_nobody cat "$M/@v/$then4/data/prog"
rm "$B/prog"
shuts "also when the file is gone" as_nobody cat "$M/@v/$then4/data/prog"
put text "$B/named"
setfacl -m "u:$NOBODY:r,g::-,o::-" "$B/named"
is "$(as_nobody cat "$B/named")" text "an entry lets somebody in"
shuts "not into the past" as_nobody cat "$M/@v/$(moment)/data/named"
put first "$B/denied"
setfacl -m "u:$NOBODY:-" "$B/denied"
put second "$B/denied"
setfacl -b "$B/denied"
is "$(as_nobody cat "$B/denied")" second "an entry that shut somebody out is gone"
shuts "what was overwritten while it was there stays closed" as_nobody cat "$B/denied@v1"
shuts "and by its place in the list" as_nobody cat "$B/denied@v/1"

# What lay in a folder that was closed then, and is open now.
mkdir -m 700 "$B/inner"
put secret "$B/inner/f"
mkdir "$B/inner/sub"
put deep "$B/inner/sub/f"
then5=$(moment)
put public "$B/inner/f"
stat "$B/inner/f@v1" "$B/inner/sub@v/$then5" >"$FOLDER/seen" # the kernel may remember what it was told
chmod 755 "$B/inner"
is "$(as_nobody cat "$B/inner/f" "$B/inner/sub/f")" $'public\ndeep' "a folder was opened"
shuts "what was overwritten while it was closed stays closed" as_nobody cat "$B/inner/f@v1"
shuts "by time, too" as_nobody cat "$B/inner/f@v/$then5"
shuts "and the tree of then" as_nobody ls "$B/inner@v/$then5"
shuts "from further below" as_nobody cat "$B/inner/sub@v/$then5/f"
shuts "and from above" as_nobody cat "$M/@v/$then5/data/inner/f"
is "$(as_nobody cat "$B/inner/sub/f@v/latest")" deep "what is live is as open as it is"
is "$(cat "$B/inner/f@v1" "$B/inner/sub@v/$then5/f")" $'secret\ndeep' "root reads it"
put more "$B/inner/f"
is "$(as_nobody cat "$B/inner/f@v-1")" public "what was overwritten since is open"
down
