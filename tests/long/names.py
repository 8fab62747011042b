#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A thousand hostile names in one bucket: created, listed, overwritten, restored, renamed, catalogued, removed.

	names.py TARN MOUNT WORDS

Prints TAP points, each ending with WORDS.
"""
import csv
import json
import os
import random
import subprocess
import sys

import files
from files import read, wait_for

COUNT = 1000
tarn, mount, point = sys.argv[1], os.fsencode(sys.argv[2]), files.points(sys.argv[3], most=4)
bucket = os.path.join(mount, b"hostile")

FIXED = [b" ", b"  ", b"\t", b"\n", b"\r\n", b"a\nb", b"\x01\x02", b"\x7f", b"-", b"--", b"-rf", b"--help", b"-n 1", b"...",
	 b".. ", b"..a", b"~a", b"#", b"*", b"?", b"[a]", b"$HOME", b"$(id)", b"`id`", b"'", b'"', b'""', b'a"b', b"a,b", b",",
	 b'","', b'a",\n"b', b"\\", b"\\n", b"C:\\x", b"a:b", b"a;b", b"a|b", b"&", b"<>", b"%s%n", b"%2f", b"@", b"@v", b"@v1",
	 b"a@v", b"b@v1", b"c@v.csv", b"x@v1.2.3", b"d@vv", b"e@v-1", b"f@latest", b"\xff",
	 b"\xfe\xff", b"a\x80", b"\xc3\x28", b"\xed\xa0\x80", b"\xf0\x9f\x90\x9f", "naïve".encode(), "日本語.csv".encode(),
	 "a\u202eb".encode(), "e\u0301".encode(), "\u00e9".encode(), "\ufeffx".encode(), "\u0000x".encode()[1:], b"NUL", b"con.txt",
	 b"a.", b"a ", b" a", b".hidden", b"....", b".csv", b"a.csv.gz", b"a.tar.gz", b"a..csv", b"=1+1", b"+1", b"null", b"true",
	 b"{}", b"<script>", b"&amp;", b"'; DROP TABLE node; --", b"n" * 255, b"\xff" * 255, b"-" * 255, b'"' * 255, b"\n" * 255,
	 b"," * 255, b"x" * 251 + b".csv", "é".encode() * 127 + b"a", b"y@v" + b"1" * 252]
PIECES = [b"a", b"Z", b"0", b" ", b"\n", b"\t", b'"', b"'", b",", b";", b"\\", b"@v", b"@", b"-", b".", b"..", b"\xff", b"\xc3",
	  b"\x80", b"\x01", b"\x1b[31m", "é".encode(), "🐟".encode(), b"%", b"$", b"*", b"?", b"[", b"]", b"{", b"}", b"<", b">", b"&",
	  b"|", b"`", b"!", b"#", b"~", b"=", b"+", b":", b".csv", b".json"]


def names():
	rng, found = random.Random(9), []
	for name in FIXED:
		if name not in found:
			found.append(name)
	while len(found) < COUNT:
		length = rng.choice([2, 3, 5, 8, 20, 255])
		name = b""
		while len(name) < length:
			name += rng.choice(PIECES)
		name = name[:255]
		# A temporary name has no history. A name that means a version of another cannot be created, by design.
		if name in (b".", b"..") or name.endswith(b"~") or name in found:
			continue
		if not any(is_version_of(name, f) or is_version_of(f, name) for f in found):
			found.append(name)
	return found


def is_version_of(name, other):
	return name.startswith(other + b"@v")


def every(title, items, check):
	"""A point for CHECK(item) on all items; what it returns (or raises) is what is wrong with one."""
	bad = []
	for item in items:
		try:
			wrong = check(item)
		except OSError as e:
			wrong = os.strerror(e.errno)
		if wrong:
			shown = repr(item) if len(item) < 40 else f"{item[:30]!r}… ({len(item)} bytes)"
			bad.append(f"{shown}: {wrong[-120:]}")
	point(not bad, f"{len(items)} hostile names: {title}" + (f": {len(bad)} fail" if bad else ""), *bad)


def path(name):
	return os.path.join(bucket, name)


def content(name, turn):
	return b"%d of " % turn + name


def write(name, turn):
	files.write(path(name), content(name, turn))


def create(name):
	if os.path.lexists(path(name)):
		return "exists already"
	write(name, 1)
	return None


def overwrite(name):
	write(name, 2)


def reads(turn):
	return lambda name: None if read(path(name)) == content(name, turn) else f"is not content {turn}"


def old_version(name):
	listed = os.listdir(path(name) + b"@v")
	first = [n for n in listed if n == b"1" or n.startswith(b"1.")]
	if len(first) != 1:
		return f"@v/ lists {listed}"
	for way in (path(name) + b"@v/" + first[0], path(name) + b"@v/1", path(name) + b"@v1"):
		if read(way) != content(name, 1):
			return f"{way!r} is not the first content"
	return None


def restore(name):
	done = subprocess.run([tarn, "restore", "--", path(name) + b"@v1"], capture_output=True, stdin=subprocess.DEVNULL)
	return None if done.returncode == 0 else f"exit {done.returncode}, {done.stderr.decode(errors='replace').strip()}"


def from_csv():
	return {os.fsencode(p): r for p, r in files.assets(os.fsdecode(mount)).items()}


def from_json():
	data = json.loads(read(os.path.join(mount, b".catalog/assets.json")))
	rows = data if isinstance(data, list) else data["assets"]
	return {r["path"].encode(errors="surrogateescape"): r for r in rows}


def catalogued(all_names, title):
	expected = {b"hostile/" + n for n in all_names}
	for kind, rows in (("csv", from_csv), ("json", from_json)):
		try:
			wait_for(lambda rows=rows: set(rows()) == expected)
			found = rows()
		except (csv.Error, ValueError, KeyError) as e:
			point(False, f"assets.{kind} is valid{title}", f"{type(e).__name__}: {e}")
			continue
		missing, more = expected - set(found), set(found) - expected
		point(not missing and not more,
		      f"assets.{kind} has the {len(expected)} names{title}: {len(missing)} missing, {len(more)} more",
		      *map(repr, sorted(missing)[:4] + sorted(more)[:4]))
		wrong = [n for n, r in found.items()
			 if n in expected and int(r["size"]) != os.lstat(os.path.join(mount, n)).st_size]
		point(not wrong, f"assets.{kind} has their sizes{title}", *map(repr, wrong))


def main():
	os.mkdir(bucket)
	found = names()
	every("create", found, create)
	every("read", found, reads(1))
	listed = sorted(os.listdir(bucket))
	point(listed == sorted(found), f"the folder lists exactly these names ({len(listed)})")
	catalogued(found, "")
	every("overwrite", found, overwrite)
	every("read the overwritten", found, reads(2))
	every("@v/ lists and opens the old version", found, old_version)
	every("tarn restore", found, restore)
	every("read the restored", found, reads(1))

	renamed = [n[::-1] if n[::-1] not in found else n[:250] + b"~re" for n in found]
	moves = [(a, b) for a, b in zip(found, renamed) if not os.path.lexists(path(b)) and b not in (b".", b"..")]
	moved = dict(moves)
	every("rename", [a for a, _ in moves], lambda a: os.rename(path(a), path(moved[a])))
	now = sorted(moved.get(n, n) for n in found)
	point(sorted(os.listdir(bucket)) == now, f"the folder lists the {len(moves)} new names")
	every("read under the new name", [a for a, _ in moves],
	      lambda a: None if read(path(moved[a])) == content(a, 1) else "is not its content")
	catalogued(now, " after renames")
	every("unlink", now, lambda n: os.unlink(path(n)))
	point(os.listdir(bucket) == [], "the folder is empty")
	catalogued([], " after unlinks")


main()
