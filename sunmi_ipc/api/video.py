"""``camera.video``: live picture, snapshots, recordings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from ..fields import EndTime, PageSize, RecordPage, Refused, StartTime
from ..spec import DOC, INFERRED, Group, endpoint
from .paging import pages

if TYPE_CHECKING:
    from ..models import (
        LiveAddress,
        PlaybackUrl,
        PresentVideoClip,
        SnapshotUrl,
        VideoRecord,
        VideoRecordCollection,
    )

_PLAYBACK_START = Annotated[StartTime, Refused(230)]
_PLAYBACK_END = Annotated[EndTime, Refused(230)]
_RECORD_START = Annotated[StartTime, Refused(231)]
_RECORD_END = Annotated[EndTime, Refused(231)]


class Video(Group, name="video"):
    """Live picture, snapshots, recordings."""

    @endpoint("media/getLiveStream", evidence=DOC, codes={232})
    def live(self) -> LiveAddress:
        """Read the RTSP addresses of the live picture."""

    @endpoint("media/getPlaybackStream", evidence=DOC, codes={230, 235})
    def playback(self, start_time: _PLAYBACK_START, end_time: _PLAYBACK_END) -> PlaybackUrl:
        """Read the RTSP address of a recorded period."""

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
        """Take a picture now, and read its address."""

    @endpoint("media/getVideoClip", evidence=INFERRED, codes={236, 237})
    def clip_url(self, start_time: StartTime, end_time: EndTime) -> PresentVideoClip:
        """Ask for a clip; its address works 4 to 12 s after the answer."""

    def records(self, start_time: datetime, end_time: datetime) -> Iterator[VideoRecord]:
        """Every recording of a period, fetched page by page as they are used."""
        return pages(
            lambda number, size: self.records_page(start_time, end_time, number, size), "record_list"
        )
