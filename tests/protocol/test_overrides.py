"""What is inferred can be corrected without a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import corrections, errors
from sunmi_ipc.protocol import postman
from sunmi_ipc.protocol.values import Flag01
from sunmi_ipc.protocol.wire import Override
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect

JPEG = b"\xff\xd8\xff\xe0 a face"


def row(key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": "marked-secret", **more}


def request(path: str, *rows: dict[str, Any], mode: str = "urlencoded", url: Any = None) -> dict[str, Any]:
    public = [row(k) for k in ("app_id", "timestamp", "random", "sign")]
    return {
        "name": path,
        "request": {
            "method": "POST",
            "url": url or {"raw": f"https://{{{{ip}}}}/openapi/{path}"},
            "body": {"mode": mode, mode: [*public, *rows]},
        },
    }


def collection() -> dict[str, Any]:
    """The documented rows as they are, and rows that differ from our guesses on purpose."""
    raw = request("face/deleteGroup")
    raw["request"]["body"] = {"mode": "raw", "raw": json.dumps({"groupName": "x", "app_id": 1})}
    return {
        "info": {"schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
        "variable": [{"key": "ip", "value": "192.168.1.20"}, {"key": "secret_key", "value": "marked-secret"}],
        "item": [
            {"name": "device", "item": [request("device/getInfo"), request("device/activate", row("sn"))]},
            {"name": "config", "item": [{"name": "deep", "item": [
                request("config/setLedConf", row("ledSwitch"), row("old", disabled=True)),
                request("config/setWifiConf", row("ssid"), row("password")),
            ]}]},
            request("face/addFace", row("group_name"), row("image"), mode="formdata"),
            request("device/reboot", url="https://{{ip}}/openapi/device/reboot"),
            raw,
            {"name": "not ours", "request": "https://www.example.com/"},
        ],
    }  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Sunmi_IPC_OpenAPI_Postman_Collection_1.json"
    path.write_text(json.dumps(collection()))
    return path


def test_comparison(file: Path) -> None:
    rows = {r.ours or r.theirs: r for r in postman.compare(postman.read(file))}
    assert rows["device/getInfo"].verdict == "same"
    assert rows["config/setWifiConf"].verdict == "same"
    assert rows["device/reboot"].verdict == "new"
    assert rows["config/getLed"].verdict == "missing"
    assert rows["config/setLed"].override == Override("config/setLedConf", {"led_switch": "ledSwitch"})
    assert rows["face/addFace"].override == Override("", {"pic": "image"}, {"pic": "base64"})
    assert rows["face/deleteGroup"].override == Override("", {"name": "groupName"})


def test_import_and_then_the_call_goes_there(file: Path, tmp_path: Path, vendor: Vendor) -> None:
    wanted = {r.ours: r.override for r in postman.compare(postman.read(file)) if r.override}
    written = corrections.write(tmp_path / "config", wanted)
    assert "marked-secret" not in written.read_text()
    read = corrections.read(tmp_path / "config")
    assert read == wanted
    with VirtualCamera(vendor, state="ready", udp=False, overrides=read) as virtual:
        with connect(virtual) as plain, pytest.raises(errors.NotSupportedError) as caught:
            plain.image.set_led(Flag01.OFF)
        assert "import-postman" in caught.value.hint
        assert "protocol probe" in caught.value.hint
        with connect(virtual, overrides=read) as camera:
            camera.image.set_led(Flag01.OFF)
            assert camera.image.led().switch is Flag01.OFF
            assert camera.faces.add_face("regular", JPEG).faceid


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"item": 1}', b"\xff", b'{"item":' + b"[" * 100_000],
)  # fmt: skip
def test_files_that_are_no_collection(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(errors.ConfigError, match="Postman collection"):
        postman.read(path)


@pytest.mark.parametrize(
    "text",
    [
        "x", '["no/such"]\npath = "a/b"', '["config/getLed"]\nsurplus = 1', '["config/setLed"]\nnames = { x = "y" }',
        '["config/setLed"]\nencoding = { led_switch = "xml" }', '["config/setLed"]\nnames = 1',
        '["config/setLed"]\npath = 1',
    ],
)  # fmt: skip
def test_override_files_that_are_wrong_are_said(tmp_path: Path, text: str) -> None:
    (tmp_path / corrections.FILE).write_text(text)
    with pytest.raises(errors.ConfigError, match="overrides"):
        corrections.read(tmp_path)


def test_no_file_no_overrides(tmp_path: Path) -> None:
    assert corrections.read(tmp_path) == {}
