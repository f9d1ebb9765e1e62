"""``ipc watch`` and ``ipc serve``: what they print, and how they end."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.station.watch import _hints
from typer.testing import CliRunner

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station.verdict import Reason, StationStatus
from sunmi_ipc.values import CardStatus

Virtual = Callable[..., VirtualCamera]
DOCS = Path(__file__).parents[2] / "docs"


def run(*args: str) -> Any:
    return CliRunner().invoke(app, list(args))


@pytest.fixture
def site(tmp_path: Path, vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    def make(*cameras: VirtualCamera) -> str:
        for name, value in vendor.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SUNMI_IPC_INTERFACE", "lo")
        path = tmp_path / "site.toml"
        path.write_text("\n".join(f'[[cameras]]\nsn = "{c.sn}"\naddress = "{c.address}"\n' for c in cameras))
        return str(path)

    return make


def test_watch_once(site: Callable[..., str], virtual: Virtual) -> None:
    well, ill = virtual(), virtual()
    ill.insert_card(CardStatus.NONE)
    done = run("watch", site(well), "--once", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 0
    assert [(c["sn"], c["verdict"], c["reasons"]) for c in told["cameras"]] == [(well.sn, "ok", [])]
    done = run("--json", "watch", site(well, ill), "--once")
    told = json.loads(done.stdout)
    assert done.exit_code == 7
    (reason,) = told["cameras"][1]["reasons"]
    assert (told["cameras"][1]["verdict"], reason["code"], reason["text"]) == (
        "bad",
        "card-none",
        "no SD card",
    )
    assert reason["since"] > 1_700_000_000
    assert told["cameras"][0]["verdict"] == "ok"


def test_watch_once_in_words(site: Callable[..., str], virtual: Virtual) -> None:
    ill = virtual()
    ill.insert_card(CardStatus.BLANK)
    done = run("watch", site(ill), "--once")
    assert done.exit_code == 7
    assert "the SD card is not formatted" in done.output
    assert "ipc sdcard format" in done.output
    chinese = run("--lang", "zh", "watch", site(ill), "--once")
    assert "SD 卡未格式化" in chinese.output


def test_serve_check(write: Any, virtual: Virtual, tmp_path: Path) -> None:
    path = write([virtual()])
    assert run("serve", str(path), "--check").exit_code == 0
    assert json.loads(run("--json", "serve", "--check", str(path)).stdout)["site"] == "shop-0017"
    path.write_text(path.read_text().replace("interval = 0.4", "intervall = 0.4"))
    done = run("serve", str(path), "--check")
    assert done.exit_code == 2
    assert re.search(r"station\.toml:9: watch\.intervall: there is no such key", done.output)
    assert run("serve", str(tmp_path / "none.toml")).exit_code == 2


def test_serve_until_sigterm(write: Any, site: Any, virtual: Virtual) -> None:
    camera = virtual()
    site(camera)
    path = write([camera], more='[http]\nlisten = "127.0.0.1:0"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "--json", "-q", "serve", str(path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert (told["ready"], told["site"], told["console"]) == (True, "shop-0017", None)
        assert told["api"].endswith("/api/v1")
        with urllib.request.urlopen(told["metrics"], timeout=10) as answer:
            assert b"sunmi_ipc_up" in answer.read()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_mute(station: Any, virtual: Virtual) -> None:
    camera = virtual()
    running = station([camera])
    running.roster.camera(camera.sn)
    done = run(
        "--json", "serve", "mute", str(running.loaded.path), camera.sn, "--for", "2h", "--reason", "a ladder"
    )
    assert done.exit_code == 0, done.output
    assert running.watch.mutes.list()[0]["reason"] == "a ladder"
    assert run("serve", "mute", str(running.loaded.path), "FS101D8BS99999").exit_code == 3
    assert run("serve", "mute", str(running.loaded.path), camera.sn, "--for", "0").exit_code == 0
    assert running.watch.mutes.list() == []


@pytest.mark.slow
def test_the_two_commands_of_the_page(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```sh\n(.*?)^```", (DOCS / "station.md").read_text("utf-8"), re.M | re.S)
    first, second = block.strip().splitlines()
    for page in ("README.md", "README.zh-CN.md"):
        assert f"   {first}\n   {second}\n" in (DOCS.parent / page).read_text("utf-8")
    folder = str(Path(sys.executable).parent)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(tmp_path), "SUNMI_IPC_CONFIG_DIR": str(tmp_path / "c"),
           "SUNMI_IPC_STATE_DIR": str(tmp_path / "s"), "LANG": "C.UTF-8"}  # fmt: skip
    # Free ports instead of those of the page: another test may run it, too.
    free = "sed -i 's/127.0.0.1:8500/127.0.0.1:0/; s/0.0.0.0:8480/127.0.0.1:0/' station.toml"
    script = f"{first}\n{second.replace('serve init &&', f'serve init && {free} &&').replace('ipc serve station', 'exec ipc --json serve station')}"
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith('{"ready"'))
        with urllib.request.urlopen(json.loads(line)["metrics"], timeout=10) as answer:
            assert answer.read().count(b"sunmi_ipc_up{") >= 3
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def test_advice_names_each_of_the_first_cameras() -> None:
    cameras = [
        SimpleNamespace(
            reasons=[Reason("not-activated", 0.0, {"sn": f"FS{n}"}), Reason("clock", 0.0, {"seconds": 9})]
        )
        for n in range(5)
    ]
    hints = _hints(cast(StationStatus, SimpleNamespace(cameras=cameras)))
    assert [hint for hint in hints if "activate" in hint] == [
        f"It was reset, or is new: 'ipc activate FS{n}'." for n in range(3)
    ]
    assert len(hints) == len(set(hints)) == 4
