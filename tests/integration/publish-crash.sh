#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A daemon that is killed while it publishes: after the next mount all is published or nothing, on disk and in history.
LIMIT=300
. "$(dirname "$0")/lib.sh"

N=400
lake lake
up
mkdir -p "$B/target/sub"
for ((i = 0; i < N; i++)); do
	echo "round 0" >"$B/target/$i"
done
echo "round 0" >"$B/target/sub/extra"

# stage ROUND: as many files again, some of them with names that are new.
stage()
{
	mkdir -p "$B/staging/sub"
	for ((i = 0; i < N; i++)); do
		echo "round $1" >"$B/staging/$i"
	done
	echo "round $1" >"$B/staging/sub/extra"
	echo "round $1" >"$B/staging/new-in-$1"
}

# contents: each different content of the target with how often it is there, in one line.
contents() { cat "$B"/target/[0-9]* "$B/target/sub/extra" | sort | uniq -c | tr -s ' \n' ' '; }

published=0 undone=0 halves='' left='' last=0
for delay in 0.02 0.04 0.06 0.08 0.1 0.12 0.15 0.2 0.3; do
	round=$((published + undone + 1))
	rm -rf "$B/staging"
	stage "$round"
	"$TARN" publish "$B/staging" "$B/target" --replace >"$FOLDER/published" 2>&1 &
	publisher=$!
	sleep "$delay"
	crash
	wait "$publisher"
	"$TARN" umount "$M" >/dev/null 2>&1
	up
	case $(contents) in
	" $((N + 1)) round $round ")
		published=$((published + 1)) last=$round
		[ -e "$B/target/new-in-$round" ] || halves+=" the new file of round $round is missing"
		[ ! -e "$B/staging/0" ] || left+=" staging of round $round"
		;;
	" $((N + 1)) round $last ")
		undone=$((undone + 1))
		[ ! -e "$B/target/new-in-$round" ] || halves+=" the new file of round $round is there"
		[ "$(cat "$B"/staging/[0-9]* | sort -u)" = "round $round" ] || left+=" staging of round $round is not whole"
		;;
	*) halves+=" after $delay s: $(contents)" ;;
	esac
done
echo "# undone by the next mount: $(log_lines "under way: undoing")"
echo "# $published were published, $undone were not"
nothing "$halves" "all or nothing is published"
nothing "$left" "and staging is as it was, or empty"
rm -rf "$B/staging"
stage last
exits 0 "and then one can be published" "$TARN" publish "$B/staging" "$B/target" --replace
is "$(contents)" " $((N + 1)) round last " "whole"
ok "history can be read" cat "$B/target/0@v-1"
down
