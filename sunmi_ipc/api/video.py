"""``camera.video``: live picture, snapshots, recordings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from ..codes.device import DeviceCode
from ..errors import DeviceError, NotSupportedError, ReplyError
from ..link.caller import Link, direct
from ..protocol.fields import EndTime, PageSize, RecordPage, Refused, StartTime
from ..protocol.spec import DOC, INFERRED, C, Group, endpoint
from ..protocol.steps import Each, Series, Steps, series, steps, work
from ..protocol.values import CardStatus
from .paging import paged
from .sdcard import SdCard

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ..models import (
        LiveAddress,
        PlaybackUrl,
        PresentVideoClip,
        SnapshotUrl,
        VideoRecord,
        VideoRecordCollection,
    )
    from ..video.address import Live, RtspAddress
    from ..video.download import Clip, Progress
    from ..video.snapshot import Snapshot

_PLAYBACK_START = Annotated[StartTime, Refused(230)]
_PLAYBACK_END = Annotated[EndTime, Refused(230)]
_RECORD_START = Annotated[StartTime, Refused(231)]
_RECORD_END = Annotated[EndTime, Refused(231)]


class Video(Group[C], name="video"):
    """Live picture, snapshots, recordings."""

    @endpoint("media/getLiveStream", evidence=DOC, documented={0, 1, 3, 5, 7, 232})
    def live_url(self) -> LiveAddress:
        """Read the RTSP addresses of the live picture; ``live`` puts user and password in."""

    @endpoint("media/getPlaybackStream", evidence=DOC, documented={0, 1, 3, 5, 7, 230, 235})
    def playback_url(self, start_time: _PLAYBACK_START, end_time: _PLAYBACK_END) -> PlaybackUrl:
        """Read the RTSP address of a recorded period; ``playback`` puts user and password in."""

    @endpoint("media/getVideoRecordList", evidence=INFERRED, codes={122, 220, 231, 234, 235})
    def records_page(
        self,
        start_time: _RECORD_START,
        end_time: _RECORD_END,
        page_num: RecordPage = 1,
        page_size: PageSize = 50,
    ) -> VideoRecordCollection:
        """Read one page of the recordings of a period; ``records`` reads them all."""

    @endpoint("media/getSnapshot", evidence=INFERRED, codes={233})
    def snapshot_url(self) -> SnapshotUrl:
        """Take a picture now, and read its address; ``snapshot`` fetches it."""

    @endpoint("media/getVideoClip", evidence=INFERRED, codes={236, 237})
    def clip_url(self, start_time: StartTime, end_time: EndTime) -> PresentVideoClip:
        """Ask for a clip; its address works 4 to 12 s after the answer. ``clip`` fetches it."""

    @series
    def records(self, start_time: datetime, end_time: datetime) -> Series[VideoRecord]:
        """Every recording of a period, fetched page by page as they are used.

        One that merely begins as the period ends is left out. None at all is no error.
        """
        try:
            yield from paged(
                lambda number, size: Video.records_page.ask(start_time, end_time, number, size),
                "record_list",
                key=lambda r: (r.start_time, r.url.partition("?")[0]),
                only=lambda r: r.start_time < end_time,
            )
        except DeviceError as error:
            if error.code not in (DeviceCode.RECORD_NOT_EXIST, DeviceCode.CAM_INFO_VIDEO_NOT_EXIST):
                raise  # these two are how a camera may say that there are none

    @steps
    def live(self) -> Steps[Live]:
        """Read the addresses of the live picture, with user and password put in (``str`` masks them).

        Raises:
            ReplyError: There is none, or it does not lead to this camera.
            NotReadyError: The camera's video service is not running (232).

        """
        from ..video.address import live

        given = yield from Video.live_url.ask()
        return (yield from work(live, direct(self._caller), given))

    @steps
    def playback(self, start_time: datetime, end_time: datetime) -> Steps[RtspAddress]:
        """Read the RTSP address of a recorded period, with user and password put in (``str`` masks them).

        Raises:
            DeviceError: 235: there is no recording; 230: the times are wrong.
            ReplyError: It does not lead to this camera.

        """
        from ..video.address import rtsp

        given = yield from Video.playback_url.ask(start_time, end_time)
        return (yield from work(rtsp, direct(self._caller), given.playback_url))

    @steps
    def snapshot(self) -> Steps[Snapshot]:
        """Take a picture now. Where the camera refuses (233, 6), it is a frame of the live picture.

        Raises:
            DeviceError: The camera refuses, and the extra ``video`` is not installed.
            ReplyError: It is no picture, or not the camera's.

        """
        return (yield from snapshot(direct(self._caller)))

    @series
    def frames(
        self, quality: str = "", *, every: float = 0.0, timeout: float = 10.0
    ) -> Series[NDArray[np.uint8]]:
        """The frames of the live picture, as numpy arrays: height x width x 3, RGB. Needs the extra ``video``.

        Args:
            quality: ``hd`` or ``fhd``; default: the best.
            every: Seconds between two frames; 0 for all.
            timeout: Seconds without a frame after which the stream is taken for broken.

        Raises:
            ExtraMissingError: PyAV or numpy is not installed.
            StreamRefusedError: User or password is wrong (401).
            StreamError: It does not answer, or breaks off.

        """
        from ..video.stream import frames

        live = yield from Video.live.steps(self)
        yield Each(lambda: frames(live.best(quality), every=every, timeout=timeout))

    @steps
    def record(self, path: str | os.PathLike[str], seconds: float, quality: str = "") -> Steps[float]:
        """Record the live picture into an MP4 file, without re-encoding; returns the seconds in it.

        Args:
            path: The file; one that is there is replaced.
            seconds: How long.
            quality: ``hd`` or ``fhd``; default: the best.

        Raises:
            ExtraMissingError: PyAV is not installed.
            DiskError: The file cannot be written.
            StreamRefusedError, StreamError: As for :meth:`frames`; what came before is in the file.

        """
        from ..video.stream import record

        live = yield from Video.live.steps(self)
        return (yield from work(record, live.best(quality), Path(path), seconds))

    @steps
    def clip(
        self,
        start_time: datetime,
        end_time: datetime,
        path: str | os.PathLike[str],
        *,
        timeout: float = 30.0,
        first: float = 4.0,
        interval: float = 1.0,
        on_wait: Callable[[], None] | None = None,
        on_progress: Callable[[int, int | None], None] | None = None,
    ) -> Steps[Path]:
        """Let the camera cut out a clip, wait until it is there (4 to 12 s, S), and fetch it.

        Args:
            start_time: Start of the clip.
            end_time: End of the clip.
            path: The file; one that is there is replaced.
            timeout: Seconds to wait for it.
            first: Seconds from the camera's answer to the first try.
            interval: Seconds between two tries.
            on_wait: Called after each "not yet".
            on_progress: Called with the bytes so far and in all.

        Raises:
            NotReadyError: It was still not there (236), or the camera's clip service is not running (237).
            DiskError: The file cannot be written.

        """
        from ..video.clip import clip

        link = direct(self._caller)
        return (
            yield from work(
                clip,
                link,
                lambda: Video(link).clip_url(start_time, end_time).url,
                Path(path),
                timeout=timeout,
                first=first,
                interval=interval,
                on_wait=on_wait,
                on_progress=on_progress,
            )
        )

    @series
    def download(
        self,
        start_time: datetime,
        end_time: datetime,
        folder: str | os.PathLike[str],
        *,
        workers: int = 4,
        tz: tzinfo | None = None,
        patience: float = 60.0,
        on_progress: Progress | None = None,
    ) -> Series[Clip]:
        """Download the recordings of a period; yields each as it is done. It goes on where it stopped before.

        A recording is under its name only when it is complete: bytes counted, and on the disk. What is
        there is kept; a part (``.part``) is resumed. Every yielded file stays, whatever is raised later.

        Args:
            start_time: Start of the period.
            end_time: End of the period.
            folder: Where to; made where it is not there.
            workers: Files at a time, each over a kept connection.
            tz: The time zone of the file names; default: this computer's.
            patience: Seconds that the camera may be gone, restarting for example.
            on_progress: Called (from several threads) with a file's name, its bytes so far and in all.

        Raises:
            DiskError: The disk is full, or the folder cannot be written.
            ConnectionFailed: The camera is gone for good.
            DeviceError: The camera refuses; 220: its card is gone.
            DownloadError: At the end, where single recordings could not be had.

        """
        link = direct(self._caller)
        yield from Video.download_records.steps(
            self,
            Video(link).records(start_time, end_time),
            folder,
            workers=workers,
            tz=tz,
            patience=patience,
            on_progress=on_progress,
        )

    @series
    def download_records(
        self,
        records: Iterable[VideoRecord],
        folder: str | os.PathLike[str],
        *,
        workers: int = 4,
        tz: tzinfo | None = None,
        patience: float = 60.0,
        on_progress: Progress | None = None,
    ) -> Series[Clip]:
        """Download these recordings; as :meth:`download`, which takes all of a period."""
        from ..video.download import download

        link = direct(self._caller)
        yield Each(
            lambda: download(
                link,
                records,
                Path(folder),
                sn=link.sn or link.read_sn(),
                look_again=lambda record: _address_now(link, record),
                workers=workers,
                tz=tz,
                patience=patience,
                on_progress=on_progress,
            )
        )


def snapshot(link: Link) -> Steps[Snapshot]:
    """Take a picture now; see :meth:`Video.snapshot`."""
    from ..video.snapshot import snapshot

    video = Video(link)
    return (
        yield from work(
            snapshot, link, lambda: video.snapshot_url().snapshot_url, lambda: video.live().best()
        )
    )


def _address_now(link: Link, record: VideoRecord) -> str:
    """Where a recording is now, as its link may have expired; empty where it is no longer.

    Raises:
        DeviceError: The card is gone.

    """
    card = CardStatus.NORMAL
    with contextlib.suppress(NotSupportedError, ReplyError):  # the call's path is inferred
        card = SdCard(link).status().status
    if card is not CardStatus.NORMAL:
        code = 220 if card is CardStatus.NONE else 235
        raise DeviceError.of(code, camera=link.address, endpoint="media/getVideoRecordList")
    found = Video(link).records(record.start_time, record.end_time)
    return next((r.url for r in found if r.start_time == record.start_time), "")
