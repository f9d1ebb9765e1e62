"""``cloud.media``: live picture, recordings, snapshots. The URLs it answers with are short-lived."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...api.paging import pages
from ...protocol.spec import Group
from ..fields import AtTime, ClientId, FromTime, IpcId, IpcSn, PageNumber, PageSize, Resolution, ToTime
from ..periods import join_windows, none_beyond, once
from ..spec import COMMON, endpoint
from ..values import LiveResolution

if TYPE_CHECKING:
    from ..models import (
        LiveUrls,
        Motion,
        MotionPage,
        PlaybackUrls,
        Recording,
        RecordingList,
        Snapshot,
    )

_CAMERA = COMMON | {5011, 5501, 5510}


class Media(Group, name="media", api="cloud"):
    """Live picture, recordings, snapshots."""

    @endpoint("media/live/start", codes=_CAMERA, timeout_s=20)
    def live_start(
        self,
        ipc_sn: IpcSn | None = None,
        ipc_id: IpcId | None = None,
        resolution: Resolution = LiveResolution.SUPER,
    ) -> LiveUrls:
        """Start the live picture; end it with ``live_stop``."""

    @endpoint("media/live/stop", codes=_CAMERA)
    def live_stop(
        self,
        ipc_sn: IpcSn | None = None,
        ipc_id: IpcId | None = None,
        resolution: Resolution = LiveResolution.SUPER,
    ) -> None:
        """End the live picture."""

    @endpoint(
        "media/playback/start",
        codes={5021, 5041, 5087, 5088, 5506},
        meanings={5506: ("there is no recording in that period", "'ipc cloud records' lists what there is.")},
        in_development=True,
        timeout_s=20,
    )
    def playback_start(
        self,
        start_time: FromTime,
        end_time: ToTime,
        ipc_sn: IpcSn | None = None,
        ipc_id: IpcId | None = None,
    ) -> PlaybackUrls:
        """Start to play what was recorded; end it with ``playback_stop``."""

    @endpoint("media/playback/stop", codes={5020}, shop=False, in_development=True)
    def playback_stop(self, client_id: ClientId) -> None:
        """End a playback."""

    @endpoint("media/video/getList", codes=COMMON | {5021}, longest=timedelta(seconds=3600))
    def recordings_window(
        self,
        start_time: FromTime,
        end_time: ToTime,
        ipc_sn: IpcSn | None = None,
        ipc_id: IpcId | None = None,
    ) -> RecordingList:
        """List the recordings of at most an hour; ``recordings`` takes any period."""

    @endpoint("media/motionDetection/getList")
    def motions_page(
        self,
        start_time: FromTime,
        end_time: ToTime,
        ipc_sn: IpcSn | None = None,
        ipc_id: IpcId | None = None,
        page_num: PageNumber = 1,
        page_size: PageSize = 10,
    ) -> MotionPage:
        """Read one page of the recordings that motion or sound set off; ``motions`` reads them all."""

    @endpoint("media/playback/getSnapshot", timeout_s=30)
    def snapshot_at(self, time: AtTime, ipc_sn: IpcSn | None = None, ipc_id: IpcId | None = None) -> Snapshot:
        """Have a picture made of a past moment."""

    @endpoint("media/live/getSnapshot", codes=_CAMERA | {5515}, timeout_s=30)
    def snapshot(self, ipc_sn: IpcSn | None = None, ipc_id: IpcId | None = None) -> Snapshot:
        """Have a picture taken now; the cloud keeps it for a day."""

    def recordings(self, start_time: datetime, end_time: datetime, **camera: str) -> tuple[Recording, ...]:
        """The recordings of any period: asked for by the hour, in parallel; each comes once, by time.

        Args:
            start_time: Start, aware.
            end_time: End, aware.
            camera: ``ipc_sn`` or ``ipc_id``.

        Raises: as ``recordings_window``; ``CloudError`` 5013 where no hour has any.

        """
        return join_windows(self._caller, Media.recordings_window, start_time, end_time, camera)

    def motions(self, start_time: datetime, end_time: datetime, **camera: str) -> Iterator[Motion]:
        """Every recording that motion or sound set off in a period, fetched page by page as they are used."""

        def fetch(number: int, size: int) -> Any:
            return self.motions_page(start_time, end_time, page_num=number, page_size=size, **camera)

        found: Iterator[Motion] = pages(
            none_beyond(fetch, "video_list"),
            "video_list",
            100,
            key=lambda motion: (motion.detect_time, motion.url),
        )
        return once(found, lambda motion: (motion.detect_time, motion.source))
