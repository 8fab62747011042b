#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many files: made, and walked.

	walk.py make FOLDER FOLDERS FILES	FILES files in each of FOLDERS folders
	walk.py walk FOLDER FOLDERS FILES	lists, stats, opens and reads every one; exits 1 when something is missing
"""
import os
import sys


def main():
	verb, top, folders, files = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
	if verb == "make":
		for d in range(folders):
			folder = f"{top}/folder-{d}"
			os.mkdir(folder)
			for i in range(files):
				fd = os.open(f"{folder}/file-{i}.txt", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
				os.write(fd, b"%d %d\n" % (d, i))
				os.close(fd)
		return
	seen = 0
	for d in range(folders):
		folder = f"{top}/folder-{d}"
		for name in os.listdir(folder):
			path = f"{folder}/{name}"
			i = int(name[5:-4])
			expected = b"%d %d\n" % (d, i)
			size = os.stat(path).st_size
			fd = os.open(path, os.O_RDONLY)
			content = os.read(fd, 100)
			os.close(fd)
			if content != expected or size != len(expected):
				sys.exit(f"{path}: {size} bytes, {content!r}")
			seen += 1
	if seen != folders * files:
		sys.exit(f"{seen} of {folders * files} files were found")


main()
