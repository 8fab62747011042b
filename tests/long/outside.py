#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to LAKE/buckets while nothing is mounted, and what the next mount makes of it.

	outside.py prepare MOUNT	makes the files, through the mount
	outside.py change LAKE		changes them directly
	outside.py check MOUNT WORDS	prints TAP points
	outside.py counts MOUNT		prints "VERSIONS PATH" for every file, sorted
	outside.py contents MOUNT	prints "SHA256 PATH VERSION" for every version that is listed, sorted
"""
import hashlib
import os
import sys

from files import assets, points, read, unreadable, versions, wait_for, write

MANY = 200


def counts(mount):
	return {p: int(r["versions"]) for p, r in assets(mount).items()}


def prepare(mount):
	bucket = os.path.join(mount, "work")
	os.makedirs(os.path.join(bucket, "folder/below"))
	os.mkdir(os.path.join(bucket, "other"))
	for name in ("kept", "changed", "same-size", "renamed", "moved", "replaced", "removed", "linked", "touched", "mode"):
		write(os.path.join(bucket, name + ".csv"), b"first of " + name.encode())
	for i in range(MANY):
		write(os.path.join(bucket, f"folder/below/many-{i}.csv"), b"first of many %d" % i)
	write(os.path.join(bucket, "twice.csv"), b"first of twice")
	if not wait_for(lambda: len(counts(mount)) == 11 + MANY and set(counts(mount).values()) == {1}):
		sys.exit(f"after preparing, versions are {counts(mount)}")
	write(os.path.join(bucket, "twice.csv"), b"second of twice")
	if not wait_for(lambda: counts(mount)["work/twice.csv"] == 2):
		sys.exit(f"twice.csv has {counts(mount)['work/twice.csv']} versions")
	# What is only touched later can be told by its hash, once that is known.
	if not wait_for(lambda: all(r["sha256"] for r in assets(mount).values())):
		sys.exit("assets.csv has no sha256 for some files")


def change(lake):
	bucket = os.path.join(lake, "buckets/work")
	os.chdir(bucket)
	write("added.csv", b"first of added")
	os.makedirs("new folder/deep")
	write("new folder/deep/added.csv", b"added deep")
	with open("changed.csv", "ab") as f:
		f.write(b", then more")
	with open("same-size.csv", "r+b") as f:
		f.write(b"other")
	os.rename("renamed.csv", "new-name.csv")
	os.rename("moved.csv", "other/moved.csv")
	write("replacement", b"second of replaced")
	os.rename("replacement", "replaced.csv")
	os.unlink("removed.csv")
	os.link("linked.csv", "other/link.csv")
	os.utime("touched.csv")
	os.chmod("mode.csv", 0o600)
	os.rename("folder", "renamed folder")
	os.mkdir(os.path.join(lake, "buckets/second"))
	write(os.path.join(lake, "buckets/second/a.csv"), b"in a new bucket")


def check(mount, words):
	point = points(words)
	live = {"kept": b"first of kept", "changed": b"first of changed, then more", "same-size": b"other of same-size",
		"new-name": b"first of renamed", "other/moved": b"first of moved", "replaced": b"second of replaced",
		"linked": b"first of linked", "other/link": b"first of linked", "touched": b"first of touched",
		"mode": b"first of mode", "twice": b"second of twice", "added": b"first of added",
		"new folder/deep/added": b"added deep"}
	live = {f"work/{p}.csv": c for p, c in live.items()}
	live["second/a.csv"] = b"in a new bucket"
	live.update({f"work/renamed folder/below/many-{i}.csv": b"first of many %d" % i for i in range(MANY)})
	wrong = [p for p, c in live.items() if not os.path.exists(os.path.join(mount, p)) or read(os.path.join(mount, p)) != c]
	point(not wrong, "every file is as it was left outside", *wrong)
	gone = [p for p in ("renamed", "moved", "removed") if os.path.lexists(os.path.join(mount, f"work/{p}.csv"))]
	point(not gone and not os.path.lexists(os.path.join(mount, "work/folder")), "what was removed or renamed is gone", *gone)

	point(wait_for(lambda: set(assets(mount)) == set(live)), "assets.csv has just the files that are there",
	      *(sorted(set(assets(mount)) ^ set(live))))
	# Written anew behind the mount: one version more. The old bytes are gone where a file was overwritten or replaced,
	# so only the new version can be read there; seen by what is listed.
	expected = {p: 1 for p in live}
	expected["work/twice.csv"] = 2
	wait_for(lambda: counts(mount) == expected)
	found = counts(mount)
	bad = [f"{p}: {found.get(p)}, not {n}" for p, n in expected.items() if found.get(p) != n]
	point(not bad, "assets.csv counts the right versions", *bad)
	changed = ("changed", "same-size", "replaced")
	for path in (*changed, "kept", "new-name", "touched", "mode", "added", "other/moved"):
		number = 2 if path in changed else 1
		path = f"work/{path}.csv"
		listed = versions(os.path.join(mount, path))
		point(listed == {number: live[path]}, f"{path}@v/ lists just {number}, with its content", str(listed))
	twice = versions(os.path.join(mount, "work/twice.csv"))
	point(twice == {1: b"first of twice", 2: b"second of twice"}, "an old version is there as before", str(twice))
	point(not unreadable, "every version that is listed can be opened", *sorted(unreadable))


def main():
	verb, place = sys.argv[1], sys.argv[2]
	if verb == "prepare":
		prepare(place)
	elif verb == "change":
		change(place)
	elif verb == "check":
		check(place, sys.argv[3])
	elif verb == "counts":
		for path, n in sorted(counts(place).items()):
			print(n, path)
	elif verb == "contents":
		for path in sorted(counts(place)):
			for number, content in sorted(versions(os.path.join(place, path)).items()):
				print(hashlib.sha256(content).hexdigest(), path, number)
		if unreadable:
			sys.exit(f"cannot be opened: {sorted(unreadable)}")
	else:
		sys.exit(__doc__)


main()
