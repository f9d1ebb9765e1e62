"""The hub: from the broker into the database."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import queue
import threading
import time
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

from .. import __version__
from ..broker import contract
from ..broker.connection import Broker
from ..errors import ConfigError, SunmiIpcError
from ..redact import printable, scrub
from . import rows
from .client import connect, new_client
from .inlet import TAKEN, Arrival, Inlet
from .store import Away, Batch, Refusal, Store, Unstorable

_log = logging.getLogger("sunmi_ipc")
_BEAT_S = 5.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.2, 10.0
#: The snapshot of what is retained has ended when nothing came for so many half seconds.
_QUIET_STEPS = 6
_EXCERPT = 500


class HubRefused(ConfigError):
    """The hub cannot go on until a person has looked: its name is taken, or the broker lets it read nothing."""


class Hub:
    """Stores what stations say. Any number of hubs with the same *group* share the work.

    A message is acknowledged when its row is committed. Where the database is away nothing is acknowledged: up to
    *in_flight* messages are here, the others wait at the broker. A message that is not understood is written
    down as refused, and acknowledged: it blocks nothing.

    Args:
        broker: Where the messages come from.
        store: Where they go.
        name: Of this hub, and of its session at the broker: the same at every start, another for each hub.
        group: Of the shared subscription.
        in_flight: Messages that are here at once, at most; a batch has no more.
        prefix: What stands before the site in every topic.

    """

    stored: int
    refused: int
    waits: int

    def __init__(
        self,
        broker: Broker,
        store: Store,
        *,
        name: str = "",
        group: str = "hub",
        in_flight: int = 1000,
        prefix: str = contract.PREFIX,
    ) -> None:
        for word in (name, group):
            if any(c in word for c in "+#/\0") or len(word) > 64:
                raise ConfigError(
                    "the name {name} cannot stand in a topic",
                    hint="Leave out '+', '#' and '/'.",
                    name=word[:64],
                )
        self.name: str = name or f"hub-{platform.node().partition('.')[0] or 'one'}"[:64]
        self._broker, self._store, self._group = broker, store, group
        self._in_flight, self._prefix = in_flight, prefix
        self._arrivals: queue.SimpleQueue[Arrival | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._ended = False
        self._snapshot_due = threading.Event()
        self._threads: list[threading.Thread] = []
        self._inlet: Inlet | None = None
        self._started, self._beaten = time.time(), 0.0
        self._lags: deque[float] = deque(maxlen=5000)
        #: What was done since the start: rows stored, messages refused, times that the database was waited for.
        self.stored = self.refused = self.waits = 0
        #: What the database's trouble is; empty where there is none.
        self.problem: str = ""

    def start(self) -> Self:
        """Bring the database up to date, connect, and store.

        Raises:
            ConfigError: The database is of a newer version.
            Away: The database cannot be reached at all.

        """
        self._store.migrate()
        self._inlet = Inlet(
            new_client(self._broker, self.name),
            partial(connect, self._broker),
            contract.filters(group=self._group, prefix=self._prefix),
            self._arrivals,
            in_flight=self._in_flight,
            lasting=True,
            anew=self._snapshot_due.set,
        )
        with contextlib.suppress(Away):
            self._beat()
        self._threads = [
            threading.Thread(target=self._store_all, name="hub-store", daemon=True),
            threading.Thread(target=self._take_snapshots, name="hub-snapshot", daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Store what is here, and end; what is not acknowledged comes to the next hub, or at the next start."""
        self._stop.set()
        self._arrivals.put(None)
        for thread in self._threads:
            thread.join(15)
        if self._inlet is not None:
            self._inlet.close()
        with contextlib.suppress(Away):
            self._beat()

    def wait(self, stop: threading.Event) -> None:
        """Wait until *stop*.

        Raises:
            HubRefused: Another hub has this name, or the broker refuses the subscription.
            SunmiIpcError: It has failed; started again, it may go on.

        """
        inlet = self._inlet
        assert inlet is not None
        while not stop.wait(0.2):
            if inlet.hopeless.is_set():
                raise HubRefused(
                    "the hub cannot go on: {reason}",
                    hint=inlet.step,
                    reason=inlet.problem,
                )
            if not any(thread.is_alive() for thread in self._threads[:1]):
                raise SunmiIpcError("the hub cannot go on: {reason}", reason="its writer has ended")

    @property
    def hopeless(self) -> bool:
        """Whether there is no use in going on; :meth:`wait` says why."""
        return self._inlet is not None and self._inlet.hopeless.is_set()

    @property
    def connected(self) -> bool:
        """Whether the broker has taken the subscription."""
        return self._inlet is not None and self._inlet.connected.is_set()

    def status(self) -> dict[str, Any]:
        """What this hub is and did, as it is kept in the database."""
        lags = sorted(self._lags)
        return {
            "name": self.name,
            "host": platform.node(),
            "pid": os.getpid(),
            "version": __version__,
            "started": self._started,
            "seen": time.time(),
            "stored": self.stored,
            "refused": self.refused,
            "waits": self.waits,
            "p50_ms": round(lags[len(lags) // 2] * 1000, 1) if lags else None,
            "p99_ms": round(lags[len(lags) * 99 // 100] * 1000, 1) if lags else None,
        }

    # -- storing ------------------------------------------------------------------------------------------

    def _store_all(self) -> None:
        while True:
            batch = self._gather()
            if batch:
                self._settle(batch)
            if self._ended:  # what comes after that is not waited for: a broker may flood
                return
            if time.monotonic() - self._beaten > _BEAT_S:
                with contextlib.suppress(Away):
                    self._beat()

    def _beat(self) -> None:
        """Say that we are there. Who was started last under a name keeps it: two would take turns at the broker."""
        self._beaten = time.monotonic()
        assert self._inlet is not None
        # (A time in the future was written by a clock that was wrong.)
        if self._started + 0.001 < self._store.started(self.name) < time.time() + 60:
            self._inlet.give_up(TAKEN)
        elif not self._inlet.hopeless.is_set():
            self._store.beat(self.status())

    def _gather(self) -> list[Arrival]:
        """What has come: one message at least, unless nothing comes; a busy hub's batches grow by themselves."""
        batch: list[Arrival] = []
        with contextlib.suppress(queue.Empty):
            arrival = self._arrivals.get(timeout=1.0)
            while True:
                if arrival is None:
                    self._ended = True
                    break
                if arrival.inlet.wants(arrival):
                    batch.append(arrival)
                if len(batch) >= self._in_flight:
                    break
                arrival = self._arrivals.get_nowait()
        return batch

    def _settle(self, batch: Sequence[Arrival]) -> None:
        """Store a batch for sure, or give it back: what was not acknowledged comes again."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                self._write(batch)
                break
            except Away as error:
                if str(error) != self.problem:
                    _log.warning("hub: the database: %s", error)
                self.problem = str(error)
                self.waits += 1
                if error.emptied and self._made_anew():
                    continue
                if self._stop.wait(pause):
                    return
                pause = min(pause * 2, _LONGEST_PAUSE_S)
        if self.problem:
            _log.warning("hub: the database is back")
            self.problem = ""
        for inlet in {arrival.inlet for arrival in batch}:
            inlet.acknowledge([arrival for arrival in batch if arrival.inlet is inlet])

    def _made_anew(self) -> bool:
        """Make the tables of a database that was emptied while we run; whether it was."""
        try:
            if self._store.migrate():
                return False  # it is not empty: one table is gone, and only a backup brings it back
        except (Away, SunmiIpcError) as error:
            _log.warning("hub: the database: %s", error)
            return False
        _log.warning("hub: the database was emptied: its tables were made anew; what was in it is gone")
        self._snapshot_due.set()  # how shops and cameras are now
        return True

    def _write(self, arrivals: Sequence[Arrival]) -> None:
        now = time.time()
        batch, times = Batch(), []
        for arrival in arrivals:
            try:
                if not arrival.payload and (lost := rows.gone(arrival.topic, self._prefix)):
                    batch.lose(*lost)
                    continue
                incoming = contract.read(arrival.topic, arrival.payload, self._prefix)
                if not incoming.message.stored:
                    raise contract.BadMessage("nothing that a hub keeps")
                table, row = rows.row(incoming, now)
            except SunmiIpcError as error:
                batch.refused.append(self._refusal(arrival, str(error)))
            except Exception as error:  # what nobody thought of blocks nothing either
                _log.exception("hub: a message could not be read")
                batch.refused.append(self._refusal(arrival, type(error).__name__))
            else:
                batch.add(table, row)
                if table == "events":
                    times.append(row["received"])
        self._write_or_split(arrivals, batch)
        done = time.time()
        self._lags.extend(done - at for at in times)

    def _write_or_split(self, arrivals: Sequence[Arrival], batch: Batch) -> None:
        """Write; where one row spoils the batch, find it by halves and refuse it alone."""
        try:
            self._store.write(batch)
        except Unstorable as error:
            if len(arrivals) > 1:
                middle = len(arrivals) // 2
                self._write(arrivals[:middle])
                self._write(arrivals[middle:])
                return
            self.refused += 1
            try:
                self._store.write(Batch(refused=[self._refusal(arrivals[0], f"cannot be stored: {error}")]))
            except Unstorable:
                _log.warning("hub: a message that cannot be stored cannot be noted either")
            return
        self.stored += sum(map(len, batch.rows.values()))
        self.refused += len(batch.refused)

    def _refusal(self, arrival: Arrival, reason: str) -> Refusal:
        text = arrival.payload[: 4 * _EXCERPT].decode("utf-8", "replace")
        site = arrival.topic.removeprefix(f"{self._prefix}/").partition("/")[0]
        return Refusal(
            site=printable(site, 64),
            reason=printable(reason, 200),
            topic=printable(arrival.topic, 200),
            size=len(arrival.payload),
            excerpt=printable(scrub(text), _EXCERPT),
        )

    # -- what is retained ---------------------------------------------------------------------------------

    def _take_snapshots(self) -> None:
        """What the broker retains, once for each session that it did not know: how shops and cameras are now."""
        names = [
            message.name for message in contract.MESSAGES.values() if message.retained and message.stored
        ]
        while not self._stop.is_set():
            if not self._snapshot_due.wait(0.5):
                continue
            self._snapshot_due.clear()
            inlet = Inlet(
                new_client(self._broker),
                partial(connect, self._broker),
                contract.filters(names=names, prefix=self._prefix),
                self._arrivals,
                in_flight=self._in_flight,
                lasting=False,
            )
            try:
                while not inlet.connected.wait(0.5) and not self._stop.is_set():
                    if inlet.hopeless.is_set():
                        break
                quiet = 0
                while quiet < _QUIET_STEPS and not self._stop.wait(0.5):
                    quiet = 0 if inlet.came.is_set() else quiet + 1
                    inlet.came.clear()
            finally:
                inlet.close()
