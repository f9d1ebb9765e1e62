"""Results of the ``video`` group. Addresses point at the camera."""

from __future__ import annotations

from typing import Annotated

from .base import Int, Listed, Reply, UnixTime


class LiveAddress(Reply):
    """RTSP addresses of the live picture, without user and password.

    ``hd`` and ``fhd`` are names, not sizes: an FM020 has 1280 x 720 and 1920 x 1080, an FM010 a square. The
    stream tells its size.
    """

    hd_live_url: str = ""
    fhd_live_url: str = ""


class PlaybackUrl(Reply):
    """The RTSP address of a recorded period."""

    playback_url: str


class VideoRecord(Reply):
    """One clip on the SD card, about a minute."""

    start_time: UnixTime
    end_time: UnixTime
    url: str = ""


class VideoRecordCollection(Reply):
    """One page of clips."""

    total_num: Int = 0
    return_num: Int = 0
    record_list: Annotated[tuple[VideoRecord, ...], Listed] = ()


class SnapshotUrl(Reply):
    """Where the picture is."""

    snapshot_url: str


class PresentVideoClip(Reply):
    """Where the clip will be, 4 to 12 s after the answer."""

    url: str
