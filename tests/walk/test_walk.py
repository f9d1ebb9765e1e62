"""The installer's first hour at a terminal of 80 by 24, in both languages, each mistake made once.

Whole processes at a pseudo-terminal; what a person sees is read off a screen (pyte), so that spinners that
vanish have vanished. Every screen must say what happened and what to do.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pyte
import pytest

from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import Vendor, VirtualCamera

pytestmark = pytest.mark.slow

COLUMNS, ROWS = 80, 24
#: What a screen must say, by language.
TOLD: dict[str, dict[str, str]] = {
    "en": {
        "blank": "has a blank", "password": "wrong password", "opens": "certificate opens", "next": "ipc scan",
        "near": "Did you mean Shop-WiFi?", "needs": "needs a password",
        "refused": "the password is wrong", "way back": "ipc wifi set Shop-WiFi - -c ", "joined": "has joined Shop-WiFi",
        "deletes": "deletes every face group", "unchanged": "Nothing was changed", "active": "is activated",
        "already": "activated already", "swapped": "400 800 1500 800", "written": "Written: report.html",
        "nobody": "was not found",
    },
    "zh": {
        "blank": "中有空格", "password": "密码错误", "opens": "客户端证书可以打开", "next": "ipc scan",
        "near": "您是指 Shop-WiFi 吗", "needs": "需要密码",
        "refused": "拒绝了摄像机：密码错误", "way back": "ipc wifi set Shop-WiFi - -c ", "joined": "已加入 Shop-WiFi",
        "deletes": "所有人脸", "unchanged": "没有做任何更改", "active": "已激活",
        "already": "之前已激活", "swapped": "400 800 1500 800", "written": "report.html",
        "nobody": "没有找到摄像机",
    },
}  # fmt: skip


RECORDINGS = Path(__file__).parents[2] / "docs" / "walks"


def typed(recording: str) -> list[str]:
    """The commands of a recording; serial numbers and file names are each run's own."""
    lines = [line for line in recording.splitlines() if line.startswith("$ ")]
    return [re.sub(r"F[SM]1\w{8,}|\S*\.whl", "…", line) for line in lines]


def built(folder: Path) -> Path:
    """A wheel of this tree, made of a copy: nothing is written into the tree that is worked on."""
    pytest.importorskip("build", reason="build is not installed (extra dev)")
    source, copy = Path(__file__).parents[2], folder / "source"
    for name in ("sunmi_ipc", "cli"):
        shutil.copytree(source / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(source / name, copy)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(copy)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


def lend(venv: Path) -> None:
    """Let a fresh environment use what this one has installed, but not the tree that is worked on."""
    here = Path(sysconfig.get_path("purelib"))
    there = next(venv.glob("lib/*/site-packages"))
    (there / "lent.pth").write_text(f"import sys; sys.path.append({str(here)!r})\n")


class Terminal:
    """A person at a terminal: types lines, answers questions, reads the screen."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment, self.record = folder, environment, ""
        self.hidden: dict[str, str] = {}

    def run(self, *args: str, answers: tuple[str, ...] = (), code: int = 0) -> str:
        """An ``ipc`` command; see :meth:`shell`."""
        return self.shell(str(self.folder / "venv/bin/ipc"), *args, shown="ipc", answers=answers, code=code)

    def shell(
        self, program: str, *args: str, shown: str = "", answers: tuple[str, ...] = (), code: int = 0
    ) -> str:
        """What stands on the screen when the command has ended, as one text without line ends."""
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        child = pexpect.spawn(
            program, list(args), cwd=str(self.folder), env=self.environment,
            dimensions=(ROWS, COLUMNS), timeout=300,
        )  # fmt: skip
        seen = b""
        for answer in answers:
            child.expect(rb"(?:: ?|\] ?|\? ?|\xef\xbc\x9a ?)$")  # a question waits at the line's end
            seen += child.before + child.after
            child.sendline(answer)
        child.expect(pexpect.EOF)
        seen += child.before
        child.close()
        stream.feed(seen)
        seen_by_people = "\n".join(line.rstrip() for line in screen.display).strip()
        self.record += f"$ {shlex.join([shown or program, *args])}\n{seen_by_people}\n\n"
        assert child.exitstatus == code, f"{args}: {child.exitstatus}\n{seen_by_people}"
        assert "Traceback" not in seen_by_people
        return "".join(seen_by_people.split())  # wrapped where the screen ends

    def recording(self) -> str:
        """What was typed and seen, with what differs from run to run replaced."""
        text = self.record
        for real, told in self.hidden.items():
            text = text.replace(real, told)

        def address(found: re.Match[str]) -> str:
            return "192.168.1.20".ljust(len(found[0]) if found[0].endswith("  ") else 0)

        text = re.sub(r"\b127\.\d+\.\d+\.\d+(?::\d+)?(?: {2,})?", address, text)
        text = re.sub(r"\d\d\d\d-\d\d-\d\d \d\d:\d\d(:\d\d)?", "2026-11-26 09:00", text)
        return re.sub(r"\d+\.\d s\b|\d+\.\d 秒", lambda m: "0.4" + m[0][-2:], text)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose path is as short as people's: lines break where they would."""
    made = Path(tempfile.mkdtemp(prefix="me-", dir="/tmp"))
    yield made
    shutil.rmtree(made)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_from_the_box_to_the_report(
    lang: str, vendor: Vendor, virtual: Callable[..., VirtualCamera], home: Path
) -> None:
    camera = virtual(state="factory", udp=True)
    camera.state.join_s, camera.state.format_s = 1.0, 0.5
    camera.state.card = CardStatus.BLANK
    folder = home / "What the vendor sent"
    folder.mkdir()
    (folder / "openapi.p12").write_bytes(vendor.p12.read_bytes())
    (folder / "sunmi_ipcsdk_ca.crt").write_bytes(vendor.ca.read_bytes())
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")} | {
        "SUNMI_IPC_CONFIG_DIR": str(home / "config"), "SUNMI_IPC_INTERFACE": "lo", "TERM": "xterm",
        "SUNMI_IPC_LANG": lang, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }  # fmt: skip
    wheel = built(home)
    at, said = Terminal(home, environment), {k: "".join(v.split()) for k, v in TOLD[lang].items()}
    secret, code, password = (
        "".join(s) for s in (vendor.secret_key, vendor.activation_code, vendor.p12_password)
    )

    at.hidden = {
        str(home): "/home/me",
        camera.sn: "FS101D8BS00106",
        vendor.app_id: "JO83UNV983U9OR",
        camera.state.mac: "02:53:4D:00:01:06",
        camera.state.name: "SUNMI_0106",
    }
    at.shell(sys.executable, "-m", "venv", "venv", shown="python3")
    # What it needs is taken from this environment: the walk needs no network.
    at.shell(
        str(home / "venv/bin/pip"), "install", "--quiet", "--no-index", "--no-deps", "--no-cache-dir",
        wheel.name, shown="venv/bin/pip",
    )  # fmt: skip
    lend(home / "venv")
    assert "sunmi-ipc" in at.run("--version")

    shown = at.run(
        "configure", "--from", f'"{folder}"',
        answers=("my app", vendor.app_id, f"  {secret}", code, "not it", password, "", ""),
    )  # fmt: skip
    assert all(said[key] in shown for key in ("blank", "password", "opens", "next")), shown
    assert secret not in shown
    assert password not in shown

    assert camera.sn in at.run("scan", "--target", camera.ip)
    assert said["nobody"] in at.run("info", "-c", "FS101D8BS99999", code=3)

    assert said["near"] in at.run("wifi", "set", "Shop-Wifi", "welcome-2020", "-c", camera.sn, code=2)
    assert said["needs"] in at.run("wifi", "set", "Shop-WiFi", "-c", camera.sn, code=2)
    shown = at.run("wifi", "set", "Shop-WiFi", "-", "-c", camera.sn, answers=("welcome-2002",), code=3)
    assert said["refused"] in shown
    assert said["way back"] in shown
    assert said["joined"] in at.run(
        "wifi", "set", "Shop-WiFi", "-", "-c", camera.sn, answers=("welcome-2020",)
    )

    shown = at.run("activate", camera.sn, answers=("n",), code=1)
    assert said["deletes"] in shown
    assert said["unchanged"] in shown
    assert said["active"] in at.run("activate", camera.sn, answers=("y",))
    assert said["already"] in at.run("activate", camera.sn)

    at.run("sdcard", "format", "-c", camera.sn, answers=("y",))
    assert camera.state.card is CardStatus.NORMAL

    assert said["swapped"] in at.run("doorline", "set", "1500", "800", "400", "800", "-c", camera.sn, code=2)
    at.run("doorline", "set", "400", "800", "1500", "800", "-c", camera.sn)

    (home / "site.toml").write_text(f'[[cameras]]\nsn = "{camera.sn}"\nname = "Door"\n')
    at.run("fleet", "apply", "--yes")
    assert said["written"] in at.run("fleet", "export", "--no-pictures", "--html", "report.html")
    assert camera.sn in (home / "report.html").read_text("utf-8")
    kept = RECORDINGS / f"first-hour-{lang}.txt"
    if os.environ.get("RECORD_WALK"):
        kept.write_text(at.recording(), "utf-8")
    # The recording shows these commands, in this order, with these endings.
    assert typed(kept.read_text("utf-8")) == typed(at.recording())
    assert secret not in at.record
    assert not [line for line in at.record.splitlines() if len(line) > COLUMNS and not line.startswith("$")]
