"""``ipc sites --via``: two shops behind a real Mosquitto, as people type it."""

from __future__ import annotations

import json
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


@pytest.fixture
def ipc(mosquitto: Any, settings: Any, head_office: None) -> Iterator[Any]:
    """Run ``ipc --via BROKER ...`` without any of the shops' secrets."""

    def run(*words: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["--via", mosquitto.url, *words])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if "--json" in words else done.output

    yield run
    channel.close_shared()


def test_two_shops_without_a_folder_and_from_one(
    ipc: Any, connected: Any, virtual: Virtual, kit: Any, tmp_path: Path
) -> None:
    made = json.loads(CliRunner().invoke(app, ["--json", "keys", "new", "hq"]).stdout)
    keys = f'[[broker.keys]]\nname = "hq"\npublic = "{made["public"]}"\nrole = "admin"\ncalls_per_minute = 6000\n'
    shops = {"shop-0017": [virtual(), virtual()], "shop-0018": [virtual()]}
    stations = {site: connected(cameras, site=site, keys=keys) for site, cameras in shops.items()}
    for station, _ in stations.values():
        assert kit.eventually(lambda station=station: all(m.verified for m in station.roster.members()), 60)
    sns = {site: sorted(camera.sn for camera in cameras) for site, cameras in shops.items()}

    def listed() -> Any:
        return {one["site"]: one for one in ipc("--json", "sites", "list")["sites"]}

    assert kit.eventually(lambda: {site: one["cameras"] for site, one in listed().items()} == sns, 60)
    assert {one["state"] for one in listed().values()} == {"online"}
    assert "2 shops" in ipc("sites", "list")
    assert [one["site"] for one in ipc("--json", "sites", "list", "--only", "*18")["sites"]] == ["shop-0018"]
    assert "knows no such shop" in ipc("sites", "list", "--only", "nowhere", code=2)

    # From a folder: each shop's cameras are those of the site that its file is called after.
    folder = tmp_path / "shops"
    folder.mkdir()
    for site, numbers in sns.items():
        entries = "".join(f'[[cameras]]\nsn = "{sn}"\n' for sn in numbers)
        (folder / f"{site}.toml").write_text(f"[defaults]\nled = false\nir = 'off'\n{entries}", "utf-8")
    for cameras in shops.values():
        for camera in cameras:
            camera.state.documents["led"]["led_switch"] = 1

    def verdicts(*words: str, code: int = 0) -> dict[str, str]:
        done = ipc("--json", "sites", words[0], str(folder), *words[1:], code=code)
        return {one["site"]: one["verdict"] for one in done["sites"]}

    assert verdicts("plan") == dict.fromkeys(sns, "differs")
    assert verdicts("apply", "--canary", "1", "--then", "all", "--yes") == dict.fromkeys(sns, "ok")
    assert verdicts("verify") == dict.fromkeys(sns, "ok")
    assert not any(
        int(camera.state.documents["led"]["led_switch"]) for cameras in shops.values() for camera in cameras
    )
    assert {e.origin for e in stations["shop-0018"][0].audit.entries() if e.action == "image.set_led"} == {
        "broker"
    }
    shops["shop-0018"][0].state.documents["led"]["led_switch"] = 1
    assert verdicts("verify", code=7)["shop-0018"] == "differs"

    # A station that ends is offline, and told so.
    stations["shop-0018"][1].close()
    assert kit.eventually(lambda: listed()["shop-0018"]["state"] == "offline", 20)
    told = {one["site"]: one for one in ipc("--json", "sites", "status", code=7)["sites"]}
    assert told["shop-0018"]["state"] == "offline"
    assert sum(told["shop-0017"]["by_verdict"].values()) == 2
    assert "today alone" in ipc("sites", "counts", "--from", "2026-01-01", code=2)
    assert [one["site"] for one in ipc("--json", "sites", "counts", code=7)["sites"]] == sorted(shops)
