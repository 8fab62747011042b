#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians of tests/bench/history: reads DIR/history.csv, writes DIR/history-medians.csv, prints a table.

	history.py DIR
"""
import csv
import os
import statistics
import sys


def read(path):
	values, units = {}, {}
	with open(path, newline="") as f:
		for row in csv.DictReader(f):
			values.setdefault(row["work"], {}).setdefault(row["target"], []).append(float(row["value"]))
			units[row["work"]] = row["unit"]
	return values, units


def cost(on, off, unit):
	"""How many times dearer it is with history; None where nothing is spent, or there is nothing to compare."""
	if not on or not off or unit == "KiB":
		return None
	return on / off if unit == "ms" else off / on


def main():
	folder = sys.argv[1]
	values, units = read(os.path.join(folder, "history.csv"))
	print(f"{'':28}{'on':>12}{'off':>12}  {'':6}{'on : off':>9}")
	with open(os.path.join(folder, "history-medians.csv"), "w", newline="") as f:
		out = csv.writer(f, lineterminator="\n")
		out.writerow(["work", "unit", "on", "off", "ratio", "on_lowest", "on_highest", "off_lowest", "off_highest", "runs"])
		for work in sorted(values):
			on, off = (values[work].get(target, []) for target in ("on", "off"))
			if work == "fdatasync":  # the disk's, which has nothing to do with either
				on = off = values[work]["disk"]
			medians = [statistics.median(runs) if runs else None for runs in (on, off)]
			ratio = cost(*medians, units[work])
			out.writerow([work, units[work], *medians, "" if ratio is None else f"{ratio:.3f}",
				      *(edge(runs) for runs in (on, off) if runs for edge in (min, max)), len(on)])
			shown = ["" if m is None else f"{m:,.3f}" for m in medians]
			print(f"{work:28}{shown[0]:>12}{shown[1]:>12}  {units[work]:6}{'' if ratio is None else f'{ratio:.2f}':>9}")


if __name__ == "__main__":
	main()
