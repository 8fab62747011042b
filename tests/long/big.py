#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overwrites a large file in place in every way; its old bytes must be what they were, or be listed as not kept.

	big.py TARN MOUNT BYTES WORDS

MOUNT has the bucket `work`. For each way to write (write-only, read-write, through a mapping) and with and without
somebody who reads the file meanwhile, a file of BYTES is made anew: data, with a hole of 1 MiB in each 16 MiB. At last
all of one is overwritten. What the file was and is need not lie anywhere: each byte follows from its place. Prints TAP
points.
"""
import os
import random
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
from files import points, wait_for
from look import history
from worker import Client, content

TARN, MOUNT, SIZE, WORDS = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
PAGE, BLOCK, DATA, CHANGES = 4096, 1 << 20, 256 * 1024, 24
RUN = min(64 << 20, SIZE // 8)  # so much is overwritten from one end to the other
point = points(WORDS)


def block(template, number):
	"""Bytes of one block of the file as it was made: each page says which it is."""
	if number % 16 == 15:
		return bytearray(BLOCK)
	made = bytearray(template)
	for page in range(0, BLOCK, PAGE):
		struct.pack_into("<Q", made, page, number * BLOCK + page)
	return made


def template(seed):
	return random.Random(seed).randbytes(BLOCK)


def make(path, seed):
	base = template(seed)
	with open(path, "wb", buffering=0) as f:
		f.truncate(SIZE)
		for number in range(SIZE // BLOCK):
			if number % 16 != 15:
				os.pwrite(f.fileno(), block(base, number), number * BLOCK)


def some_changes(seed):
	"""(offset, bytes): within data and holes, at both ends, large and small, and a long run."""
	rng = random.Random(seed)
	places = [0, SIZE - PAGE] + [rng.randrange(SIZE - DATA) for _ in range(CHANGES)]
	found = [(at, content(seed * 7777 + 2 * i + 1, rng.choice([1, 100, PAGE, DATA]) if i > 1 else PAGE))
		 for i, at in enumerate(places)]
	start, piece = rng.randrange((SIZE - RUN) // PAGE) * PAGE, content(seed * 7777 + 999, BLOCK)
	return found + [(start + at, piece) for at in range(0, RUN, BLOCK)]


def all_changes(seed):
	piece = content(seed * 7777 + 999, BLOCK)
	return [(at, piece) for at in range(0, SIZE, BLOCK)]


def differs(path, seed, changes):
	"""The first place where PATH is not what was made, with CHANGES in it; '' when there is none."""
	base, by_block = template(seed), {}
	for at, data in changes:
		for number in range(at // BLOCK, (at + len(data) - 1) // BLOCK + 1):
			by_block.setdefault(number, []).append((at - number * BLOCK, data))
	with open(path, "rb", buffering=0) as f:
		for number in range(SIZE // BLOCK + 1):
			wanted = block(base, number) if number * BLOCK < SIZE else bytearray()
			for at, data in by_block.get(number, ()):
				part = data[max(0, -at):BLOCK - at]
				wanted[max(0, at):max(0, at) + len(part)] = part
			got = f.read(BLOCK)
			while 0 < len(got) < len(wanted) and (more := f.read(len(wanted) - len(got))):
				got += more
			if got != wanted:
				at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
				return f"{os.path.basename(path)} is not what it was from {number * BLOCK + at} on"
	return ""


def by_handle(flags):
	def write(path, changes):
		fd = os.open(path, flags)
		for at, data in changes:
			os.pwrite(fd, data, at)
		os.close(fd)
	return write


def by_mapping(path, changes):
	client = Client(os.path.dirname(path))
	client.do_map(0, os.path.basename(path), SIZE)
	client.store_all(0, changes)
	client.do_unmap(0)


WAYS = {"write-only": by_handle(os.O_WRONLY), "read-write": by_handle(os.O_RDWR), "mapped": by_mapping}


def is_cut(path, number):
	return history(path).get(number, {}).get("state") not in (None, "partial", "transient")


def is_hashed(path):
	return bool(history(path).get(1, {}).get("sha256"))


def judge(path, seed, changes, text):
	"""The old version, then the new one."""
	wait_for(lambda: is_cut(path, 2) and history(path)[1]["state"] != "live", 600)
	old = history(path).get(1, {})
	name = f"{path}@v/1{os.path.splitext(path)[1]}"
	listed = os.path.basename(name) in os.listdir(path + "@v")
	if old.get("state") == "kept":
		wrong = differs(name, seed, []) if listed else "it is not listed"
		point(not wrong, f"{text}: {old['how']}, and its bytes are what they were", str(old), wrong)
	else:
		point(old.get("state") == "not-kept" and old.get("reason") and not listed,
		      f"{text}: not kept, and said to be: {old.get('reason')}", str(old))
	wrong = differs(path, seed, changes)
	point(not wrong, f"{text}: the file has the new bytes", wrong)


def one(way, with_reader, seed, changes, words):
	path = os.path.join(MOUNT, "work", f"{seed}.bin")
	make(path, seed)
	wait_for(lambda: is_cut(path, 1))
	# What may be changed unseen is listed only when it verifies, and so has to be hashed before.
	wait_for(lambda: is_hashed(path), 600)
	reader = subprocess.Popen([sys.executable, "-c", "import sys; f = open(sys.argv[1], 'rb'); f.read(9); print(flush=True); "
				   "sys.stdin.read()", path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) if with_reader else None
	if reader:
		reader.stdout.readline()
	start = time.monotonic()
	WAYS[way](path, changes)
	took = time.monotonic() - start
	if reader:
		reader.communicate()
	judge(path, seed, changes, f"{SIZE >> 20} MiB, {words}{way}{', somebody reads' if with_reader else ''} ({took:.2f} s)")
	os.unlink(path)
	subprocess.run([TARN, "purge", path, "--yes"], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def main():
	ways = [(way, with_reader) for way in WAYS for with_reader in (False, True)]
	for seed, (way, with_reader) in enumerate(ways, 1):
		one(way, with_reader, seed, some_changes(seed), "")
	one("write-only", False, len(ways) + 1, all_changes(len(ways) + 1), "all of it, ")


main()
