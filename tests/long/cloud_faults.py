#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mixed load on a lake whose cloud fails: cloud_faults.py TARN MOUNT SECONDS STOPPED PROXY_PID

Four workers write, overwrite, append to, rename, evict and read files of their own in MOUNT/data, and know what each must
hold. They do so for a tenth of SECONDS, say so, and go on for SECONDS when a line comes on standard input: from then on
the cloud may fail. PROXY_PID, which is between the lake and its cloud, is stopped for STOPPED seconds in the middle of
that. Meanwhile a prober lists, stats, asks for free space and reads a local file, 20 times a second. A call may fail where
it needs the cloud, within 30 s; a wrong byte or a lost file may not be. Prints a line of JSON for each phase: what was
done, what failed, how long it took at most, and what each probe took (median and 99th percentile, in milliseconds): without
faults, with faults, and while the server was stopped.
"""
import errno
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

TARN, MOUNT, SECONDS, STOPPED, PROXY = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
DATA = MOUNT + "/data"
ALLOWED = {errno.EIO, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.EAGAIN, errno.ECANCELED}
LIMIT = 30.0

lock = threading.Lock()
names = ("list", "stat", "statfs", "local")
phase = "clean"  # then "faults", "stopped"
probed = {name: {what: [] for what in names} for name in ("clean", "faults", "stopped")}  # seconds
end = [float("inf")]
facts = {"operations": 0, "errors": 0, "wrong": [], "unexpected": [], "slowest": 0.0, "slowest_error": 0.0, "probes": 0,
         "slowest_probe": 0.0, "slow_probes": 0, "late": []}


def content(seed, size):
    """SIZE bytes that no other SEED has."""
    block = random.Random(seed).randbytes(min(size, 65536))
    return (block * (size // len(block) + 1))[:size] if size else b""


def note(kind, text):
    with lock:
        facts[kind].append(text)


def timed(what, call, limit=LIMIT):
    """CALL's value, and whether it failed as it may, within LIMIT seconds."""
    begun = time.monotonic()
    failed, value = False, None
    try:
        value = call()
    except OSError as error:
        failed = True
        if error.errno not in ALLOWED:
            note("unexpected", f"{what}: {error}")
    took = time.monotonic() - begun
    with lock:
        facts["operations"] += 1
        facts["errors"] += failed
        facts["slowest"] = max(facts["slowest"], took)
        if failed:
            facts["slowest_error"] = max(facts["slowest_error"], took)
    if took > limit + 3:
        note("late", f"{what} took {took:.1f} s")
    return value, failed


class Worker(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number = number
        self.random = random.Random(number)
        self.files = {}  # name: the bytes that it may hold; more than one after a write that failed
        self.next = 0

    def path(self, name):
        return f"{DATA}/{name}"

    def new_name(self):
        self.next += 1
        return f"w{self.number}-{self.next}"

    def bytes_of(self, kind):
        size = self.random.choice((0, 1, 4096, 100_000, 1_000_000, 3_000_001))
        return content(f"{self.number}-{kind}-{self.random.random()}", size)

    def write(self, name, data, mode):
        def call():
            with open(self.path(name), mode, buffering=0) as file:
                view = memoryview(data)
                while view:
                    view = view[file.write(view):]

        return timed(f"write {name}", call)[1]

    def create(self):
        name, data = self.new_name(), self.bytes_of("new")
        failed = self.write(name, data, "wb")
        if not failed or os.path.lexists(self.path(name)):
            self.files[name] = [data] if not failed else [data[:i] for i in range(0, len(data) + 1, 1 << 17)] + [data]

    def overwrite(self, name):
        data = self.bytes_of("over")
        failed = self.write(name, data, "wb")
        self.files[name] = [data] if not failed else self.files[name] + [b"", data]

    def append(self, name):
        data = content(f"{self.number}-append-{self.random.random()}", 1000)
        failed = self.write(name, data, "ab")
        with_it = [old + data for old in self.files[name]]
        self.files[name] = with_it if not failed else self.files[name] + with_it

    def rename(self, name):
        other = self.new_name()
        _, failed = timed(f"rename {name}", lambda: os.rename(self.path(name), self.path(other)))
        if not failed:
            self.files[other] = self.files.pop(name)

    def evict(self, name):
        def call():
            subprocess.run([TARN, "evict", self.path(name)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        timed(f"evict {name}", call, 120)  # it uploads first, and waits for the server with patience

    def read(self, name):
        def call():
            with open(self.path(name), "rb", buffering=0) as file:
                return file.readall()

        data, failed = timed(f"read {name}", call)
        if failed:
            return False
        if data not in self.files[name]:
            note("wrong", f"{name}: {len(data)} bytes, known are {sorted({len(old) for old in self.files[name]})}")
        else:
            self.files[name] = [data]
        return True

    def run(self):
        while time.monotonic() < end[0]:
            known = list(self.files)
            if len(known) < 15:
                self.create()
                continue
            act = self.random.choices((self.create, self.overwrite, self.append, self.rename, self.evict, self.read),
                                      (1 if len(known) < 60 else 0, 3, 2, 2, 6, 10))[0]
            act() if act == self.create else act(self.random.choice(known))


def probe():
    """What never waits for the cloud."""
    while time.monotonic() < end[0]:
        for what in names:
            begun = time.monotonic()
            try:
                if what == "list":
                    entries = os.listdir(DATA)
                elif what == "stat":
                    os.lstat(f"{DATA}/{random.choice(entries)}" if entries else DATA)
                elif what == "statfs":
                    os.statvfs(MOUNT)
                else:
                    with open(MOUNT + "/kept/local", "rb") as file:
                        if len(file.read()) != 1 << 20:
                            note("wrong", "the local file")
            except FileNotFoundError:  # it was renamed meanwhile
                pass
            except OSError as error:
                note("unexpected", f"{what}: {error}")
            took = time.monotonic() - begun
            probed[phase][what].append(took)
            with lock:
                facts["probes"] += 1
                facts["slow_probes"] += took > 0.5
                facts["slowest_probe"] = max(facts["slowest_probe"], took)
        time.sleep(0.05)


def figures(values):
    """The median and the 99th percentile, in milliseconds."""
    values = sorted(values)
    return [round(1000 * at, 3) for at in (statistics.median(values), values[len(values) * 99 // 100])] if values else []


def main():
    global phase
    with open(MOUNT + "/kept/local", "wb") as file:
        file.write(os.urandom(1 << 20))
    os.listdir(DATA)
    workers = [Worker(number) for number in range(4)]
    threads = workers + [threading.Thread(target=probe)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    time.sleep(SECONDS / 10)
    print(json.dumps({"phase": "clean", "operations": facts["operations"], "errors": facts["errors"]}), flush=True)
    sys.stdin.readline()
    end[0] = time.monotonic() + SECONDS
    phase = "faults"
    time.sleep(max(0, (SECONDS - STOPPED) / 2))
    os.kill(PROXY, signal.SIGSTOP)
    phase = "stopped"
    time.sleep(STOPPED)
    os.kill(PROXY, signal.SIGCONT)
    phase = "faults"
    for thread in threads:
        thread.join(SECONDS + 120)
    facts["hung"] = sum(thread.is_alive() for thread in threads)
    took = {name: {what: figures(values) for what, values in of.items()} for name, of in probed.items()}
    print(json.dumps({"phase": "load", **facts, "probed": took}), flush=True)
    if facts["hung"]:
        os._exit(1)

    # All of it, once the cloud answers again.
    sys.stdin.readline()
    listed, lost, unread = set(os.listdir(DATA)), [], []
    for worker in workers:
        for name in list(worker.files):
            if name not in listed:
                lost.append(name)
            elif not any(worker.read(name) for _ in range(3)):
                unread.append(name)
    print(json.dumps({"phase": "end", "files": len(listed), "lost": lost, "unread": unread, "wrong": facts["wrong"]}))


main()
