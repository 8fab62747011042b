# SPDX-License-Identifier: GPL-3.0-or-later
"""What the mount shows of the past, while the model goes on: every version that is listed."""
import os

from look import history, listed
from tree import FILE


class Past:
	def __init__(self, lake, play):
		self.lake, self.play = lake, play
		self.states, self.readings = 0, 0
		self.wrong = []

	# ---- while it goes on ----

	def take(self):
		self.states += 1
		self.check_versions(f"state {self.states}")

	def after_crash(self):
		self.check_versions(f"crash {self.play.crashed}")

	# ---- versions of files ----

	def check_versions(self, when):
		"""All that are listed can be read, and are what their SHA-256 says."""
		for path, node in self.play.tree.walk():
			if node.kind != FILE:
				continue
			full = os.path.join(self.lake.mnt, path)
			try:
				found, lines = listed(full), history(full)
			except OSError as e:
				self.wrong.append(f"{when}: {path}@v: {e.filename}: {e.strerror}")
				continue
			self.readings += len(found)
			for number, digest in found.items():
				self.check_version(when, f"{path}@v/{number}", digest, lines.get(number))

	def check_version(self, when, name, digest, line):
		if line is None:
			words = "is not in history.jsonl"
		elif line.get("sha256") and line["sha256"] != digest:
			words = f"is {digest[:12]}, its sha256 {line['sha256'][:12]}"
		elif digest not in self.play.contents:
			words = f"is {digest[:12]} ({line['how']}), which never was a file's content"
		else:
			return
		self.wrong.append(f"{when}: {name} {words}")

	# ---- the end ----

	def report(self, points):
		points.say(f"{self.readings} readings of listed versions: each one has its hash, and was once a file's content",
			   self.wrong)
