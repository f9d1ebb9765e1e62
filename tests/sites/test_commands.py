"""``ipc sites`` over three shops of virtual cameras on loopback."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.sites import counts as sites_counts
from typer.testing import CliRunner

from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras

Ipc = Callable[..., Any]
BASE = "[apply]\nfind = 0.5\ndeadline = 20\n[defaults]\nled = false\n"


@pytest.fixture
def cameras(vendor: Vendor) -> Iterator[list[VirtualCamera]]:
    made = start_cameras(vendor, 4, first=300 + secrets.randbelow(59_700), port=0, state="ready", people=0,
                         seed=secrets.randbits(48))  # fmt: skip
    for camera in made:
        camera.state.documents["led"]["led_switch"] = 1
    yield made
    for camera in made:
        camera.close()


@pytest.fixture
def shops(cameras: list[VirtualCamera], tmp_path: Path) -> Path:
    """Three shops: a and b with a camera, c with two; what is shared stands in one part."""
    folder = tmp_path / "shops"
    (folder / "common").mkdir(parents=True)
    (folder / "common" / "base.toml").write_text(BASE)
    for name, of in (("a", cameras[:1]), ("b", cameras[1:2]), ("c", cameras[2:])):
        entries = "".join(f'[[cameras]]\nsn = "{c.sn}"\naddress = "{c.address}"\n' for c in of)
        text = f'name = "Shop {name.upper()}"\ninclude = ["common/base.toml"]\n{entries}'
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def ipc(vendor: Vendor, shops: Path, monkeypatch: pytest.MonkeyPatch) -> Ipc:
    for name, value in vendor.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SUNMI_IPC_INTERFACE", "lo")

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, ["sites", args[0], str(shops), *args[1:]], prog_name="ipc")
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return done

    return run


def verdicts(done: Any) -> dict[str, str]:
    return {one["site"]: one["verdict"] for one in json.loads(done.stdout)["sites"]}


def lit(camera: VirtualCamera) -> bool:
    return bool(int(camera.state.documents["led"]["led_switch"]))


def absent(shops: Path, name: str) -> str:
    """Have a shop's camera be one that is nowhere; returns the file as it was."""
    path = shops / f"{name}.toml"
    before = path.read_text()
    path.write_text(f'{before.partition("[[")[0]}[[cameras]]\nsn = "FS101D8BS99999"\n')
    return before


def test_a_fault_of_a_shared_part_is_told_once(ipc: Ipc, shops: Path) -> None:
    (shops / "common" / "base.toml").write_text('[defaults]\nled = "sometimes"\n')
    told = ipc("list", code=7).stderr
    assert told.count("true or false is needed") == 1
    assert "a and 2 more: " in told
    assert "included by none" not in told


def test_a_rollout_stops_where_a_shop_fails_and_goes_on_later(
    ipc: Ipc, shops: Path, cameras: list[VirtualCamera], tmp_path: Path
) -> None:
    assert verdicts(ipc("plan", "--json")) == {"a": "differs", "b": "differs", "c": "differs"}
    told = ipc("plan")
    assert "3 shops: 3 differs; 4 cameras" in told.stdout
    assert "2 × LED" in told.stdout
    assert [lit(camera) for camera in cameras] == [True] * 4

    before = absent(shops, "b")
    done = ipc("apply", "--canary", "1", "--then", "1", "--then", "all", "--yes", "--json", code=7)
    assert verdicts(done) == {"a": "ok", "b": "failed", "c": "not begun"}
    assert [lit(camera) for camera in cameras] == [False, True, True, True]
    assert "Wave 2: 1 shop" in done.stderr
    assert json.loads(ipc("status", "--json", code=7).stdout)["sites"][2]["by_standing"] == {"not begun": 2}

    (shops / "b.toml").write_text(before)
    written = cameras[0].state.counts.get("config/setLed", 0)
    report, rows = tmp_path / "all.html", tmp_path / "all.csv"
    done = ipc("apply", "--yes", "--json", "--html", str(report), "--csv", str(rows))
    assert verdicts(done) == {"a": "done before", "b": "ok", "c": "ok"}
    assert cameras[0].state.counts.get("config/setLed", 0) == written
    assert not any(lit(camera) for camera in cameras)
    page = report.read_text("utf-8")
    assert all(camera.sn in page for camera in cameras)
    assert "Shop C" in page
    with rows.open(encoding="utf-8-sig", newline="") as file:
        assert [row[next(iter(row))] for row in csv.DictReader(file)] == ["a", "b", "c", "c"]

    assert verdicts(ipc("verify", "--json")) == {"a": "ok", "b": "ok", "c": "ok"}
    cameras[3].state.documents["led"]["led_switch"] = 1
    told = ipc("verify", code=7).stdout
    assert told.index("c ") < told.index("a ")  # what needs somebody comes first
    lines = [json.loads(line) for line in ipc("verify", "--only", "c", "--jsonl", code=7).stdout.splitlines()]
    assert [(one["site"], one["verdict"], len(one["cameras"])) for one in lines] == [("c", "differs", 2)]


def test_what_destroys_is_asked_for_once(ipc: Ipc, shops: Path, cameras: list[VirtualCamera]) -> None:
    for name in ("a", "c"):
        path = shops / f"{name}.toml"
        path.write_text(path.read_text() + 'activation_code = "env:SUNMI_IPC_ACTIVATION_CODE"\n')
    for camera in cameras[:3]:
        camera.state.activated = False
    refused = ipc("apply", "--only", "a", code=2).stderr
    assert "unasked" in refused
    assert "In 1 shop, 1 camera would be activated" in " ".join(refused.split())
    assert not cameras[0].state.activated


def test_counts_tell_a_silent_camera_from_nobody(
    ipc: Ipc, shops: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites_counts, "_FIND_S", 0.3)
    document = json.loads(ipc("counts", "--json").stdout)
    assert [(one["site"], one["asked"], one["answered"]) for one in document["sites"]] == [
        ("a", 1, 1), ("b", 1, 1), ("c", 2, 2),
    ]  # fmt: skip
    absent(shops, "b")
    told = ipc("counts", "--only", "b", code=7)
    assert "not found" in told.stdout
    assert "is not zero" in " ".join(told.stderr.split())


def test_a_broken_file_is_a_shop_that_fails(ipc: Ipc, shops: Path) -> None:
    (shops / "b.toml").write_text('include = ["common/base.toml"]\nled = maybe\n')
    done = ipc("plan", "--json", code=7)
    assert verdicts(done) == {"a": "differs", "b": "failed", "c": "differs"}
    assert "b.toml:2" in json.loads(done.stdout)["sites"][1]["error"]["message"]
    assert "b.toml:2" in ipc("list", code=7).stdout


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["apply", "--canary", "none"], "--canary"),
        (["apply", "--then", "5"], "--canary"),
        (["plan", "--only", "nowhere"], "nowhere"),
        (["plan", "--json", "--jsonl"], "--jsonl"),
    ],
)
def test_refusals(ipc: Ipc, args: list[str], said: str) -> None:
    done = ipc(*args, code=2)
    assert said in done.stderr


def test_behind_a_broker_each_shop_is_the_site_of_its_name(
    ipc: Ipc, cameras: list[VirtualCamera], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``--via`` nothing is asked in this network: each shop's cameras are those of the site of its name."""
    asked: list[tuple[str, str]] = []
    found: list[str] = []
    local = Settings.connect

    def connect(self: Settings, address: str, **options: Any) -> Any:
        asked.append((self.via, self.site))
        camera = next(one for one in cameras if one.sn == options["sn"])
        return local(self.with_options(via=""), camera.address, **options)

    def discover(self: Settings, **_: Any) -> Iterator[DiscoveredCamera]:
        found.append(self.site)
        of = {"a": cameras[:1], "b": cameras[1:2], "c": cameras[2:]}[self.site]
        yield from (DiscoveredCamera(one.sn, one.ip, one.port, model="FM020") for one in of)

    monkeypatch.setattr(Settings, "connect", connect)
    monkeypatch.setattr(Settings, "discover", discover)
    done = ipc("verify", "--via", "mqtts://hq.example", "--json", code=7)
    assert verdicts(done) == {"a": "differs", "b": "differs", "c": "differs"}
    assert {site for via, site in asked if via} == {"a", "b", "c"}
    document = json.loads(ipc("counts", "--via", "mqtts://hq.example", "--json").stdout)
    assert [one["answered"] for one in document["sites"]] == [1, 1, 2]
    assert set(found) == {"a", "b", "c"}
