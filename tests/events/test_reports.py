"""What cameras do not push, and cameras that come while somebody listens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sunmi_ipc_cli.events import shop
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import discovery
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.errors import ConnectionFailed
from sunmi_ipc.events.people import people_today
from sunmi_ipc.events.reports import Reports
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.hooks import subscriptions
from tests.patience import eventually


class Told:
    def __init__(self) -> None:
        self.counts: list[Any] = []
        self.states: list[Any] = []
        self.online: list[bool] = []

    def people(self, sn: str, counts: Any) -> None:
        self.counts.append(counts)

    def state(self, sn: str, values: Any) -> None:
        self.states.append(values)

    def availability(self, sn: str, online: bool) -> None:
        self.online.append(online)


def test_people_card_firmware_and_whether_it_answers(ready: VirtualCamera) -> None:
    told = Told()
    with connect(ready) as camera:
        camera.sn = ready.sn
        with Reports(lambda: [camera], told, every=0.05):
            assert eventually(lambda: bool(told.counts and told.states and told.online))
            away = [False]
            ask = camera.people_flow.arrivals

            def perhaps(*args: Any) -> Any:
                if away[0]:
                    raise ConnectionFailed("the connection failed")
                return ask(*args)

            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(camera.people_flow, "arrivals", perhaps)
                away[0] = True
                assert eventually(lambda: told.online[-1] is False)
                away[0] = False
                assert eventually(lambda: told.online[-1] is True)
    assert {"total", "male", "female", "passing", "leaving"} <= set(told.counts[0])
    assert told.states[0] == {"card": "normal", "firmware": ready.state.firmware}


@pytest.mark.parametrize(
    ("zone", "midnight"),
    [
        ("Asia/Shanghai", datetime(2026, 3, 28, 16, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 28, 4, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),
    ],
)
def test_the_day_is_the_shops(zone: str, midnight: datetime) -> None:
    asked: list[datetime] = []

    class Flow:
        def arrivals(self, start: datetime, end: datetime) -> Any:
            asked.append(start)
            raise ConnectionFailed("enough")

    class Camera:
        sn, people_flow = "FS1", Flow()

    with pytest.raises(ConnectionFailed):
        people_today(Camera(), datetime(2026, 3, 29, 3, 30, tzinfo=UTC), ZoneInfo(zone))  # type: ignore[arg-type]
    # In Europe the clocks change on that day: midnight is still midnight there.
    assert asked == [midnight]


@pytest.mark.slow
def test_a_camera_that_comes_while_somebody_listens_is_subscribed(
    ready: VirtualCamera, vendor: Vendor, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    looks: list[int] = []

    def found(**options: Any) -> Iterator[DiscoveredCamera]:
        looks.append(1)
        if len(looks) > 1:
            yield DiscoveredCamera(ready.sn, ready.ip, ready.port, model="FM020")

    monkeypatch.setattr(discovery, "discover", found)
    monkeypatch.setattr(shop, "_LOOK_S", 0.2)
    seen: list[Any] = []

    def watch() -> None:
        eventually(lambda: bool(subscriptions(ready.state).get("face_recog_event")), 10)
        seen.extend(subscriptions(ready.state).get("face_recog_event", ()))

    watching = threading.Thread(target=watch)
    watching.start()
    words = ["events", "listen", "--port", "0", "--host", "127.0.0.1", "--subscribe", "face_recog_event"]
    done = CliRunner().invoke(app, [*words, "--on", "all", "--spool", str(tmp_path), "--for", "4"])
    watching.join()
    assert done.exit_code == 0, done.output
    assert len(seen) == 1
    assert "No camera was found yet" in done.stderr
    assert f"{ready.sn} has come" in done.stderr
    assert not subscriptions(ready.state).get("face_recog_event")
