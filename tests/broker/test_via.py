"""``--via`` and ``--site``: commands through a real Mosquitto, as people type them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.broker import channel
from sunmi_ipc.simulator import VirtualCamera

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]
Ipc = Callable[..., tuple[int, str]]


@pytest.fixture
def ipc(mosquitto: Any, settings: Any, head_office: None) -> Iterator[Ipc]:
    """Run ``ipc --via BROKER --site shop-0017 ...``: exit code, and what it says."""

    def run(*words: str, via: bool = True, code: int | None = 0) -> tuple[int, str]:
        line = ["--via", mosquitto.url, "--site", "shop-0017", *words] if via else [*words]
        done = CliRunner().invoke(app, line)
        assert code is None or done.exit_code == code, done.output
        return done.exit_code, done.stdout if "--json" in words else done.output

    yield run
    channel.close_shared()


@pytest.fixture
def shop(ipc: Ipc, connected: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """A shop whose station knows the key ``hq``."""

    def make(
        count: int = 1, *, role: str = "admin", state: str = "ready", model: str = "FM020", **options: Any
    ) -> Any:
        made = json.loads(ipc("--json", "keys", "new", "hq", via=False)[1])
        cameras = [virtual(state=state, model=model) for _ in range(count)]
        for camera in cameras:
            camera.state.wired = True
        keys = f'[[broker.keys]]\nname = "hq"\npublic = "{made["public"]}"\nrole = "{role}"\ncalls_per_minute = 6000\n'
        return cameras, *connected(cameras, keys=keys, **options)

    return make


def test_commands_that_are_calls_work_unchanged(shop: Any, ipc: Ipc, kit: Any, tmp_path: Path) -> None:
    (first, second), station, _ = shop(2, broker="pictures = true")
    assert kit.eventually(lambda: all(member.verified for member in station.roster.members()), 40), (
        station.status()
    )
    listed = json.loads(ipc("--json", "scan")[1])["cameras"]
    assert {camera["sn"] for camera in listed} == {first.sn, second.sn}
    assert json.loads(ipc("--json", "-c", first.sn, "info")[1])["sn"] == first.sn
    ipc("-c", first.sn, "lens", "zoom", "50%")
    ipc("-c", first.sn, "image", "ir", "off")
    assert json.loads(ipc("--json", "-c", first.sn, "image", "ir")[1])
    assert "direct connection" in ipc("-c", first.sn, "video", "live", code=2)[1]
    picture = tmp_path / "now.jpg"
    ipc("-c", first.sn, "video", "snapshot", "-o", str(picture))
    assert picture.read_bytes().startswith(b"\xff\xd8\xff")
    both = json.loads(ipc("--json", "-c", "all", "image", "led")[1])
    assert len(both) == 2
    assert "several cameras" in ipc("image", "led", code=2)[1]
    assert "own network only" in ipc("serve", "x.toml", code=2)[1]
    assert {e.origin for e in station.audit.entries()} >= {"broker"}


def test_a_fleet_is_brought_to_its_file_through_the_broker(
    shop: Any, ipc: Ipc, kit: Any, tmp_path: Path
) -> None:
    cameras, station, _ = shop(3, state="factory")
    site = tmp_path / "wanted.toml"
    site.write_text(
        "[defaults]\nir = 'off'\nled = false\n"
        + "".join(f'[[cameras]]\nsn = "{c.sn}"\nname = "Door {n}"\n' for n, c in enumerate(cameras, 1)),
        "utf-8",
    )
    ipc("fleet", "plan", str(site), code=None)
    ipc("fleet", "apply", str(site), "--yes")
    ipc("fleet", "verify", str(site))
    assert all(camera.state.activated for camera in cameras)
    done = [e for e in station.audit.entries(limit=1000) if e.action == "device.activate"]
    assert len(done) == 3


def test_without_a_key_or_a_shop_the_next_step_is_said(shop: Any, ipc: Ipc, mosquitto: Any) -> None:
    assert "ipc keys new" in ipc("image", "led", code=2)[1]
    ipc("keys", "new", "hq", via=False)
    assert "--site" in ipc("--via", mosquitto.url, "image", "led", via=False, code=2)[1]
    url = mosquitto.url.replace("://", "://hq:secret-word@")
    refused = ipc("--via", url, "info", via=False, code=2)[1]
    assert "SUNMI_IPC_VIA_PASSWORD" in refused
    assert "secret-word" not in refused


def test_a_camera_by_its_mac_and_pictures_through_the_station(
    shop: Any, ipc: Ipc, kit: Any, tmp_path: Path
) -> None:
    (first, second), station, _ = shop(2, broker="pictures = true")
    assert kit.eventually(lambda: all(member.verified for member in station.roster.members()), 40)
    macs = {one["sn"]: one["mac"] for one in json.loads(ipc("--json", "scan")[1])["cameras"]}
    digits = macs[second.sn].replace(":", "")
    for name in (macs[second.sn], digits, digits[-4:].lower()):
        assert json.loads(ipc("--json", "-c", name, "info")[1])["sn"] == second.sn
    line = tmp_path / "line.png"
    ipc("-c", first.sn, "doorline", "preview", "-o", str(line))
    assert line.read_bytes()[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0")


def test_the_picture_of_a_face_through_the_station_where_the_shop_gives_it(
    shop: Any, ipc: Ipc, virtual: Virtual, kit: Any, tmp_path: Path
) -> None:
    from PIL import Image

    (camera,), station, _ = shop(1, broker="pictures = true", model="FM020")
    photo, saved = tmp_path / "Zoe.jpg", tmp_path / "of Zoe.jpg"
    Image.new("RGB", (64, 64), (9, 80, 120)).save(photo)
    added = json.loads(ipc("--json", "-c", camera.sn, "face", "add", str(photo), "-g", "regular")[1])
    faceid = added["faces"][0]["faceid"]
    told = json.loads(ipc("--json", "-c", camera.sn, "face", "picture", faceid, "-o", str(saved))[1])
    assert saved.read_bytes().startswith(b"\xff\xd8\xff")
    assert told["bytes"] == saved.stat().st_size
    assert told["pic_url"].startswith("https://")
    (written,) = [e for e in station.audit.entries() if e.action == "link"]
    assert (written.origin, written.who, written.sn) == ("broker", "hq", camera.sn)
    assert "207" in ipc("-c", camera.sn, "face", "picture", "nobody", code=None)[1]


def test_the_picture_of_a_face_stays_in_the_shop_unless_its_file_says_otherwise(
    shop: Any, ipc: Ipc, tmp_path: Path
) -> None:
    from sunmi_ipc.simulator.faces import visit

    (camera,), _, _ = shop(1, model="FM020")
    faceid = visit(camera.state, 1, time.time())["faceid"]
    saved = tmp_path / "one.jpg"
    _, said = ipc("-c", camera.sn, "face", "picture", faceid, "-o", str(saved), code=None)
    assert "pictures stay in this shop" in said
    assert not saved.exists()
