"""One RTSP session a camera, as many viewers as there are: who gets what, and when."""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Self

from ...errors import StreamError, SunmiIpcError
from ...video.address import RtspAddress
from ...video.stream import opened
from .packager import Packager, UnsupportedStream

_log = logging.getLogger("sunmi_ipc.live")

Kind = Literal["state", "init", "fragment"]
#: ``connecting``; ``playing``; ``lost``: it is tried again; ``late``: it comes, but nothing that a picture could
#: begin with; ``unsupported``: single pictures have to do.
State = Literal["connecting", "playing", "late", "lost", "unsupported"]
#: In these nothing comes soon.
_NOTHING: tuple[State, ...] = ("late", "lost", "unsupported")

#: The description says what the stream is: nothing is read to guess it.
_OPTIONS = {"probesize": "32"}
#: A group of pictures larger than this is not kept for newcomers: they wait for the next key frame.
MAX_GROUP_BYTES = 16 * 1024 * 1024
#: Seconds that a picture may wait for a slow viewer: older ones are left out.
MAX_WAIT_S = 1.5
#: A viewer for whom pictures were left out so often within so many seconds has a network that is too slow.
_OFTEN, _WITHIN_S = 4, 15.0
#: Seconds after which a stream that browsers do not play is looked at anew.
UNSUPPORTED_S = 30.0
#: Seconds without a key frame after which whoever waits for the first picture is told so.
LATE_S = 6.0
#: So long one who has to begin anew waits for a key frame; then the stream is opened anew, as it begins with one.
KEY_FRAME_S = 20.0
_PAUSES_S = (0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, slots=True)
class Message:
    """What a viewer gets.

    Attributes:
        kind: ``init`` (the stream begins, or begins anew: what came before is over), ``fragment``,
            or ``state``.
        data: MP4 of ``init`` and ``fragment``.
        key: Whether a decoder can start with this fragment.
        codecs: Of ``init``, for a browser's source buffer.
        state: Of ``state``.
        error: Why it was lost, is late or unsupported, where that is known.

    """

    kind: Kind
    data: bytes = b""
    key: bool = False
    codecs: str = ""
    state: State = "connecting"
    error: SunmiIpcError | None = None


class Viewer:
    """One who looks: iterate for messages, or call :meth:`take` whenever *notify* was called.

    Args:
        channel: What is looked at.
        notify: Called from the hub's thread when there is something to take; must not wait.
        backlog: Bytes that may wait; beyond, or after :data:`MAX_WAIT_S`, pictures are left out up to the next key frame.

    Attributes:
        skipped: Pictures left out so far.

    """

    def __init__(self, channel: _Channel, notify: Callable[[], None] | None, backlog: int) -> None:
        self._channel, self._notify, self._limit = channel, notify, backlog
        self._ready = threading.Condition()
        self._waiting: deque[tuple[float, Message]] = deque()
        self._bytes = 0
        self._left_out: deque[float] = deque(maxlen=_OFTEN)
        self._skipping = False
        self._since = 0.0
        self._closed = False
        self.skipped: int = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Message]:
        """Yield messages until the viewer is closed."""
        while (message := self.get(1.0)) is not None or not self._closed:
            if message is not None:
                yield message

    def get(self, timeout: float) -> Message | None:
        """The next message; None where none came within *timeout* seconds."""
        with self._ready:
            self._ready.wait_for(lambda: self._waiting or self._closed, timeout)
            return self._pop()

    def take(self, limit: int | None = None) -> list[Message]:
        """What waits: all of it, or messages until they are *limit* bytes; one at least."""
        with self._ready:
            made: list[Message] = []
            size = 0
            while self._waiting and (limit is None or size < limit):
                message = self._waiting.popleft()[1]
                size += len(message.data)
                made.append(message)
            self._bytes -= size
            return made

    @property
    def slow(self) -> bool:
        """Whether the way to this viewer is too narrow for the stream: again and again pictures were left out."""
        with self._ready:
            times = self._left_out
            return len(times) == _OFTEN and time.monotonic() - times[0] < _WITHIN_S

    @property
    def starved(self) -> bool:
        """Whether no key frame has come for as long as one who waits for it has patience."""
        with self._ready:
            return self._skipping and time.monotonic() - self._since > KEY_FRAME_S

    def close(self) -> None:
        """Look no more."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        self._channel.leave(self)

    def _pop(self) -> Message | None:
        if not self._waiting:
            return None
        message = self._waiting.popleft()[1]
        self._bytes -= len(message.data)
        return message

    def put(self, message: Message) -> None:
        """From the hub: hand over, or leave out."""
        now = time.monotonic()
        with self._ready:
            if message.kind == "fragment":
                if self._skipping and not message.key:
                    self.skipped += 1
                    return
                self._skipping = False
                late = bool(self._waiting) and now - self._waiting[0][0] > MAX_WAIT_S
                if self._waiting and (late or self._bytes + len(message.data) > self._limit):
                    self._drop()
                    self._left_out.append(now)
                    if not message.key:
                        self._skipping, self._since = True, now
                        self.skipped += 1
                        return
            elif message.kind == "init":
                self._drop()
                # It goes on with the key frame, which came with it or is still to come.
                self._skipping, self._since = True, now
            self._waiting.append((now, message))
            self._bytes += len(message.data)
            self._ready.notify_all()
        if self._notify is not None:
            self._notify()

    def _drop(self) -> None:
        kept = [(at, m) for at, m in self._waiting if m.kind != "fragment"]
        self.skipped += len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self._bytes = sum(len(m.data) for _, m in kept)


class _Channel:
    """One stream: its thread, its viewers, and the pictures since the last key frame."""

    key: str

    def __init__(self, key: str, source: Callable[[], RtspAddress], hub: LiveHub) -> None:
        self.key, self._source, self._hub = key, source, hub
        self._lock = threading.Lock()
        self._viewers: list[Viewer] = []
        self._state = Message("state", state="connecting")
        self._init: Message | None = None
        self._group: list[Message] = []
        self._group_bytes = 0
        self._told = threading.Condition(self._lock)
        self._empty_since = 0.0
        self._stop = threading.Event()
        #: How often the camera was asked for its stream.
        self.sessions: int = 0
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def join(self, viewer: Viewer) -> None:
        with self._lock:
            viewer.put(self._state)
            if self._init is not None:
                viewer.put(self._init)
                for message in self._group:
                    viewer.put(message)
            self._viewers.append(viewer)

    def leave(self, viewer: Viewer) -> None:
        with self._lock:
            if viewer in self._viewers:
                self._viewers.remove(viewer)
            if not self._viewers:
                self._empty_since = time.monotonic()

    @property
    def viewers(self) -> int:
        with self._lock:
            return len(self._viewers)

    def latest(self, timeout: float = 0.0) -> tuple[bytes, bytes] | None:
        """The initialisation segment and the last key frame, where both are here within *timeout* seconds."""
        with self._told:
            if timeout:
                self._told.wait_for(
                    lambda: self._group or self._stop.is_set() or self._state.state in _NOTHING,
                    timeout,
                )
            if self._init is None or not self._group:
                return None
            return self._init.data, self._group[0].data

    def stop(self) -> None:
        self._stop.set()
        with self._told:
            self._told.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join(12)

    @property
    def idle(self) -> bool:
        """Whether nobody has looked for as long as the hub lingers."""
        with self._lock:
            return not self._viewers and time.monotonic() - self._empty_since > self._hub.linger

    # -- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        failures = 0
        self._empty_since = time.monotonic()
        while not self._over():
            began = time.monotonic()
            try:
                self._tell(Message("state", state="connecting"))
                self._play()
                error = None
            except UnsupportedStream as caught:
                self._tell(Message("state", state="unsupported", error=caught.why))
                # Single pictures do. Now and then it is looked whether the camera was set otherwise meanwhile.
                until = time.monotonic() + UNSUPPORTED_S
                while not self._over() and time.monotonic() < until:
                    self._stop.wait(0.5)
                failures = 0
                continue
            except SunmiIpcError as caught:
                error = caught
            except Exception as caught:
                _log.warning("the live picture broke off: %s", type(caught).__name__)
                error = None
            if self._over():
                return
            failures = 0 if time.monotonic() - began > 10 else failures + 1
            self._tell(Message("state", state="lost", error=error))
            self._stop.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])

    def _over(self) -> bool:
        return self._stop.is_set() or (self.idle and self._hub.drop(self))

    def _tell(self, message: Message) -> None:
        with self._lock:
            if message.kind == "state":
                self._state = message
                if message.state != "playing":
                    self._init, self._group, self._group_bytes = None, [], 0
            elif message.kind == "init":
                self._init, self._group, self._group_bytes = message, [], 0
            else:
                self._keep(message)
            self._told.notify_all()
            for viewer in self._viewers:
                viewer.put(message)

    def _keep(self, message: Message) -> None:
        if message.key:
            self._group, self._group_bytes = [message], len(message.data)
        elif self._group:
            self._group.append(message)
            self._group_bytes += len(message.data)
            if self._group_bytes > MAX_GROUP_BYTES:
                self._group, self._group_bytes = [], 0

    def _starved(self) -> bool:
        with self._lock:
            return any(viewer.starved for viewer in self._viewers)

    def _play(self) -> None:
        """One session with the camera, until it breaks or nobody looks."""
        address = self._source()
        self.sessions += 1
        timeout = self._hub.timeout
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(opened(address, timeout=timeout, options=_OPTIONS))
            container = source.container
            if not container.streams.video:
                raise UnsupportedStream("")
            video = container.streams.video[0]
            audio = container.streams.audio[0] if container.streams.audio else None
            packager = Packager(video, audio)
            stack.callback(packager.close)
            late = time.monotonic() + LATE_S
            for packet in container.demux(*([video] if audio is None else [video, audio])):
                if packet.stream.type == "video":
                    source.alive()
                fragment = packager.add(packet)
                if packager.init and self._init is None:
                    self._tell(Message("state", state="playing"))
                    self._tell(Message("init", packager.init, codecs=packager.codecs))
                if fragment is not None:
                    self._tell(Message("fragment", fragment.data, key=fragment.key))
                    if not fragment.key and self._starved():
                        raise _no_key_frame(KEY_FRAME_S)
                elif not packager.init and time.monotonic() > late:
                    # Some have a minute between two: it is waited for.
                    late = math.inf
                    self._tell(Message("state", state="late", error=_no_key_frame(LATE_S)))
                if self._over():
                    return
            if source.failure is not None:
                raise source.failure


def _no_key_frame(seconds: float) -> StreamError:
    return StreamError("no key frame came within {seconds:.3g} s", seconds=seconds)


class LiveHub:
    """The live pictures of many cameras.

    Args:
        linger: Seconds that a session is kept after the last viewer has left: he often comes back.
        backlog: Bytes that may wait for a viewer.
        timeout: Seconds without data after which a camera's stream is taken for broken.

    """

    linger: float
    backlog: int
    timeout: float

    def __init__(self, *, linger: float = 10.0, backlog: int = 4 * 1024 * 1024, timeout: float = 5.0) -> None:
        self.linger, self.backlog, self.timeout = linger, backlog, timeout
        self._lock = threading.Lock()
        self._channels: dict[str, _Channel] = {}
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def watch(
        self, key: str, source: Callable[[], RtspAddress], *, notify: Callable[[], None] | None = None
    ) -> Viewer:
        """Look at a stream.

        Args:
            key: Which one, such as ``SN/fhd``: all who name the same share a session.
            source: Where it is; asked at each session, as a camera changes its addresses.
            notify: See :class:`Viewer`.

        """
        with self._lock:
            channel = self._channel(key, source)
            viewer = Viewer(channel, notify, self.backlog)
            channel.join(viewer)
        return viewer

    def warm(self, key: str, source: Callable[[], RtspAddress]) -> None:
        """Open the session for one who is about to look; it ends where nobody comes for as long as it lingers."""
        with self._lock:
            self._channel(key, source)

    def _channel(self, key: str, source: Callable[[], RtspAddress]) -> _Channel:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = _Channel(key, source, self)
        return channel

    def drop(self, channel: _Channel) -> bool:
        """From a channel that nobody looks at: forget it; False where somebody has come meanwhile."""
        with self._lock:
            if channel.viewers:
                return False
            if self._channels.get(channel.key) is channel:
                del self._channels[channel.key]
            return True

    def latest(self, key: str, *, timeout: float = 0.0) -> tuple[bytes, bytes] | None:
        """The initialisation segment and the last key frame of a stream that is being looked at.

        Args:
            key: Which one.
            timeout: Seconds to wait for the first of a stream that is being opened.

        Returns: None where nobody looks at it, or none came in time.

        """
        with self._lock:
            channel = self._channels.get(key)
        return channel.latest(timeout) if channel is not None else None

    def status(self) -> dict[str, tuple[int, int]]:
        """By stream: how many look, and how often the camera was asked for it."""
        with self._lock:
            return {key: (channel.viewers, channel.sessions) for key, channel in self._channels.items()}

    def close(self) -> None:
        """End every session."""
        with self._lock:
            channels, self._channels = list(self._channels.values()), {}
        for channel in channels:
            channel.stop()
