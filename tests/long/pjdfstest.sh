#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pjdfstest: what POSIX says of the calls that change names and attributes. As root, with and without passthrough,
# none of its tests may fail. Most of them need root, so as an ordinary user the measure is a plain folder: what passes
# there passes on that user's mount.
. "$(dirname "$0")/lib.sh"
need_suite pjdfstest/pjdfstest

tests=$SUITES/pjdfstest/tests

# run_tests LOG: every test script, each in a folder of its own in the working folder, six at a time since they mostly
# sleep. LOG gets what they printed as "file:line", LOG.bad "file:number" of what failed. Sets count, bad, broken.
run_tests()
{
	local log=$1
	# shellcheck disable=SC2016 # expanded by the inner shell
	(cd "$tests" && find . -name '*.t' -printf '%P\n' | sort) |
		xargs -P 6 -I{} sh -c 'd=$(echo "$2" | tr / -); mkdir "$d" && cd "$d" &&
			out=$(sh "$1/$2" 2>&1 </dev/null); printf "%s\n" "$out" | sed "s,^,$2:,"' - "$tests" {} >"$log" 2>&1
	awk -F: '
		$2 ~ /^1\.\.[0-9]+$/ { planned[$1] = substr($2, 4) + 0 }
		$2 ~ /^ok / { seen[$1]++ }
		$2 ~ /^not ok / { seen[$1]++; split($2, w, " "); if (!/# *TODO/) print $1 ":" w[3] }
		END { for (f in planned) if (planned[f] != seen[f]) print f ":ended early" }' "$log" | sort >"$log.bad"
	count=$(grep -cE '^[^:]*:(not )?ok ' "$log")
	bad=$(grep -vc 'ended early' "$log.bad")
	broken=$(grep -c 'ended early' "$log.bad")
}

as_root()
{
	local log="$WORK/root-${MODE%% *}.log" start=$SECONDS
	lake_up lake
	run_tests "$log"
	lake_gone pjdfstest
	[ "$count" -ge 8000 ] && [ "$bad" -eq 0 ] && [ "$broken" -eq 0 ]
	result $? "pjdfstest as root, $MODE: $count tests, $bad failed, $broken ended early, $((SECONDS - start)) s" \
		"$log.bad"
}

as_ordinary_user()
{
	local log=$WORK/user.log plain_count plain_bad more
	mkdir "$WORK/plain" && cd "$WORK/plain" && run_tests "$log.plain"
	plain_count=$count plain_bad=$bad
	lake_up lake
	run_tests "$log"
	lake_gone "pjdfstest as $RUN_USER"
	comm -23 "$log.bad" "$log.plain.bad" >"$log.more"
	more=$(wc -l <"$log.more")
	# Not as many as in a plain folder: pjdfstest leaves rename/22.t out where it does not know the file system.
	[ "$count" -ge 8000 ] && [ "$more" -eq 0 ]
	result $? "pjdfstest as $RUN_USER: $bad of $count failed, in a plain folder $plain_bad of $plain_count; $more more" \
		"$log.more"
}

if [ "$(id -u)" -ne 0 ]; then
	as_ordinary_user
	exit
fi
modes as_root
if as_user test -r /dev/fuse -a -w /dev/fuse; then
	as_user bash "$HERE/pjdfstest.sh"
else
	skip "pjdfstest as $RUN_USER" "/dev/fuse is not open to all users here (udev's default is mode 0666)"
fi
