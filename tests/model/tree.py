# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree that the mount should show, in memory: what each operation makes of it, and snapshots of it.

A key names what an operation changes or relies on: a node's id, or (folder's id, name) for an entry. Two operations
may be under way at once when neither changes a key of the other; after a crash only the keys that were changed and not
made durable may differ.
"""
import hashlib

FILE, FOLDER, SYMLINK = "file", "folder", "symlink"
TAGS = "user.xdg.tags"	# a file that is renamed over another one and has none gets its


class Node:
	def __init__(self, number, kind, mode):
		self.id, self.kind, self.mode = number, kind, mode
		self.modes = {mode}	# that it had since it was durable
		self.data, self.target, self.xattrs = b"", None, {}
		self.entries = {}	# of a folder: name: node
		self.names = set()	# (parent node, name)
		self.maker = None	# the client that made it with O_EXCL
		self.inode = 0		# its number on the mount, once it was seen there
		self._digest = (None, None)

	def set_mode(self, mode):
		self.mode = mode
		self.modes.add(mode)

	def digest(self):
		if self._digest[0] is not self.data:
			self._digest = (self.data, hashlib.sha256(self.data).hexdigest())
		return self._digest[1]

	def facts(self):
		return Facts(self.kind, self.mode, len(self.data), self.digest() if self.kind == FILE else None,
			     tuple(sorted(self.xattrs.items())), self.target, self)


class Facts:
	"""What can be seen of one path; NODE: of the model, or the inode number where it was read from a mount."""
	def __init__(self, kind, mode, size, digest, xattrs, target, node):
		self.kind, self.mode, self.size, self.digest = kind, mode, size, digest
		self.xattrs, self.target, self.node = xattrs, target, node

	def differences(self, found, modes):
		"""How FOUND differs from what is wanted, in words; MODES: those that it may have."""
		if self.kind != found.kind:
			return [f"is a {found.kind}, not a {self.kind}"]
		wrong = []
		if self.kind != SYMLINK and found.mode not in modes:
			wrong.append(f"mode {found.mode:o}, not {' or '.join(f'{m:o}' for m in sorted(modes))}")
		if self.kind == FILE and (self.size, self.digest) != (found.size, found.digest):
			wrong.append(f"{found.size} bytes {found.digest[:12]}, not {self.size} bytes {self.digest[:12]}")
		if self.xattrs != found.xattrs:
			wrong.append(f"xattrs {dict(found.xattrs)}, not {dict(self.xattrs)}")
		if self.target != found.target:
			wrong.append(f"points to {found.target}, not {self.target}")
		return wrong


class Tree:
	def __init__(self):
		self.last = 0
		self.root = self.node(FOLDER, 0o755)

	def node(self, kind, mode):
		self.last += 1
		return Node(self.last, kind, mode)

	# ---- finding ----

	def walk(self, folder=None, prefix=""):
		"""(path, node) of everything below FOLDER, parents first."""
		for name, node in sorted((folder or self.root).entries.items()):
			yield prefix + name, node
			if node.kind == FOLDER:
				yield from self.walk(node, prefix + name + "/")

	@staticmethod
	def path(folder, name):
		parts = [name]
		while folder.names:
			(folder, name), = folder.names
			parts.insert(0, name)
		return "/".join(parts)

	@staticmethod
	def path_keys(folder, name):
		"""What a path that ends in (FOLDER, NAME) relies on."""
		keys = {folder.id, (folder.id, name)}
		while folder.names:
			(folder, name), = folder.names
			keys |= {folder.id, (folder.id, name)}
		return keys

	@staticmethod
	def is_below(folder, top):
		while folder is not top:
			if not folder.names:
				return False
			(folder, _), = folder.names
		return True

	def depth(self, folder):
		return self.path(folder, "").count("/")

	# ---- changing ----

	@staticmethod
	def add(folder, name, node):
		folder.entries[name] = node
		node.names.add((folder, name))

	@staticmethod
	def remove(folder, name):
		node = folder.entries.pop(name)
		node.names.discard((folder, name))
		return node

	def rename(self, folder, name, to, to_name):
		over = to.entries.get(to_name)
		node = folder.entries[name]
		if over is node:
			return  # two links of one file: nothing happens
		if over:
			self.remove(to, to_name)
			if node.kind == over.kind == FILE and TAGS in over.xattrs:
				node.xattrs.setdefault(TAGS, over.xattrs[TAGS])
		self.remove(folder, name)
		self.add(to, to_name, node)

	def exchange(self, folder, name, to, to_name):
		a, b = self.remove(folder, name), self.remove(to, to_name)
		self.add(folder, name, b)
		self.add(to, to_name, a)

	# ---- snapshots ----

	def facts(self):
		return {path: node.facts() for path, node in self.walk()}

	def keys_of(self, path):
		"""Of a path that may not be there: of as much of it as there is."""
		keys, folder = set(), self.root
		for name in path.split("/"):
			keys.add((folder.id, name))
			node = folder.entries.get(name)
			if node is None:
				break
			keys.add(node.id)
			if node.kind != FOLDER:
				break
			folder = node
		return keys


def take_in(facts, last, known):
	"""
	A tree from FACTS of a mount, after a crash; files with one inode number are links of one node. KNOWN: ids by inode
	number; new ones are above LAST.
	"""
	tree, by_inode, by_path = Tree(), {}, {}
	tree.last = last
	for path, f in sorted(facts.items()):
		parent, _, name = path.rpartition("/")
		folder = by_path[parent] if parent else tree.root
		node = by_inode.get(f.node)
		if node is None:
			node = tree.node(f.kind, f.mode)
			node.id, node.inode = known.get(f.node, node.id), f.node
			node.data, node.target, node.xattrs = f.data, f.target, dict(f.xattrs)
			by_inode[f.node] = by_path[path] = node
		tree.add(folder, name, node)
	return tree
