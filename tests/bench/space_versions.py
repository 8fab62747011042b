#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of a large table for tests/bench/space.

    space_versions.py CSV FOLDER COUNT MEGABYTES

The rows of CSV, repeated until there are so many megabytes and shuffled once, are the first version. In each further
one a thousandth of the rows is changed in place (the last and the last but two of its fields become other numbers) and
100 rows are added at the end. The same every time.
"""
import os
import random
import sys


def changed(line, rnd):
    fields = line.rstrip(b"\r\n").split(b",")
    fields[-1] = b"%d" % rnd.randrange(1000)
    fields[-3] = b"%d" % rnd.randrange(100000)
    return b",".join(fields) + b"\n"


def main():
    source, folder, count, megabytes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rnd = random.Random(7)
    with open(source, "rb") as f:
        head, *rows = f.read().splitlines(True)
    wanted = megabytes * 1000000 - len(head)
    lines = rows * (wanted // sum(map(len, rows)) + 1)
    rnd.shuffle(lines)
    while sum(map(len, lines)) > wanted + 1000000:
        del lines[-5000:]
    os.makedirs(folder, exist_ok=True)
    for version in range(1, count + 1):
        if version > 1:
            for i in rnd.sample(range(len(lines)), len(lines) // 1000):
                lines[i] = changed(lines[i], rnd)
            lines.extend(changed(rnd.choice(rows), rnd) for _ in range(100))
        with open("%s/%03d.csv" % (folder, version), "wb") as f:
            f.write(head)
            f.writelines(lines)


main()
