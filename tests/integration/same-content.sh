#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same content as before is no new version, however it was written.
LIMIT=300
. "$(dirname "$0")/lib.sh"

# history FILE: numbers, sizes and states, one line each in one line.
history() { history_of "$1" '[.version, .size, .state]'; }
hashed() { history_of "$1" 'select(.state == "live") | .sha256' | grep -q '[0-9a-f]'; }

save_as_vim()
{
	python3 - "$1" "$2" <<-'END'
		import os, sys
		f, text = sys.argv[1:]
		os.rename(f, f + "~")
		with open(f, "w") as out:
		    out.write(text + "\n")
		os.unlink(f + "~")
	END
}

save_again()
{
	local way=$1

	seq 1 1000 >"$FOLDER/s" && seq 1001 2000 >"$FOLDER/t"
	cp "$FOLDER/s" "$B/f"
	touch "$B/f"
	touch -d '2001-01-01' "$B/f"
	is "$(history "$B/f")" '[1,3893,"live"]' "$way: touch makes no version"
	cp "$FOLDER/s" "$B/f"
	is "$(history "$B/f")" '[1,3893,"live"]' "$way: nor cp of the same"
	ok "$way: which is there" cmp "$FOLDER/s" "$B/f@v1"
	cp "$B/f" "$B/f.part"
	mv "$B/f.part" "$B/f"
	is "$(history "$B/f")" '[1,3893,"live"]' "$way: nor the same renamed over it"
	rm "$B/f"
	cp "$FOLDER/s" "$B/f"
	is "$(history "$B/f")" '[1,3893,"live"]' "$way: nor the same made again"
	rsync -a --ignore-times "$FOLDER/s" "$B/f"
	is "$(history "$B/f")" '[1,3893,"live"]' "$way: nor rsync"
	cp "$FOLDER/t" "$B/f"
	is "$(history "$B/f")" '[1,3893,"kept"] [2,5000,"live"]' "$way: other content is the next one"
	ok "$way: whose predecessor is there" cmp "$FOLDER/s" "$B/f@v1"
	cp "$FOLDER/s" "$B/f"
	is "$(versions "$B/f")" "1 2 3" "$way: the one before that is a new one again"

	put one "$B/v"
	save_as_vim "$B/v" one
	is "$(history "$B/v")" '[1,4,"live"]' "$way: an editor's save without a change is none"
	save_as_vim "$B/v" two
	is "$(history "$B/v")" '[1,4,"kept"] [2,4,"live"]' "$way: one with a change of the same size is"
	is "$(cat "$B/v@v1" "$B/v@v2")" $'one\ntwo' "$way: both are there"

	cp "$FOLDER/s" "$B/p"
	ok "$way: its hash gets known" within 20 hashed "$B/p"
	dd if="$FOLDER/s" of="$B/p" conv=notrunc status=none
	is "$(history "$B/p")" '[1,3893,"live"]' "$way: the same written in place is none"
	ok "$way: and can be read" cmp "$FOLDER/s" "$B/p@v1"

	head -c 3000000 /dev/urandom >"$FOLDER/big"
	cp "$FOLDER/big" "$B/big"
	cp "$FOLDER/big" "$B/big"
	ok "$way: a large one is found by its hash" within 30 equal '[1,3000000,"live"]' history "$B/big"
	ok "$way: and is there" cmp "$FOLDER/big" "$B/big@v1"
	cp "$FOLDER/big" "$B/big.part"
	mv "$B/big.part" "$B/big"
	ok "$way: so is one that was renamed over it" within 30 equal '[1,3000000,"live"]' history "$B/big"
	rm "$B/big"
	is "$(history "$B/big")" '[1,3000000,"kept"]' "$way: deleted, it is kept once"
	ok "$way: and is there" cmp "$FOLDER/big" "$B/big@v1"
	ok "$way: bytes that were kept for nothing go" within 10 no_copies
	down
	is "$(sqlite3 "$L/catalog/tarn.db" "PRAGMA integrity_check")" ok "$way: the store is whole"
}

# No two files in versions/ of one node have the same content; a reflink beside one shares its blocks.
no_copies()
{
	[ -z "$(find "$L/versions" -type f ! -name '*.copy' -printf '%f ' -exec sha256sum {} \; |
		awk '{ sub(/\..*/, "", $1); print $1, $2 }' | sort | uniq -d)" ]
}

both_ways save_again
