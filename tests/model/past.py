# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots of the model, and whether the mount still shows them: by commit, by time, by label and as a view mount."""
import os
import sqlite3
import time

from look import compare, history, listed, look
from play import BUCKETS
from tree import FILE, FOLDER

READ_ONLY = 0o7222	# no earlier version can be written, or run as somebody else


class Snapshot:
	def __init__(self, number, at, facts, commit, seconds):
		self.number, self.facts, self.commit, self.seconds = number, facts, commit, seconds
		self.at = at		# after that operation
		self.inodes = {path: f.node.inode for path, f in facts.items()}

	def names(self):
		"""Three ways to say when it was."""
		t = time.gmtime(self.seconds)
		forms = [time.strftime(f, t) for f in ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H-%M-%SZ", "%Y%m%dT%H%M%SZ",
						       "@GMT-%Y.%m.%d-%H.%M.%S")]
		return [f"commit-{self.commit}", (forms + [f"epoch-{self.seconds}"])[self.number % 5], f"state-{self.number}"]


class Past:
	def __init__(self, lake, play):
		self.lake, self.play = lake, play
		self.snapshots, self.readings, self.known = [], 0, {}
		self.versions = {}	# what is wrong with listed versions
		self.trees = {}		# what is wrong with the past of the tree, by way
		self.views = {}
		self.collected, self.gone, self.packed = {}, 0, 0

	def wrong(self):
		return [line for found in (self.versions, self.trees, self.views, self.collected) for lines in found.values() for line in lines]

	# ---- while it goes on ----

	def take(self, state):
		snapshot = Snapshot(len(self.snapshots) + 1, self.play.count(), *state)
		self.snapshots.append(snapshot)
		os.mkdir(os.path.join(self.lake.mnt, "@v", f"state-{snapshot.number}"))
		if self.play.o.failures:
			self.play.sync_record()
		self.check_versions(f"state {snapshot.number}")
		self.look_back(self.play.rng.choice(self.snapshots))

	def after_crash(self):
		self.check_versions(f"crash {self.play.crashed}")
		if self.snapshots:
			self.look_back(self.snapshots[-1])

	def last_look(self):
		for snapshot in self.snapshots:
			self.look_back(snapshot, every=True)

	def views_of_all(self):
		for snapshot in self.snapshots:
			self.view(snapshot)

	def collect(self):
		"""All that need not be kept goes; what is labelled stays."""
		facts = self.lake.facts()
		self.lake.keep_only_labelled(BUCKETS)
		self.lake.tarn("gc", self.lake.path)
		self.packed = facts["versions_kept_packed"]
		self.gone = facts["versions_kept"] - self.lake.facts()["versions_kept"]
		for snapshot in self.snapshots:
			for name in snapshot.names():
				self.compare(snapshot, os.path.join(self.lake.mnt, "@v", name), name.split("-")[0], self.collected)
		self.check_versions("after gc")

	# ---- versions of files ----

	def check_versions(self, when):
		"""All that are listed can be read, and are what their SHA-256 says."""
		for path, node in self.play.tree.walk():
			if node.kind != FILE:
				continue
			full = os.path.join(self.lake.mnt, path)
			try:
				found, lines = self.settled_versions(full)
			except OSError as e:
				self.versions.setdefault(when, []).append(f"{when}: {path}@v: {e.filename}: {e.strerror}")
				continue
			self.readings += len(found)
			for number, digest in found.items():
				self.check_version(when, f"{path}@v/{number}", digest, lines.get(number))

	@staticmethod
	def settled_versions(full):
		"""What is listed, and the history. One that turned out to be the same as another goes at any time."""
		for last in (False, False, True):
			try:
				found, lines = listed(full), history(full)
				if last or set(found) <= set(lines):
					break
			except FileNotFoundError:
				if last:
					raise
		return found, lines

	def check_version(self, when, name, digest, line):
		if line is None:
			words = "is not in history.jsonl"
		elif line.get("sha256") and line["sha256"] != digest:
			words = f"is {digest[:12]}, its sha256 {line['sha256'][:12]}"
		elif digest not in self.play.contents:
			words = f"is {digest[:12]} ({line['how']}), which never was a file's content"
		else:
			return
		self.versions.setdefault(when, []).append(f"{when}: {name} {words}")

	# ---- the tree as it was ----

	def modes(self, snapshot):
		"""What the past shows: no more than the mode then and the mode now allow."""
		def wanted(path, facts):
			now = self.play.modes_now(snapshot.inodes[path], facts.mode)
			return {facts.mode & mode & ~READ_ONLY for mode in now}
		return wanted

	def compare(self, snapshot, top, way, found):
		for path, words in compare(snapshot.facts, look(top), self.modes(snapshot)):
			line = f"state {snapshot.number} by {way}: {path} {words}"
			found.setdefault(way, []).append(line)
			if path in snapshot.facts:
				found[way] += self.play.story({snapshot.facts[path].node.id}, snapshot.at)
				found[way] += self.recorded(snapshot.inodes[path], snapshot.commit)

	def recorded(self, node, commit):
		"""What the store has of a node's version as of a commit."""
		db = sqlite3.connect(f"file:{self.lake.path}/catalog/tarn.db?mode=ro", uri=True, timeout=10)
		rows = db.execute("SELECT id, state, how, settled, size, cut_commit, end_commit, reason FROM version WHERE node = ?"
				  " AND cut_commit <= ? ORDER BY cut_commit DESC, id DESC LIMIT 1", (node, commit)).fetchall()
		db.close()
		names = ("version", "state", "how", "settled", "size", "cut", "end", "reason")
		return ["  node " + str(node) + ": " + ", ".join(f"{n} {v}" for n, v in zip(names, row)) for row in rows]

	def look_back(self, snapshot, every=False):
		names = snapshot.names()
		for name in names if every else [self.play.rng.choice(names)]:
			self.compare(snapshot, os.path.join(self.lake.mnt, "@v", name), name.split("-")[0], self.trees)
		self.look_into(snapshot, self.play.rng.choice(names[:2]))	# the label is the root's

	def look_into(self, snapshot, name):
		"""One folder's own past, where that folder is still at the same path."""
		same = [p for p, f in snapshot.facts.items() if f.kind == FOLDER and
			self.play.inode_at(p) == snapshot.inodes[p]]
		if not same:
			return
		top = self.play.rng.choice(same)
		below = Snapshot(snapshot.number, snapshot.at, {p[len(top) + 1:]: f for p, f in snapshot.facts.items() if p.startswith(top + "/")},
				 snapshot.commit, snapshot.seconds)
		self.compare(below, os.path.join(self.lake.mnt, top + "@v", name), f"{top}@v", self.trees)

	def view(self, snapshot):
		name = self.play.rng.choice(snapshot.names())
		self.lake.tarn("mount", "-q", self.lake.path, self.lake.view, "-o", f"view={name}")
		try:
			self.compare(snapshot, self.lake.view, f"view={name}", self.views)
		finally:
			self.lake.tarn("umount", self.lake.view)

	# ---- the end ----

	def report(self, points):
		n = len(self.snapshots)
		points.say(f"{self.readings} readings of listed versions: each one has its hash, and was once a file's content",
			   [line for lines in self.versions.values() for line in lines])
		points.say(f"each of {n} states is what D@v shows by commit, time and label",
			   [line for lines in self.trees.values() for line in lines])
		packed = f", {self.packed} were packed" if self.packed else ""
		points.say(f"and after gc, which took {self.gone} versions{packed}, with everything labelled",
			   [line for lines in self.collected.values() for line in lines])
		points.say(f"and what {n} view mounts show", [line for lines in self.views.values() for line in lines])
