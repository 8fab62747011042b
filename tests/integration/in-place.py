# SPDX-License-Identifier: GPL-3.0-or-later
"""in-place.py FOLDER: changes one file after the other in place, in every way that there is, and prints a line per way:
`ok WAY`, or what is wrong. After each change the file gets a version; in the end every version is compared with what
the file was then."""
import ctypes, fcntl, hashlib, mmap, os, sys, time

FOLDER = sys.argv[1]
LARGE = 3 * 1024 * 1024 + 777
libc = ctypes.CDLL(None, use_errno=True)
PUNCH, ZERO, KEEP = 2, 16, 1


def content(seed, size):
	block = b"".join(hashlib.sha256(b"%d %d" % (seed, i)).digest() for i in range(2048))
	return (block * (size // len(block) + 1))[:size]


def allocate(fd, mode, offset, length):
	if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)) < 0:
		e = ctypes.get_errno()
		raise OSError(e, os.strerror(e))


class File:
	def __init__(self, name):
		self.path = os.path.join(FOLDER, name)
		self.versions = []
		with open(self.path, "wb") as f:
			f.write(content(1, LARGE))
		self.note()

	def note(self):
		"""What the file is now is its next version."""
		with open(self.path, "rb") as f:
			data = f.read()
		for _ in range(500):
			try:
				with open(f"{self.path}@v/{len(self.versions) + 1}", "rb") as f:
					if f.read() == data:
						break
			except OSError:
				pass
			time.sleep(0.02)
		self.versions.append(data)

	def changed(self, change, flags=os.O_WRONLY):
		fd = os.open(self.path, flags)
		change(fd)
		os.close(fd)
		self.note()

	def wrong(self):
		for i, data in enumerate(self.versions, 1):
			try:
				with open(f"{self.path}@v/{i}", "rb") as f:
					found = f.read()
			except OSError as e:
				return f"version {i} of {len(self.versions)}: {e.strerror}"
			if found != data:
				at = next((j for j, (a, b) in enumerate(zip(found, data)) if a != b), min(len(found), len(data)))
				return f"version {i} of {len(self.versions)} has {len(found)} bytes of {len(data)}, wrong from {at} on"
		return None


def pwrite(f):
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	f.changed(lambda fd: os.pwrite(fd, b"Y" * 200000, 1000000))
	f.changed(lambda fd: os.pwrite(fd, b"Z" * 5000, LARGE - 100))


def pwrite_rdwr(f):
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000), os.O_RDWR)
	f.changed(lambda fd: os.pwrite(fd, b"Y" * 200000, 1000000), os.O_RDWR)


def mapped(f):
	def store(fd):
		m = mmap.mmap(fd, 0)
		m[5] = 65
		m[LARGE - 1] = 66
		m[100000:300000] = b"M" * 200000
		m.close()
	f.changed(store, os.O_RDWR)
	f.changed(store, os.O_RDWR)


def mapped_after_close(f):
	fd = os.open(f.path, os.O_RDWR)
	m = mmap.mmap(fd, 0)
	os.close(fd)
	m[5] = 65
	m[LARGE - 1] = 66
	m.flush()
	m.close()
	f.note()


def truncated(f):
	f.changed(lambda fd: os.ftruncate(fd, 1000000))
	f.changed(lambda fd: os.ftruncate(fd, 2000000))
	os.truncate(f.path, 10)
	f.note()
	os.truncate(f.path, 100)
	f.note()
	f.changed(lambda fd: os.ftruncate(fd, 0))
	f.changed(lambda fd: os.write(fd, b"anew"))


def punched(f):
	f.changed(lambda fd: allocate(fd, PUNCH | KEEP, 65536, 500000))
	f.changed(lambda fd: allocate(fd, ZERO, 900000, 100000))


def appended(f):
	f.changed(lambda fd: os.write(fd, b"first line\n"), os.O_WRONLY | os.O_APPEND)
	f.changed(lambda fd: os.write(fd, b"second line\n"), os.O_WRONLY | os.O_APPEND)
	f.changed(lambda fd: os.pwrite(fd, b"over both", LARGE + 3))
	f.changed(lambda fd: os.ftruncate(fd, LARGE + 5))
	f.changed(lambda fd: os.write(fd, b"third line\n"), os.O_WRONLY | os.O_APPEND)
	f.changed(lambda fd: os.ftruncate(fd, 0))  # copytruncate of a log


def two_handles(f):
	a, b = os.open(f.path, os.O_WRONLY), os.open(f.path, os.O_RDWR)
	os.pwrite(a, b"A" * 100000, 50000)
	os.pwrite(b, b"B" * 100000, 100000)
	os.pwrite(a, b"C" * 10, 60000)
	os.close(a)
	os.close(b)
	f.note()


def with_reader(f):
	r = os.open(f.path, os.O_RDONLY)
	os.pread(r, 10, 0)
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	f.changed(lambda fd: os.pwrite(fd, b"Y" * 10, 90000), os.O_RDWR)
	w = os.open(f.path, os.O_RDWR)
	m = mmap.mmap(w, 0)
	m[0:3] = b"map"
	m.close()
	os.close(w)
	os.close(r)
	f.note()


def truncated_while_read(f):
	r = os.open(f.path, os.O_RDONLY)
	os.pread(r, 10, 0)
	with open(f.path, "wb") as w:
		w.write(b"short")
	os.close(r)
	f.note()


def copied_into(f):
	other = os.open(os.path.join(FOLDER, "other"), os.O_RDWR | os.O_CREAT)
	os.write(other, content(2, 200000))
	f.changed(lambda fd: os.copy_file_range(other, fd, 150000, 1000, 300000))
	os.close(other)


def linked(f):
	os.link(f.path, f.path + "-link")
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	with open(f.path + "-link", "wb") as w:
		w.write(b"short")
	f.note()
	os.unlink(f.path + "-link")
	f.changed(lambda fd: os.write(fd, b"end"))


def removed(f):
	f.changed(lambda fd: os.write(fd, b"more"), os.O_WRONLY | os.O_APPEND)
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	os.unlink(f.path)


def removed_while_open(f):
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	fd = os.open(f.path, os.O_RDWR)
	os.pwrite(fd, b"Y" * 10, 70000)
	os.unlink(f.path)
	os.pwrite(fd, b"Z" * 300000, 200000)
	os.close(fd)


def replaced(f):
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	f.changed(lambda fd: os.write(fd, b"more"), os.O_WRONLY | os.O_APPEND)
	with open(f.path + ".new", "wb") as n:
		n.write(b"new")
	os.rename(f.path + ".new", f.path)
	f.note()


def under_a_temporary_name(f):
	os.rename(f.path, f.path + ".part")
	for flags, data in ((os.O_WRONLY | os.O_APPEND, b"more"), (os.O_WRONLY, b"X" * 100000)):
		fd = os.open(f.path + ".part", flags)
		os.write(fd, data)
		os.close(fd)
	os.rename(f.path + ".part", f.path)
	f.note()


def opened_before(f):
	"""Who has a version open reads it to its end, whatever becomes of the file meanwhile."""
	f.changed(lambda fd: os.pwrite(fd, b"X" * 10, 70000))
	fds = [os.open(f"{f.path}@v/{i}", os.O_RDONLY) for i in (1, 2)]
	f.changed(lambda fd: os.pwrite(fd, b"Y" * LARGE, 0))
	with open(f.path, "wb") as w:
		w.write(b"short")
	f.note()
	os.unlink(f.path)
	for i, fd in enumerate(fds):
		found = os.pread(fd, LARGE + 1, 0)
		while len(found) < LARGE and (more := os.pread(fd, LARGE, len(found))):
			found += more
		if found != f.versions[i]:
			raise OSError(0, f"version {i + 1}, opened before, is wrong")
		os.close(fd)


for way in (pwrite, pwrite_rdwr, mapped, mapped_after_close, truncated, punched, appended, two_handles,
	    with_reader, truncated_while_read, copied_into, linked, removed, removed_while_open, replaced, under_a_temporary_name, opened_before):
	f = File(way.__name__)
	try:
		way(f)
		print(f"{f.wrong() or 'ok'} {way.__name__}")
	except OSError as e:
		print(f"{e} {way.__name__}")
	sys.stdout.flush()
