#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overwrites a large file in place in every way; its old bytes must be what they were, or be listed as not kept.

	big.py MOUNT REFERENCE BYTES WORDS

MOUNT has the bucket `work`. REFERENCE: where a copy of what the file was lies meanwhile, on another file system. For each
way to write (write-only, read-write, through a mapping) and with and without somebody who reads the file meanwhile, a
file of BYTES is made anew, with data in few places. Prints TAP points.
"""
import os
import random
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
from files import points, wait_for
from look import history
from worker import Client, content

MOUNT, REFERENCE, SIZE, WORDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
BLOCK, DATA, CHANGES = 4096, 256 * 1024, 24
point = points(WORDS)


def make(path, seed):
	"""Data here and there, holes between."""
	rng = random.Random(seed)
	with open(path, "wb") as f:
		f.truncate(SIZE)
		for i in range(32):
			os.pwrite(f.fileno(), content(seed * 1000 + 2 * i + 1, DATA), rng.randrange(SIZE - DATA))


def changes(seed):
	"""(offset, bytes): within data and holes, at both ends, large and small."""
	rng = random.Random(seed)
	places = [0, SIZE - BLOCK] + [rng.randrange(SIZE - DATA) for _ in range(CHANGES)]
	return [(at, content(seed * 7777 + 2 * i + 1, rng.choice([1, 100, BLOCK, DATA]) if i > 1 else BLOCK))
		for i, at in enumerate(places)]


def by_handle(path, flags, seed):
	fd = os.open(path, flags)
	for at, data in changes(seed):
		os.pwrite(fd, data, at)
	os.close(fd)


def by_mapping(path, seed):
	client = Client(os.path.dirname(path))
	client.do_map(0, os.path.basename(path), SIZE)
	client.store_all(0, changes(seed))
	client.do_unmap(0)


WAYS = {"write-only": lambda path, seed: by_handle(path, os.O_WRONLY, seed),
	"read-write": lambda path, seed: by_handle(path, os.O_RDWR, seed), "mapped": by_mapping}


def is_cut(path, number):
	return history(path).get(number, {}).get("state") not in (None, "partial", "transient")


def is_hashed(path):
	return bool(history(path).get(1, {}).get("sha256"))


def differs(a, b):
	done = subprocess.run(["cmp", a, b], capture_output=True, text=True, check=False)
	return (done.stdout + done.stderr).strip()


def judge(path, seed, text):
	"""The old version, then the new one."""
	wait_for(lambda: is_cut(path, 2) and history(path)[1]["state"] != "live", 300)
	old = history(path).get(1, {})
	name = f"{path}@v/1{os.path.splitext(path)[1]}"
	listed = os.path.basename(name) in os.listdir(path + "@v")
	if old.get("state") == "kept":
		point(listed and not differs(name, REFERENCE), f"{text}: {old['how']}, and its bytes are what they were",
		      str(old), differs(name, REFERENCE))
	else:
		point(old.get("state") == "not-kept" and old.get("reason") and not listed,
		      f"{text}: not kept, and said to be: {old.get('reason')}", str(old))
	fd = os.open(REFERENCE, os.O_WRONLY)
	for at, data in changes(seed):
		os.pwrite(fd, data, at)
	os.close(fd)
	point(not differs(path, REFERENCE), f"{text}: the file has the new bytes", differs(path, REFERENCE))


def one(way, with_reader, seed):
	path = os.path.join(MOUNT, "work", f"{way}-{'read' if with_reader else 'alone'}.bin")
	make(REFERENCE, seed)
	make(path, seed)
	wait_for(lambda: is_cut(path, 1))
	# What may be changed unseen is listed only when it verifies, and so has to be hashed before.
	wait_for(lambda: is_hashed(path), 300)
	reader = subprocess.Popen([sys.executable, "-c", "import sys; f = open(sys.argv[1], 'rb'); f.read(9); print(flush=True); "
				   "sys.stdin.read()", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) if with_reader else None
	if reader:
		reader.stdout.readline()
	start = time.monotonic()
	WAYS[way](path, seed)
	took = time.monotonic() - start
	if reader:
		reader.communicate()
	judge(path, seed, f"{SIZE >> 20} MiB, {way}{', somebody reads' if with_reader else ''} ({took:.2f} s)")
	os.unlink(path)


def main():
	for seed, (way, with_reader) in enumerate(((w, r) for w in WAYS for r in (False, True)), 1):
		one(way, with_reader, seed)


main()
