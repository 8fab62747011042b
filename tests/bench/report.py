#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Medians of a benchmark: reads DIR/runs.csv, writes DIR/medians.csv and DIR/bench.svg, prints a table.

	report.py DIR TITLE

A ratio above 1 is faster, also where the value is a time.
"""
import csv
import html
import os
import statistics
import sys

BASE, PEER = "plain", "passthrough_hp"
BAR, GAP, LEFT, WIDTH, FULL = 11, 10, 190, 620, 1.25
COLOURS = {"plain": "#9aa0a6", "bindfs": "#c9a227", "mergerfs": "#b5651d", "passthrough_ll": "#7fb3d5",
	   "passthrough_hp": "#2e86c1", "passthrough_hp_pt": "#1b4f72", "tarn": "#1e8449", "tarn-nopt": "#82c99d"}


def read(path):
	values, units = {}, {}
	with open(path, newline="") as f:
		for row in csv.DictReader(f):
			values.setdefault(row["work"], {}).setdefault(row["target"], []).append(float(row["value"]))
			units[row["work"]] = row["unit"]
	return values, units


def ratio(medians, units, work, target, other):
	mine, theirs = medians[work].get(target), medians[work].get(other)
	if not mine or not theirs:
		return None
	return theirs / mine if units[work] == "s" else mine / theirs


def short(value, unit):
	if value is None:
		return ""
	if unit == "s":
		return f"{value:.3f} s"
	if unit == "MiB/s":
		return f"{value:,.0f} MiB/s"
	return f"{value / 1000:,.1f} k/s"


def write_medians(path, values, medians, units, targets):
	with open(path, "w", newline="") as f:
		out = csv.writer(f, lineterminator="\n")
		out.writerow(["work", "target", "median", "lowest", "highest", "runs", "unit", "of_plain", f"of_{PEER}"])
		for work in values:
			for target in targets:
				runs = values[work].get(target)
				if not runs:
					continue
				ratios = [ratio(medians, units, work, target, other) for other in (BASE, PEER)]
				out.writerow([work, target, medians[work][target], min(runs), max(runs), len(runs), units[work]]
					     + ["" if r is None else f"{r:.3f}" for r in ratios])


def write_svg(path, title, medians, units, targets):
	bars, y = [], 46
	for work in medians:
		bars.append(f'<text x="8" y="{y + BAR}" font-weight="bold">{html.escape(work)}</text>')
		for target in targets:
			r = ratio(medians, units, work, target, BASE)
			if r is None:
				continue
			length = min(r, FULL) / FULL * WIDTH
			words = f"{target} {r:.2f} ({short(medians[work][target], units[work])})"
			bars.append(f'<rect x="{LEFT}" y="{y}" width="{length:.1f}" height="{BAR - 1}" '
				    f'fill="{COLOURS.get(target, "#555")}"/>'
				    f'<text x="{LEFT + length + 4:.1f}" y="{y + BAR - 2}">{html.escape(words)}</text>')
			y += BAR
		y += GAP
	one = LEFT + WIDTH / FULL
	with open(path, "w") as f:
		f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 240}" height="{y + 10}" '
			f'font-family="sans-serif" font-size="10">\n<rect width="100%" height="100%" fill="white"/>\n'
			f'<text x="8" y="16" font-size="12">{html.escape(title)}</text>\n'
			f'<text x="8" y="32">ratio to a plain folder of the same disk; longer is faster</text>\n'
			f'<line x1="{one}" y1="40" x2="{one}" y2="{y}" stroke="#c0392b" stroke-dasharray="3 3"/>\n')
		f.write("\n".join(bars) + "\n</svg>\n")


def main():
	if len(sys.argv) != 3:
		sys.exit(__doc__)
	folder, title = sys.argv[1:]
	values, units = read(os.path.join(folder, "runs.csv"))
	medians = {w: {t: statistics.median(v) for t, v in by.items()} for w, by in values.items()}
	seen = {t for by in values.values() for t in by}
	targets = [t for t in COLOURS if t in seen] + sorted(seen - set(COLOURS))
	write_medians(os.path.join(folder, "medians.csv"), values, medians, units, targets)
	write_svg(os.path.join(folder, "bench.svg"), title, medians, units, targets)

	print("work".ljust(18) + "plain".rjust(16) + "".join(t.rjust(max(len(t), 6) + 2) for t in targets if t != BASE))
	for work in values:
		line = work.ljust(18) + short(medians[work].get(BASE), units[work]).rjust(16)
		for target in targets:
			if target != BASE:
				r = ratio(medians, units, work, target, BASE)
				line += ("-" if r is None else f"{r:.2f}").rjust(max(len(target), 6) + 2)
		print(line)


main()
