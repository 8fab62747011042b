#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Publications while others read, rename, remove and write the same names: the tree, the record of it and history agree.
LIMIT=300
. "$(dirname "$0")/lib.sh"

lake lake
up
T=$B/target
mkdir "$T"
for ((i = 0; i < 20; i++)); do
	echo "round 0 of $i" >"$T/$i"
done

# again COMMANDS: does them until there is $FOLDER/stop; what fails for the others' sake is no error.
again()
{
	while [ ! -e "$FOLDER/stop" ]; do
		sh -c "$1" sh "$T"
	done >"$FOLDER/said.$BASHPID" 2>&1
}
# shellcheck disable=SC2016
{
	again 'ls "$1"; cat "$1"/*' &
	again 'mv "$1/5" "$1/x"; mv "$1/x" "$1/5"; mv "$1/6" "$1/8"' &
	again 'rm "$1/7"; echo "other $$" >"$1/7"' &
	again 'echo "rewritten $$" >"$1/9"; ln "$1/9" "$1/link"; rm "$1/link"' &
	again 'mkdir "$1/folder"; touch "$1/folder/f"; rm -r "$1/folder"' &
}
# stage ROUND
stage()
{
	mkdir -p "$B/staging"
	for ((i = 0; i < 20; i++)); do
		echo "round $1 of $i" >"$B/staging/$i"
	done
}
published=0
for ((round = 1; round <= 25; round++)); do
	stage "$round"
	if "$TARN" publish "$B/staging" "$T" >"$FOLDER/published" 2>&1; then
		published=$((published + 1))
	else
		note <"$FOLDER/published"
	fi
done
touch "$FOLDER/stop"
wait
echo "# $published of 25 were published"
ok "most could be published" test "$published" -ge 15
stage last
exits 0 "and one more, when nobody is in the way" "$TARN" publish "$B/staging" "$T"

# as_recorded: the live tree is what the last commit says.
as_recorded()
{
	diff -r "$T" "$T@v/commit-$(sqlite3 -readonly "$L/catalog/tarn.db" 'select max(commit_id) from change')"
}

# same TEXT: that, and nothing was found changed behind our back.
same()
{
	ok "$1: the tree is what the last commit says" within 10 as_recorded
	is "$(sqlite3 -readonly "$L/catalog/tarn.db" \
		"select count(*) from change where run = 2 and parent = $(stat -c %i "$T")")" 0 "$1: nothing was found changed"
	for name in 0 1 5 7 9; do
		ok "$1: all history of $name can be read" cat "$T/$name@v/"*
	done
}
same "before the next mount"
is "$(cat "$T/0")" "round last of 0" "the last one is there"
down
up
same "after it"
down
