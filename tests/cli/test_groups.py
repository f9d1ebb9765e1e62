"""The commands of the groups, in this process, against virtual cameras."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.faces import populate

Ipc = Callable[..., Any]
NOW = datetime(2026, 11, 24, 15, 30).astimezone()


@pytest.fixture
def ipc(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Ipc:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0, camera: VirtualCamera = ready) -> Any:
        done = CliRunner().invoke(app, [*args, "-c", camera.address, "--json"])
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run


def test_lens(ipc: Ipc, ready: VirtualCamera) -> None:
    assert ipc("lens", "zoom", "50%")["zoom"] == 250
    assert ipc("lens", "zoom", "-50")["zoom"] == 200
    assert ipc("lens", "focus", "+10")["focus"] > 10
    assert ipc("lens", "autofocus", "10", "90")["focused_y"] == 90
    assert ipc("lens", "reset")["zoom"] == 0
    assert ipc("lens", "show")["max_focus"] == 780
    done = ipc("lens", "zoom", "501", code=2)
    assert "0-500" in done["error"]["hint"]
    assert ready.state.counts["config/setZoom"] == 2


def test_fs_only_is_refused_on_the_other_model(ipc: Ipc, virtual: Callable[..., VirtualCamera]) -> None:
    store = virtual(model="FM010")
    for command in (["lens", "show"], ["doorline", "show"], ["flow", "arrivals"], ["face", "group", "list"]):
        error = ipc(*command, code=2, camera=store)["error"]
        assert error["type"] == "UnsupportedError"
        assert "FM020" in error["hint"]
    assert set(store.state.counts) == {"device/getInfo"}


def test_image(ipc: Ipc) -> None:
    ipc("image", "ir", "auto")
    assert ipc("image", "ir") == {"irmode": 2}
    ipc("image", "led", "off")
    assert ipc("image", "led") == {"led_switch": 0}
    ipc("image", "rotation", "180")
    assert ipc("image", "rotation") == {"rotation": 180, "angles": [0, 180]}
    assert "0, 180" in ipc("image", "rotation", "90", code=2)["error"]["hint"]
    ipc("image", "name", "门口")
    assert ipc("image", "name") == {"name": "门口"}
    assert "off, on, auto" in ipc("image", "ir", "dim", code=2)["error"]["hint"]


def test_detection(ipc: Ipc) -> None:
    ipc("detection", "set", "--motion", "3", "--days", "mon,fri", "--from", "22:00", "--to", "24:00")
    assert ipc("detection", "show") == {
        "motion_level": 3, "audio_level": 1, "weekday": 0x11, "start_time": 1320, "stop_time": 1440,
    }  # fmt: skip
    for bad in (["--days", "funday"], ["--from", "25:00"], ["--to", "7"], []):
        assert ipc("detection", "set", *bad, code=2)["error"]["type"] == "ParameterError"


def test_doorline(ipc: Ipc) -> None:
    ipc("doorline", "set", "100", "500", "900", "510")
    assert ipc("doorline", "show")["end_x"] == 900
    assert "100 pixels" in ipc("doorline", "set", "100", "500", "199", "510", code=2)["error"]["hint"]


def test_network(ipc: Ipc) -> None:
    ipc("network", "set", "--ip", "192.168.1.20", "--netmask", "255.255.255.0", "--yes")
    assert ipc("network", "show")["ip"] == "192.168.1.20"
    assert ipc("network", "set", "--ip", "192.168.1.300", "--yes", code=2)["error"]["name"] is None
    ipc("network", "set", "--dhcp", code=2)


def test_flow(ipc: Ipc, ready: VirtualCamera, tmp_path: Path) -> None:
    populate(ready.state)
    rows = tmp_path / "rows.csv"
    document = ipc("flow", "arrivals", "--from", "yesterday", "--csv", str(rows))
    counted = sum(int(line.rsplit(",", 1)[1]) for line in rows.read_text().splitlines()[1:])
    assert document["total"] == counted > 0
    assert len(ipc("flow", "visitors", "--from", "2020-01-01", "--to", "now")["face_list"]) == 12
    chart = CliRunner().invoke(app, ["flow", "passing", "--from", "yesterday", "-c", ready.address])
    assert "█" in chart.stdout
    assert "29-35" in chart.stdout
    ipc("flow", "settings", "--interval", "90")
    assert ipc("flow", "settings")["facerecog_interval"] == 90


def test_faces(ipc: Ipc, ready: VirtualCamera, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8\xff\xe0 a")
    (tmp_path / "b.jpg").write_bytes(b"no picture")
    ipc("face", "group", "create", "VIP", "--capacity", "10")
    report = ipc("face", "add", str(tmp_path), "-g", "VIP", code=7)["faces"]
    assert [bool(r["error"]) for r in report] == [False, True]
    faceid = report[0]["faceid"]
    done = CliRunner().invoke(app, ["face", "add", str(tmp_path), "-g", "VIP", "-c", ready.address])
    assert done.output.count("neither JPEG nor PNG") == done.output.count("b.jpg") == 1
    assert f"a.jpg: there already, {faceid}" in done.stdout
    assert done.stdout.endswith("0 of 2 added\n1 were there already\n")
    assert ipc("face", "list", "-g", "VIP")["face_list"][0]["faceid"] == faceid
    assert ipc("face", "find", str(tmp_path / "a.jpg"))["faceid"] == faceid
    ipc("face", "update", faceid, "--age", "30")
    assert ipc("face", "show", faceid)["age_range"] == 5
    ipc("face", "attribute", "add", "card", "-g", "VIP")
    assert ipc("face", "attribute", "list", "-g", "VIP")["name_list"] == ["card"]
    ipc("face", "attribute", "delete", "card", "-g", "VIP")
    ipc("face", "group", "move-rule", "--times", "2", "--within", "5d")
    ipc("face", "group", "update", "VIP", "--rename", "Best")
    assert ipc("face", "oldest", "-g", "Best")["return_num"] == 1
    assert ipc("face", "delete", faceid, "-g", "Best", code=2)["error"]["type"] == "ParameterError"
    assert ipc("face", "delete", faceid, "-g", "Best", "-y")["success_list"] == [faceid]
    ipc("face", "group", "clear", "Best", code=2)
    ipc("face", "group", "clear", "Best", "--yes")
    ipc("face", "group", "delete", "Best")
    assert {g["name"] for g in ipc("face", "group", "list")["face_group"]} == {"stranger", "regular"}
    ipc("face", "settings", "--size", "99")
    assert ipc("face", "settings")["snap_size_thr"] == 99


def test_video(ipc: Ipc) -> None:
    assert ipc("video", "live")["hd_live_url"].endswith("live_hd.sdp")
    assert ipc("video", "records", "--from", "yesterday")["record_list"]
    assert ipc("video", "playback", "--from", "yesterday")["playback_url"]
    assert ipc("video", "snapshot")["snapshot_url"]
    assert ipc("video", "clip", "--from", "yesterday")["url"]


def test_events(ipc: Ipc) -> None:
    ipc("events", "subscribe", "dynamic_detect_event", "--callback", "http://127.0.0.1:9/e")
    assert ipc("events", "list")["sub_event"][0]["http_callback"] == ["http://127.0.0.1:9/e"]
    ipc("events", "unsubscribe", "dynamic_detect_event", "--callback", "http://127.0.0.1:9/e")
    ipc("events", "subscribe", "nonsense", "--callback", "http://127.0.0.1:9/e", code=2)


def test_protocol(ipc: Ipc, tmp_path: Path) -> None:
    listed = ipc("protocol", "list", "--evidence", "documented")["endpoints"]
    assert "hook/add" in [e["path"] for e in listed]
    assert "config/getLed" not in [e["path"] for e in listed]
    assert ipc("protocol", "show", "lens.set_zoom")["codes"] == "0, 1, 2, 3, 5, 7, 110"
    ipc("protocol", "show", "no/such", code=2)
    file = tmp_path / "collection.json"
    url = "https://{{ip}}/openapi/config/getLedConf"
    file.write_text(json.dumps({"item": [{"name": "led", "request": {"url": {"raw": url}}}]}))
    ipc("protocol", "import-postman", str(file), code=2)
    assert ipc("protocol", "import-postman", str(file), "--yes")["corrections"] == 1
    assert ipc("protocol", "show", "image.led")["corrected_to"] == "config/getLedConf"
    assert ipc("image", "led", code=5)["error"]["code"] == 6
    ipc("protocol", "reset", "--yes")
    assert ipc("image", "led")["led_switch"] == 1


def test_a_changed_certificate_is_refused_until_accepted(
    ipc: Ipc, ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUNMI_IPC_CA")
    ipc("info")
    (pin,) = ipc("trust", "list")["cameras"]
    assert pin["name"] == ready.address
    ready._context = ready.vendor.server_context("another")
    error = ipc("info", code=4)["error"]
    assert pin["fingerprint"] in error["message"]
    assert f"ipc trust accept {ready.address}" in error["hint"]
    ipc("trust", "accept", ready.address, code=2)
    assert ipc("trust", "accept", ready.address, "--yes")["fingerprint"] in error["message"]
    ipc("info")
    ipc("trust", "forget", ready.address)
    assert ipc("trust", "list")["cameras"] == []
    ipc("trust", "forget", ready.address, code=2)
