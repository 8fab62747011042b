# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Python programs of this folder share: points, whole files, waiting, the catalog's rows, versions."""
import csv
import io
import os
import time

unreadable = set()  # what was listed three times, and could not be opened


def points(words, most=6):
	"""point(ok, text, *more): prints a TAP point whose text ends with WORDS; MORE are lines about one that failed."""
	def point(ok, text, *more):
		print(f"{'ok' if ok else 'not ok'} - {text}, {words}", flush=True)
		for line in more[:most] if not ok else ():
			print(f"# {line}", flush=True)
	return point


def read(path):
	with open(path, "rb") as f:
		return f.read()


def write(path, content):
	with open(path, "wb") as f:
		f.write(content)


def wait_for(condition, seconds=30):
	end = time.monotonic() + seconds
	while not condition():
		if time.monotonic() > end:
			return False
		time.sleep(0.1)
	return True


def assets(mount):
	"""Rows of assets.csv by path. RFC 4180; what is not UTF-8 in a path as os.fsdecode() has it."""
	text = read(os.path.join(mount, ".catalog/assets.csv")).decode(errors="surrogateescape")
	return {r["path"]: r for r in csv.DictReader(io.StringIO(text, newline=""), strict=True)}


def versions(path):
	"""Content by number, of what is listed. One that a writer ends between listing and reading is listed no more."""
	for _ in range(3):
		found, missing = {}, []
		try:
			names = [n for n in os.listdir(path + "@v") if n[0].isdigit()]
		except FileNotFoundError:
			return {}
		for name in names:
			try:
				found[int(name.split(".")[0])] = read(f"{path}@v/{name}")
			except FileNotFoundError:
				missing.append(name)
		if not missing:
			break
		time.sleep(0.1)
	else:
		unreadable.add(f"{os.path.basename(path)}@v/: {' '.join(missing)}")
	return found
