#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints one line for each entry below a folder, sorted by name: what a copy of it must have too.

	tree.py [--no-mtime] [--no-xattr] DIR

Type and mode, owner, size, mtime (ns), links, what a link or device points to, SHA-256, extended attributes with
POSIX ACLs, and which names are links of one file. Names are shown as Python bytes. Sizes of folders, inode numbers
and ctimes are left out: they are the file system's own.
"""
import hashlib
import os
import stat
import sys


def sha256(path):
	digest = hashlib.sha256()
	with open(path, "rb") as f:
		while chunk := f.read(1 << 20):
			digest.update(chunk)
	return digest.hexdigest()


def xattrs(path):
	pairs = []
	for name in sorted(os.listxattr(path, follow_symlinks=False)):
		pairs.append(f"{name}={os.getxattr(path, name, follow_symlinks=False).hex()}")
	return ",".join(pairs)


def walk(folder, relative=b""):
	for name in sorted(os.listdir(folder)):
		path, below = os.path.join(folder, name), os.path.join(relative, name)
		yield path, below
		if stat.S_ISDIR(os.lstat(path).st_mode):
			yield from walk(path, below)


def main():
	words = sys.argv[1:]
	with_mtime = "--no-mtime" not in words
	with_xattr = "--no-xattr" not in words
	words = [w for w in words if not w.startswith("--no-")]
	if len(words) != 1:
		sys.exit(__doc__)
	first_name = {}
	for path, name in walk(os.fsencode(words[0])):
		s = os.lstat(path)
		fields = [repr(name), stat.filemode(s.st_mode), f"{s.st_uid}:{s.st_gid}"]
		if with_mtime:
			fields.append(f"mtime={s.st_mtime_ns}")
		if with_xattr:
			fields.append(f"xattr={xattrs(path)}")
		if stat.S_ISREG(s.st_mode):
			fields += [f"size={s.st_size}", f"sha256={sha256(path)}"]
		if stat.S_ISLNK(s.st_mode):
			fields.append(f"to={os.readlink(path)!r}")
		if stat.S_ISCHR(s.st_mode) or stat.S_ISBLK(s.st_mode):
			fields.append(f"device={os.major(s.st_rdev)}:{os.minor(s.st_rdev)}")
		if not stat.S_ISDIR(s.st_mode):
			same = first_name.setdefault((s.st_dev, s.st_ino), name) if s.st_nlink > 1 else name
			fields += [f"links={s.st_nlink}", f"same={same!r}"]
		print(" ".join(fields))


main()
