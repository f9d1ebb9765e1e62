"""A dump is what the camera says, without anybody in it; a camera that replays it says the same again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.survey import model
from sunmi_ipc.survey.dump import container, dump

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
