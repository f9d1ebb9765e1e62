"""Results of the ``video`` group."""

from __future__ import annotations

from .base import Reply


class LiveAddress(Reply):
    """RTSP addresses of the live picture, without user and password. hd is 720p, fhd 1080p (I)."""

    hd_live_url: str = ""
    fhd_live_url: str = ""
