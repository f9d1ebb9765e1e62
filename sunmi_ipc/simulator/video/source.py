"""The streams of a virtual camera by the last part of their address."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from ..card import recorded
from ..filming import PictureFormat
from ..host import Host
from .scene import Scene
from .sdp import as_dumped, describe
from .stream import Stream
from .viewpoint import Look


@dataclass(slots=True)
class Timeline:
    """Where a playback is: in recorded seconds, gaps left out.

    Args:
        spans: Start and end of what is recorded, Unix seconds.

    """

    spans: list[tuple[int, int]]
    position: float = 0.0
    _from: float = 0.0

    @property
    def seconds(self) -> float:
        """How long it is."""
        return sum(end - start for start, end in self.spans)

    def seek(self, position: float) -> None:
        """Go on from *position* when it is played next."""
        self.position = self._from = position

    def moment(self, elapsed: float) -> float | None:
        """The time in the picture after playing for so long; None past the end."""
        left = self.position = self._from + elapsed
        for start, end in self.spans:
            if left < end - start:
                return start + left
            left -= end - start
        return None


@dataclass(frozen=True, slots=True)
class Source:
    """One address: its description, and the stream behind it."""

    description: str
    stream: Callable[[], Stream]
    timeline: Timeline | None = None


class Sources:
    """What one camera shows. Live streams are shared; a playback is its client's own."""

    def __init__(self, camera: Host) -> None:
        self._camera = camera
        self._live: WeakValueDictionary[str, Stream] = WeakValueDictionary()
        self._lock = threading.Lock()

    def find(self, name: str) -> Source | None:
        """The source behind ``live_hd.sdp``, ``live_fhd.sdp`` or ``playback_START_END.sdp``."""
        state = self._camera.state
        video = state.video
        forms = {"live_hd.sdp": video.hd, "live_fhd.sdp": video.fhd}
        if name in forms:
            form = forms[name]
            shown = form
            if Look.of(state).rotation % 180:
                shown = PictureFormat(form.height, form.width, form.fps)
            text = describe(name, self._camera.ip, shown, video.codec, None)
            if dumped := self._camera.dumped_sdp(name):
                text = as_dumped(text, dumped)
            return Source(text, lambda: self._shared(name, form))
        match = re.fullmatch(r"playback_(\d{1,12})_(\d{1,12})\.sdp", name)
        if match is None:
            return None
        timeline = Timeline(recorded(state, int(match[1]), int(match[2])))
        if not timeline.spans:
            return None
        text = describe(name, self._camera.ip, video.hd, video.codec, timeline.seconds)
        return Source(text, lambda: self._make(video.hd, timeline.moment, Look), timeline)

    def close(self) -> None:
        """Send all who watch away; returns when nothing is drawn any more."""
        with self._lock:
            streams = list(self._live.values())
        for stream in streams:
            stream.close()

    def _shared(self, name: str, form: PictureFormat) -> Stream:
        with self._lock:
            stream = self._live.get(name)
            if stream is None:
                stream = self._make(
                    form, lambda elapsed: self._camera.clock(), lambda: Look.of(self._camera.state)
                )
                self._live[name] = stream
            return stream

    def _make(
        self, form: PictureFormat, moment: Callable[[float], float | None], look: Callable[[], Look]
    ) -> Stream:
        video = self._camera.state.video
        scene = Scene(self._camera.sn, form.width, form.height, video.zone)
        return Stream(scene, form, moment, look, video.codec)
