"""A dump is what the camera says, without anybody in it; a camera that replays it says the same again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.filming import PictureFormat
from sunmi_ipc.simulator.video import sdp
from sunmi_ipc.survey import model
from sunmi_ipc.survey.dump import container, dump
from sunmi_ipc.video.describe import describe

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {}, "flat": {"flat": True}, "FM010": {"model": "FM010"}, "wire": {"wire_seed": 4},
    "neighbours": {"quirks": ("neighbours", "unknown-fields")},
}  # fmt: skip


def taken(**options: Any) -> tuple[dict[str, Any], VirtualCamera]:
    with VirtualCamera(state="ready", **options) as virtual, connect(virtual) as camera:
        camera.overrides.update(virtual.overrides)
        camera.image.set_name("收银台 Müller 3")
        document = dump(camera, pace=0.0, video=False)
    document.pop("replaced")
    return document, virtual


def without_times(document: dict[str, Any]) -> dict[str, Any]:
    made = json.loads(json.dumps(document))
    made.pop("clock")
    made.pop("tls")
    made["discovery"].pop("datagram", None)
    made["discovery"].pop("bytes", None)
    made["discovery"].pop("length_field", None)
    made["discovery"].get("json", {}).pop("port", None)
    for call in made["calls"]:
        call["ms"] = 0
        call["headers"] = {k: v for k, v in call["headers"].items() if k not in ("Date", "Content-Length")}
        call["sent"] = {k: v for k, v in call["sent"].items() if not k.lower().endswith("time")}
        if call["path"].startswith("media/"):
            call["body"] = ""  # links carry the port of the day
        call["body"] = re.sub(r"(https?:\\?/\\?/[^/\"]+):\d+", r"\1", call["body"])  # those of faces, too
    return made


@pytest.mark.parametrize("kind", sorted(OPTIONS))
def test_nobody_is_in_a_dump_and_its_replay_dumps_the_same(kind: str) -> None:
    document, virtual = taken(**OPTIONS[kind])
    model.Dump.model_validate(document)
    text = json.dumps(document, ensure_ascii=False) + json.dumps(document)
    marks = [
        virtual.sn,
        virtual.state.mac,
        virtual.ip,
        virtual.vendor.app_id,
        "收银台",
        "Müller",
        "Shop-WiFi",
        "咖啡店",
    ]
    marks += ["".join(virtual.vendor.secret_key), virtual.state.mac.replace(":", "").lower()]
    for mark in marks:
        assert mark not in text, mark
        assert json.dumps(mark)[1:-1] not in text, mark
    with VirtualCamera(state="ready", dump=document) as replayed, connect(replayed) as camera:
        camera.overrides.update(replayed.overrides)
        again = dump(camera, pace=0.0, video=False)
    again.pop("replaced")
    assert without_times(again) == without_times(document)


def test_nothing_is_changed_by_a_dump() -> None:
    with VirtualCamera(state="ready") as virtual, connect(virtual) as camera:
        before = virtual.state.changes
        document = dump(camera, pace=0.0, video=False)
        assert virtual.state.changes == before
    verdicts = {(f["path"], f["fact"]): f["verdict"] for f in document["findings"]}
    assert verdicts["config/getLensConf", "path"] == "proven"
    assert verdicts["config/getLensConf", "fields"] == "proven"
    assert {c["path"] for c in document["calls"]} >= {
        "config/getNoSuchThing",
        "device/getInfo",
        "hook/getList",
    }


def test_what_is_set_on_a_replay_is_what_it_says_then() -> None:
    document, _ = taken()
    with VirtualCamera(state="ready", dump=document) as replayed, connect(replayed) as camera:
        camera.image.set_led(False)
        camera.lens.set_zoom(77)
        assert camera.image.led().switch == 0
        assert camera.lens.show().zoom == 77  # a replay has no motors
        assert camera.device.info().sn == json.loads(document["calls"][0]["body"])["data"]["sn"]
        with pytest.raises(errors.DeviceError) as unknown:
            camera.call("config/getAnything")
        assert unknown.value.code == 6


def test_a_file_that_is_no_dump(tmp_path: Path) -> None:
    document, _ = taken()
    good = tmp_path / "good.json"
    good.write_text(json.dumps(document), "utf-8")
    assert model.read(good)["model"] == "FM020"
    for name, broken in (
        ("form", {**document, "format": "x"}),
        ("call", {**document, "calls": [{"path": "x"}]}),
    ):
        bad = tmp_path / f"{name}.json"
        bad.write_text(json.dumps(broken), "utf-8")
        with pytest.raises(errors.ConfigError, match="no dump"):
            model.read(bad)
    with pytest.raises(errors.ConfigError):
        model.read(tmp_path / "missing.json")


def test_the_schema_is_current() -> None:
    assert model.FILE.read_text("utf-8") == model.schema()


@pytest.mark.parametrize(
    ("head", "kind"),
    [(b"FLV\x01\x05", "flv"), (b"\0\0\0 ftypisom", "mp4"), (b"\xff\xd8\xff\xe0", "jpeg"), (b"<html>", "markup"),
     (b"{\"code\":236}", "json"), (b"", "unknown")],
)  # fmt: skip
def test_containers_by_their_first_bytes(head: bytes, kind: str) -> None:
    assert container(head) == kind


@pytest.mark.parametrize("escaped", [False, True])
def test_a_replay_describes_its_streams_as_the_camera_did(escaped: bool) -> None:
    document, _ = taken()
    theirs = (
        "v=0\r\no=- 7 7 IN IP4 10.0.0.1\r\ns=Xqwe\r\na=tool:Rtsp 2.1\r\nt=0 0\r\na=control:rtsp://10.0.0.1/x/\r\n"
        "m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/8000/2\r\na=control:track2\r\n"
        "m=video 0 RTP/AVP 98\r\nb=AS:2048\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 profile-level-id=4d0028\r\n"
        "a=control:track1\r\na=recvonly\r\n"
    )
    document["video"] = {"hd_live_url": {"sdp": theirs, "picture": "640x640"}}
    if escaped:
        for call in document["calls"]:
            if call["path"] == "media/getLiveStream":
                call["body"] = call["body"].replace("/", "\\/")
    with VirtualCamera(state="ready", dump=document) as replayed, connect(replayed) as camera:
        said = describe(camera.video.live().hd)
        picture = next(iter(camera.video.frames("hd")))
    lines = said.splitlines()
    assert lines[:4] == ["v=0", "o=- 7 7 IN IP4 10.0.0.1", "s=Xqwe", "a=tool:Rtsp 2.1"]
    assert [line for line in lines if line.startswith("m=")] == [
        "m=video 0 RTP/AVP 96"
    ]  # no sound would come
    assert {"b=AS:2048", "a=recvonly", "a=rtpmap:96 H264/90000"} <= set(lines)
    assert "98" not in said
    assert picture.shape[:2] == (640, 640)


@pytest.mark.parametrize(
    "theirs",
    ["", "v=0\r\n", "m=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\n", "\x00\x1b[2J" * 900, "m=" * 5000],
)
def test_where_a_dumped_description_cannot_be_served_it_is_ours(theirs: str) -> None:
    ours = sdp.describe("live_hd.sdp", "127.0.0.9", PictureFormat(160, 90, 2), "h264", None)
    assert sdp.as_dumped(ours, theirs) == ours
