#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# git: a clone into the mount, work in it, gc, fsck, and a clone out of it.
. "$(dirname "$0")/lib.sh"
need git "install git"

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null

# A repository of 2,000 files and 30 commits.
origin()
{
	local i j
	git init -q "$WORK/origin" && cd "$WORK/origin" || return
	for i in $(seq 30); do
		mkdir -p "d$i"
		for j in $(seq 66); do
			seq $((i * j)) $((i * j + 40)) >"d$i/f$j.txt"
		done
		echo "$i" >>log.txt
		git add . && git commit -qm "commit $i" || return
	done
}

clone()
{
	local log=$WORK/git.log start=$SECONDS
	lake_up lake
	(set -e
	 git clone -q "$WORK/origin" clone
	 cd clone
	 test -z "$(git status --porcelain)"
	 git checkout -q -b side HEAD~20
	 echo more >more.txt && git add more.txt && git commit -qm more
	 git merge -q -m merged origin/HEAD
	 git gc -q --aggressive --prune=now
	 git fsck --full --strict --no-progress
	 test -z "$(git status --porcelain)"
	 git clone -q "$B/clone" "$WORK/back"
	 test "$(git -C "$WORK/back" rev-parse 'HEAD^{tree}')" = "$(git rev-parse 'HEAD^{tree}')"
	 git -C "$WORK/back" fsck --full --strict --no-progress) >"$log" 2>&1 </dev/null
	result $? "git clone, merge, gc, fsck, $MODE: $((SECONDS - start)) s" "$log"
	rm -rf "$WORK/back"
	lake_gone git
}

if ! origin >"$WORK/origin.log" 2>&1; then
	fail "git: the repository to clone could not be made"
	note <"$WORK/origin.log"
	exit 1
fi
modes clone
