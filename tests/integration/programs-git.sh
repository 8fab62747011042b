#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What git leaves in history: nothing in .git/; a version of each file that checkout, merge and stash change.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/programs-lib.sh"
need_program git git
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b

in_repository() { git -C "$B/repository" "$@"; }

rows()
{
	local kept
	ok "$1: git init" git init -q -b main "$B/repository"
	begin repository/file.txt
	ok "$1: git add" in_repository add .
	ok "$1: git commit" in_repository commit -qm A
	tells "$F" "1=A" "$1: leaves the file as it was"
	in_repository checkout -qb other
	put B "$F"
	in_repository commit -qam B
	tells "$F" "1=A 2=B" "$1: another commit, too"
	ok "$1: git checkout" in_repository checkout -q main
	tells "$F" "1=A 2=B 3=A" "$1: is a version"
	ok "$1: git merge" in_repository merge -q other
	tells "$F" "1=A 2=B 3=A 4=B" "$1: is one"
	put C "$F"
	ok "$1: git stash" in_repository stash -q
	tells "$F" "1=A 2=B 3=A 4=B 5=C 6=B" "$1: is one"
	ok "$1: git stash pop" in_repository stash pop -q
	tells "$F" "1=A 2=B 3=A 4=B 5=C 6=B 7=C" "$1: and one back"
	kept=$(fact versions_kept)
	ok "$1: git gc" in_repository gc -q --prune=now
	ok "$1: git fsck" in_repository fsck
	is "$(fact versions_kept)" "$kept" "$1: leave nothing"
	for name in HEAD index ORIG_HEAD refs/heads/main packed-refs; do
		is "$(versions "$B/repository/.git/$name")" "" "$1: no versions of .git/$name"
	done
}
both_ways rows
