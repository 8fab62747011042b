#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes a folder again and again while the daemon is killed or the power fails: all of it is there, or nothing.

	publish.py --tarn FILE --dir FOLDER --disk ext4|xfs|lazy-ext4|lazy-xfs [--lazyfs FILE] [--rounds N] [--files N]
		   [--seed N] [-- MOUNT OPTION…]

In each round staging has a whole new state of the target, in half of them without any fsync. Some time after `tarn
publish` began the power fails (each third time only the daemon is killed). After the next mount the target is the old
state or the new one, live, and in history as of the commits around it; what the verb said was done is. Prints TAP points.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "model"))
from disk import disk
from files import points, read, versions
from lake import Lake


def arguments():
	p = argparse.ArgumentParser()
	p.add_argument("--tarn", required=True)
	p.add_argument("--dir", required=True)
	p.add_argument("--disk", required=True)
	p.add_argument("--lazyfs", default="lazyfs")
	p.add_argument("--rounds", type=int, default=60)
	p.add_argument("--files", type=int, default=200)
	p.add_argument("--seed", type=int, default=1)
	p.add_argument("options", nargs="*")
	return p.parse_args()


class Rounds:
	def __init__(self, o, lake):
		self.o, self.lake, self.rng = o, lake, random.Random(o.seed)
		self.bucket = os.path.join(lake.mnt, "work")
		self.target, self.staging = (os.path.join(self.bucket, n) for n in ("target", "staging"))
		self.last, self.takes = 0, 0
		self.published = self.undone = self.begun = 0
		self.commits = {}	# of publications that the verb told of: the round
		self.halves, self.forgotten, self.staged, self.past = [], [], [], []

	# ---- states ----

	def state(self, number):
		"""Content by path below the folder. Some files are the same in each round, some names are new in each."""
		found = {str(i): b"%d of round %d\n" % (i, number if i % 10 else 0) * (1 + i * i % 500) for i in range(self.o.files)}
		found["sub/extra"] = found[f"new-{number}"] = found[f"sub/new-{number}"] = b"round %d\n" % number
		return found

	@staticmethod
	def found(folder):
		out = {}
		for top, _, names in os.walk(folder):
			for name in names:
				path = os.path.join(top, name)
				out[os.path.relpath(path, folder)] = read(path)
		return out

	@staticmethod
	def put(folder, state, sync):
		os.makedirs(os.path.join(folder, "sub"))
		for name, data in state.items():
			with open(os.path.join(folder, name), "wb") as f:
				f.write(data)
				f.flush()
				if sync:
					os.fsync(f.fileno())

	def which(self, folder, number):
		"""The round that FOLDER shows: NUMBER or the one before; else words."""
		found = self.found(folder)
		for n in (number, self.last):
			if found == self.state(n):
				return n
		wanted = self.state(number)
		old = self.state(self.last)
		new = [p for p in found if found[p] == wanted.get(p) and found[p] != old.get(p)]
		return f"{len(found)} files, {len(new)} of round {number}, {len(set(old) - set(found))} of round {self.last} missing"

	# ---- one round ----

	def publish(self):
		return subprocess.Popen([self.lake.program, "publish", self.staging, self.target, "--replace", "--json"],
					stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

	def note_done(self, process, number):
		out, _ = process.communicate(timeout=120)
		if process.returncode == 0:
			self.commits[json.loads(out)["commit"]] = number
		return process.returncode == 0

	def crash(self, kind):
		if kind == "power":
			self.lake.below.shut_down()
		self.lake.kill()

	def back(self, kind):
		self.lake.forget_mount()
		if kind == "power":
			self.lake.below.power_back()
		self.lake.mount()
		self.lake.settled()

	def one(self, number):
		shutil.rmtree(self.staging, ignore_errors=True)
		sync, kind = self.rng.random() < 0.5, "kill" if number % 3 == 0 else "power"
		self.put(self.staging, self.state(number), sync)
		process = self.publish()
		time.sleep(self.rng.uniform(0.3, 1.5) * self.takes)
		self.crash(kind)
		done = self.note_done(process, number)
		self.back(kind)
		self.judge(f"round {number} ({kind}, {'fsynced' if sync else 'not fsynced'})", number, done, sync or kind == "kill")

	def judge(self, when, number, done, all_staged):
		shown = self.which(self.target, number)
		if shown == number:
			self.published += 1
		elif shown == self.last:
			self.undone += 1
			if done:
				self.forgotten.append(f"{when}: it was done, and is not any more")
			if all_staged and self.found(self.staging) != self.state(number):
				self.staged.append(f"{when}: staging is not what it was")
		else:
			self.halves.append(f"{when}: {shown}")
			shutil.rmtree(self.target)
			self.put(self.target, self.state(self.last), True)
		self.look_back(when, number)
		if shown == number:
			self.last = number

	def look_back(self, when, number):
		"""As of each commit since the last round the target was a whole state."""
		last = self.lake.facts()["commit"]
		for commit in range(max(1, last - 12), last + 1):
			top = f"{self.target}@v/commit-{commit}"
			shown = self.which(top, number) if os.path.isdir(top) else None
			if isinstance(shown, str):
				self.past.append(f"{when}: commit {commit}: {shown}")

	def begin(self):
		"""A target, and how long a publication takes when nothing happens."""
		for number in (-1, 0):
			self.put(self.staging, self.state(number), True)
			start = time.monotonic()
			if not self.note_done(self.publish(), number):
				raise OSError("nothing can be published")
			self.takes = time.monotonic() - start

	def history(self):
		"""All that the verb told of is there as of its commit, and every version of some files can be read."""
		for commit, number in self.commits.items():
			shown = self.found(f"{self.target}@v/commit-{commit}")
			if shown != self.state(number):
				self.past.append(f"at the end: commit {commit} is not round {number}")
		for name in ("1", "5", "77", "sub/extra"):
			for n, data in versions(os.path.join(self.target, name)).items():
				rounds = [r for r in range(-1, self.o.rounds + 2) if self.state(r)[name] == data]
				if not rounds:
					self.past.append(f"at the end: {name}@v/{n} was in no round")

	def all(self):
		self.lake.make()
		self.lake.mount()
		os.mkdir(self.bucket)
		self.begin()
		for number in range(1, self.o.rounds + 1):
			self.one(number)
		shutil.rmtree(self.staging, ignore_errors=True)
		self.put(self.staging, self.state(self.o.rounds + 1), False)
		if not self.note_done(self.publish(), self.o.rounds + 1):
			self.halves.append("at the end nothing can be published")
		self.history()
		with open(os.path.join(self.lake.path, "logs/tarn.log"), encoding="utf-8") as f:
			self.begun = f.read().count("a publication was under way")
		self.lake.unmount()

	def report(self, point):
		n = self.published + self.undone
		point(not self.halves, f"{n} of {self.o.rounds} publications of {self.o.files} files were whole, or nothing of them was "
		      f"there: {self.published} were published, {self.undone} not, {self.begun} were ended by the next mount",
		      *self.halves)
		point(self.published and self.undone and self.begun, f"all of these happened ({self.takes * 1000:.0f} ms for one)")
		point(not self.forgotten, f"what the verb said was done is: {len(self.commits)} times", *self.forgotten)
		point(not self.staged, "what was not published is in staging as it was", *self.staged)
		point(not self.past, "as of each commit around it the target was one state or the other", *self.past)


def main():
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
	o = arguments()
	o.dir = os.path.abspath(o.dir)
	point = points(f"{o.disk}{' ' + ' '.join(o.options) if o.options else ''}, seed {o.seed}", 12)
	lake = Lake(o.tarn, o.dir, disk(o.disk, o.dir, 2 << 30, o.lazyfs), o.options, {})
	rounds = Rounds(o, lake)
	try:
		rounds.all()
	finally:
		lake.clean_up()
	rounds.report(point)


main()
