# SPDX-License-Identifier: GPL-3.0-or-later
"""What a folder of a mount shows: the present tree, the past of it, versions of a file."""
import hashlib
import json
import os
import stat

from tree import FILE, FOLDER, SYMLINK, Facts

KINDS = {stat.S_IFREG: FILE, stat.S_IFDIR: FOLDER, stat.S_IFLNK: SYMLINK}


def read(path):
	with open(path, "rb") as f:
		return f.read()


def xattrs(path):
	names = [n for n in os.listxattr(path, follow_symlinks=False) if n.startswith("user.")]
	return tuple((n, os.getxattr(path, n, follow_symlinks=False)) for n in sorted(names))


def look(top, keep_data=False):
	"""Facts by path of everything below TOP. What cannot be read is a fact of the kind "error"."""
	found = {}

	def look_at(path, below):
		try:
			s = os.lstat(path)
			kind = KINDS.get(stat.S_IFMT(s.st_mode), "other")
			data = read(path) if kind == FILE else b""
			if kind == FILE and len(data) != s.st_size:
				kind = f"file of {s.st_size} bytes, of which {len(data)} can be read"
			f = Facts(kind, stat.S_IMODE(s.st_mode), len(data), hashlib.sha256(data).hexdigest() if kind == FILE else None,
				  xattrs(path), os.readlink(path) if kind == SYMLINK else None, s.st_ino)
			if keep_data:
				f.data = data
			found[below] = f
			names = sorted(os.listdir(path)) if kind == FOLDER else ()
		except OSError as e:
			found[below] = Facts(f"error: {e.strerror}", 0, 0, None, (), None, 0)
			names = ()
		for name in names:
			look_at(f"{path}/{name}", f"{below}/{name}")

	for name in sorted(os.listdir(top)):
		if not name.startswith("."):
			look_at(f"{top}/{name}", name)
	return found


def compare(wanted, found, modes=lambda path, facts: {facts.mode}):
	"""(path, words) of each difference."""
	for path in sorted(set(wanted) | set(found)):
		if path not in found:
			yield path, "is not there"
		elif path not in wanted:
			yield path, f"is there: {found[path].kind}, {found[path].size} bytes"
		else:
			words = wanted[path].differences(found[path], modes(path, wanted[path]))
			if words:
				yield path, ", ".join(words)


def history(path):
	"""The lines of history.jsonl, by number; {} when there is none."""
	try:
		lines = read(f"{path}@v/history.jsonl").decode().splitlines()
	except (FileNotFoundError, NotADirectoryError):
		return {}
	return {line["version"]: line for line in map(json.loads, lines)}


def listed(path):
	"""Digest by number of the versions that are listed. OSError: one of them cannot be read."""
	try:
		names = os.listdir(path + "@v")
	except (FileNotFoundError, NotADirectoryError):
		return {}
	return {int(n.split(".")[0]): hashlib.sha256(read(f"{path}@v/{n}")).hexdigest() for n in names if n[0].isdigit()}
