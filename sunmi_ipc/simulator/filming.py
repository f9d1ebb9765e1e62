"""How a virtual camera films: sizes, frame rates, codec, and the user that RTSP asks for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Self

from ..protocol.spec import Model


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """Size in pixels (even numbers) and frames a second."""

    width: int
    height: int
    fps: int


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """What a virtual camera's video is like; these sizes are an FM020's (A), :meth:`of` has each model's.

    Tests ask for small and quick ones: ``VideoSettings(clip=PictureFormat(160, 90, 2))``.
    """

    hd: PictureFormat = PictureFormat(1280, 720, 12)
    fhd: PictureFormat = PictureFormat(1920, 1080, 12)
    #: Recordings on the card and clips; a minute takes about 1 MB and a quarter of a second to make.
    clip: PictureFormat = PictureFormat(640, 360, 5)
    #: ``h264``, ``mjpeg``, or empty: H.264 where PyAV has an encoder for it.
    codec: str = ""
    user: str = "admin"
    password: str = field(default="admin", repr=False)  # the default of the real ones
    #: A clip can be fetched at some moment between these after the answer, seconds.
    clip_ready_s: tuple[float, float] = (4.0, 12.0)
    #: Where the shop is: what the clock in the picture shows; None: this machine's zone.
    zone: tzinfo | None = None

    @classmethod
    def of(cls, model: Model) -> Self:
        """As a camera of this model films: an FM010 square (its fhd is seen in one header (A), its hd a guess)."""
        if model is Model.FM010:
            return cls(PictureFormat(720, 720, 12), PictureFormat(1920, 1920, 12), PictureFormat(480, 480, 5))
        return cls()
