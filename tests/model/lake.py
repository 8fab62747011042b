# SPDX-License-Identifier: GPL-3.0-or-later
"""The lake under test and its daemon."""
import json
import os
import subprocess
import time

from disk import is_mounted

WAIT = 60
DYING = 10	# seconds


class Failure(Exception):
	pass


class Lake:
	def __init__(self, program, top, below, options, settings):
		"""SETTINGS: of the daemon, as its environment says them."""
		self.program, self.below, self.options = program, below, options
		self.environment = {**os.environ, **settings}
		self.path, self.mnt = os.path.join(below.path, "lake"), os.path.join(top, "mnt")
		self.view = os.path.join(top, "view")
		self.pid, self.mounted, self.wedged = 0, False, 0

	def tarn(self, *words, codes=(0,)):
		done = subprocess.run([self.program, *words], capture_output=True, text=True, errors="replace",
				      stdin=subprocess.DEVNULL, timeout=300, env=self.environment)
		if done.returncode not in codes:
			raise Failure(f"tarn {' '.join(words)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
		return done.stdout

	def make(self):
		self.below.start()
		self.tarn("init", "--empty", self.path)
		os.mkdir(self.mnt)
		os.mkdir(self.view)

	def mount(self):
		self.tarn("mount", "-q", self.path, self.mnt, *self.options)
		self.mounted = True
		self.pid = json.loads(self.tarn("status", "--json", self.mnt))["pid"]

	def unmount(self):
		self.tarn("umount", self.mnt)
		self.mounted = False

	def keep_only_labelled(self, buckets):
		for bucket in buckets:
			self.tarn("bucket", "set", bucket, "retention_days=0", "keep_last=1", "--lake", self.path)

	def begin_gc(self):
		return subprocess.Popen([self.program, "gc", self.path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
					stderr=subprocess.PIPE, text=True, errors="replace")

	@staticmethod
	def end_gc(process, may_fail=False):
		said = process.communicate(timeout=300)[1]
		if process.returncode and not may_fail:
			raise Failure(f"tarn gc: exit {process.returncode}: {said.strip()[-300:]}")

	def facts(self):
		with open(os.path.join(self.mnt, ".catalog/stats.json"), encoding="utf-8") as f:
			return json.load(f)

	def settled(self):
		"""Waits until nothing is left to cut; the number of the last commit."""
		end = time.monotonic() + WAIT
		while (facts := self.facts())["unsettled"] or facts["scan"] != "done":
			if time.monotonic() > end:
				raise Failure(f"{facts['unsettled']} files are not settled after {WAIT} s")
			time.sleep(0.02)
		return facts["commit"]

	# ---- its end ----

	def kill(self):
		os.kill(self.pid, 9)
		end = time.monotonic() + DYING
		while not self.is_dead():
			if time.monotonic() > end:
				# A thread may wait in the kernel for what only the others could answer: cli/mounting.c
				subprocess.run(["umount", "-f", self.mnt], capture_output=True, check=False)
				end += DYING
				self.wedged += 1
			if self.wedged > 5:
				raise Failure("the daemon cannot be killed")
			time.sleep(0.002)

	def is_dead(self):
		"""Gone, or a zombie without other threads: those may still be within a system call."""
		try:
			with open(f"/proc/{self.pid}/stat", encoding="utf-8", errors="replace") as f:
				state = f.read().rpartition(")")[2].split()[0]
			return state == "Z" and len(os.listdir(f"/proc/{self.pid}/task")) == 1
		except (FileNotFoundError, ProcessLookupError):
			return True

	def forget_mount(self):
		"""After a power failure nothing is mounted any more."""
		subprocess.run(["umount", "-l", self.mnt], capture_output=True, check=False)
		self.mounted = False

	def clean_up(self):
		for mnt in (self.view, self.mnt):
			if is_mounted(mnt):
				done = subprocess.run([self.program, "umount", mnt], capture_output=True, stdin=subprocess.DEVNULL,
						      check=False)
				if done.returncode:
					subprocess.run(["umount", "-l", mnt], capture_output=True, check=False)
		if self.pid and not self.is_dead():
			time.sleep(1)
			if not self.is_dead():
				os.kill(self.pid, 9)
		self.below.stop()
