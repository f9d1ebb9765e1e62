"""The console of a station: the same cameras, verdicts and events, nothing asked or posted twice."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from sunmi_ipc.events.adapters import CAMERA
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.card import file_url
from sunmi_ipc.station import Station
from sunmi_ipc.values import CardStatus

pytest.importorskip("nicegui")

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]
EVENTS = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\n'


def put(station: Station, number: int, sn: str, kind: str = "dynamic_detect_event", **more: Any) -> None:
    fields = {"event_type": kind, "sn": sn, "event_id": str(number), "report_time": int(time.time())} | more
    assert station.intake is not None
    station.intake.spool.append(CAMERA.event(fields))


def test_the_wall_shows_what_the_station_has_received(station: Start, virtual: Virtual, kit: Any) -> None:
    from sunmi_ipc.console.attached import StationWall

    camera, other = virtual(people=3), virtual()
    running = station([camera, other], more=EVENTS + "pictures = true\n")
    assert kit.wait_for(lambda: running.status().verdict == "ok")
    put(running, 1, camera.sn)
    put(running, 2, other.sn)
    put(running, 9, "FS101D8BS99999")  # of a camera that nobody has
    before = camera.state.counts.get("hook/add", 0)
    wall = StationWall(running)
    try:
        assert [i.event.event_id for i in wall.items(camera.sn)] == ["1"]  # from before the console was there
        put(
            running,
            3,
            camera.sn,
            "face_recog_event",
            faceid="77",
            pic_url=file_url(camera.state, "event/77-3.jpg"),
        )
        assert [i.event.event_id for i in wall.items(camera.sn)] == ["3", "1"]
        assert [i.event.event_id for i in wall.items(camera.sn, kind="motion")] == ["1"]
        number = wall.items(camera.sn)[0].number
        assert kit.wait_for(lambda: wall.picture(camera.sn, number) is not None)
        picture = wall.picture(camera.sn, number)
        assert picture is not None
        assert picture.read_bytes()[:2] == b"\xff\xd8"
        assert wall.items("FS101D8BS99999") == []
        assert wall.listening(camera.sn)
        wall.leave(camera.sn)  # whoever presses it ends nothing
        assert wall.listening(camera.sn)
        assert camera.state.counts.get("hook/add", 0) <= before + 1  # the station's own, no second one
    finally:
        wall.close()


def test_cards_have_the_stations_verdicts(station: Start, virtual: Virtual, kit: Any) -> None:
    from sunmi_ipc.console.attached import StationDesk

    camera = virtual()
    camera.insert_card(CardStatus.BLANK)
    running = station([camera])
    assert kit.wait_for(lambda: kit.codes(running, camera.sn))
    desk = StationDesk(running)
    assert [found.sn for found in desk.cameras()] == [camera.sn]
    card = desk.card(camera.sn, fresh=True)
    assert card.state == "bad"
    assert "formatted" in card.words("en")[0]
    assert "格式化" in card.words("zh")[0]


@pytest.mark.slow
def test_it_is_served_at_the_stations_port_and_shut(
    write: Any, settings: Any, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a process of its own: NiceGUI has one set of pages a process."""
    camera = virtual()
    secrets = {"VIEW_TOKEN": "a-token-of-the-viewers", "ADMIN_TOKEN": "a-token-of-the-admins"}
    tokens = "".join(
        f'[tokens.{name.lower()[:-6]}]\nrole = "{name.lower()[:-6]}"\nsecret = "env:{name}"\n'
        for name in secrets
    )
    path = write(
        [camera], more=f'{EVENTS}[http]\nlisten = "127.0.0.1:0"\n[console]\nenabled = true\n{tokens}'
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "--json", "-q", "serve", str(path)],
        stdout=subprocess.PIPE, env=os.environ | secrets, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        netloc = urlsplit(ready["console"]).netloc

        def ask(method: str, where: str, body: Any = None, **head: str) -> Any:
            connection = http.client.HTTPConnection(netloc, timeout=20)
            connection.request(method, where, body, {k.replace("_", "-"): v for k, v in head.items()})
            answer = connection.getresponse()
            read = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return read

        assert ask("GET", "/", Accept="text/html")[0] == 303  # to the door
        assert ask("GET", "/event/x/1")[0] == 401
        cookies = {}
        for role, token in secrets.items():
            form = urlencode({"code": token})
            status, head, _ = ask(
                "POST",
                "/enter",
                form,
                Origin=f"http://{netloc}",
                Content_Type="application/x-www-form-urlencoded",
            )
            assert status == 303, role
            cookies[role] = head["set-cookie"].partition(";")[0]
        assert ask("GET", "/event/x/1", Cookie=cookies["VIEW_TOKEN"])[0] == 403  # faces
        assert ask("GET", "/event/x/1", Cookie=cookies["ADMIN_TOKEN"])[0] == 404
        status, _, page = ask("GET", f"/camera/{camera.sn}?tab=events", Cookie=cookies["ADMIN_TOKEN"])
        assert status == 200
        assert b"LivePicture" in page
        # The fleet's page is about the station's own site file.
        status, _, page = ask("GET", "/fleet", Cookie=cookies["ADMIN_TOKEN"])
        assert (status, b"site.toml" in page) == (200, True)
        assert ask("GET", "/fleet/file", Cookie=cookies["ADMIN_TOKEN"])[0] == 404
        status, _, body = ask("GET", "/api/v1/station", Authorization="Bearer a-token-of-the-viewers")
        assert (status, json.loads(body)["site"]) == (200, "shop-0017")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert process.stdout is not None
        process.stdout.close()
