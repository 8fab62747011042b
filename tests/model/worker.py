#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client of the model test: does what it is told on the mount, one JSON object per line, and answers each.

	worker.py MOUNT

Paths are relative to MOUNT, which is never the working folder: a dead mount must not hold it. The answer is {} or
{"error": "ENOENT"}, with "digest" where something was read. Handles and mappings are kept by number until they are
closed; a mapping's descriptor is closed at once, as databases and linkers do, so that stores come after close().
"""
import ctypes
import errno
import hashlib
import json
import mmap
import os
import random
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
libc.msync.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
AT_FDCWD, RENAME_EXCHANGE, MS_SYNC = -100, 2, 4


def content(seed, length):
	"""Bytes from a number: half of them look like a table, the others do not compress."""
	if seed % 2:
		return random.Random(seed).randbytes(length)
	row = b"%d,2026-11-20,harbour,%d,north\n" % (seed, seed * 7919 % 1000003)
	return b"".join(b"%06d,%s" % (i, row) for i in range(length // (len(row) + 7) + 1))[:length]


def checked(result):
	if result < 0:
		raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Client:
	def __init__(self, mount):
		self.mount = mount
		self.handles = {}	# number: descriptor
		self.maps = {}		# number: (address, length)

	def path(self, name):
		return os.path.join(self.mount, name)

	def write_all(self, fd, data, at):
		"""AT None: where the descriptor stands, or at the end with O_APPEND."""
		while data:
			n = os.write(fd, data) if at is None else os.pwrite(fd, data, at)
			data = data[n:]
			at = None if at is None else at + n

	# ---- files, by name ----

	def do_write(self, path, flags, data, at=None, mode=0o644, sync=False, cut=None):
		fd = os.open(self.path(path), flags, mode)
		try:
			if cut is not None:
				os.ftruncate(fd, cut)
			self.write_all(fd, content(*data), at)
			if sync:
				os.fsync(fd)
		finally:
			os.close(fd)

	def do_truncate(self, path, size):
		os.truncate(self.path(path), size)

	def do_punch(self, path, at, length):
		fd = os.open(self.path(path), os.O_RDWR)
		try:
			checked(libc.fallocate(fd, 3, ctypes.c_long(at), ctypes.c_long(length)))
		finally:
			os.close(fd)

	def do_copy(self, path, to, at, length, into):
		source = os.open(self.path(path), os.O_RDONLY)
		target = os.open(self.path(to), os.O_WRONLY)
		try:
			while length:
				n = os.copy_file_range(source, target, length, at, into)
				if n == 0:
					raise OSError(errno.EIO, "copy_file_range ends early")
				at, into, length = at + n, into + n, length - n
		finally:
			os.close(target)
			os.close(source)

	def do_read(self, path):
		with open(self.path(path), "rb") as f:
			return hashlib.sha256(f.read()).hexdigest()

	def do_fsync(self, path):
		fd = os.open(self.path(path), os.O_RDONLY)
		try:
			os.fsync(fd)
		finally:
			os.close(fd)

	# ---- files, by handle and mapping ----

	def do_open(self, slot, path, flags):
		self.handles[slot] = os.open(self.path(path), flags)

	def do_handle_write(self, slot, data, at=None):
		self.write_all(self.handles[slot], content(*data), at)

	def do_handle_truncate(self, slot, size):
		os.ftruncate(self.handles[slot], size)

	def do_handle_read(self, slot, size):
		data = b""
		while part := os.pread(self.handles[slot], size + 1 - len(data), len(data)):
			data += part
		return hashlib.sha256(data).hexdigest()

	def do_handle_sync(self, slot):
		os.fsync(self.handles[slot])

	def do_close(self, slot):
		os.close(self.handles.pop(slot))

	def do_map(self, slot, path, size):
		fd = os.open(self.path(path), os.O_RDWR)
		try:
			address = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED, fd, 0)
			if address == ctypes.c_void_p(-1).value:
				raise OSError(ctypes.get_errno(), "mmap")
		finally:
			os.close(fd)
		self.maps[slot] = (address, size)

	def do_store(self, slot, data, at, sync=False):
		address, size = self.maps[slot]
		part = content(*data)
		ctypes.memmove(address + at, part, len(part))
		if sync:
			checked(libc.msync(address, size, MS_SYNC))

	def store_all(self, slot, places):
		"""(offset, bytes) each."""
		for at, data in places:
			ctypes.memmove(self.maps[slot][0] + at, data, len(data))

	def do_unmap(self, slot):
		checked(libc.munmap(*self.maps.pop(slot)))

	# ---- names and attributes ----

	def do_mkdir(self, path, mode):
		os.mkdir(self.path(path), mode)

	def do_rmdir(self, path):
		os.rmdir(self.path(path))

	def do_unlink(self, path):
		os.unlink(self.path(path))

	def do_link(self, path, to):
		os.link(self.path(path), self.path(to))

	def do_symlink(self, target, path):
		os.symlink(target, self.path(path))

	def do_rename(self, path, to):
		os.rename(self.path(path), self.path(to))

	def do_exchange(self, path, to):
		names = [os.fsencode(self.path(p)) for p in (path, to)]
		checked(libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE))

	def do_chmod(self, path, mode):
		os.chmod(self.path(path), mode)

	def do_setxattr(self, path, name, value):
		os.setxattr(self.path(path), name, value.encode())

	def do_removexattr(self, path, name):
		os.removexattr(self.path(path), name)

	# ---- life ----

	def close_all(self):
		for slot in list(self.handles):
			self.do_close(slot)
		for slot in list(self.maps):
			self.do_unmap(slot)

	def obey(self, line):
		order = json.loads(line)
		name = order.pop("op")
		try:
			if name == "close_all":
				self.close_all()
				return {}
			result = getattr(self, "do_" + name)(**order)
			return {} if result is None else {"digest": result}
		except OSError as e:
			return {"error": errno.errorcode.get(e.errno, str(e.errno))}


def main():
	if len(sys.argv) != 2:
		sys.exit(__doc__)
	os.umask(0)
	client = Client(sys.argv[1])
	for line in sys.stdin:
		print(json.dumps(client.obey(line)), flush=True)


if __name__ == "__main__":
	main()
