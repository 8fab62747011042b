# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations: each one is chosen on the model, applied to it at once, and described for a client (worker.py).

What is chosen depends on the seed and the model alone. Operations of one batch are under way at once, on different
clients, and do not touch each other's keys (tree.py), so that any order gives the same tree.
"""
import os

from tree import FILE, FOLDER, SYMLINK, TAGS, Tree
from worker import content

NAMES = ["a.csv", "b.csv", "c.txt", "d.json", "e", "log.1", "f.csv.gz", "two words.csv", "grün.csv", "\udcff.bin"]
FOLDERS = ["in", "out", "sub", "deep"]
MODES = [0o644, 0o600, 0o640, 0o666, 0o755, 0o444]
FOLDER_MODES = [0o755, 0o751, 0o775]	# what everybody may pass: else the past of what lies there closes, too
SIZES = [0, 1, 100, 4095, 4096, 5000, 20000, 65536, 70001, 200000]
BIG, MOST = 1500000, 4 << 20
SLOTS = 3	# handles and mappings of one client


class Operation:
	def __init__(self, client, order, changes, relies):
		self.client, self.order, self.changes, self.relies = client, order, set(changes), set(relies)
		self.number, self.done, self.wanted = 0, False, None
		self.makes_durable, self.nodes = (), []	# NODES: whose content it changed
		self.writes_back = set()	# keys of files whose stores it has the kernel write back
		self.when_done = lambda: None	# what is true once the client has its answer

	def __str__(self):
		words = [f"{k}={v!r}" for k, v in self.order.items() if k != "op"]
		return f"{self.number}: {self.order['op']} {' '.join(words)}"

	def meets(self, others):
		return any(self.changes & (o.changes | o.relies) or o.changes & self.relies for o in others)


class Held:
	"""An open handle, or a mapping."""
	def __init__(self, client, slot, node, flags, size=None):
		self.client, self.slot, self.node, self.flags, self.size = client, slot, node, flags, size
		self.at = 0		# where the descriptor stands
		self.stored = False	# through the mapping, and not synced since


class Operations:
	WEIGHTS = (("write_new", 10), ("rewrite", 8), ("append", 10), ("patch", 10), ("truncate", 4), ("punch", 1), ("copy", 2),
		   ("open", 8), ("handle_write", 10), ("handle_truncate", 3), ("handle_read", 3), ("handle_sync", 2),
		   ("close", 6), ("map", 5), ("store", 10), ("unmap", 4), ("link", 4), ("rename", 6), ("rename_over", 8),
		   ("exchange", 3), ("move_folder", 1), ("unlink", 6), ("mkdir", 4), ("rmdir", 2), ("symlink", 2), ("chmod", 4),
		   ("setxattr", 4), ("removexattr", 2), ("read", 4), ("fsync", 3), ("fsync_folder", 1))

	def __init__(self, rng, tree, clients, cloud):
		self.rng, self.tree, self.clients = rng, tree, clients
		# whether a file gets the tags of one that it is renamed over depends on whether either is a stub just then
		self.attributes = ["user.a", "user.b"] + ([] if cloud else [TAGS])
		self.held, self.count, self.slots = [], 0, 0
		self.kinds, self.weights = zip(*self.WEIGHTS)

	# ---- choosing ----

	def batch(self, most):
		"""At most MOST operations, each for another client."""
		found, free = [], list(range(self.clients))
		self.rng.shuffle(free)
		for _ in range(4 * self.clients):
			if not free or len(found) == most:
				break
			self.client, self.others, self.free = free[0], found, free
			op = getattr(self, "choose_" + self.rng.choices(self.kinds, self.weights)[0])()
			if op:
				self.count += 1
				op.number = self.count
				found.append(op)
				free.remove(op.client)
		return found

	def folders(self):
		return [self.tree.root] + [n for _, n in self.tree.walk() if n.kind == FOLDER]

	def entries(self, kind):
		"""(folder, name, node) of that kind, a bucket is none."""
		return [(f, name, n) for f in self.folders() if f is not self.tree.root
			for name, n in sorted(f.entries.items()) if n.kind == kind]

	def some_file(self, room=0):
		files = [e for e in self.entries(FILE) if len(e[2].data) + room <= MOST]
		return self.rng.choice(files) if files else None

	def some_folder(self):
		return self.rng.choice([f for f in self.folders() if f is not self.tree.root])

	def free_name(self, names):
		folder = self.some_folder()
		free = [n for n in names if n not in folder.entries]
		return (folder, self.rng.choice(free)) if free else None

	def size(self):
		if self.rng.random() < 0.03:
			return self.rng.randrange(BIG)
		return self.rng.choice(SIZES)

	def fresh(self, length):
		return [self.rng.randrange(1 << 40), length]

	def propose(self, order, changes, relies, apply, client=None):
		"""The operation, applied, unless it meets one of the batch."""
		op = Operation(self.client if client is None else client, order, changes, relies)
		if op.client not in self.free or op.meets(self.others):
			return None
		self.changed = op.nodes
		apply()
		return op

	# ---- what is written ----

	def set_data(self, node, data):
		node.data = data
		self.changed.append(node)

	@staticmethod
	def patched(data, at, part):
		if not part:
			return data
		return data[:at].ljust(at, b"\0") + part + data[at + len(part):]

	@staticmethod
	def resized(data, size):
		return data[:size].ljust(size, b"\0")

	def write(self, folder, name, node, order, data):
		"""Changes NODE, found at FOLDER/NAME, to DATA."""
		order["path"] = self.tree.path(folder, name)
		op = self.propose(order, {node.id}, self.tree.path_keys(folder, name), lambda: self.set_data(node, data))
		if op and order.get("sync"):
			op.makes_durable = {node.id} | {(f.id, n) for f, n in node.names if (f, n) == (folder, name)}
		return op

	def choose_write_new(self):
		place = self.free_name(NAMES)
		if not place:
			return None
		folder, name = place
		data, mode = self.fresh(self.size()), self.rng.choice(MODES)
		flags = os.O_CREAT | self.rng.choice([os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_EXCL, os.O_WRONLY | os.O_TRUNC])
		sync = self.rng.random() < 0.2
		node = self.tree.node(FILE, mode)

		def make():
			node.maker = self.client if flags & os.O_EXCL else None
			self.tree.add(folder, name, node)
			self.set_data(node, content(*data))

		op = self.propose(dict(op="write", path=self.tree.path(folder, name), flags=flags, data=data, mode=mode, sync=sync),
				  {node.id, (folder.id, name)}, self.tree.path_keys(folder, name), make)
		if op and sync:
			op.makes_durable = {node.id, (folder.id, name)}
		return op

	def choose_rewrite(self):
		found = self.some_file()
		if not found:
			return None
		data = self.fresh(self.size())
		flags = self.rng.choice([os.O_WRONLY, os.O_RDWR]) | os.O_TRUNC | self.rng.choice([0, os.O_CREAT])
		return self.write(*found, dict(op="write", flags=flags, data=data, sync=self.rng.random() < 0.2), content(*data))

	def choose_append(self):
		found = self.some_file(BIG)
		if not found:
			return None
		data = self.fresh(self.size())
		flags = self.rng.choice([os.O_WRONLY, os.O_WRONLY, os.O_RDWR]) | os.O_APPEND
		return self.write(*found, dict(op="write", flags=flags, data=data, sync=self.rng.random() < 0.2),
				  found[2].data + content(*data))

	def spot(self, node):
		"""Where something is written: mostly within the file, now and then beyond its end."""
		if self.rng.random() < 0.15:
			return len(node.data) + self.rng.randrange(100000)
		return self.rng.randrange(len(node.data) + 1)

	def choose_patch(self):
		found = self.some_file(BIG)
		if not found:
			return None
		at, data = self.spot(found[2]), self.fresh(self.size())
		new = self.patched(found[2].data, at, content(*data))
		return self.write(*found, dict(op="write", flags=self.rng.choice([os.O_WRONLY, os.O_RDWR]), data=data, at=at,
					       sync=self.rng.random() < 0.2), new)

	def new_size(self, node):
		return self.rng.choice([0, len(node.data) // 2, max(len(node.data) - 1, 0), len(node.data) + self.size()])

	def choose_truncate(self):
		found = self.some_file(BIG)
		if not found:
			return None
		size = self.new_size(found[2])
		return self.write(*found, dict(op="truncate", size=size), self.resized(found[2].data, size))

	def choose_punch(self):
		found = self.some_file()
		if not found or not found[2].data:
			return None
		at = self.rng.randrange(len(found[2].data))
		length = self.rng.randrange(1, len(found[2].data) - at + 1)
		return self.write(*found, dict(op="punch", at=at, length=length), self.patched(found[2].data, at, bytes(length)))

	def choose_copy(self):
		"""copy_file_range from one file into another."""
		source, target = self.some_file(), self.some_file(BIG)
		if not source or not target or source[2] is target[2] or not source[2].data:
			return None
		at = self.rng.randrange(len(source[2].data))
		length = self.rng.randrange(1, min(len(source[2].data) - at, 300000) + 1)
		into = self.spot(target[2])
		new = self.patched(target[2].data, into, source[2].data[at:at + length])
		paths = [self.tree.path(f, n) for f, n, _ in (source, target)]
		relies = self.tree.path_keys(*source[:2]) | self.tree.path_keys(*target[:2]) | {source[2].id}
		return self.propose(dict(op="copy", path=paths[0], to=paths[1], at=at, length=length, into=into),
				    {target[2].id}, relies, lambda: self.set_data(target[2], new))

	def choose_read(self):
		found = self.some_file()
		if not found:
			return None
		folder, name, node = found
		op = self.propose(dict(op="read", path=self.tree.path(folder, name)), (),
				  self.tree.path_keys(folder, name) | {node.id}, lambda: None)
		if op:
			op.wanted = node.digest()
		return op

	def choose_fsync(self):
		found = self.some_file()
		if not found:
			return None
		folder, name, node = found
		op = self.propose(dict(op="fsync", path=self.tree.path(folder, name)), (),
				  self.tree.path_keys(folder, name) | {node.id}, lambda: None)
		if op:
			op.makes_durable = {node.id, (folder.id, name)}
			op.when_done = lambda: self.synced(node)
		return op

	def choose_fsync_folder(self):
		folder = self.some_folder()
		(parent, name), = folder.names
		op = self.propose(dict(op="fsync", path=self.tree.path(parent, name)), (),
				  self.tree.path_keys(parent, name) | {folder.id}, lambda: None)
		if op:
			op.makes_durable = {folder.id} | {(folder.id, n) for n in NAMES + FOLDERS}
		return op

	# ---- handles and mappings ----

	def hold(self, h):
		self.held.append(h)

	def some_held(self, mapped, wanted=lambda h: True):
		held = [h for h in self.held if (h.size is not None) == mapped and h.client in self.free and wanted(h)]
		return self.rng.choice(held) if held else None

	def room(self):
		return len([h for h in self.held if h.client == self.client]) < SLOTS

	def choose_open(self):
		found = self.some_file()
		if not found or not self.room():
			return None
		folder, name, node = found
		flags = self.rng.choice([os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND,
					 os.O_RDWR | os.O_APPEND])
		self.slots += 1
		h = Held(self.client, self.slots, node, flags)
		return self.propose(dict(op="open", slot=h.slot, path=self.tree.path(folder, name), flags=flags), (),
				    self.tree.path_keys(folder, name) | {node.id}, lambda: self.hold(h))

	@staticmethod
	def writes(h):
		return h.flags & os.O_ACCMODE != os.O_RDONLY

	def choose_handle_write(self):
		h = self.some_held(False, lambda h: self.writes(h) and len(h.node.data) + BIG < MOST)
		if not h:
			return None
		data, at = self.fresh(self.size()), None if self.rng.random() < 0.5 else self.spot(h.node)
		part, appends = content(*data), bool(h.flags & os.O_APPEND)
		# pwrite() of a descriptor with O_APPEND appends, too.
		where = len(h.node.data) if appends else h.at if at is None else at
		new = self.patched(h.node.data, where, part)

		def apply():
			self.set_data(h.node, new)
			if at is None and part:
				h.at = where + len(part)
		return self.propose(dict(op="handle_write", slot=h.slot, data=data, at=at), {h.node.id}, (), apply, h.client)

	def choose_handle_truncate(self):
		h = self.some_held(False, lambda h: self.writes(h) and len(h.node.data) + BIG < MOST)
		if not h:
			return None
		size = self.new_size(h.node)
		new = self.resized(h.node.data, size)
		return self.propose(dict(op="handle_truncate", slot=h.slot, size=size), {h.node.id}, (),
				    lambda: self.set_data(h.node, new), h.client)

	def choose_handle_read(self):
		h = self.some_held(False, lambda h: h.flags & os.O_ACCMODE != os.O_WRONLY)
		op = h and self.propose(dict(op="handle_read", slot=h.slot, size=len(h.node.data)), (), {h.node.id},
					lambda: None, h.client)
		if op:
			op.wanted = h.node.digest()
		return op

	def choose_handle_sync(self):
		h = self.some_held(False, self.writes)
		op = h and self.propose(dict(op="handle_sync", slot=h.slot), (), {h.node.id}, lambda: None, h.client)
		if op:
			op.makes_durable = {h.node.id} | {(f.id, n) for f, n in h.node.names if len(h.node.names) == 1}
			op.when_done = lambda: self.synced(h.node)
		return op

	def choose_close(self):
		h = self.some_held(False)
		return h and self.propose(dict(op="close", slot=h.slot), (), {h.node.id}, lambda: self.held.remove(h), h.client)

	def choose_map(self):
		found = self.some_file()
		if not found or not found[2].data or not self.room():
			return None
		folder, name, node = found
		self.slots += 1
		h = Held(self.client, self.slots, node, os.O_RDWR, len(node.data))
		return self.propose(dict(op="map", slot=h.slot, path=self.tree.path(folder, name), size=h.size), (),
				    self.tree.path_keys(folder, name) | {node.id}, lambda: self.hold(h))

	def choose_store(self):
		h = self.some_held(True, lambda h: min(h.size, len(h.node.data)) > 0)
		if not h:
			return None
		end = min(h.size, len(h.node.data))
		at = self.rng.randrange(end)
		data, sync = self.fresh(min(self.size(), end - at)), self.rng.random() < 0.3
		new = self.patched(h.node.data, at, content(*data))

		def apply():
			self.set_data(h.node, new)
			h.stored = True
		op = self.propose(dict(op="store", slot=h.slot, data=data, at=at, sync=sync), {h.node.id}, (), apply, h.client)
		if op and sync:
			op.when_done = lambda: setattr(h, "stored", False)
		return op

	def choose_unmap(self):
		h = self.some_held(True)
		op = h and self.propose(dict(op="unmap", slot=h.slot), (), {h.node.id}, lambda: self.held.remove(h), h.client)
		if op and h.stored:
			op.writes_back = {h.node.id}
		return op

	def synced(self, node):
		for h in self.held:
			if h.node is node:
				h.stored = False

	def let_go(self):
		"""Everything is closed (the clients are told close_all)."""
		self.held = []

	# ---- names ----

	def choose_link(self):
		found, place = self.some_file(), self.free_name(NAMES)
		if not found or not place:
			return None
		folder, name, node = found
		# A bucket may lie on another disk; here none does, and links across are as on any disk.
		return self.propose(dict(op="link", path=self.tree.path(folder, name), to=self.tree.path(*place)),
				    {node.id, (place[0].id, place[1])},
				    self.tree.path_keys(folder, name) | self.tree.path_keys(*place),
				    lambda: self.tree.add(*place, node))

	def choose_rename(self):
		found, place = self.some_file(), self.free_name(NAMES)
		return found and place and self.move(found, place)

	def choose_rename_over(self):
		found, over = self.some_file(), self.some_file()
		if not found or not over or found[2] is over[2]:
			return None
		return self.move(found, over[:2], {over[2].id})

	def move(self, found, place, more=frozenset()):
		folder, name, node = found
		return self.propose(dict(op="rename", path=self.tree.path(folder, name), to=self.tree.path(*place)),
				    {node.id, (folder.id, name), (place[0].id, place[1])} | more,
				    self.tree.path_keys(folder, name) | self.tree.path_keys(*place),
				    lambda: self.tree.rename(folder, name, *place))

	def choose_exchange(self):
		a, b = self.some_file(), self.some_file()
		if not a or not b or a[2] is b[2]:
			return None
		return self.propose(dict(op="exchange", path=self.tree.path(*a[:2]), to=self.tree.path(*b[:2])),
				    {a[2].id, b[2].id, (a[0].id, a[1]), (b[0].id, b[1])},
				    self.tree.path_keys(*a[:2]) | self.tree.path_keys(*b[:2]),
				    lambda: self.tree.exchange(*a[:2], *b[:2]))

	def choose_move_folder(self):
		found, place = self.entries(FOLDER), self.free_name(FOLDERS)
		if not found or not place:
			return None
		folder, name, node = self.rng.choice(found)
		if Tree.is_below(place[0], node) or self.tree.depth(place[0]) > 3:
			return None
		return self.move((folder, name, node), place)

	def choose_unlink(self):
		found = self.entries(FILE) + self.entries(SYMLINK)
		if not found:
			return None
		folder, name, node = self.rng.choice(found)
		# What a program makes with O_EXCL and removes itself was a temporary file, and has no history.
		if node.maker == self.client:
			return None
		return self.propose(dict(op="unlink", path=self.tree.path(folder, name)), {node.id, (folder.id, name)},
				    self.tree.path_keys(folder, name), lambda: self.tree.remove(folder, name))

	def make(self, place, node, order):
		return self.propose(order, {node.id, (place[0].id, place[1])}, self.tree.path_keys(*place),
				    lambda: self.tree.add(*place, node))

	def choose_mkdir(self):
		place, mode = self.free_name(FOLDERS), self.rng.choice(FOLDER_MODES)
		if not place or self.tree.depth(place[0]) > 3:
			return None
		return self.make(place, self.tree.node(FOLDER, mode), dict(op="mkdir", path=self.tree.path(*place), mode=mode))

	def choose_rmdir(self):
		found = [e for e in self.entries(FOLDER) if not e[2].entries]
		if not found:
			return None
		folder, name, node = self.rng.choice(found)
		return self.propose(dict(op="rmdir", path=self.tree.path(folder, name)), {node.id, (folder.id, name)},
				    self.tree.path_keys(folder, name), lambda: self.tree.remove(folder, name))

	def choose_symlink(self):
		place = self.free_name(NAMES)
		if not place:
			return None
		node = self.tree.node(SYMLINK, 0o777)
		node.target = self.rng.choice(["a.csv", "../b.csv", "/nowhere/at all", "x" * 300, "\udcfe"])
		return self.make(place, node, dict(op="symlink", target=node.target, path=self.tree.path(*place)))

	# ---- attributes ----

	def some_node(self):
		found = self.entries(FILE) + self.entries(FOLDER)
		return self.rng.choice(found) if found else None

	def attribute(self, found, order, apply):
		folder, name, node = found
		order["path"] = self.tree.path(folder, name)
		return self.propose(order, {node.id}, self.tree.path_keys(folder, name), apply)

	def choose_chmod(self):
		found = self.some_node()
		if not found:
			return None
		mode = self.rng.choice(FOLDER_MODES if found[2].kind == FOLDER else MODES)
		return self.attribute(found, dict(op="chmod", mode=mode), lambda: found[2].set_mode(mode))

	def choose_setxattr(self):
		found = self.some_node()
		if not found:
			return None
		name, value = self.rng.choice(self.attributes), str(self.rng.randrange(10**6)) * 5
		return self.attribute(found, dict(op="setxattr", name=name, value=value),
				      lambda: found[2].xattrs.__setitem__(name, value.encode()))

	def choose_removexattr(self):
		found = [e for e in self.entries(FILE) + self.entries(FOLDER) if e[2].xattrs]
		if not found:
			return None
		found = self.rng.choice(found)
		name = self.rng.choice(sorted(found[2].xattrs))
		return self.attribute(found, dict(op="removexattr", name=name), lambda: found[2].xattrs.pop(name))
