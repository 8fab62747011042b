#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stores through a mapping whose descriptor is closed, and what becomes of the file's versions.

	mapping.py MAPSTORE FOLDER WORDS

Then the file is truncated and rewritten (O_TRUNC), replaced by a rename, or removed: before it is unmapped, or after.
Prints TAP points, each ending with WORDS.
"""
import os
import subprocess
import sys
import time

from files import points, read, unreadable, versions, wait_for, write

SIZE = 8192
OLD = b"a" * SIZE
NEW = b"new\n"
helper, folder, point = sys.argv[1], sys.argv[2], points(sys.argv[3])


class Mapping:
	def __init__(self, path):
		self.process = subprocess.Popen([helper, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
		self.answer()

	def answer(self):
		if self.process.stdout.readline() != "ok\n":
			sys.exit(f"mapstore ended with status {self.process.wait()}")

	def do(self, line):
		self.process.stdin.write(line + "\n")
		self.process.stdin.flush()
		self.answer()

	def end(self):
		self.process.stdin.close()
		if self.process.wait() != 0:
			sys.exit(f"mapstore ended with status {self.process.returncode}")


def stored(*texts):
	content = bytearray(OLD)
	for offset, text in texts:
		content[offset:offset + len(text)] = text
	return bytes(content)


def show(found):
	known = {OLD: "the old content", NEW: "the new content", b"": "nothing"}
	return "; ".join(f"{n}: " + known.get(c, f"{len(c)} bytes, 0: {c[:6]!r} 100: {c[100:105]!r} 200: {c[200:205]!r}")
			 for n, c in sorted(found.items())) or "none"


def truncate(path):
	write(path, NEW)


def replace(path):
	write(path + ".fresh", NEW)
	os.rename(path + ".fresh", path)


def change(name, operation, ended_before):
	path = os.path.join(folder, f"{name}-{'after' if ended_before else 'before'}.csv")
	title = f"stored through a mapping, {name} {'after' if ended_before else 'before'} it ended"
	write(path, OLD)
	if not wait_for(lambda: OLD in versions(path).values()):
		return point(False, f"{title}: the first version is listed", show(versions(path)))
	mapping = Mapping(path)
	mapping.do("store 0 STORED")
	if ended_before:
		mapping.end()
		expected = stored((0, b"STORED"))
	operation(path)
	early = versions(path)
	if not ended_before:
		mapping.do("store 100 LATER")
		middle = versions(path)
		mapping.do("store 200 AGAIN")
		late = versions(path)
		unchanged = all(middle.get(n, c) == c for n, c in early.items())
		unchanged = unchanged and all(late.get(n, c) == c for n, c in middle.items())
		point(unchanged, f"{title}: what is listed does not change", show(early), show(middle), show(late))
		mapping.end()
		expected = stored((0, b"STORED"), (100, b"LATER"), (200, b"AGAIN"))
	# Truncated in place while somebody maps it: no old content can be kept without copying it.
	if ended_before or operation is not truncate:
		listed = wait_for(lambda: expected in versions(path).values())
		point(listed, f"{title}: the version is the content that was stored", show(versions(path)))
	allowed = {OLD, NEW, b"", expected, stored((0, b"STORED"))}
	found = versions(path)
	point(set(found.values()) <= allowed, f"{title}: no version is a mixture", show(found))
	if operation is os.unlink:
		point(not os.path.exists(path), f"{title}: the file is gone")
	else:
		point(read(path)[:len(NEW)] == NEW, f"{title}: the live file is the new one", repr(read(path)[:40]))


def rsync():
	source, copy = os.path.join(folder, "synced.csv"), os.path.join(folder, "copy.csv")
	command = ["rsync", "-a", source, copy]
	write(source, OLD)
	subprocess.run(command, check=True)
	mapping = Mapping(source)
	for turn, text in enumerate(("first", "other", "third")):
		# rsync compares whole seconds.
		time.sleep(1.1)
		mapping.do(f"store {turn * 10} {text}")
		mapping.do("sync")
		subprocess.run(command, check=True)
		point(read(copy) == read(source) and text.encode() in read(copy),
		      f"rsync does not skip a file of the same size, store {turn + 1} through a mapping")
	time.sleep(1.1)
	mapping.do("store 40 last")
	mapping.end()
	subprocess.run(command, check=True)
	point(b"last" in read(copy), "rsync does not skip it after the mapping has ended")


for ended_before in (True, False):
	change("O_TRUNC", truncate, ended_before)
	change("rename over it", replace, ended_before)
	change("unlink", os.unlink, ended_before)
rsync()
point(not unreadable, "every version that is listed can be opened", *sorted(unreadable))
