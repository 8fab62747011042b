#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# rsync -aHAX and tar, into the mount and out of it: hard links, symlinks, ACLs, extended attributes, sparse files,
# special files, odd modes and times come back the same.
. "$(dirname "$0")/lib.sh"
need rsync "install rsync"
need setfacl "install acl"
need python3 "install python3"
need_root

source_tree()
{
	local i
	mkdir -p "$WORK/source/deep/er" && cd "$WORK/source" || return
	for i in $(seq 300); do
		head -c $((i * 97)) /dev/urandom >"deep/file $i"
	done
	ln "deep/file 1" deep/er/link
	ln "deep/file 1" "third name"
	ln -s "deep/file 2" symlink
	ln -s /nonexistent/target dangling
	ln symlink "link to a symlink"
	truncate -s 64M sparse
	printf middle | dd of=sparse bs=1 seek=33554432 conv=notrunc status=none
	printf end | dd of=sparse bs=1 seek=67108861 conv=notrunc status=none
	touch empty
	mkfifo fifo
	mknod null c 1 3
	mkdir closed sticky && chmod 0000 closed && chmod 1777 sticky
	echo x >setuid && chown 65534:65534 setuid && chmod 6755 setuid
	echo x >read-only && chmod 0400 read-only
	echo x >acl && setfacl -m u:65534:rw,g:12345:r,m::rw acl
	mkdir acl-folder && setfacl -m u:65534:rwx,d:u:65534:rx,d:g:12345:rwx acl-folder
	echo x >acl-folder/inherited
	echo x >xattrs && setfattr -n user.note -v 'some words' xattrs && setfattr -n user.empty xattrs &&
		setfattr -n trusted.hidden -v t xattrs && setfattr -n user.long -v "$(printf 'v%.0s' $(seq 2000))" xattrs
	setfattr -n user.folder -v f sticky
	touch -d '1969-12-31 12:00:00.123456789 UTC' old
	touch -d '2038-03-01 00:00:00.987654321 UTC' new
	printf x >$'new\nline' && printf x >$'not utf-8 \377\376' && printf x >-dash
	printf x >"$(printf 'n%.0s' $(seq 255))"
	# rsync compares whole seconds: nothing may be as young as its copy.
	find . -depth ! -name old ! -name new -exec touch -h -d '2020-02-02 02:02:02.123456789 UTC' {} +
}

# What lies in the cloud has its size as what it occupies, or less, until it is read.
is_sparse()
{
	local i
	cat "$1" >"$WORK/sparse.bytes" || return 1
	for i in 1 2 3 4 5; do
		[ "$(stat -c %b "$1")" -ge 4096 ] || return 0
		sleep 1
	done
	return 1
}

# same FOLDER WORDS: it has what the source has, and its sparse file still is.
same()
{
	"$HERE/tree.py" "$1" >"$WORK/copy.tree" 2>"$WORK/diff.log" &&
		diff "$WORK/source.tree" "$WORK/copy.tree" >"$WORK/diff.log" && is_sparse "$1/sparse"
	result $? "$2, $MODE" "$WORK/diff.log"
}

round_trips()
{
	local log=$WORK/copies.log
	lake_up lake
	rsync -aHAXS "$WORK/source/" by-rsync/ >"$log" 2>&1 || note <"$log"
	same by-rsync "rsync -aHAXS into the mount"
	rsync -aHAXSn --itemize-changes "$WORK/source/" by-rsync/ >"$log" 2>&1 && [ ! -s "$log" ]
	result $? "a second rsync finds nothing to copy, $MODE" "$log"
	rsync -aHAXSnc --itemize-changes "$WORK/source/" by-rsync/ >"$log" 2>&1 && [ ! -s "$log" ]
	result $? "rsync --checksum finds nothing to copy, $MODE" "$log"
	rsync -aHAXS by-rsync/ "$WORK/back/" >"$log" 2>&1 || note <"$log"
	same "$WORK/back" "rsync -aHAXS out of the mount"
	rm -rf "$WORK/back"

	local tar=(tar --acls --xattrs '--xattrs-include=*' --sparse --numeric-owner --format=posix)
	mkdir by-tar "$WORK/back"
	(set -e
	 "${tar[@]}" -C "$WORK/source" -cf "$WORK/in.tar" .
	 "${tar[@]}" -C by-tar -xpf "$WORK/in.tar"
	 "${tar[@]}" -C by-tar -cf "$WORK/out.tar" .
	 "${tar[@]}" -C "$WORK/back" -xpf "$WORK/out.tar") >"$log" 2>&1 || note <"$log"
	same by-tar "tar x into the mount"
	same "$WORK/back" "tar c out of the mount"
	rm -rf "$WORK/back"

	cp -a by-tar by-cp >"$log" 2>&1 || note <"$log"
	same by-cp "cp -a within the mount"
	down copies
	# files that lie in the cloud alone are no plain files
	[ "${LONG_TIERS:-}" = cloud ] || same "$LAKE/buckets/work/by-rsync" "the plain files below the lake"
	up
	same "$B/by-tar" "the next mount"
	lake_gone
}

source_tree >"$WORK/source.log" 2>&1
if ! "$HERE/tree.py" "$WORK/source" >"$WORK/source.tree"; then
	fail "the tree to copy could not be made"
	note <"$WORK/source.log"
	exit 1
fi
modes round_trips
