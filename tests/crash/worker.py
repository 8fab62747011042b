#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client of the crash test: changes its own folder on the mount and logs what was made durable.

	worker.py FOLDER LOG NUMBER SEED

LOG lies outside the lake and is written with O_SYNC, a JSON object per line: one before each operation with what it is
about to do, one after its fsync. On standard output: "down" when the mount is dead, then it waits for "go" or "end" on
standard input; "error TEXT" for what should not happen. Content is made from a number (content()), so that the log
needs only that number.

Names say what is done with them, so that the checker knows what may be there:
	k*  rewritten (O_TRUNC), replaced by a rename, unlinked, made again     a*  appended to
	p*  patched in place     m*  renamed     h  written through one handle that stays open, also after the crash
	x*  changed without a log; others hold mappings and handles on them     t*  what is renamed over a k* or x*
Only an existing file is replaced, and each t* is used once: else a rename would take another series of versions along.
"""
import errno
import json
import os
import random
import sys

DEAD = (errno.ENOTCONN, errno.ECONNABORTED)
BLOCK, BLOCKS = 4096, 16


def content(number):
	rng = random.Random(number)
	return rng.randbytes(rng.choice([1, 100, 4096, 5000, 30000, 65536]))


def stamp(number):
	return (b"%016d" % number) * (BLOCK // 16)


class Down(Exception):
	pass


class Worker:
	def __init__(self, folder, log, number, seed):
		self.folder, self.number = folder, number
		self.rng = random.Random(seed)
		self.log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_SYNC, 0o644)
		self.next = number * 10**9
		self.moves = 0
		self.handle = -1

	def path(self, name):
		return os.path.join(self.folder, name)

	def say(self, **fields):
		os.write(self.log_fd, (json.dumps(fields) + "\n").encode())

	def fresh(self):
		self.next += 1
		return self.next

	def sync_folder(self):
		fd = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
		try:
			os.fsync(fd)
		finally:
			os.close(fd)

	def write(self, name, flags, data, offset=None):
		fd = os.open(self.path(name), flags | os.O_CREAT, 0o644)
		try:
			done = os.write(fd, data) if offset is None else os.pwrite(fd, data, offset)
			os.fsync(fd)
			# Cut off by the crash? Then fsync has failed.
			if done != len(data):
				print(f"error {name}: {done} bytes written of {len(data)}", flush=True)
		finally:
			os.close(fd)

	# ---- operations ----

	def put(self):
		name, number = f"k{self.rng.randrange(12)}", self.fresh()
		self.say(op="put", name=name, number=number)
		self.write(name, os.O_WRONLY | os.O_TRUNC, content(number))
		# A new name is durable once its folder is.
		self.sync_folder()
		self.say(op="done")

	def replace(self):
		name, number = f"k{self.rng.randrange(12)}", self.fresh()
		if not os.path.lexists(self.path(name)):
			return
		self.say(op="replace", name=name, number=number)
		self.write(f"t{number}", os.O_WRONLY, content(number))
		os.rename(self.path(f"t{number}"), self.path(name))
		self.sync_folder()
		self.say(op="done")

	def remove(self):
		name = f"k{self.rng.randrange(12)}"
		if not os.path.lexists(self.path(name)):
			return
		self.say(op="remove", name=name)
		os.unlink(self.path(name))
		self.sync_folder()
		self.say(op="done")

	def append(self):
		name, number = f"a{self.rng.randrange(3)}", self.fresh()
		self.say(op="append", name=name, number=number)
		self.write(name, os.O_WRONLY | os.O_APPEND, content(number)[:3000])
		self.sync_folder()
		self.say(op="done")

	def patch(self):
		name, number, block = f"p{self.rng.randrange(3)}", self.fresh(), self.rng.randrange(BLOCKS)
		self.say(op="patch", name=name, number=number, block=block)
		self.write(name, os.O_RDWR, stamp(number), block * BLOCK)
		self.sync_folder()
		self.say(op="done")

	def move(self):
		present = [n for n in os.listdir(self.folder) if n.startswith("m")]
		if len(present) < 4:
			name, number = f"m{self.number}-{self.fresh()}", self.fresh()
			self.say(op="put", name=name, number=number)
			self.write(name, os.O_WRONLY | os.O_EXCL, content(number))
			self.sync_folder()
		else:
			name, to = self.rng.choice(present), f"m{self.number}-{self.fresh()}"
			self.say(op="move", name=name, to=to)
			os.rename(self.path(name), self.path(to))
			self.sync_folder()
		self.say(op="done")

	def through_handle(self):
		number, block = self.fresh(), self.rng.randrange(BLOCKS)
		self.say(op="patch", name="h", number=number, block=block)
		if self.handle < 0: # after it was said: the open makes the file, and may be the last thing that happens
			self.handle = os.open(self.path("h"), os.O_WRONLY | os.O_CREAT, 0o644)
		os.pwrite(self.handle, stamp(number), block * BLOCK)
		os.fsync(self.handle)
		self.sync_folder()
		self.say(op="done")

	def shake(self):
		name, number = f"x{self.rng.randrange(2)}", self.fresh()
		kind = self.rng.randrange(3)
		if kind == 0 or not os.path.lexists(self.path(name)):
			self.write(name, os.O_WRONLY | os.O_TRUNC, content(number))
		elif kind == 1:
			self.write(f"t{number}", os.O_WRONLY, content(number))
			os.rename(self.path(f"t{number}"), self.path(name))
		else:
			os.unlink(self.path(name))

	# ---- life ----

	def after_the_crash(self):
		"""What an application does whose file system has gone: it goes on writing to what it has open."""
		for _ in range(5):
			if self.handle < 0:
				return
			number, block = self.fresh(), self.rng.randrange(BLOCKS)
			self.say(op="patch", name="h", number=number, block=block)
			try:
				os.pwrite(self.handle, stamp(number), block * BLOCK)
			except OSError:
				pass

	def is_dead(self, e):
		if e.errno in DEAD:
			return True
		# A write on its way may end with EIO. Attributes may still be cached, statfs is not.
		try:
			os.statvfs(self.folder)
			return False
		except OSError as now:
			return now.errno in DEAD

	def step(self):
		operation = self.rng.choices((self.put, self.replace, self.remove, self.append, self.patch, self.move,
					      self.through_handle, self.shake), (4, 4, 2, 2, 2, 2, 2, 3))[0]
		try:
			operation()
		except OSError as e:
			if self.is_dead(e):
				raise Down() from e
			print(f"error {operation.__name__}: {e}", flush=True)

	def run(self):
		while True:
			try:
				self.step()
				continue
			except Down:
				self.after_the_crash()
			print("down", flush=True)
			if sys.stdin.readline() != "go\n":
				return
			# The old handle stays with the old mount; a new one is opened by the next write.
			if self.handle >= 0:
				try:
					os.close(self.handle)
				except OSError:
					pass
				self.handle = -1


if __name__ == "__main__":
	if len(sys.argv) != 5:
		sys.exit(__doc__)
	Worker(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])).run()
