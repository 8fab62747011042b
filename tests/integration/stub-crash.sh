#!/bin/bash
# Files go to the cloud and come back while others are rewritten, renamed and removed, and are killed at random moments:
# the next start finds each file and each version as they were, or as they were to be, and nothing that was staged.
LIMIT=${STUB_CRASH_LIMIT:-180}
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/cloud-lib.sh"
STORM=$TARN_BUILD/tests/crash/stubstorm
TIMES=${STUB_CRASH_TIMES:-12}

cloud dir
lake lake
settings 'buckets: {b: {tier: local}}'
mkdir "$L/buckets/b"
model=$FOLDER/model
ok 'files are made and sent' "$STORM" "$L" "$model" make
wrong=0
for ((i = 1; i <= TIMES; i++)); do
	"$STORM" "$L" "$model" storm "${STUB_CRASH_SEED:-1}$i" >"$FOLDER/storm" 2>&1 &
	pid=$!
	sleep "0.$((RANDOM % 900 + 100))"
	kill -9 $pid
	wait $pid 2>/dev/null
	"$STORM" "$L" "$model" check >"$FOLDER/check" 2>&1
	if grep -q '^not ok' "$FOLDER/check" || ! grep -q '^1\.\.' "$FOLDER/check"; then
		wrong=$((wrong + 1))
		echo "# round $i"
		note <"$FOLDER/check"
		note <"$FOLDER/storm"
	fi
done
is $wrong 0 "after $TIMES kills all is as it was done"
tail -n 3 "$FOLDER/check" | note
# What the kills left that harms nobody goes, and nothing else is wrong.
"$TARN" fsck "$L" --remote --repair >"$FOLDER/out" 2>&1
like $? '^[01]$' "fsck repairs all that is left" || note <"$FOLDER/out"
exits 0 "and finds nothing then" "$TARN" fsck "$L" --remote
