"""What cameras are like, beside what the site file wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from sunmi_ipc.events.adapters import CAMERA
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]


def test_drift_is_told_and_not_repaired(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera], watch="drift = 1", **{camera.sn: 'ir = "on"\nled = true\n'})
    assert kit.wait_for(lambda: "drift" in kit.codes(running, camera.sn))
    (reason,) = [r for r in running.camera_status(camera.sn).reasons if r.code == "drift"]
    assert reason.details["keys"] == "ir"
    assert camera.state.documents["ir"] == {"irmode": 2}
    assert not [path for path in camera.state.counts if path.startswith("config/set")]


def test_what_may_be_is_put_right_and_nothing_else(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera], watch='drift = 1\nrepair = ["ir"]', **{camera.sn: 'ir = "on"\nled = false\n'})
    assert kit.wait_for(lambda: camera.state.documents["ir"] == {"irmode": 1})
    assert kit.wait_for(lambda: "drift" in kit.codes(running, camera.sn))
    assert running.camera_status(camera.sn).reasons[0].details["keys"] == "led"
    assert camera.state.documents["led"] == {"led_switch": 1}
    entries = running.audit.entries(sn=camera.sn)
    (entry,) = entries
    assert (entry.action, entry.who, entry.details["keys"], entry.result) == (
        "repair",
        "station",
        ["ir"],
        "ok",
    )


def test_events_are_subscribed_to_and_go_on(
    station: Start, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that forgets its subscription gets it again; events go on to a webhook, new ones alone."""
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        monkeypatch.setenv("SINK", f"http://127.0.0.1:{server.server_port}/")
        camera = virtual()
        more = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\nsinks = ["env:SINK"]\n'
        running = station([camera], more=more)
        subscribed = lambda: "hooks" in camera.state.documents  # noqa: E731
        assert kit.wait_for(subscribed)
        camera.restart(1)
        assert not subscribed()
        assert kit.wait_for(subscribed)
        assert running.intake is not None
        happened = {"event_type": "dynamic_detect_event", "sn": camera.sn, "event_id": "1", "detect_type": 1,
                    "report_time": 1593029283}  # fmt: skip
        running.intake.spool.append(CAMERA.event(happened))
        assert kit.wait_for(lambda: [e["event_id"] for e in got] == ["1"])
        server.shutdown()
