#!/bin/bash
# The power of the lake's disk fails while files go to the cloud and come back: each is there, here or there, with its
# bytes. On ext4 and XFS, shut down without writing their logs.
LIMIT=${STUB_CRASH_LIMIT:-240}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
need_root
STORM=$TARN_BUILD/tests/crash/stubstorm
TIMES=${STUB_CRASH_TIMES:-6}
DISK=$FOLDER/disk
mkdir "$DISK"
cloud dir

# A namespace of another test may hold the disk that failed: then this is that one still.
is_alive()
{
	touch "$DISK/alive" 2>/dev/null && return 0
	umount "$DISK"
	mount -o loop "$FOLDER/image" "$DISK"
	return 1
}

power_fails()
{
	python3 -c '
import array, fcntl, os, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, array.array("I", [2]))' "$DISK" || exit 1
	kill -9 "$1"
	wait "$1" 2>/dev/null
	within 10 umount "$DISK" || exit 1
	mount -o loop "$FOLDER/image" "$DISK" && within 60 is_alive || exit 1
}

on()
{
	local kind=$1 model=$FOLDER/model wrong=0
	rm -rf "${FOLDER:?}/image" "$model" "$CLOUD_DIR/pre"
	truncate -s 400M "$FOLDER/image"
	"mkfs.$kind" -q "$FOLDER/image" 2>"$FOLDER/said" || { note <"$FOLDER/said"; return; }
	mount -o loop "$FOLDER/image" "$DISK" 2>"$FOLDER/said" || skip_all "needs loop devices: $(head -n 1 "$FOLDER/said")"
	lake disk/lake
	settings 'buckets: {b: {tier: local}}'
	mkdir "$L/buckets/b"
	"$STORM" "$L" "$model" make >"$FOLDER/storm" 2>&1 || { point 1 "files are made on $kind"; note <"$FOLDER/storm"; }
	sync -f "$L"
	for ((i = 1; i <= TIMES; i++)); do
		"$STORM" "$L" "$model" storm "${STUB_CRASH_SEED:-1}$i" calm >"$FOLDER/storm" 2>&1 &
		sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
		power_fails $!
		"$STORM" "$L" "$model" check >"$FOLDER/check" 2>&1
		if grep -q '^not ok' "$FOLDER/check" || ! grep -q '^1\.\.' "$FOLDER/check"; then
			wrong=$((wrong + 1))
			echo "# round $i"
			note <"$FOLDER/check"
		fi
	done
	is $wrong 0 "on $kind: after $TIMES power failures each file is there"
	tail -n 3 "$FOLDER/check" | note
	umount "$DISK"
}

on ext4
on xfs
