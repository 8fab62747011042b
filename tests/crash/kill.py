#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills the daemon at random moments under load, mounts again, and checks what must have survived.

	kill.py --tarn FILE --mapstore FILE --dir FOLDER [--kills N] [--workers N] [--seed N] [--words TEXT] [-- MOUNT OPTION…]

Four workers (worker.py) change files, fsync them and log it. Others hold mappings and handles on some files and go on
writing through them while the daemon is dead and after the next mount. After each kill -9:
	the store, copied before the mount, passes integrity_check;
	`tarn mount` recovers the dead mount point;
	every byte and name that was fsynced is there, and nothing that nobody wrote (model.py);
	.catalog/assets.csv and the tree agree;
	every version listed has the content that it had when it was first read, and one that was written there.
At the end every content that was durable and then replaced by a rename or removed is a version. Prints TAP points.
"""
import argparse
import csv
import io
import json
import os
import random
import select
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import time

from model import Model, digest

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT = 20
HAUNT = """
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
print("ok", flush=True)
n = 0
while True:
	n += 1
	try:
		os.pwrite(fd, b"%016d" % n, 64)
	except OSError:
		pass
	time.sleep(0.002)
"""


DYING = 10	# seconds: then it waits in the kernel for what it alone could answer (cli/mounting.c)


class Failure(Exception):
	pass


class Crash:
	def __init__(self, options):
		self.o = options
		self.rng = random.Random(options.seed)
		self.lake = os.path.join(options.dir, "lake")
		self.mnt = os.path.join(options.dir, "mnt")
		self.workers, self.models, self.haunters = [], [], []
		self.seen = {}		# (path, number): digest, of every version read so far
		self.wrong = {}		# what is wrong, by kind
		self.mount_times, self.reads, self.mounted = [], 0, False

	def blame(self, kind, *lines):
		for line in lines:
			self.wrong.setdefault(kind, []).append(f"kill {self.kill}: {line}")

	# ---- the daemon ----

	def tarn(self, *words):
		done = subprocess.run([self.o.tarn, *words], capture_output=True, text=True, errors="replace",
				      stdin=subprocess.DEVNULL, timeout=120)
		if done.returncode != 0:
			raise Failure(f"tarn {words[0]}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
		return done.stdout

	def mount(self):
		start = time.monotonic()
		self.tarn("mount", "-q", self.lake, self.mnt, *self.o.options)
		os.listdir(self.mnt)
		self.mounted = True
		self.mount_times.append(time.monotonic() - start)
		self.pid = json.loads(self.tarn("status", "--json", self.mnt))["pid"]

	def end_daemon(self):
		os.kill(self.pid, 9)
		end = time.monotonic() + DYING
		while not self.is_dead():
			time.sleep(0.002)
			if time.monotonic() > end: # what the next mount would do, but clients are waited for before that
				subprocess.run(["umount", "-f", self.mnt], capture_output=True, check=False)
				end += DYING

	def is_dead(self):
		"""Gone, or a zombie without other threads: those may still be within a system call."""
		try:
			with open(f"/proc/{self.pid}/stat") as f:
				state = f.read().rpartition(")")[2].split()[0]
			return state == "Z" and len(os.listdir(f"/proc/{self.pid}/task")) == 1
		except (FileNotFoundError, ProcessLookupError):
			return True

	# ---- clients ----

	def start_worker(self, i):
		folder = os.path.join(self.mnt, "work", f"w{i}")
		os.makedirs(folder)
		log = os.path.join(self.o.dir, f"w{i}.log")
		self.models.append(Model(log))
		open(log, "w").close()
		self.workers.append(subprocess.Popen([sys.executable, os.path.join(HERE, "worker.py"), folder, log, str(i + 1),
						      str(self.o.seed * 100 + i)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
						     bufsize=0))

	def wait_until_down(self):
		for i, w in enumerate(self.workers):
			end = time.monotonic() + WAIT
			while True:
				# Unbuffered, for select() does not know of a second line in a buffer.
				if not select.select([w.stdout], [], [], max(0, end - time.monotonic()))[0]:
					raise Failure(f"worker {i} hangs, {WAIT} s after the daemon was killed")
				line = w.stdout.readline()
				if line == b"down\n":
					break
				if not line:
					raise Failure(f"worker {i} ended with status {w.wait()}")
				self.blame("errors", line.decode().strip())

	def tell(self, word):
		for w in self.workers:
			w.stdin.write(f"{word}\n".encode())

	def haunt(self):
		"""Ends some that hold old mappings and handles, and starts others."""
		for h in self.haunters[:]:
			if h.poll() is not None or self.rng.random() < 0.4:
				h.kill()
				h.wait()
				self.haunters.remove(h)
		for _ in range(4 - len(self.haunters)):
			worker, file = self.rng.randrange(self.o.workers), self.rng.randrange(2)
			path = os.path.join(self.mnt, "work", f"w{worker}", f"x{file}")
			try:
				if os.stat(path).st_size < 128:
					continue
			except OSError:
				continue
			mapped = self.rng.random() < 0.6
			command = [self.o.mapstore, path] if mapped else [sys.executable, "-c", HAUNT, path]
			h = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
					     text=True)
			if h.stdout.readline() == "ok\n" and mapped:
				h.stdin.write("count 64\n")
				h.stdin.flush()
			self.haunters.append(h)

	# ---- what must have survived ----

	def check_store(self):
		copy = os.path.join(self.o.dir, "copy")
		shutil.rmtree(copy, ignore_errors=True)
		os.mkdir(copy)
		for name in ("tarn.db", "tarn.db-wal"):
			source = os.path.join(self.lake, "catalog", name)
			if os.path.exists(source):
				shutil.copy(source, copy)
		db = sqlite3.connect(os.path.join(copy, "tarn.db"))
		verdict = db.execute("PRAGMA integrity_check").fetchone()[0]
		db.close()
		if verdict != "ok":
			self.blame("store", verdict)

	def check_tree(self, top=None):
		for i, model in enumerate(self.models):
			folder = os.path.join(top or self.mnt, "work", f"w{i}")
			self.blame("bytes", *(f"w{i}/{line}" for line in model.check(folder)))

	def catalogued(self):
		with open(os.path.join(self.mnt, ".catalog/assets.csv"), newline="", errors="surrogateescape") as f:
			return {r["path"]: int(r["size"]) for r in csv.DictReader(io.StringIO(f.read()))}

	def in_tree(self):
		found = {}
		for i in range(self.o.workers):
			folder = f"work/w{i}"
			for name in os.listdir(os.path.join(self.mnt, folder)):
				found[f"{folder}/{name}"] = os.stat(os.path.join(self.mnt, folder, name)).st_size
		return found

	def check_catalog(self, open_files):
		"""OPEN_FILES: some are still written to through old handles; of those only the names are compared."""
		def compared(files):
			return {p: None if open_files and p.split("/")[-1][0] in "hx" else size for p, size in files.items()}

		end = time.monotonic() + WAIT
		while (rows := compared(self.catalogued())) != (tree := compared(self.in_tree())):
			if time.monotonic() > end:
				different = [f"{p}: {rows.get(p)} in assets.csv, {tree.get(p)} in the tree"
					     for p in sorted(set(rows) | set(tree)) if rows.get(p) != tree.get(p)]
				return self.blame("catalog", *different[:5])
			time.sleep(0.1)
		return None

	def read_versions(self, path, some=False):
		"""Digest by number, of what is listed. SOME: the newest ones and a few of those read before."""
		found = {}
		try:
			names = [n for n in os.listdir(os.path.join(self.mnt, path + "@v")) if n[0].isdigit()]
		except FileNotFoundError:
			return found
		if some:
			names.sort(key=lambda n: int(n.split(".")[0]))
			names = names[-30:] + self.rng.sample(names[:-30], min(15, len(names[:-30])))
		for name in names:
			try:
				with open(os.path.join(self.mnt, path + "@v", name), "rb") as f:
					found[int(name.split(".")[0])] = digest(f.read())
			except OSError as e:
				self.blame("versions", f"{path}@v/{name} is listed: {e.strerror}")
		self.reads += len(found)
		return found

	def check_versions(self, paths, some=True):
		for path in paths:
			found = self.read_versions(path, some)
			name = os.path.basename(path)
			for number, now in found.items():
				before = self.seen.setdefault((path, number), now)
				if before != now:
					self.blame("versions", f"{path}@v/{number} was {before[:12]}, is {now[:12]}")
				model = self.models[int(path.split("/")[1][1:])]
				if name.startswith("k") and now not in model.history.get(name, ()):
					self.blame("versions", f"{path}@v/{number}: {now[:12]} was never written there")

	def some_paths(self, share):
		"""All x*, which others write to, and some of the rest."""
		paths = [f"work/w{i}/x{j}" for i in range(self.o.workers) for j in range(2)]
		k = [f"work/w{i}/{n}" for i, m in enumerate(self.models) for n in m.history]
		return paths + self.rng.sample(k, int(len(k) * share))

	def check_history(self):
		"""Whatever was durable and then replaced by a rename or removed is listed."""
		lost, found, asked = [], 0, 0
		for i, model in enumerate(self.models):
			listed = {}
			for name, old, by in model.superseded:
				if by == "put":
					continue
				asked += 1
				path = f"work/w{i}/{name}"
				if path not in listed:
					listed[path] = set(self.read_versions(path).values())
				if old in listed[path]:
					found += 1
				else:
					lost.append(f"{path}: {old[:12]}, ended by {by}")
		self.kill = "all"
		self.blame("history", *lost)
		return found, asked

	# ---- a whole run ----

	def one_kill(self):
		time.sleep(min(self.rng.expovariate(2.5), 3))
		self.end_daemon()
		self.wait_until_down()
		self.check_store()
		self.mount()
		if self.rng.random() < 0.1:
			# Again, while the mount still looks at what the first kill left.
			self.end_daemon()
			self.mount()
		for model in self.models:
			model.read_log()
		paths = self.some_paths(0.3)
		self.check_versions(paths)
		self.check_tree()
		self.check_catalog(True)
		self.check_versions(paths)
		self.haunt()
		self.tell("go")

	def run(self):
		self.kill = 0
		self.tarn("init", "--empty", self.lake)
		os.mkdir(self.mnt)
		self.mount()
		for i in range(self.o.workers):
			self.start_worker(i)
		for self.kill in range(1, self.o.kills + 1):
			self.one_kill()
		self.end_daemon()
		self.wait_until_down()
		self.stop_clients()
		for model in self.models:
			model.read_log()
		self.mount()
		self.check_tree()
		self.check_catalog(False)
		time.sleep(3)
		self.check_versions(self.some_paths(1), some=False)
		self.history = self.check_history()
		self.tarn("umount", self.mnt)
		self.mounted = False
		self.check_tree(os.path.join(self.lake, "buckets"))
		self.check_store()

	def stop_clients(self):
		for w in self.workers:
			w.kill()
			w.wait()
		for h in self.haunters:
			h.kill()
			h.wait()
		self.workers, self.haunters = [], []

	def clean_up(self):
		self.stop_clients()
		if self.mounted:
			subprocess.run([self.o.tarn, "umount", self.mnt], capture_output=True, stdin=subprocess.DEVNULL)
			subprocess.run(["umount", "-l", self.mnt], capture_output=True)

	def point(self, kind, text):
		lines = self.wrong.get(kind, [])
		words = f", {self.o.words}" if self.o.words else ""
		print(f"{'not ok' if lines else 'ok'} - {text}{words}" + (f": {len(lines)} wrong" if lines else ""), flush=True)
		for line in lines[:6]:
			print(f"# {line}", flush=True)

	def report(self):
		kills = self.o.kills + 1
		durable = sum(m.durable for m in self.models)
		median, most = statistics.median(self.mount_times), max(self.mount_times)
		self.point("mount", f"{kills} kills, each time mounted again (median {median:.2f} s, at most {most:.2f} s)")
		self.point("errors", "clients met no errors but those of a dead mount")
		self.point("store", "integrity_check of the store after each kill")
		self.point("bytes", f"fsynced bytes and names are there: {durable} operations were made durable")
		self.point("catalog", "assets.csv and the tree agree")
		self.point("versions", f"no listed version changes: {len(self.seen)} versions, {self.reads} readings")
		found, asked = self.history
		self.point("history", f"what a rename or an unlink took is a version: {found} of {asked}")


def main():
	# A TERM ends it as an error does: nothing stays mounted.
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
	p = argparse.ArgumentParser()
	p.add_argument("--tarn", required=True)
	p.add_argument("--mapstore", required=True)
	p.add_argument("--dir", required=True)
	p.add_argument("--kills", type=int, default=200)
	p.add_argument("--workers", type=int, default=4)
	p.add_argument("--seed", type=int, default=1)
	p.add_argument("--words", default="")
	p.add_argument("options", nargs="*")
	crash = Crash(p.parse_args())
	try:
		crash.run()
	except (Failure, subprocess.TimeoutExpired, OSError) as e:
		print(f"not ok - {crash.o.kills} kills, {crash.o.words}: ended at kill {crash.kill}: {e}", flush=True)
		for kind, lines in crash.wrong.items():
			for line in lines[:4]:
				print(f"# {kind}: {line}", flush=True)
		return
	finally:
		crash.clean_up()
	crash.report()


main()
