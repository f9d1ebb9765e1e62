"""The virtual cloud's live pictures and playbacks play."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from sunmi_ipc.cloud import Cloud
from sunmi_ipc.simulator.cloud import VirtualCloud

av: Any = pytest.importorskip("av")


def _get(service: VirtualCloud, url: str, **options: Any) -> requests.Response:
    return requests.get(url, verify=str(service.ca), timeout=30, **options)


@pytest.mark.slow
def test_flv_plays(service: VirtualCloud, cloud: Cloud) -> None:
    live = cloud.media.live_start(ipc_sn=service.devices()[0].sn, resolution=1)
    with _get(service, live.url, stream=True) as response, av.open(response.raw) as container:
        frames = [frame for frame, _ in zip(container.decode(video=0), range(8), strict=False)]
        assert container.format.name == "flv"
    assert (frames[0].width, frames[0].height) == (640, 360)


def test_hls_plays_on(service: VirtualCloud, cloud: Cloud) -> None:
    live = cloud.media.live_start(ipc_sn=service.devices()[0].sn)
    listed = _get(service, live.hls_url).text
    assert listed.startswith("#EXTM3U")
    assert "ENDLIST" not in listed
    names = [line for line in listed.splitlines() if not line.startswith("#")]
    begin = []
    for name in names[:2]:
        piece = _get(service, requests.compat.urljoin(live.hls_url, name))  # type: ignore[attr-defined]
        assert piece.headers["Content-Type"] == "video/mp2t"
        import io

        with av.open(io.BytesIO(piece.content)) as container:
            frames = list(container.decode(video=0))
        assert len(frames) == 20
        begin.append(float(frames[0].pts * frames[0].time_base))
    assert begin[1] - begin[0] == pytest.approx(2.0)


def test_a_playback_has_an_end(service: VirtualCloud, cloud: Cloud) -> None:
    # A minute of yesterday: before its first event of a night a camera may have recorded nothing yet.
    noon = datetime.now().astimezone().replace(hour=12, minute=0, second=0, microsecond=0)
    start = noon.astimezone(UTC) - timedelta(days=1)
    made = cloud.media.playback_start(start, start + timedelta(seconds=10), ipc_sn=service.devices()[0].sn)
    listed = _get(service, made.hls_url).text
    assert "#EXT-X-ENDLIST" in listed
    assert 5 <= listed.count("#EXTINF") <= 6


def test_addresses_are_no_secret_ways(service: VirtualCloud, cloud: Cloud) -> None:
    url = cloud.media.live_start(ipc_sn=service.devices()[0].sn).url
    bare = url.partition("?")[0]
    assert _get(service, bare).status_code == 403
    assert _get(service, url.replace("/live/", "/live/x")).status_code == 403
    old = f"{int(time.time()) - 5}-" + url.partition("auth_key=")[2].partition("-")[2]
    assert _get(service, f"{bare}?auth_key={old}").status_code == 403
    assert _get(service, f"{bare}?auth_key=").status_code == 403


def test_days_tags_and_hours_agree(cloud: Cloud) -> None:
    today = datetime.now().astimezone().date()
    start, end = today - timedelta(days=9), today - timedelta(days=1)
    days = cloud.flow.by_day(start, end).count_list
    tags = cloud.flow.by_tag(start, end)
    for name in (
        "total_count",
        "pass_count",
        "unexposed_count",
        "regular_count",
        "member_count",
        "stranger_count",
    ):
        assert sum(getattr(row, name) for row in days) == getattr(tags, name), name
