# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets clients do random operations on a mount, keeps the model, ends the daemon or the power, and compares.

What is wrong is told with the operations that touched the same file or name since the last time that all was right:
the shortest description that there is.
"""
import hashlib
import json
import os
import random
import select
import subprocess
import sys
import time

from lake import Failure, WAIT
from look import compare, look
from operations import Operations
from tree import FOLDER, SYMLINK, Tree, take_in

HERE = os.path.dirname(os.path.abspath(__file__))
BUCKETS = ("alpha", "beta")
PRIVATE = ".marks"	# a bucket that is no part of the model
GC_EACH = 0.05		# of the batches have gc beside them


class Play:
	def __init__(self, options, lake):
		self.o, self.lake = options, lake
		self.rng = random.Random(options.seed)
		self.tree, self.clients = Tree(), []
		self.operations = Operations(self.rng, self.tree, options.clients, options.cloud)
		self.log = []		# every operation that was begun
		self.wrong, self.lost = [], []
		self.dirty = set()	# keys that were changed since they were made durable
		self.all_anew = False	# there was a crash: what it left is on the disk, but its versions are new
		self.crashed = 0
		self.known = {}		# nodes by inode number, of all that was ever seen on the mount
		self.vague = set()	# of those that a power failure found gone: the last change of their mode may be lost
		self.contents = {hashlib.sha256(b"").hexdigest()}	# digests of all that was ever a file's content

	def count(self):
		return self.operations.count

	# ---- clients ----

	def start_clients(self):
		self.clients = [subprocess.Popen([sys.executable, os.path.join(HERE, "worker.py"), self.lake.mnt], text=True,
						 stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=1)
				for _ in range(self.o.clients)]

	def stop_clients(self):
		for c in self.clients:
			c.kill()
		for c in self.clients:
			c.wait()
			c.stdin.close()
			c.stdout.close()
		self.clients = []

	def tell(self, number, order):
		try:
			self.clients[number].stdin.write(json.dumps(order) + "\n")
		except BrokenPipeError:
			pass

	def answer(self, number):
		out = self.clients[number].stdout
		# A client gives one line for each one that it gets, so that no second line hides in the buffer.
		if not select.select([out], [], [], WAIT)[0]:
			raise Failure(f"client {number} gets no answer for {WAIT} s")
		line = out.readline()
		return json.loads(line) if line else {"error": "DIED"}

	# ---- a whole life ----

	def begin(self):
		self.lake.make()
		self.lake.mount()
		for name in BUCKETS:
			os.mkdir(os.path.join(self.lake.mnt, name), 0o755)
			os.chmod(os.path.join(self.lake.mnt, name), 0o755)
			self.tree.add(self.tree.root, name, self.tree.node(FOLDER, 0o755))
		os.mkdir(os.path.join(self.lake.mnt, PRIVATE))
		self.sync_record()
		for name in BUCKETS:
			self.fsync(name)
		if self.o.collect:
			self.lake.keep_only_labelled(BUCKETS)
		self.start_clients()

	def end(self):
		self.stop_clients()

	def go_on(self, until):
		while self.count() < until:
			collector = self.lake.begin_gc() if self.o.collect and self.rng.random() < GC_EACH else None
			batch = self.send(until - self.count())
			for op in batch:
				self.judge(op, self.answer(op.client))
			if collector:
				self.lake.end_gc(collector)

	def send(self, most):
		batch = self.operations.batch(min(most, self.o.clients))
		for op in batch: # what is done beside it may come before or after it
			for other in batch:
				if other is not op:
					op.makes_durable = set(op.makes_durable) - other.changes
		for op in batch:
			self.log.append(op)
			self.contents.update(n.digest() for n in op.nodes)
			self.dirty |= op.changes
			self.tell(op.client, op.order)
		return batch

	def judge(self, op, answer):
		if answer.get("error"):
			raise Failure(f"{op}: {answer['error']}\n" + "\n".join(self.story(op.changes | op.relies)))
		self.note_done(op)
		if op.wanted and answer["digest"] != op.wanted:
			self.wrong.append(f"{op}: read {answer['digest'][:12]}, not {op.wanted[:12]}")
			self.wrong += self.story(op.relies)

	def note_done(self, op):
		op.done = True
		self.dirty -= set(op.makes_durable)
		if op.makes_durable:
			for _, node in self.tree.walk():
				if node.id in op.makes_durable:
					node.modes = {node.mode}
		op.when_done()

	def story(self, keys, around=None):
		"""What was done to them lately, or around the operation of that number."""
		keys = {k for k in keys if isinstance(k, int)} or keys
		ops = [op for op in self.log if op.changes & keys or ("slot" in op.order and op.relies & keys)]
		if around is not None:
			ops = [op for op in ops if op.number <= around][-5:] + [op for op in ops if op.number > around][:7]
		return [f"  client {op.client}: {op}"[:300] for op in ops[-12:]]

	# ---- a quiet moment ----

	def quiet(self):
		"""Everything is closed and settled, and the mount is equal to the model: its facts, the commit, the time."""
		for i in range(self.o.clients):
			self.tell(i, {"op": "close_all"})
		for i in range(self.o.clients):
			if self.answer(i).get("error"):
				raise Failure(f"client {i} cannot close what it has open")
		self.operations.let_go()
		self.compare()
		self.lake.settled()
		if self.o.failures:
			self.make_durable()
		commit = self.lake.settled()
		# No later change may have this second.
		seconds = int(time.time()) + 1
		time.sleep(max(0, seconds + 0.02 - time.time()))
		return self.tree.facts(), commit, seconds

	def compare(self):
		found = look(self.lake.mnt)
		wanted = self.tree.facts()
		for path, words in compare(wanted, found):
			self.wrong.append(f"after {self.count()} operations {path} {words}")
			self.wrong += self.story(self.tree.keys_of(path))
		for path, f in found.items():
			if path in wanted:
				node = wanted[path].node
				if node.inode and node.inode != f.node:
					self.wrong.append(f"{path}: its inode number was {node.inode}, is {f.node}")
				node.inode = f.node
				self.known[f.node] = node
		if len(self.wrong) > 40:
			raise Failure("too much is wrong")

	def make_durable(self):
		"""fsync of all that changed."""
		for path, node in self.tree.walk():
			keys = {node.id} | {(f.id, n) for f, n in node.names} | ({k for k in self.dirty if isinstance(k, tuple)
				and k[0] == node.id})
			if node.kind != SYMLINK and (self.all_anew or keys & self.dirty):
				self.fsync(path)
			node.modes = {node.mode}
		self.dirty, self.all_anew = set(), False

	def fsync(self, path):
		fd = os.open(os.path.join(self.lake.mnt, path), os.O_RDONLY)
		try:
			os.fsync(fd)
		finally:
			os.close(fd)

	def sync_record(self):
		"""All that was recorded so far is durable: a later change is."""
		fd = os.open(os.path.join(self.lake.mnt, PRIVATE, "marker"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
		os.write(fd, b"%d" % self.count())
		os.fsync(fd)
		os.close(fd)
		for node in self.known.values():
			if node not in self.vague:
				node.modes = {node.mode}

	# ---- crashes ----

	def crash(self, kind):
		"""In the midst of a batch."""
		collector = self.lake.begin_gc() if self.o.collect else None
		batch = self.send(self.o.clients)
		# It takes a while to start.
		time.sleep(self.rng.expovariate(300 if not collector else 30))
		if kind == "power":
			self.lake.below.shut_down()
		self.lake.kill()
		if collector:
			self.lake.end_gc(collector, may_fail=True)
		for op in batch:
			answer = self.answer(op.client)
			if not answer.get("error"):
				self.note_done(op)
		self.stop_clients()
		if kind == "power":
			self.lake.forget_mount()
			self.lake.below.power_back()
		self.crashed += 1
		self.lake.mount()
		self.lake.settled()
		self.after_crash(kind, batch)
		self.start_clients()

	def uncertain(self, kind, batch):
		keys = set()
		for op in batch:
			if not op.done:
				keys |= op.changes
			# munmap() has the pages written back before it returns (fuse_vma_close()), and says nothing when
			# that fails because the daemon is gone meanwhile: its answer proves nothing.
			keys |= op.writes_back
		for h in self.operations.held:
			# Stores that the kernel had not yet written back; it does so after a kill, too, unless they came by the daemon.
			if h.stored:
				keys.add(h.node.id)
		return keys | (self.dirty if kind == "power" else set())

	def after_crash(self, kind, batch):
		found = look(self.lake.mnt, keep_data=True)
		keys = self.uncertain(kind, batch)
		wanted = self.tree.facts()
		for path, words in compare(wanted, found):
			if not self.tree.keys_of(path) & keys:
				self.lost.append(f"crash {self.crashed} ({kind}) after {self.count()}: {path} {words}")
				self.lost += self.story(self.tree.keys_of(path))
		known = {n.inode: n.id for _, n in self.tree.walk() if n.inode}
		self.tree = self.operations.tree = take_in(found, self.tree.last, known)
		self.operations.let_go()
		self.contents.update(n.digest() for _, n in self.tree.walk())
		if kind == "power":
			there = {f.node for f in found.values()}
			self.vague |= {n for inode, n in self.known.items() if inode not in there and len(n.modes) > 1}
		self.known.update((n.inode, n) for _, n in self.tree.walk())
		self.all_anew = True
		# What a power failure left was on the disk. After a kill it may be in memory only.
		self.dirty = set() if kind == "power" else {k for p, _ in self.tree.walk() for k in self.tree.keys_of(p)}
		if len(self.lost) > 40:
			raise Failure("too much is lost")

	# ---- what the past is compared with ----

	def modes_now(self, inode, mode):
		"""Of what is gone the last one, or one of those that it had since it was durable; MODE of what was never seen."""
		if inode not in self.known:
			return {mode}
		node = self.known[inode]
		return node.modes if node in self.vague else {node.mode}

	def inode_at(self, path):
		node = self.tree.root
		for name in path.split("/"):
			node = node.entries.get(name)
			if node is None:
				return None
		return node.inode
