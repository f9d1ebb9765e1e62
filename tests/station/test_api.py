"""The station's port: health, roles, problems, calls, events as they come, figures."""

from __future__ import annotations

import http.client
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.events.adapters import CAMERA
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.roles import needed
from sunmi_ipc.values import CardStatus

Serve = Callable[..., Any]
Virtual = Callable[..., VirtualCamera]
EVENTS = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\n'


def event(number: int, sn: str = "FS101D8BS00106", kind: str = "dynamic_detect_event", **fields: Any) -> Any:
    return CAMERA.event(
        {"event_type": kind, "sn": sn, "event_id": str(number), "detect_type": 1, "report_time": 1593029283}
        | fields
    )


def test_health_needs_no_token_and_all_else_does(serve: Serve, virtual: Virtual) -> None:
    _, ask = serve([virtual()])
    assert ask("GET", "/healthz")[::2] == (200, {"status": "ok"})
    assert ask("GET", "/readyz")[::2] == (200, {"status": "ok"})
    for path in ("/api/v1/station", "/api/v1/cameras", "/api/v1/events", "/api/v1/audit"):
        status, headers, problem = ask("GET", path)
        assert (status, headers["content-type"], headers["www-authenticate"]) == (
            401,
            "application/problem+json",
            "Bearer",
        )
        assert problem["hint"]
        assert ask("GET", path, role="not-a-token-of-ours")[0] == 401


def test_cameras(serve: Serve, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    station, ask = serve([camera])
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    status, _, shop = ask("GET", "/api/v1/station", role="view")
    assert (status, shop["site"], shop["verdict"]) == (200, "shop-0017", "ok")
    _, _, one = ask("GET", f"/api/v1/cameras/{camera.sn}", role="view")
    assert one == shop["cameras"][0] | {"facts": one["facts"], "seen": one["seen"]}
    status, _, problem = ask("GET", "/api/v1/cameras/FS101D8BS99999", role="view")
    assert (status, problem["status"], problem["title"]) == (404, 404, "Not Found")
    _, _, chinese = ask("GET", "/api/v1/cameras/FS101D8BS99999", role="view", Accept_Language="zh-CN,en")
    assert chinese["detail"] == "站点服务中没有摄像机 FS101D8BS99999"


def test_every_declared_endpoint_is_a_call_with_its_bounds(serve: Serve, virtual: Virtual) -> None:
    _, ask = serve([virtual()])
    document = ask("GET", "/api/v1/openapi.json")[2]
    operations = {
        o["operationId"]: o for p in document["paths"].values() for o in p.values() if "operationId" in o
    }
    for endpoint in registry().values():
        operation = operations[endpoint.key]
        assert operation["x-path"] == endpoint.path
        assert operation["x-role"] == needed(endpoint)
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        assert set(schema["properties"]) == {p.name for p in endpoint.parameters}
        assert schema["required"] == [p.name for p in endpoint.parameters if p.required]
        for parameter in endpoint.parameters:
            if parameter.ge is not None and parameter.base is int and parameter.required:
                assert schema["properties"][parameter.name]["minimum"] == parameter.ge
    text = json.dumps(document)
    assert "#/components/schemas/Problem" in text
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


def test_a_call_reads_and_sets(serve: Serve, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    _, ask = serve([camera])
    call = f"/api/v1/cameras/{camera.sn}/call"
    assert ask("POST", f"{call}/image/set_ir", role="tune", body={"mode": 1})[::2] == (200, {})
    assert camera.state.documents["ir"] == {"irmode": 1}
    assert ask("POST", f"{call}/image/ir", role="view")[2]["irmode"] == 1
    status, _, problem = ask("POST", f"{call}/image/set_ir", role="tune", body={"mode": 7})
    assert (status, problem["name"], problem["hint"]) == (422, "mode", "Allowed: 0, 1, 2.")
    assert ask("POST", f"{call}/image/set_ir", role="tune", body={"mode": 1, "modus": 1})[0] == 422
    assert ask("POST", f"{call}/image/set_ir", role="tune", data=b"{")[0] == 400
    assert ask("POST", f"{call}/image/set_ir", role="view", body={"mode": 0})[0] == 403
    assert camera.state.documents["ir"] == {"irmode": 1}
    line = {"start_x": 100, "start_y": 5, "end_x": 150, "end_y": 5}
    status, _, problem = ask("POST", f"{call}/people_flow/set_door_line", role="tune", body=line)
    assert (status, problem["code"], problem["name"]) == (409, 276, "PARAMS_X_DISTANCE_INVALID")
    entries = ask("GET", "/api/v1/audit", role="admin")[2]
    assert [(e["action"], e["who"], e["result"], e["origin"]) for e in entries] == [
        ("people_flow.set_door_line", "tune", "DeviceError 276", "127.0.0.1"),
        ("image.set_ir", "tune", "ok", "127.0.0.1"),
    ]
    assert ask("GET", "/api/v1/audit", role="tune")[0] == 403


def test_what_destroys_is_confirmed(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    _, ask = serve([camera])
    path = f"/api/v1/cameras/{camera.sn}/call/sdcard/format"
    assert ask("POST", path, role="tune")[0] == 403
    status, _, problem = ask("POST", path, role="admin")
    assert (status, camera.sn in problem["hint"]) == (428, True)
    assert "config/formatMemoryCard" not in camera.state.counts
    assert ask("POST", f"{path}?confirm={camera.sn}", role="admin")[0] == 200
    assert camera.state.counts["config/formatMemoryCard"] == 1


def test_secrets_stay_inside(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    _, ask = serve([camera])
    call = f"/api/v1/cameras/{camera.sn}/call/wifi"
    ask("POST", f"{call}/set", role="admin", body={"ssid": "Nowhere", "password": "a-wifi-password"})
    assert "a-wifi-password" not in json.dumps(ask("GET", "/api/v1/audit", role="admin")[2])
    assert (
        ask("POST", f"{call}/set", role="tune", body={"ssid": "X", "password": "a-wifi-password"})[0] == 403
    )


def test_a_camera_that_is_away_is_a_problem(serve: Serve, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    station, ask = serve([camera])
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    camera.close()
    status, _, problem = ask("POST", f"/api/v1/cameras/{camera.sn}/call/image/ir", role="view")
    assert (status, problem["type"]) == (502, "urn:sunmi-ipc:error:ConnectionFailed")


def test_snapshot(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    _, ask = serve([camera])
    status, headers, data = ask("GET", f"/api/v1/cameras/{camera.sn}/snapshot", role="view")
    assert (status, headers["content-type"], data[:2]) == (200, "image/jpeg", b"\xff\xd8")


def test_mute(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    station, ask = serve([camera])
    path = f"/api/v1/cameras/{camera.sn}/mute"
    _, _, muted = ask("PUT", path, role="tune", body={"seconds": 60, "reason": "a ladder"})
    assert station.camera_status(camera.sn).muted_until == muted["muted_until"]
    assert ask("PUT", path, role="tune", body={"seconds": -1})[0] == 422
    assert ask("DELETE", path, role="tune")[0] == 200
    assert station.camera_status(camera.sn).muted_until == 0


def test_counts(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    station, ask = serve([camera])
    start = int(time.time()) // 3600 * 3600 - 3600
    station.store.write(
        ("INSERT INTO counts VALUES (?, ?, 900, 4, 3, 9, 900, 'counted', 0, '{}')", (camera.sn, start))
    )
    _, _, found = ask("GET", f"/api/v1/counts?start={start}&end={start + 3600}&sn={camera.sn}", role="view")
    (row,) = found["rows"]
    assert (row["arrivals"], row["completeness"], row["gap"]) == (4, 0.25, True)
    assert ask("GET", "/api/v1/counts?start=10&end=5", role="view")[0] == 422


def test_names_that_are_not_ours(serve: Serve, virtual: Virtual) -> None:
    """DNS rebinding: a page elsewhere makes a browser ask us under its own name."""
    _, ask = serve([virtual()])
    for host in ("evil.example", "evil.example:8500", "127.0.0.1.evil.example"):
        status, headers, _ = ask("GET", "/metrics", Host=host)
        assert (status, headers["content-type"]) == (421, "application/problem+json")
    assert ask("GET", "/healthz", Host="localhost:1234")[0] == 200


def test_what_is_too_large(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    _, ask = serve([camera])
    path = f"/api/v1/cameras/{camera.sn}/call/image/set_ir"
    connection = http.client.HTTPConnection(ask.base.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", path)
    connection.putheader("Authorization", "Bearer token-of-the-tuners")
    connection.putheader("Content-Length", str(100 << 20))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


class Stream:
    """A reader of server-sent events."""

    def __init__(self, base: str, path: str, role: str, **headers: str) -> None:
        self.connection = http.client.HTTPConnection(base.removeprefix("http://"), timeout=10)
        head = {"Authorization": f"Bearer token-of-the-{role}s"} | {
            k.replace("_", "-"): v for k, v in headers.items()
        }
        self.connection.request("GET", path, headers=head)
        self.answer = self.connection.getresponse()

    def next(self) -> tuple[str, str, dict[str, Any]]:
        fields: dict[str, str] = {}
        while True:
            line = self.answer.readline().decode().rstrip("\n")
            if not line and "data" in fields:
                return fields.get("id", ""), fields["event"], json.loads(fields["data"])
            name, colon, value = line.partition(": ")
            if name and colon:
                fields[name] = value

    def close(self) -> None:
        self.connection.sock and self.connection.sock.close()
        self.connection.close()


def test_events_as_they_come_and_where_they_broke_off(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    station, ask = serve([camera], more=EVENTS)
    spool = station.intake.spool
    spool.append(event(1, camera.sn))
    live = Stream(ask.base, "/api/v1/events/stream", "tuner")
    assert live.answer.getheader("content-type", "").startswith("text/event-stream")
    time.sleep(0.5)
    spool.append(event(2, camera.sn))
    number, kind, data = live.next()
    assert (kind, data["event_id"]) == ("dynamic_detect_event", "2")
    live.close()
    for n in (3, 4):
        spool.append(event(n, camera.sn))
    again = Stream(ask.base, "/api/v1/events/stream", "tuner", Last_Event_ID=number)
    assert [again.next()[2]["event_id"] for _ in range(2)] == ["3", "4"]
    again.close()


def test_faces_are_for_those_who_may(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    station, ask = serve([camera], more=EVENTS)
    station.intake.spool.append(event(1, camera.sn, "face_recog_event", faceid="77"))
    station.intake.spool.append(event(2, camera.sn))
    kinds = lambda role: [e["event_type"] for e in ask("GET", "/api/v1/events", role=role)[2]["events"]]  # noqa: E731
    assert kinds("view") == ["dynamic_detect_event"]
    assert kinds("tune") == ["face_recog_event", "dynamic_detect_event"]
    call = f"/api/v1/cameras/{camera.sn}/call/faces/groups"
    assert ask("POST", call, role="view")[0] == 403
    assert ask("POST", call, role="tune")[0] == 200


def test_a_hole_in_the_stream_is_said(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    station, ask = serve([camera], more=EVENTS)
    for n in range(5):
        station.intake.spool.append(event(n, camera.sn, "face_recog_event", faceid="77"))
    station.intake.spool.purge_faces()
    station.intake.spool.append(event(9, camera.sn))
    stream = Stream(ask.base, "/api/v1/events/stream?after=2", "tuner")
    assert stream.next()[1:] == ("gap", {"after": 2, "oldest": 6})
    assert stream.next()[2]["event_id"] == "9"
    stream.close()


def test_verdicts_as_they_change(serve: Serve, virtual: Virtual, kit: Any) -> None:
    camera, other = virtual(), virtual()
    station, ask = serve([camera, other], interval=0.2)
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    before = len(station.watch._told)
    stream = Stream(ask.base, "/api/v1/verdicts/stream", "viewer")
    one = Stream(ask.base, f"/api/v1/verdicts/stream?sn={camera.sn}", "viewer", Accept_Language="zh")
    try:
        _, kind, whole = stream.next()
        assert (kind, whole["verdict"], len(whole["cameras"])) == ("station", "ok", 2)
        _, kind, single = one.next()
        assert (kind, single["sn"], single["verdict"]) == ("camera", camera.sn, "ok")
        other.insert_card(CardStatus.NONE)
        _, kind, change = stream.next()
        assert (kind, change["sn"], change["began"], change["verdict"]) == ("verdict", other.sn, True, "bad")
        assert change["reason"]["code"] == "card-none"
        camera.insert_card(CardStatus.NONE)
        assert stream.next()[2]["sn"] == camera.sn
        told = one.next()[2]  # and nothing of the other
        assert (told["sn"], told["reason"]["text"]) == (camera.sn, "没有 SD 卡")
        other.insert_card(CardStatus.NORMAL)
        over = stream.next()[2]
        assert (over["sn"], over["began"], over["verdict"]) == (other.sn, False, "ok")
    finally:
        stream.close()
        one.close()
    assert kit.wait_for(lambda: len(station.watch._told) == before)  # nobody is told who has gone


def test_no_stream_of_verdicts_for_strangers(serve: Serve, virtual: Virtual) -> None:
    _, ask = serve([virtual()])
    assert ask("GET", "/api/v1/verdicts/stream")[0] == 401
    assert ask("GET", "/api/v1/verdicts/stream?sn=NOBODY", role="view")[0] == 404


def test_metrics(serve: Serve, virtual: Virtual, kit: Any, tmp_path: Path) -> None:
    camera = virtual()
    station, ask = serve(
        [camera], more=EVENTS + '[counts]\nenabled = true\nbackfill = "1h"\npause = 0\nsettle = 0\n'
    )
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    text = ask("GET", "/metrics")[2].decode()
    label = f'site="shop-0017",sn="{camera.sn}"'
    assert f"sunmi_ipc_up{{{label}}} 1.0" in text
    assert f'sunmi_ipc_verdict{{{label},verdict="ok"}} 1.0' in text
    assert f'sunmi_ipc_card{{{label},state="normal"}} 1.0' in text
    assert "sunmi_ipc_newest_recording_age_seconds" in text
    assert 'sunmi_ipc_events_received_total{result="stored",site="shop-0017"} 0.0' in text
    assert "faceid" not in text
    if promtool := shutil.which("promtool"):
        done = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_metrics_with_a_token(serve: Serve, virtual: Virtual) -> None:
    _, ask = serve([virtual()], http='metrics = "token"')
    assert ask("GET", "/metrics")[0] == 401
    assert ask("GET", "/metrics", role="view")[0] == 200


def test_a_short_token_is_refused(serve: Serve, virtual: Virtual, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN_VIEW", "short")
    with pytest.raises(Exception, match="shorter than 16"):
        serve([virtual()])


def test_a_serial_number_in_small_letters_is_the_same_camera(serve: Serve, virtual: Virtual) -> None:
    camera = virtual()
    _, ask = serve([camera])
    small = camera.sn.lower()
    status, _, muted = ask("PUT", f"/api/v1/cameras/{small}/mute", role="tune", body={"seconds": 60})
    assert (status, muted["sn"]) == (200, camera.sn)
    assert ask("GET", f"/api/v1/cameras/{small}", role="view")[2]["sn"] == camera.sn
    assert ask("GET", f"/api/v1/cameras/{small}/history", role="view")[0] == 200
    _, _, shown = ask("DELETE", f"/api/v1/cameras/{camera.sn}/mute", role="tune")
    assert shown == {"sn": camera.sn, "muted_until": None}
