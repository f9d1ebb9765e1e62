"""One stream of pictures: drawn and encoded once for all who watch, and only while somebody does."""

from __future__ import annotations

import logging
import secrets
import struct
import threading
import time
from collections.abc import Callable
from typing import Any

from ..filming import PictureFormat
from .encoder import Encoder
from .scene import Scene
from .viewpoint import Look

_log = logging.getLogger("sunmi_ipc.simulator")
CLOCK_HZ = 90_000
#: RTP packets fit into an Ethernet frame.
_PACKET = 1_400
#: Takes the packets of one picture, and whether a decoder can start with it; no packets: the end.
Sink = Callable[[list[bytes], bool], None]


class _Packets(list[bytes]):
    """What libavformat's RTP muxer writes: a packet a call. Sender reports are left out."""

    def write(self, data: bytes) -> int:
        if not 200 <= data[1] <= 204:
            self.append(bytes(data))
        return len(data)


class Stream:
    """Draws, encodes and hands out packets in a thread of its own.

    Args:
        scene: What to draw.
        form: Size and frame rate.
        moment: Unix seconds of the picture so many seconds after the start; None: the end.
        look: How the lens is set.
        codec: ``h264``, ``mjpeg`` or empty.

    """

    ssrc: int
    sequence: int

    def __init__(
        self,
        scene: Scene,
        form: PictureFormat,
        moment: Callable[[float], float | None],
        look: Callable[[], Look],
        codec: str = "",
    ) -> None:
        self._scene, self._form, self._moment, self._look, self._codec = scene, form, moment, look, codec
        self._sinks: list[Sink] = []
        self._fresh = False
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        #: The thread that serves the sinks, and the one started last, which may be tidying up.
        self._thread: threading.Thread | None = None
        self._latest: threading.Thread | None = None
        self._born = time.monotonic()
        self.ssrc, self.sequence, self._base = (
            secrets.randbits(32),
            secrets.randbits(12),
            secrets.randbits(31),
        )

    def join(self, sink: Sink) -> None:
        """Hand the packets to *sink* from the next picture on, which is one to start with."""
        with self._lock:
            self._sinks.append(sink)
            self._fresh = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="virtual-camera-video", daemon=True)
                self._latest = self._thread
                self._thread.start()

    def leave(self, sink: Sink) -> None:
        """Hand nothing more to *sink*; with the last one the thread ends."""
        with self._lock:
            if sink in self._sinks:
                self._sinks.remove(sink)
            self._wake.notify_all()

    def refresh(self) -> None:
        """Make the next picture one to start with: somebody has lost some."""
        self._fresh = True

    def close(self) -> None:
        """Send all away; returns when the thread has ended."""
        with self._lock:
            self._sinks.clear()
            self._wake.notify_all()
            thread = self._latest
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)

    def _run(self) -> None:
        encoder: Encoder | None = None
        packets, size = _Packets(), (0, 0)
        start, index = time.monotonic(), -1
        before = int((start - self._born) * self._form.fps)
        ended = False
        try:
            while self._rest(start, index):
                index = max(index + 1, int((time.monotonic() - start) * self._form.fps))
                when = self._moment(index / self._form.fps)
                if when is None:
                    ended = True
                    break
                canvas = self._scene.picture(when, self._look())
                key, self._fresh = self._fresh, False
                if encoder is None or (canvas.width, canvas.height) != size:
                    if encoder is not None:
                        encoder.close()
                    size, key = (canvas.width, canvas.height), True
                    encoder = packetizer(packets, *size, self._form.fps, self._codec)
                packets.clear()
                encoder.add(canvas, key=key)
                self._hand_out(self._stamped(packets, before + index), key or encoder.codec == "mjpeg")
        except Exception:
            ended = True
            _log.warning("a virtual camera's picture broke off", exc_info=True)
        finally:
            if encoder is not None:
                encoder.close()
        if ended:  # else nobody watches, or somebody new whom another thread serves
            self._hand_out([], True)

    def _rest(self, start: float, index: int) -> bool:
        """Wait for the next picture's time; whether somebody still watches."""
        with self._lock:
            due = start + (index + 1) / self._form.fps
            while self._sinks and (left := due - time.monotonic()) > 0:
                self._wake.wait(left)
            if not self._sinks:
                self._thread = None
            return bool(self._sinks)

    def _stamped(self, packets: list[bytes], index: int) -> list[bytes]:
        """The packets with numbers of this stream's own, which go on when the encoder starts anew."""
        stamp = (self._base + index * CLOCK_HZ // self._form.fps) & 0xFFFF_FFFF
        made = []
        for packet in packets:
            self.sequence = (self.sequence + 1) & 0xFFFF
            made.append(packet[:2] + struct.pack(">HII", self.sequence, stamp, self.ssrc) + packet[12:])
        return made

    def _hand_out(self, packets: list[bytes], key: bool) -> None:
        with self._lock:
            sinks = list(self._sinks)
            if not packets and self._thread is threading.current_thread():
                self._sinks.clear()
                self._thread = None
        for sink in sinks:
            sink(packets, key)


def packetizer(target: Any, width: int, height: int, fps: int, codec: str) -> Encoder:
    """An encoder that writes RTP packets to *target*."""
    return Encoder(
        target,
        "rtp",
        width=width,
        height=height,
        fps=fps,
        codec=codec,
        options={"packetsize": str(_PACKET)},
    )
