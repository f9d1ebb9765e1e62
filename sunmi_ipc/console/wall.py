"""A wall of events: what cameras push, as it comes, with the pictures, for as many as look."""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ..errors import SunmiIpcError
from ..events.model import Event, FaceRecognitionEvent, MotionDetectEvent
from ..events.stream import EventStream
from ..values import EventType

if TYPE_CHECKING:
    from ..camera import Camera

_log = logging.getLogger("sunmi_ipc")
KEPT = 300


@dataclass(frozen=True, slots=True)
class Item:
    """An event on the wall.

    Attributes:
        number: Its place; a later one is larger.
        at: When it came, Unix seconds.
        picture: Its picture, once it is here.

    """

    number: int
    at: float
    event: Event
    picture: Path | None = None

    @property
    def kind(self) -> str:
        """``face``, ``motion``, or the camera's own word."""
        if isinstance(self.event, FaceRecognitionEvent):
            return "face"
        return "motion" if isinstance(self.event, MotionDetectEvent) else self.event.event_type


class _Ear:
    """One camera's events, in a thread of its own."""

    def __init__(self, camera: Camera, counts: bool, folder: Path) -> None:
        self.items: deque[Item] = deque(maxlen=KEPT)
        self.error: SunmiIpcError | None = None
        self._camera, self._counts, self._folder = camera, counts, folder
        self.stop = threading.Event()
        self.ready = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="wall", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        wanted = [EventType.MOTION, *([EventType.FACE_RECOGNITION] if self._counts else [])]
        pause = 1.0
        while not self.stop.is_set():
            try:
                with self._camera.events.stream(*wanted, save=self._folder) as stream:
                    self.error, pause = None, 1.0
                    self.ready.set()
                    self._hear(stream)
            except SunmiIpcError as error:
                self.error = error
                self.ready.set()
            except Exception:
                _log.exception("the wall of events stumbled")
            self.stop.wait(pause)
            pause = min(pause * 2, 30)

    def _hear(self, stream: EventStream) -> None:
        open_: dict[int, float] = {}
        while not self.stop.is_set():
            for stored in stream.stored(timeout=0.5):
                with self._lock:
                    self.items.append(Item(stored.seq, stored.received.timestamp(), stored.event))
                if stored.event.links:
                    open_[stored.seq] = time.monotonic() + 30
                if self.stop.is_set():
                    return
                self._pictures(stream, open_)
            self._pictures(stream, open_)

    def _pictures(self, stream: EventStream, open_: dict[int, float]) -> None:
        for seq in list(open_):
            found = stream.spool.pictures(seq).get("pic_url", {})
            if found.get("path"):
                with self._lock:
                    for place, item in enumerate(self.items):
                        if item.number == seq:
                            path = Path(found["path"])
                            path = path if path.is_absolute() else self._folder / path
                            self.items[place] = Item(item.number, item.at, item.event, path)
            elif time.monotonic() < open_[seq]:
                continue
            del open_[seq]

    def close(self) -> None:
        self.stop.set()
        self._thread.join(15)


class Wall:
    """The events of the cameras that somebody wants to hear; a context manager.

    Subscribing tells a camera where to post: :meth:`listen` does so, and is undone at the end.

    Attributes:
        lasting: Whether events come without being listened to, as a station's do.

    """

    lasting: bool = False

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="sunmi-ipc-wall-", ignore_cleanup_errors=True)
        self._ears: dict[str, _Ear] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def listening(self, sn: str) -> bool:
        """Whether this camera is listened to."""
        with self._lock:
            return sn in self._ears

    def listen(self, sn: str, camera: Camera, *, counts: bool) -> None:
        """Subscribe to a camera and keep what comes.

        Args:
            sn: Its serial number.
            camera: It.
            counts: Whether it knows faces (FM020).

        Raises: what subscribing raises.

        """
        with self._lock:
            ear = self._ears.get(sn)
            if ear is None:
                folder = Path(self._folder.name)
                ear = self._ears[sn] = _Ear(camera, counts, folder)
        ear.ready.wait(20)
        if ear.error is not None:
            error = ear.error
            self.leave(sn)
            raise error

    def leave(self, sn: str) -> None:
        """Listen to this camera no more."""
        with self._lock:
            ear = self._ears.pop(sn, None)
        if ear is not None:
            ear.close()

    def items(self, sn: str, *, kind: str = "", after: int = 0) -> list[Item]:
        """What came, the newest first."""
        with self._lock:
            ear = self._ears.get(sn)
        found = list(ear.items) if ear is not None else []
        return [i for i in reversed(found) if i.number > after and kind in ("", i.kind)]

    def picture(self, sn: str, number: int) -> Path | None:
        """The picture of an event."""
        return next((i.picture for i in self.items(sn) if i.number == number), None)

    def close(self) -> None:
        """Unsubscribe everywhere, and forget what came: faces are personal data."""
        with self._lock:
            ears, self._ears = list(self._ears.values()), {}
        ends = [threading.Thread(target=ear.close) for ear in ears]
        for end in ends:
            end.start()
        for end in ends:
            end.join()
        self._folder.cleanup()
