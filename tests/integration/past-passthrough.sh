#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A whole old version is read by the kernel itself, where it can; what is open stays readable whatever comes.
. "$(dirname "$0")/lib.sh"

O=$FOLDER/old
mkdir "$O"
reading()
{
	local how=$1 before moment
	seq 200000 >"$FOLDER/1"
	cp "$FOLDER/1" "$B/f"
	sleep 0.05
	moment=$(date +epoch-%s.%N)
	sleep 0.05
	seq 300000 >"$B/f.part"
	mv "$B/f.part" "$B/f"
	seq 1000 >"$B/g"
	"$TARN" mount "$L" "$O" -q -o "view=$moment${2:+,$2}"
	before=$(fact opens_passthrough)
	for name in "$B/f@v1" "$B/f@v/1" "$B@v/$moment/f" "$M/@v/$moment/data/f" "$O/data/f"; do
		ok "$how: ${name#"$FOLDER/"} is whole" cmp "$name" "$FOLDER/1"
		ok "$how: its middle, too" cmp <(tail -c +500001 "$name" | head -c 70000) \
			<(tail -c +500001 "$FOLDER/1" | head -c 70000)
	done
	if [ "$how" = passthrough ] && [[ $("$TARN" status "$L" --json | jq -r .passthrough) == yes* ]]; then
		ok "$how: read by the kernel itself" test "$(fact opens_passthrough)" -ge $((before + 10))
	fi
	ok "$how: several at once" bash -c "cmp '$B/f@v1' '$FOLDER/1' & cmp '$B/f@v/1' '$FOLDER/1' & cat '$B/f@v1' >'$FOLDER/2'; wait; cmp '$FOLDER/1' '$FOLDER/2'"
	ok "$how: mapped" python3 - "$B/f@v1" "$FOLDER/1" <<-'END'
		import mmap, sys
		with open(sys.argv[1], "rb") as a, open(sys.argv[2], "rb") as b:
		    m = mmap.mmap(a.fileno(), 0, access=mmap.ACCESS_READ)
		    sys.exit(m[:] != b.read())
	END
	exec 5<"$B/f@v1" 6<"$O/data/f"
	rm "$B/f"
	ok "$how: what is open is read to its end" cmp - "$FOLDER/1" <&5
	exec 5<&-
	ok "$how: on the mount of the past, too" cmp - "$FOLDER/1" <&6
	exec 6<&-
	is "$(head -c 3 "$B/g@v/latest")" $'1\n2' "$how: a live version"
	ok "$how: and again" cmp "$B/f@v1" "$FOLDER/1"
	"$TARN" umount "$O"
}
lake lake
up
reading passthrough
down
lake second
up -o passthrough=off
reading cached passthrough=off
down
