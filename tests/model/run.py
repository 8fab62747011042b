#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random operations by several clients against a model; the past must be what the model was.

	run.py --tarn FILE --dir FOLDER [--operations N] [--each N] [--clients N] [--seed N] [--kills N] [--failures N]
	       [--disk plain|ext4|xfs|lazy-ext4|lazy-xfs] [--lazyfs FILE] [--collect] [--cloud] [--stop] [--words TEXT]
	       [-- MOUNT OPTION…]

At each N-th state everything is closed and settled, the mount must be equal to the model, and every version that is
listed must be readable, have its hash, and have been a file's content. Commit and time are noted, and a label is made.
In between the daemon is killed (--kills) or the power fails (--failures, on a disk whose power can fail); then whatever
was durable must be there. Now and then, and at the end, each state must be what its commit, its time and its label
show, in D@v and as a view mount. With --collect nothing but labels keeps history: it is packed as soon as it is
history, and gc runs now and then, also while the daemon is killed or the power fails. With --cloud there is no room on
the disk: whatever nobody writes leaves for a folder that is the cloud, which never fails, and comes back when it is
read. Prints TAP points. A run with the same seed does the same operations, but for what follows a crash.
"""
import argparse
import os
import random
import signal
import subprocess
import sys

from lake import Failure, Lake
from disk import disk
from past import Past
from play import Play


def arguments():
	p = argparse.ArgumentParser()
	p.add_argument("--tarn", required=True)
	p.add_argument("--dir", required=True)
	p.add_argument("--operations", type=int, default=5000)
	p.add_argument("--each", type=int, default=100)
	p.add_argument("--clients", type=int, default=4)
	p.add_argument("--seed", type=int, default=1)
	p.add_argument("--kills", type=int, default=0)
	p.add_argument("--failures", type=int, default=0)
	p.add_argument("--disk", default="plain")
	p.add_argument("--disk-bytes", type=int, default=8 << 30)
	p.add_argument("--lazyfs", default="lazyfs")
	p.add_argument("--collect", action="store_true", help="history is packed at once, and gc runs all the time")
	p.add_argument("--cloud", action="store_true", help="files are stubs most of the time")
	p.add_argument("--stop", action="store_true", help="as soon as something is wrong")
	p.add_argument("--words", default="")
	p.add_argument("options", nargs="*")
	return p.parse_args()


class Points:
	def __init__(self, options):
		parts = [options.words, options.disk if options.disk != "plain" else ""]
		self.words = "".join(f", {p}" for p in parts if p)
		self.seed = options.seed

	def say(self, text, wrong):
		wrong = list(wrong)
		more = f": {len(wrong)} wrong, seed {self.seed}" if wrong else ""
		print(f"{'not ok' if wrong else 'ok'} - {text}{self.words}{more}", flush=True)
		for line in wrong[:12]:
			print(f"# {line}".encode(errors="backslashreplace").decode(), flush=True)


def crashes(o, rng):
	"""After which operations what happens."""
	where = [(rng.randrange(1, o.operations), kind) for kind, n in (("kill", o.kills), ("power", o.failures))
		 for _ in range(n)]
	return sorted(where)


def stop_if_wrong(o, play, past):
	if o.stop and (play.wrong or play.lost or past.wrong()):
		raise Failure("something is wrong")


def test(o, play, past, points):
	rng = random.Random(o.seed + 1)
	ahead = crashes(o, rng)
	play.begin()
	while play.count() < o.operations:
		stop = min(o.operations, (play.count() // o.each + 1) * o.each)
		while ahead and ahead[0][0] <= stop:
			at, kind = ahead.pop(0)
			play.go_on(at)
			play.crash(kind)
			past.after_crash()
			stop_if_wrong(o, play, past)
		play.go_on(stop)
		past.take(play.quiet())
		stop_if_wrong(o, play, past)
	play.lake.unmount()
	play.lake.mount()
	past.last_look()
	past.views_of_all()
	past.collect()
	if o.kills or o.failures:
		points.say(f"{o.kills} kills, {o.failures} power failures: what was durable is there", play.lost)
	points.say(f"{play.count()} operations by {o.clients} clients: the mount is always equal to the model", play.wrong)
	past.report(points)
	play.lake.unmount()


def settings(o):
	"""As they stand in the daemon's environment."""
	s = {}
	if o.collect:
		s["TARN_STORAGE_PACK_AFTER"] = "0"
	if o.cloud:
		cloud = os.path.join(o.dir, "cloud")
		os.makedirs(cloud, exist_ok=True)
		s.update({
			"TARN_HYBRID_STORAGE_CLOUD_PROVIDER": "dir", "TARN_HYBRID_STORAGE_CLOUD_PATH": cloud,
			"TARN_HYBRID_STORAGE_CLOUD_ALLOW_SAME_DISK": "true", "TARN_STORAGE_CLOUD_BURST_ENABLED": "true",
			"TARN_STORAGE_LOCAL_CAPACITY_GB": "0.000001", "TARN_STORAGE_MIN_AGE": "0",
			"TARN_STORAGE_HISTORY_BUDGET_GB": "50",
		})
	return s


def main():
	# A TERM ends it as an error does: nothing stays mounted.
	signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
	o = arguments()
	o.dir = os.path.abspath(o.dir)
	points = Points(o)
	below = disk(o.disk, o.dir, o.disk_bytes, o.lazyfs)
	lake = Lake(o.tarn, o.dir, below, o.options, settings(o))
	play = Play(o, lake)
	past = Past(lake, play)
	try:
		test(o, play, past, points)
	except (Failure, subprocess.TimeoutExpired, OSError) as e:
		points.say(f"{o.operations} operations, ended at {play.count()}", [str(e)] + play.wrong + play.lost + past.wrong())
	finally:
		play.end()
		lake.clean_up()


main()
