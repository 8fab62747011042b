#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""space_reads.py FILE: the median and the longest time, in milliseconds, to open FILE and read 64 KiB at a random
offset, without what the kernel has of it in its cache."""
import os
import random
import sys
import time

path, piece = sys.argv[1], 65536
rnd = random.Random(1)
size = os.stat(path).st_size
times = []
for _ in range(101):
    at = rnd.randrange(max(size - piece, 1))
    begin = time.monotonic()
    fd = os.open(path, os.O_RDONLY)
    got = len(os.pread(fd, piece, at))
    times.append((time.monotonic() - begin) * 1000)
    assert got == min(piece, size - at)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(fd)
times.sort()
print("%.2f,%.2f" % (times[len(times) // 2], times[-1]))
