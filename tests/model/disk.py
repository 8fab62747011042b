# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the lake of a model test lies, and how its power fails.

	plain		a folder; its power cannot fail
	ext4, xfs	an image, loop-mounted. The power fails by FS_IOC_SHUTDOWN without a flush of the log, as xfstests'
			godown does it: what no fsync has written is gone
	lazy-ext4, lazy-xfs
			the same with the image in LazyFS, which holds back what the loop device did not flush, and forgets
			it when it is killed: a missing barrier shows, too
"""
import array
import fcntl
import os
import signal
import subprocess
import time

FS_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587d, 2
MKFS = {"ext4": ["mkfs.ext4", "-q", "-F"], "xfs": ["mkfs.xfs", "-q", "-m", "reflink=1"]}
LAZY_CONFIG = """[faults]
fifo_path="{0}/lazy.fifo"
[cache]
apply_eviction=false
[cache.simple]
custom_size="{1}mb"
blocks_per_page=1
[filesystem]
log_all_operations=false
logfile="{0}/lazy.log"
"""
LAZY_CACHE_MB = 1536


def run(*words):
	done = subprocess.run(words, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=120)
	if done.returncode:
		raise OSError(f"{' '.join(words)}: {done.stderr.strip()[-200:]}")
	return done.stdout.strip()


def patiently(*words):
	"""Something that may be busy for a moment."""
	for i in range(600):
		try:
			return run(*words)
		except OSError:
			if i == 599:
				raise
			time.sleep(0.1)


def is_mounted(path):
	"""Also when it cannot be looked at any more."""
	with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as f:
		return any(line.split()[4] == path for line in f)


class Plain:
	def __init__(self, top):
		self.path = os.path.join(top, "disk")

	def start(self):
		os.mkdir(self.path)

	def stop(self):
		pass


class Image(Plain):
	def __init__(self, top, kind, size):
		super().__init__(top)
		self.kind, self.size, self.loop = kind, size, None
		self.image = os.path.join(top, "image")

	def make(self):
		with open(self.image, "wb") as f:
			f.truncate(self.size)
		run(*MKFS[self.kind], self.image)

	def start(self):
		super().start()
		self.make()
		self.attach()

	def attach(self):
		self.loop = run("losetup", "--find", "--show", self.image)
		# Another test's mount namespace may have a copy of the mount that was here a moment ago.
		patiently("mount", "-t", self.kind, self.loop, self.path)

	def detach(self):
		if is_mounted(self.path):
			patiently("umount", self.path)
		if self.loop:
			patiently("losetup", "-d", self.loop)
			self.loop = None

	def shut_down(self):
		"""From here on the disk takes nothing any more."""
		fd = os.open(self.path, os.O_RDONLY)
		try:
			fcntl.ioctl(fd, FS_IOC_SHUTDOWN, array.array("I", [NO_LOG_FLUSH]))
		finally:
			os.close(fd)

	def power_back(self):
		"""Nobody uses it any more: what was shut down is mounted again."""
		self.detach()
		self.attach()

	def stop(self):
		self.detach()


class Lazy(Image):
	def __init__(self, top, kind, size, program):
		super().__init__(top, kind, size)
		self.top, self.program, self.process = top, program, None
		self.store, self.lazy = os.path.join(top, "store"), os.path.join(top, "lazy")
		self.image = os.path.join(self.lazy, "image")

	def make(self):
		os.mkdir(self.store)
		os.mkdir(self.lazy)
		with open(os.path.join(self.top, "lazy.toml"), "w", encoding="ascii") as f:
			f.write(LAZY_CONFIG.format(self.top, LAZY_CACHE_MB))
		# Below LazyFS: making it is no part of what is tested.
		image, self.image = self.image, os.path.join(self.store, "image")
		super().make()
		self.image = image

	def attach(self):
		self.process = subprocess.Popen(
			[self.program, self.lazy, "--config-path", os.path.join(self.top, "lazy.toml"), "-o", "allow_other",
			 "-o", "modules=subdir", "-o", f"subdir={self.store}", "-f"],
			stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
		for _ in range(600): # on a busy machine
			if is_mounted(self.lazy):
				break
			time.sleep(0.1)
		super().attach()

	def detach(self):
		super().detach()
		if self.process:
			self.process.send_signal(signal.SIGTERM)
			try:
				self.process.wait(60)
			except subprocess.TimeoutExpired:
				self.process.kill()
				self.process.wait()
			self.process = None
		subprocess.run(["umount", "-l", self.lazy], capture_output=True, check=False)

	def shut_down(self):
		"""What LazyFS held back is gone with it; the file system above notices that its disk is."""
		self.process.kill()
		self.process.wait()
		try:
			super().shut_down()
		except OSError:
			pass  # it has noticed by itself


def disk(name, top, size, lazyfs):
	if name == "plain":
		return Plain(top)
	if name.startswith("lazy-"):
		return Lazy(top, name[5:], size, lazyfs)
	return Image(top, name, size)
