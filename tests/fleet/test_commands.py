"""``ipc fleet``: in this process, and in whole ones where they are killed or interrupted."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.fleet.draft import draft, sheet
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.schema import make
from sunmi_ipc.fleet.site import CameraEntry, Policy
from sunmi_ipc.fleet.sitefile import COLUMNS, load
from sunmi_ipc.protocol.values import CardStatus

from .conftest import POLICY, Shop

Make = Callable[..., Shop]
ROOT = Path(__file__).parents[2]
BODY = """\
[defaults]
wifi = { ssid = "Shop-WiFi", password = "env:WIFI" }
sdcard = "format-blank"
ir = "on"
door_line = [300, 700, 1600, 700]
face_groups = [{ name = "VIP", capacity = 100 }]
"""
ONCE = ("device/activate", "config/formatMemoryCard")


def command(here: Shop, *args: str) -> dict[str, Any]:
    """Arguments for subprocess: ``ipc fleet`` in this shop."""
    environment = (
        dict(os.environ) | here.vendor.environment() | {"WIFI": "welcome-2020", "PYTHONPATH": str(ROOT)}
    )
    return {
        "args": [sys.executable, "-m", "sunmi_ipc_cli", "fleet", *args],
        "env": environment, "cwd": here.folder, "text": True, "stdin": subprocess.DEVNULL,
    }  # fmt: skip


@dataclass
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


Ipc = Callable[..., Done]


@pytest.fixture
def ipc(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ipc]:
    """Run ``ipc fleet`` in this process: the same commands, without the time that Python takes to start."""
    from sunmi_ipc_cli.main import app

    logger = logging.getLogger("sunmi_ipc")
    before = logger.handlers[:], logger.propagate, logger.level

    def run(here: Shop, *args: str, code: int = 0, **env: str) -> Done:
        told = command(here, *args)
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(here.folder)
            for name, value in (told["env"] | env).items():
                patch.setenv(name, value)
            result = app(args=["fleet", *args], prog_name="ipc", standalone_mode=False)
        done = Done(out.getvalue(), err.getvalue())
        assert (result or 0) == code, done
        assert "welcome-2020" not in done.stdout + done.stderr
        return done

    yield run
    logger.handlers[:], logger.propagate, logger.level = before


def test_plan_apply_verify_status(shop: Make, ipc: Ipc) -> None:
    here = shop(2)
    here.write(BODY)
    plan = ipc(here, "plan")
    assert "to do: wifi, activate, format if blank, ir, door_line, face_groups" in plan.stdout
    assert plan.stdout.splitlines()[-1] == "2 cameras, 2 differs"
    refused = ipc(here, "apply", "--json", code=2)
    assert "2 cameras would be activated" in json.loads(refused.stdout)["error"]["message"]
    assert here.counts(*ONCE) == [(0, 0)] * 2

    done = ipc(here, "apply", "-y", "--jobs", "4")
    assert done.stdout.splitlines()[-1] == "2 cameras, 2 ok"
    assert "    ir.mode: auto → on" in done.stdout
    assert "[2/2]" in done.stderr  # plain lines, not a live table
    assert "\x1b" not in done.stderr + done.stdout
    again = json.loads(ipc(here, "apply", "--json").stdout)  # nothing to destroy: nothing to ask
    assert [camera["done"] for camera in again["cameras"]] == [[], []]
    here.cameras[0].state.documents["ir"] = {"irmode": 0}
    different = ipc(here, "verify", code=7)
    assert "ir.mode: off → on" in different.stdout
    status = json.loads(ipc(here, "status", "--json").stdout)["cameras"]
    assert sorted(camera["standing"] for camera in status) == ["differs", "ok"]
    assert {step["step"] for step in status[0]["steps"]} >= {"wifi", "activate", "format", "settings"}
    assert "符合要求" in ipc(here, "status", LANG="zh_CN.UTF-8").stdout


@pytest.mark.slow
def test_killed_at_any_moment_it_goes_on(shop: Make, ipc: Ipc) -> None:
    """SIGKILL at random moments, then once to the end: everything done, nothing done twice."""
    here = shop(3)
    here.write(BODY, policy=POLICY + "timeout = 3\n")
    for camera in here.cameras:
        camera.fail("delay", 0.05, times=None)
        camera.fail("drop", probability=0.05, times=None)
        camera.fail("lost", probability=0.1, times=None)
    for _ in range(2):
        process = subprocess.Popen(
            **command(here, "apply", "-y"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + 30
        wanted = random.randrange(1, 12)  # steps in the journal, so that slow machines are killed at work too
        while process.poll() is None and time.monotonic() < end:
            if here.journal.exists() and _steps(here) >= wanted:
                break
            time.sleep(0.01)
        process.kill()
        process.wait()
    ipc(here, "apply", "-y")
    assert here.counts(*ONCE) == [(1, 1)] * 3
    for camera in here.cameras:
        assert camera.state.card is CardStatus.NORMAL
        assert camera.state.documents["door_line"]["start_x"] == 300
        assert "VIP" in camera.state.documents["groups"]


def _steps(here: Shop) -> int:
    try:
        with Journal(here.journal, write=False) as journal:
            return len(journal.steps())
    except Exception:  # the other process is just making it
        return 0


@pytest.mark.slow
def test_ctrl_c_says_how_far_it_came(shop: Make) -> None:
    here = shop(2, state="ready")
    here.write("[defaults]\nled = false\n")
    here.cameras[0].fail("delay", 3, times=None)
    told = command(here, "apply", "-y")
    process = subprocess.Popen(**told, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    first = process.stderr.readline()
    assert here.cameras[1].sn in first
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "1 of 2 cameras were done" in err
    assert "Traceback" not in err


def test_a_second_ctrl_c_does_not_wait(shop: Make) -> None:
    here = shop(1, state="ready")
    here.write("[defaults]\nled = false\n")
    here.cameras[0].fail("delay", 30, path="config/getLed", times=None)
    process = subprocess.Popen(**command(here, "apply", "-y"), stderr=subprocess.PIPE)
    assert process.stderr is not None
    end = time.monotonic() + 20
    while not here.cameras[0].state.counts and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert "Ending the calls" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130  # the call would have taken ten
    process.stderr.close()


def test_init_writes_a_file_that_loads(shop: Make, ipc: Ipc) -> None:
    here = shop(2, state="ready")
    here.cameras[0].state.name = 'a "quoted" \\ name'
    done = json.loads(ipc(here, "init", "--name", 'Shop "12"', "--json").stdout)
    sns = {camera.sn for camera in here.cameras}
    assert sns <= set(done["cameras"])
    loaded = load(here.site)
    assert sns <= {slot.sn for slot in loaded.slots}
    schema = json.loads((here.folder / "site.schema.json").read_text())
    assert schema == json.loads(make()) == json.loads(ipc(here, "schema").stdout)
    assert next(s.wanted.name for s in loaded.slots if s.sn == here.cameras[0].sn) == 'a "quoted" \\ name'
    assert "there already" in ipc(here, "init", code=2).stderr


@pytest.mark.parametrize("name", ["site.toml", "site.csv"])
def test_a_serial_number_that_two_claim_is_one_entry(name: str, tmp_path: Path) -> None:
    one = DiscoveredCamera("FS101D8BS00106", "127.0.0.7", model="FM020", name="Door", mac="00:11:22:33:44:55")
    other = dataclasses.replace(one, ip="127.0.0.8", name="Till", mac="00:11:22:33:44:66")
    third = dataclasses.replace(one, sn="FS101D8BS00107", ip="127.0.0.9", name="Back")
    site = tmp_path / name
    if name.endswith("csv"):
        sheet(site, [one, other, third], "en")
    else:
        site.write_text(draft([one, other, third], "Shop"), "utf-8")
    slots = load(site).slots
    assert [(slot.sn, slot.wanted.name) for slot in slots] == [
        ("FS101D8BS00106", None),
        ("FS101D8BS00107", "Back"),
    ]
    assert "127.0.0.7" in site.read_text("utf-8-sig")
    assert "127.0.0.8" in site.read_text("utf-8-sig")  # both, for the person who has to look


def test_every_fault_of_a_site_file_is_told(shop: Make, ipc: Ipc) -> None:
    here = shop(1)
    here.site.write_text("[defaults]\nir = 1\nledd = true\n[[cameras]]\nsn = 'A'\n")
    done = ipc(here, "plan", code=2)
    assert "site.toml:2: defaults.ir" in done.stderr
    assert "site.toml:3: defaults.ledd" in done.stderr
    assert "site.toml:2：defaults.ir" in ipc(here, "plan", code=2, LANG="zh_CN.UTF-8").stderr


class Page(HTMLParser):
    """What a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_report(shop: Make, ipc: Ipc) -> None:
    here = shop(3, state="ready")
    evil = "<script>alert(1)</script>\"'&"
    first, second, third = here.cameras
    here.write("[defaults]\nled = false\ndoor_line = [300, 700, 1600, 700]\n")
    first.state.name, second.state.name = evil, "=HYPERLINK(1)"
    second.fail("code", 6, path="config/getLed", times=None)
    ipc(here, "apply", code=7)
    third.close()
    here.cameras.remove(third)
    done = json.loads(ipc(here, "export", "--html", "r.html", "--csv", "r.csv", "--json").stdout)
    assert done == {"written": ["r.csv", "r.html"], "cameras": 3}

    text = (here.folder / "r.html").read_text("utf-8")
    page = Page(text)
    assert not [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "img")]
    assert evil in page.text
    images = [attrs["href"] or "" for tag, attrs in page.tags if tag == "image"]
    assert len(images) == 2
    assert all(image.startswith("data:image/jpeg;base64,/9j/") for image in images)
    lines = [attrs for tag, attrs in page.tags if tag == "line"]
    assert {(line["x1"], line["y2"]) for line in lines} == {("300", "700")}
    for words in (
        first.sn,
        first.state.mac,
        "LED",
        "the camera does not know this URL",
        "Next step",
        "no picture",
    ):
        assert words in page.text, words
    assert "http:" not in text  # with the colon: a picture in base64 may well have the letters
    assert "https:" not in text

    with (here.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = {row["sn"]: row for row in csv.DictReader(file)}
    assert rows[first.sn]["name"] == evil
    assert rows[second.sn]["name"] == "'=HYPERLINK(1)"
    assert rows[first.sn]["door_line"] == "300 700 1600 700"
    assert "LED: the camera does not know this URL (6)" in rows[second.sn]["problems"]
    assert "done" in rows[first.sn]["steps"]

    ipc(here, "export", "--html", "z.html", "--csv", "z.csv", "--no-pictures", "--lang", "zh")
    chinese = (here.folder / "z.html").read_text("utf-8")
    assert '<html lang="zh-CN">' in chinese
    assert "交付报告，20" in chinese
    assert "序列号" in (here.folder / "z.csv").read_text("utf-8-sig").splitlines()[0]


@pytest.mark.parametrize("words", ["steps", "settings", "standings"])
def test_words_put_together_at_run_time_have_their_chinese(words: str) -> None:
    from sunmi_ipc.fleet.outcome import Standing
    from sunmi_ipc.fleet.report import COLUMNS
    from sunmi_ipc.fleet.settings import SETTINGS
    from sunmi_ipc.fleet.site import Wanted
    from sunmi_ipc.zh.fleet import WORDS

    wanted = {
        "steps": {s.step for s in SETTINGS} | {"reach", "wifi", "activate", "sd card", "verify", "begun", "done", "failed", "undone"},
        "settings": set(Wanted.model_fields) - {"activation_code"},
        "standings": {*map(str, Standing), *COLUMNS},
    }  # fmt: skip
    assert wanted[words] <= set(WORDS)


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (ROOT / "docs" / "fleet.md").read_text("utf-8"), re.M | re.S)


def _environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return dict(os.environ) | {
        "PATH": path,
        "PYTHONPATH": str(ROOT),
        "SUNMI_IPC_CONFIG_DIR": str(folder / "c"),
    }


@pytest.mark.slow
def test_the_page_runs(tmp_path: Path) -> None:
    tour, *_ = _blocks("sh")  # the next is for many shops
    done = subprocess.run(
        ["bash", "-e", "-c", "set -m; trap 'kill %1 2>/dev/null' EXIT\n" + tour], cwd=tmp_path,
        env=_environment(tmp_path), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert done.stdout.count("3 cameras, 3 ok") == 3
    assert (tmp_path / "report.html").stat().st_size > 10_000


def test_the_pages_script_runs(tmp_path: Path) -> None:
    (code,) = _blocks("python")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=_environment(tmp_path),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("FM020") == 3


def test_the_page_names_every_key_and_column() -> None:
    page = (ROOT / "docs" / "fleet.md").read_text("utf-8")
    for name in (*CameraEntry.model_fields, *Policy.model_fields):
        assert f"`{name}`" in page or f"{name} =" in page or f"`{name}," in page, name
    listed = re.search(r"Columns: `(.*?)`", page)
    assert listed is not None
    assert set(listed[1].split()) == set(COLUMNS)


def test_a_plan_names_the_next_step_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sunmi_ipc_cli.fleet import commands as fleet
    from sunmi_ipc_cli.state import State

    from sunmi_ipc.fleet.outcome import Outcome, Standing

    def said(standing: str, terminal: bool = True) -> str:
        monkeypatch.setattr(fleet.sys.stderr, "isatty", lambda: terminal, raising=False)
        outcome = Outcome(key="FS101D8BS00106", standing=Standing(standing))
        fleet._next(State(), Path("shop 1.toml"), [outcome])
        return capsys.readouterr().err

    assert "ipc fleet apply 'shop 1.toml'" in said("differs")
    assert said("differs", terminal=False) == ""
    assert said("failed") == ""
    assert "ipc fleet export 'shop 1.toml' --html" in said("ok")
