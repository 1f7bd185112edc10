"""One `whet tune` under faults: arms them in the processes' shared plan, and does what comes from outside."""

import dataclasses
import mmap
import os
import random
import signal
import sqlite3
import struct
import subprocess
import time
from pathlib import Path

from inject_faults_kinds import ACTIONS, PLACES

AHEAD = 8  # of the faults that are due, the first that can be had now
HANGS_FROM = 24  # the candidate from which on limits are short
SHORT_LOCK_S, LONG_LOCK_S = (0.1, 2.0), 12  # Whet waits for 10 s


@dataclasses.dataclass
class Event:
    """A line of the log: a job's beginning, or a fault."""
    action: str
    place: str
    candidate: int
    pid: int
    parent: int


def state_of(pid):
    """R, S, D, T, Z ...; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def worker_of(pid):
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1]
            if int(parent) == pid and b"_worker" in Path(f"/proc/{entry}/cmdline").read_bytes().split(b"\0"):
                return int(entry)
        except (OSError, IndexError):
            continue
    return None


class Director:
    def __init__(self, command, database, folder, library, due, seed):
        self.due = due
        self.random = random.Random(seed)
        self.database = database
        self.log = folder / "log"
        self.log.touch()
        (folder / "plan").write_bytes(bytes(8 * len(PLACES)))
        with open(folder / "plan", "r+b") as file:
            self.plan = mmap.mmap(file.fileno(), 0)
        (folder / "tmp").mkdir()
        self.environment = {"LD_PRELOAD": str(library), "WHET_INJECT_PLAN": str(folder / "plan"),
                            "WHET_INJECT_LOG": str(self.log), "WHET_INJECT_DATABASE": str(database),
                            "TMPDIR": str(folder / "tmp")}
        self.command = command
        self.events = []
        self.read_bytes = 0
        self.lock = None  # the connection that holds it, and until when
        self.hunted = None  # a worker whose successor is to be killed, too, once it has work
        self.next_outside_s = 0.0

    def run(self):
        """The finished process; what happened is in `events`."""
        with subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True, env=os.environ | self.environment) as process:
            while process.poll() is None:
                self.read_log()
                self.unlock_in_time()
                self.inject_next(process.pid)
                time.sleep(0.02)
            self.unlock_in_time(at_once=True)
            errors = process.stderr.read()
        self.read_log()
        return subprocess.CompletedProcess(self.command, process.returncode, "", errors)

    def read_log(self):
        with open(self.log, encoding="ascii") as file:
            file.seek(self.read_bytes)
            text = file.read()
        text = text[: text.rfind("\n") + 1]
        self.read_bytes += len(text)
        for line in text.splitlines():
            action, place, *numbers = line.split()
            self.events.append(Event(action, place, *map(int, numbers)))

    def say(self, action, candidate=-1, pid=0, parent=0):
        with open(self.log, "a", encoding="ascii") as file:
            file.write(f"{action} outside {candidate} {pid} {parent}\n")

    def inject_next(self, pid):
        successors = [event for event in self.events[-2:] if event.action == "job" and event.parent != self.hunted]
        for index, kind in enumerate(self.due if self.hunted and successors else []):
            if kind.action == "kill-worker" and self.kill_worker(pid):
                del self.due[index]
                return
        for index, kind in enumerate(self.due[:AHEAD]):
            if self.arm(kind) if kind.place != "outside" else self.do_outside(kind, pid):
                del self.due[index]
                return

    def arm(self, kind):
        """Puts the fault into the plan, unless another one waits in the same place."""
        place = PLACES.index(kind.place)
        if struct.unpack_from("<Q", self.plan, 8 * place)[0] != 0:
            return False
        first = HANGS_FROM if kind.action == "hang" else 0
        skip = self.random.randint(0, 60) if kind.place == "database" else self.random.randint(0, 2)
        skip = 0 if kind.place == "reference" else skip
        word = ACTIONS.index(kind.action) | self.random.randrange(256) << 8 | first << 16 | skip << 32
        struct.pack_into("<Q", self.plan, 8 * place, word)
        return True

    def do_outside(self, kind, pid):
        if time.monotonic() < self.next_outside_s:
            return False
        done = {"kill-child": self.kill_child, "kill-worker": self.kill_worker, "lock": self.hold_lock,
                "step": self.step_clock}[kind.action](pid)
        if done:
            self.next_outside_s = time.monotonic() + self.random.uniform(0.05, 0.8)
        return done

    def kill_child(self, _):
        """Kills the child that was last heard of. It is stopped first: a child that has ended cannot be killed."""
        jobs = [event for event in self.events[-4:] if event.action == "job"]
        if not jobs or state_of(jobs[-1].pid) in ("", "Z"):
            return False
        job = jobs[-1]
        try:
            os.kill(job.pid, signal.SIGSTOP)
            end = time.monotonic() + 0.5
            while state_of(job.pid) not in ("T", "Z", "") and time.monotonic() < end:
                time.sleep(0.001)
            stopped = state_of(job.pid) == "T"
            os.kill(job.pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        if stopped:
            self.say("kill-child", job.candidate, job.pid, job.parent)
        return stopped

    def kill_worker(self, pid):
        worker = worker_of(pid)
        if worker is None:
            return False
        os.kill(worker, signal.SIGKILL)
        self.say("kill-worker", -1, worker, pid)
        self.hunted = worker if not self.hunted and self.random.random() < 0.4 else None
        return True

    def hold_lock(self, _):
        """Takes the database's writer lock, one time in four for longer than Whet waits."""
        if self.lock or not self.database.exists():
            return False
        connection = sqlite3.connect(self.database, timeout=0.5, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            connection.close()
            return False
        seconds = LONG_LOCK_S if self.random.random() < 0.25 else self.random.uniform(*SHORT_LOCK_S)
        self.lock = (connection, time.monotonic() + seconds)
        self.say("lock")
        return True

    def unlock_in_time(self, at_once=False):
        if self.lock and (at_once or time.monotonic() >= self.lock[1]):
            self.lock[0].execute("ROLLBACK")
            self.lock[0].close()
            self.lock = None

    def step_clock(self, _):
        seconds = self.random.choice([-1, 1]) * self.random.randint(3600, 30 * 3600)
        struct.pack_into("<q", self.plan, 0, seconds)
        self.say("step")
        return True
