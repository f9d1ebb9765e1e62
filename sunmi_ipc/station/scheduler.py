"""Jobs that come again: a few threads, one job a camera at a time, none that keeps another waiting.

A camera that does not answer holds one thread for as long as its call may take, and is asked less often; its
other jobs wait for their turn, those of other cameras do not.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

_log = logging.getLogger("sunmi_ipc")
#: Returns the seconds until it wants to run again; None for never.
Job = Callable[[], float | None]
Owner = str | Callable[[], str]
_Entry = tuple[float, int, str, Owner, Job]
#: How an owner begins who has not proved yet that he belongs here: anybody can make up such ones by the hundred.
STRANGER = "stranger "


class Scheduler:
    """Runs jobs when they are due, until :meth:`close`.

    Args:
        workers: Threads; half of them at most are at work for strangers.
        name: Their name.

    """

    def __init__(self, workers: int, name: str = "station") -> None:
        self._changed = threading.Condition()
        self._due: list[_Entry] = []
        self._numbers = itertools.count()
        #: Jobs by name and the number of their entry: an older entry in the heap is no longer valid.
        self._valid: dict[str, int] = {}
        self._busy: set[str] = set()
        self._strangers, self._most_strangers = 0, max(1, workers // 2)
        self._waiting: dict[str, list[_Entry]] = {}
        self._closing = False
        self._threads = [
            threading.Thread(target=self._run, name=f"{name}-{n}", daemon=True) for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, name: str, job: Job, *, owner: Owner = "", delay: float = 0.0) -> None:
        """Run *job* after *delay* seconds, and again as it says.

        Args:
            name: Its name; a job of the same name is replaced.
            job: Returns the seconds until its next run, or None.
            owner: Jobs of one owner, such as a camera, never run at once; empty: no owner. One that changes is a
                function, asked before each run.
            delay: Seconds.

        """
        with self._changed:
            self._push(time.monotonic() + delay, name, owner, job)
            self._changed.notify()

    def _push(self, when: float, name: str, owner: Owner, job: Job) -> None:
        number = next(self._numbers)
        self._valid[name] = number
        heapq.heappush(self._due, (when, number, name, owner, job))

    def drop(self, name: str) -> None:
        """Run the job of this name no more; one under way ends."""
        with self._changed:
            self._valid.pop(name, None)

    def close(self) -> None:
        """Begin no other job, and wait for those under way."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()

    def _run(self) -> None:
        while (found := self._next()) is not None:
            who, (_, number, name, owner, job) = found
            again: float | None = None
            try:
                again = job()
            except Exception:  # one camera's trouble stays its own
                _log.exception("a job of the station failed: %s", name)
                again = 60.0
            with self._changed:
                if again is not None and self._valid.get(name) == number:
                    self._push(time.monotonic() + again, name, owner, job)
                elif self._valid.get(name) == number:
                    del self._valid[name]
                self._busy.discard(who)
                freed = self._waiting.pop(who, [])
                if who.startswith(STRANGER):
                    self._strangers -= 1
                    freed += self._waiting.pop(STRANGER, [])
                for waiting in freed:
                    heapq.heappush(self._due, waiting)
                self._changed.notify()

    def _next(self) -> tuple[str, _Entry] | None:
        with self._changed:
            while not self._closing:
                now = time.monotonic()
                while self._due and self._due[0][0] <= now:
                    entry = heapq.heappop(self._due)
                    _, number, name, owner, _ = entry
                    if self._valid.get(name) != number:
                        continue
                    who = owner if isinstance(owner, str) else owner()
                    stranger = who.startswith(STRANGER)
                    if who in self._busy:
                        self._waiting.setdefault(who, []).append(entry)
                        continue
                    if stranger and self._strangers >= self._most_strangers:
                        self._waiting.setdefault(STRANGER, []).append(entry)
                        continue
                    if who:
                        self._busy.add(who)
                        self._strangers += stranger
                    if self._due and self._due[0][0] <= now:
                        self._changed.notify()
                    return who, entry
                self._changed.wait(self._due[0][0] - now if self._due else None)
            return None
