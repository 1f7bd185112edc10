"""How each fault of a `whet tune` ended: what its candidate's row says, or the sentence with which the run stopped."""

import collections
import sqlite3

from inject_faults_kinds import kind_of

# A machine that pauses for seconds looks like a candidate that hangs.
NOT_INJECTED = "not injected"
TIMEOUTS = ("compile_timeout", "run_timeout")


def query(database, sql, *values):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def has_tables(database):
    """Not of a database that a fault left before its first transaction was over."""
    return database.exists() and database.stat().st_size > 0 and query(
        database, "SELECT count(*) FROM sqlite_master WHERE name = 'records'")[0][0] == 1


def candidates_in(database):
    if not has_tables(database):
        return 0
    return query(database, "SELECT count(*) FROM (SELECT DISTINCT task_id, directives_hash FROM records)")[0][0]


class Account:
    """Adds up over all runs. By kind: how many were injected, how they ended, how many were lost, how many fatal."""

    def __init__(self):
        self.injected = collections.Counter()
        self.ended = collections.defaultdict(collections.Counter)
        self.lost = collections.Counter()
        self.fatal = collections.Counter()
        self.complaints = []

    def complain(self, counter, name, sentence):
        counter[name] += 1
        self.complaints.append(f"{name}: {sentence}")

    def add_run(self, run, fresh, done, events, statuses):
        """`fresh`: candidates that the run had to measure before its finals. `statuses`: of its rows in order; the
        N-th is of candidate N. `done`: the finished process."""
        faults = [(kind_of(event.action, event.place), event) for event in events if event.action != "job"]
        guilty = self.who_stopped_it(run, done, faults)
        by_candidate = collections.defaultdict(list)
        for kind, event in faults:
            self.injected[kind.name] += 1
            if event.candidate >= 0:
                by_candidate[event.candidate].append((kind, event))
            elif event is not guilty:
                self.ended[kind.name]["went on"] += 1
        killed = {event.pid for _, event in faults if event.action == "kill-worker"}
        for candidate, its_faults in by_candidate.items():
            for kind, event in its_faults:
                if event is not guilty:
                    self.add_candidate_fault(run, kind, event, its_faults, killed, fresh, done, statuses)
        self.add_other_rows(run, by_candidate, len(killed), statuses)
        self.add_unwritten(run, fresh, done, events, statuses)

    def who_stopped_it(self, run, done, faults):
        """The fault that a run's end is put down to; None if the run ended well or nothing explains its end."""
        if done.returncode == 0:
            return None
        lines = done.stderr.splitlines()
        if done.returncode in (1, 3) and len(lines) == 1 and lines[0].startswith("whet: "):
            for kind, event in reversed(faults):
                if event.candidate < 0 and kind.sentence and kind.sentence in lines[0]:
                    self.ended[kind.name]["sentence"] += 1
                    return event
        name = faults[-1][0].name if faults else NOT_INJECTED
        self.complain(self.fatal, name, f"run {run} ended with {done.returncode}: {done.stderr.strip()}")
        return None

    def add_candidate_fault(self, run, kind, event, its_faults, killed, fresh, done, statuses):
        if event.candidate >= len(statuses):
            if done.returncode == 0:
                self.complain(self.lost, kind.name, f"run {run} has no row for candidate {event.candidate}")
            else:
                self.ended[kind.name]["stopped before its row"] += 1
            return
        status = statuses[event.candidate]
        tried_again = any(other.parent in killed for _, other in its_faults)
        # A kernel that ends the comparison of all finalists is measured again, alone.
        again_alone = event.candidate >= fresh and kind.place in ("run", "outside") and kind.action != "wrong"
        expected = {row for other, _ in its_faults for row in other.rows}
        if status in expected or status in TIMEOUTS or (tried_again and status == "worker_lost"):
            self.ended[kind.name][status] += 1
        elif status == "ok" and (tried_again or again_alone):
            self.ended[kind.name]["tried again, ok"] += 1
        else:
            self.complain(self.lost, kind.name, f"run {run}, candidate {event.candidate}: its row says {status}")

    def add_other_rows(self, run, by_candidate, kills, statuses):
        """Rows of failures that nothing was injected into."""
        for candidate, status in enumerate(statuses):
            if status == "ok" or candidate in by_candidate:
                continue
            if status == "worker_lost" and kills >= 2:
                self.ended["worker killed"]["worker_lost rows"] += 1
            elif status in TIMEOUTS:
                self.ended[NOT_INJECTED][status] += 1
            else:
                self.complain(self.fatal, NOT_INJECTED, f"run {run}, candidate {candidate} is {status} by itself")

    def add_unwritten(self, run, fresh, done, events, statuses):
        """Candidates that were measured and have no row; a run that stops may have one on its way."""
        measured = {event.candidate for event in events if event.action == "job" and event.place == "run"}
        on_its_way = 0 if done.returncode == 0 else 1
        for candidate in sorted(measured):
            if len(statuses) + on_its_way <= candidate < fresh:
                self.complain(self.lost, NOT_INJECTED, f"run {run} measured candidate {candidate} and has no row of it")
        if done.returncode == 0 and measured and max(measured) >= len(statuses):
            self.complain(self.lost, NOT_INJECTED, f"run {run} measured more candidates than its {len(statuses)} rows")

    def rows(self, kinds):
        for name in [*(kind.name for kind in kinds), NOT_INJECTED]:
            if name != NOT_INJECTED or self.ended[name] or self.lost[name] or self.fatal[name]:
                yield {"kind": name, "injected": self.injected[name], "ended": dict(self.ended[name].most_common()),
                       "lost": self.lost[name], "fatal": self.fatal[name]}
