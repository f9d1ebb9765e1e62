"""Pictures and clips of events, fetched at once and kept beside them.

How long a camera's link lives is not known, so each is fetched as the event comes. Only the
camera is asked: the address that the event came from, or one known for its serial number. What became of
each is in the spool (:meth:`Spool.pictures`); a lost picture never loses its event.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ..errors import SpoolError, SunmiIpcError
from ..redact import printable
from .album import Album, Allowance
from .consumer import StoredEvent
from .delivery import InOrder
from .fetch import Lost, Refused, Trust, camera_address, fetch, write
from .spool import Spool
from .workers import Workers

_log = logging.getLogger("sunmi_ipc")
_WINDOW = 5000  # events whose pictures are under way: bounds memory
_PER_HOST = 1000  # links that wait for one camera: one that is away must not take the whole window
_TIDY_S = 600.0
_PER_CAMERA = 2  # fetches at once: a small camera has little to spare, and none may take the whole pool
#: The default: see :class:`.album.Allowance`.
ALLOWANCE = Allowance()
# Names that Windows keeps for devices.
_RESERVED = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|\.$")


@dataclass(eq=False, slots=True)
class _Task:
    """One link; not its event, which may be large."""

    due: float
    since: float
    seq: int
    sn: str
    stem: Path
    link: str
    host: str
    url: str
    attempts: int = 0


@dataclass(slots=True)
class _Absence:
    """A camera that does not take connections: its queue waits, and no try is counted."""

    since: float
    until: float
    pause: float


class Pictures:
    """Fetches pictures for a spool's events, from its making until :meth:`close`.

    Saves ``<sn>/<day>/<time>-<type>-<digest>.json`` and beside it ``.jpg``, ``.png``, ``.mp4`` or ``.bin``,
    by what the file is; times are UTC.

    Args:
        spool: The spool; the place in it is kept under ``name``.
        directory: Where to save.
        allowed: Addresses known for a serial number, beside the one that the event came from.
        tls: For ``https`` links, by serial number; without it they are refused.
        workers: Fetches at once, over all cameras.
        max_bytes: Largest picture or clip.
        attempts: How often each is tried.
        timeout: Seconds that one attempt may take as a whole.
        backoff: Seconds of the first pause; each doubles the one before.
        name: The consumer's name.
        away_s: Seconds that a camera may be unreachable before what waits for it counts as lost.
        allowance: How much of the disk may be used, and for how long; see :class:`.album.Allowance`.

    Raises:
        SpoolError: Another saves pictures under this name.

    """

    def __init__(
        self,
        spool: Spool,
        directory: str | os.PathLike[str],
        *,
        allowed: Callable[[str], Collection[str]] | None = None,
        tls: Callable[[str], Trust] | None = None,
        workers: int = 4,
        max_bytes: int = 64 << 20,
        attempts: int = 5,
        timeout: float = 30.0,
        backoff: float = 0.5,
        name: str = "pictures",
        away_s: float = 600.0,
        allowance: Allowance = ALLOWANCE,
    ) -> None:
        self.directory: Path = Path(directory)
        self._spool, self._allowed, self._tls = spool, allowed, tls
        self._max_bytes, self._attempts, self._timeout, self._backoff = max_bytes, attempts, timeout, backoff
        self._change = threading.Condition()
        self._tasks: list[_Task] = []
        self._busy: Counter[str] = Counter()
        self._left: dict[int, int] = {}  # links under way, by event
        self._counts = Counter(saved=0, refused=0, lost=0)
        self._away_s, self._absent = away_s, dict[str, _Absence]()
        self._closed = False
        self._consumer = spool.consumer(name, alone=True)
        self._order = InOrder(self._consumer, _WINDOW)
        self._album = Album(self.directory, allowance, lambda: spool.believes_clock)
        spool.note_folder(str(self.directory))
        self._workers = Workers("event-pictures", [self._tidy, self._read, *[self._work] * workers])
        self._stop = self._workers.stop
        self._workers.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """How many were ``saved``, ``refused`` and ``lost``."""
        with self._change:
            return dict(self._counts)

    def drain(self, timeout: float) -> bool:
        """Wait until every event so far has its pictures or has lost them; whether it was in time."""
        deadline = time.monotonic() + timeout
        while self._consumer.backlog():
            with self._change:
                if self._stop.is_set() or time.monotonic() >= deadline:
                    return False
                self._change.wait(0.05)
        return True

    def close(self) -> None:
        """Stop. What was under way is fetched again at the next start."""
        if not self._closed:
            self._closed = True
            self._stop.set()
            with self._change:
                self._change.notify_all()
            self._consumer.stop()
            self._workers.join()
            self._consumer.close()
            self._album.close()

    def _tidy(self) -> None:
        while True:
            self._album.tidy()
            if self._stop.wait(_TIDY_S):
                return

    def _read(self) -> None:
        try:
            while not self._stop.is_set():
                for stored in self._consumer.read(timeout=0.5):
                    while not self._order.wait_for_room(0.5):
                        if self._stop.is_set():
                            return
                    self._order.begin(stored.seq)
                    self._begin(stored)
        except SunmiIpcError as error:
            _log.error("events: pictures: %s", error)

    def _begin(self, stored: StoredEvent) -> None:
        stem = self._stem(stored)
        self._save_event(stored, stem)
        links = stored.event.links
        if not links:
            self._order.done(stored.seq)
            return
        with self._change:
            self._left[stored.seq] = len(links)
        known = self._known(stored)
        for link, url in links.items():
            try:
                host = camera_address(url, known, https=self._tls is not None)
            except Refused as refused:
                self._finish(stored.seq, link, "refused", reason=str(refused))
                continue
            now = time.monotonic()
            with self._change:
                waiting = [t for t in self._tasks if t.host == host]
                self._tasks.append(_Task(now, now, stored.seq, stored.event.sn, stem, link, host, url))
                eldest = waiting[0] if len(waiting) >= _PER_HOST else None
                if eldest is not None:
                    self._tasks.remove(eldest)
                self._change.notify()
            if eldest is not None:
                self._finish(eldest.seq, eldest.link, "lost", reason="too many wait for this camera")

    def _save_event(self, stored: StoredEvent, stem: Path) -> None:
        """Write the event beside its pictures. Whatever it holds, the next ones are not kept waiting."""
        try:
            if not self._album.refusal():
                path = stem.with_suffix(".json")
                write(path, [stored.as_json().encode() + b"\n"], self._max_bytes)
                self._album.add(path)
        except OSError as error:
            _log.error("events: the event cannot be saved beside its pictures: %s", error.strerror)
        except Exception as error:
            _log.error("events: the event cannot be saved beside its pictures: %s", type(error).__name__)

    def _known(self, stored: StoredEvent) -> set[str]:
        known = {stored.source}
        if self._allowed is not None:
            try:
                known.update(self._allowed(stored.event.sn))
            except Exception:  # the user's function
                _log.exception("events: the addresses of %s could not be looked up", stored.event.sn)
        return known

    def _next(self) -> _Task | None:
        with self._change:
            while not self._stop.is_set():
                now = time.monotonic()
                absent = {host for host, a in self._absent.items() if a.until > now}
                free = [
                    t
                    for t in self._tasks
                    if t.due <= now
                    and t.host not in absent
                    # One asks whether it is back; the others wait for what comes of it.
                    and self._busy[t.host] < (1 if t.host in self._absent else _PER_CAMERA)
                ]
                if free:
                    # Pictures before clips: they are small, and a clip must not make them late.
                    task = min(free, key=lambda t: (t.link != "pic_url", t.due))
                    self._tasks.remove(task)
                    self._busy[task.host] += 1
                    return task
                waiting = [t.due - now for t in self._tasks if t.due > now]
                waiting += [a.until - now for host, a in self._absent.items() if a.until > now]
                self._change.wait(min(waiting, default=None) if waiting else None)
            return None

    def _work(self) -> None:
        while (task := self._next()) is not None:
            status, path, reason, unreachable = "lost", "", "", False
            try:
                status, path = "saved", self._fetch(task)
            except Refused as refused:
                status, reason = "refused", str(refused)
            except Lost as lost:
                reason, unreachable = str(lost), lost.unreachable
            except SunmiIpcError as error:  # the certificate was not approved
                status, reason = "refused", error.message
            except Exception as error:
                _log.exception("events: a picture could not be fetched")
                reason = type(error).__name__
            again = self._again(task, status, unreachable) if not self._stop.is_set() else []
            with self._change:
                self._busy[task.host] -= 1
                self._busy += Counter()  # forgets hosts with nothing under way
                self._change.notify_all()
            if status == "lost":
                for given_up in again:
                    self._finish(given_up.seq, given_up.link, "lost", reason=reason)
            else:
                self._finish(task.seq, task.link, status, path=path, reason=reason)

    def _again(self, task: _Task, status: str, unreachable: bool) -> list[_Task]:
        """Queue *task* again where it is lost for now; returns those that are so for good.

        A camera that cannot be reached is no more reachable for its next picture: all that wait for it wait on,
        and are lost when it has been away for long, however often it was tried.
        """
        now = time.monotonic()
        with self._change:
            if not unreachable:
                self._absent.pop(task.host, None)
                if status != "lost":
                    return []
                task.attempts += 1
                if task.attempts >= self._attempts:
                    return [task]
                task.due = now + self._backoff * 2 ** (task.attempts - 1)
                self._tasks.append(task)
                return []
            absence = self._absent.get(task.host)
            pause = self._backoff if absence is None else min(2 * absence.pause, 30.0)
            since = now if absence is None else absence.since
            self._absent[task.host] = _Absence(since, now + pause, pause)
            self._tasks.append(task)
            if now - since < self._away_s:
                return []
            gone = [t for t in self._tasks if t.host == task.host and now - t.since >= self._away_s]
            self._tasks = [t for t in self._tasks if t not in gone]
            if not any(t.host == task.host for t in self._tasks):
                del self._absent[task.host]
            return gone

    def _finish(self, seq: int, link: str, status: str, *, path: str = "", reason: str = "") -> None:
        if status != "saved":
            _log.warning("events: %s of event %d %s: %s", link, seq, status, printable(reason))
        try:
            self._spool.note_picture(seq, link, status, path=path, reason=reason)
        except SpoolError as error:  # the event itself is safe
            _log.error("events: %s", error)
        with self._change:
            self._counts[status] += 1
            self._left[seq] -= 1
            last = not self._left[seq]
            if last:
                del self._left[seq]
        if last:
            self._order.done(seq)

    def _stem(self, stored: StoredEvent) -> Path:
        event, when = stored.event, stored.received
        digest = hashlib.sha256(event.event_id.encode()).hexdigest()[:10]
        folder = f"_{event.sn}" if _RESERVED.search(event.sn) else event.sn
        name = f"{when:%H%M%S}.{when.microsecond // 1000:03d}-{event.event_type}-{digest}"
        return self.directory / folder / f"{when:%Y-%m-%d}" / name.replace(".", "_")

    def _fetch(self, task: _Task) -> str:
        """One attempt; the saved file's path relative to the folder."""
        if reason := self._album.refusal():
            raise Refused(reason)
        trust = self._tls(task.sn) if self._tls is not None else None
        stem = task.stem
        if task.link != "pic_url":
            stem = stem.with_name(f"{stem.name}-{task.link.removesuffix('_url')}")
        path = fetch(
            task.url,
            stem,
            trust=trust,
            max_bytes=self._max_bytes,
            timeout=self._timeout,
            full=self._album.refusal,
        )
        self._album.add(path)
        return path.relative_to(self.directory).as_posix()
