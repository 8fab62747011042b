# SPDX-License-Identifier: GPL-3.0-or-later
"""What one worker's folder may hold after a crash, from the worker's log (see worker.py).

Of each name the model knows the contents that are allowed: the one that was last made durable, and those of every
operation begun since. A content is the number that worker.content() makes it from, a tuple of such numbers for appended
files, or None for "not there". An append that was never made durable may be there in part: its number then comes with a
length, as a pair. Patched files are known by block.
"""
import hashlib
import json
import os

from worker import BLOCK, BLOCKS, content, stamp

EMPTY = "empty"
APPENDED = 3000  # bytes at most


def bytes_of(state):
	if state == EMPTY:
		return b""
	if isinstance(state, tuple):
		return b"".join(content(n[0])[:n[1]] if isinstance(n, tuple) else content(n)[:APPENDED] for n in state)
	return content(state)


def torn(states, data):
	"""The state of an appended file that ends within an append begun since the durable one, or None."""
	before = states[0] or ()
	durable = bytes_of(before)
	for state in states[1:]:
		if isinstance(state, tuple) and state[:-1] == before and data and len(data) > len(durable) and \
				bytes_of(state).startswith(data):
			return before + ((state[-1], len(data) - len(durable)),)
	return None


def digest(data):
	return hashlib.sha256(data).hexdigest()


class Model:
	def __init__(self, log):
		self.log = log
		self.offset = 0
		self.pending = None
		self.allowed = {}	# name: a list of states; the first is durable
		self.blocks = {}	# name: for each block a list of stamps; the first is durable; 0: never written
		self.moves = []		# (from, to) that were begun and not finished
		self.history = {}	# k*: digests of all contents that were ever begun
		self.superseded = []	# (name, digest, by): durable contents that a durable operation replaced
		self.durable = 0	# operations that were made durable

	def read_log(self):
		with open(self.log, "rb") as f:
			f.seek(self.offset)
			lines = f.read()
		self.offset += len(lines)
		for line in lines.decode().splitlines():
			entry = json.loads(line)
			if entry["op"] == "done":
				self.finish()
			else:
				self.begin(entry)

	def begin(self, e):
		self.pending = e
		name, op = e["name"], e["op"]
		if op == "patch":
			blocks = self.blocks.setdefault(name, [[0] for _ in range(BLOCKS)])
			blocks[e["block"]].append(e["number"])
			return
		states = self.allowed.setdefault(name, [None])
		if op == "put":
			states += [EMPTY, e["number"]]
		elif op == "replace":
			states.append(e["number"])
		elif op == "remove":
			states.append(None)
		elif op == "append":
			before = states[0] or ()
			states += [before, before + (e["number"],)]
		elif op == "move":
			self.allowed.setdefault(e["to"], [None]).append(states[0])
			states.append(None)
			self.moves.append((name, e["to"]))
		if op in ("put", "replace") and name.startswith("k"):
			self.history.setdefault(name, {digest(b"")}).add(digest(content(e["number"])))

	def finish(self):
		e, self.pending = self.pending, None
		if e is None:
			raise ValueError(f"{self.log}: an operation ends that did not begin")
		self.durable += 1
		name, op = e["name"], e["op"]
		if op == "patch":
			self.blocks[name][e["block"]] = [e["number"]]
			return
		states = self.allowed[name]
		before = states[0]
		if op in ("put", "replace", "remove") and name.startswith("k") and before is not None and before != EMPTY:
			self.superseded.append((name, digest(bytes_of(before)), op))
		self.allowed[name] = [states[-1]]
		if op == "move":
			self.allowed[e["to"]] = [before]
			self.moves.remove((name, e["to"]))

	# ---- checking ----

	def check(self, folder):
		"""Compares with the folder, takes what is there as durable from now on; returns what is wrong, as lines."""
		wrong = []
		present = {}
		for name in os.listdir(folder):
			with open(os.path.join(folder, name), "rb") as f:
				present[name] = f.read()
		for name, to in self.moves:
			if (name in present) == (to in present):
				wrong.append(f"{name} renamed to {to}: {'both are' if name in present else 'neither is'} there")
		for name, states in self.allowed.items():
			found = [s for s in states if (present[name] == bytes_of(s) if s is not None and name in present
						       else s is None and name not in present)]
			found = found or [s for s in [torn(states, present.get(name))] if s]
			if not found:
				wrong.append(f"{name}: {self.describe(present.get(name))}, not one of {states[:6]}")
			self.allowed[name] = [found[-1]] if found else [states[-1]]
		for name, blocks in self.blocks.items():
			wrong += self.check_blocks(name, blocks, present.get(name))
		known = set(self.allowed) | set(self.blocks)
		wrong += [f"{n}: nobody made it" for n in present if n not in known and n[0] not in "xt"]
		self.moves = []
		self.pending = None
		self.allowed = {n: s for n, s in self.allowed.items() if s != [None] or not n.startswith("m")}
		return wrong

	def check_blocks(self, name, blocks, data):
		if data is None:
			written = [b for b in blocks if b[0]]
			return [f"{name}: gone, though {len(written)} blocks were made durable"] if written else []
		wrong = []
		for i, stamps in enumerate(blocks):
			part = data[i * BLOCK:(i + 1) * BLOCK]
			found = [s for s in stamps if part == (stamp(s) if s else bytes(len(part)))]
			if not found:
				wrong.append(f"{name}: block {i} is {part[:16]!r}, not one of {stamps}")
			else:
				blocks[i] = [found[-1]]
		return wrong

	@staticmethod
	def describe(data):
		return "not there" if data is None else f"{len(data)} bytes {digest(data)[:12]}"
