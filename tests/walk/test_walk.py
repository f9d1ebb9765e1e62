"""The installer's first hour at a terminal of 80 by 24, in both languages, each mistake made once.

Whole processes at a pseudo-terminal; what a person sees is read off a screen (pyte), so that spinners that
vanish have vanished. Every screen must say what happened and what to do.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
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
        "near": "Did you mean Shop-WiFi?", "needs": "needs a password", "joined": "has joined Shop-WiFi",
        "deletes": "deletes every face group", "unchanged": "Nothing was changed", "active": "is activated",
        "already": "activated already", "swapped": "400 800 1500 800", "written": "Written: report.html",
        "nobody": "was not found",
    },
    "zh": {
        "blank": "中有空格", "password": "密码错误", "opens": "客户端证书可以打开", "next": "ipc scan",
        "near": "您是指 Shop-WiFi 吗", "needs": "需要密码", "joined": "已加入 Shop-WiFi",
        "deletes": "所有人脸", "unchanged": "没有做任何更改", "active": "已激活",
        "already": "之前已激活", "swapped": "400 800 1500 800", "written": "report.html",
        "nobody": "没有找到摄像机",
    },
}  # fmt: skip


class Terminal:
    """A person at a terminal: types lines, answers questions, reads the screen."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment, self.record = folder, environment, ""

    def run(self, *args: str, answers: tuple[str, ...] = (), code: int = 0) -> str:
        """What stands on the screen when the command has ended, as one text without line ends."""
        screen = pyte.Screen(COLUMNS, ROWS)
        stream = pyte.ByteStream(screen)
        child = pexpect.spawn(
            sys.executable, ["-m", "sunmi_ipc_cli", *args], cwd=str(self.folder), env=self.environment,
            dimensions=(ROWS, COLUMNS), timeout=90,
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
        shown = "\n".join(line.rstrip() for line in screen.display).strip()
        self.record += f"$ ipc {' '.join(args)}\n{shown}\n\n"
        assert child.exitstatus == code, f"{args}: {child.exitstatus}\n{shown}"
        assert "Traceback" not in shown
        return "".join(shown.split())  # wrapped where the screen ends


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_from_the_box_to_the_report(
    lang: str, vendor: Vendor, virtual: Callable[..., VirtualCamera], tmp_path: Path
) -> None:
    camera = virtual(state="factory", udp=True)
    camera.state.join_s, camera.state.format_s = 1.0, 0.5
    camera.state.card = CardStatus.BLANK
    folder = tmp_path / "What the vendor sent"
    folder.mkdir()
    (folder / "openapi.p12").write_bytes(vendor.p12.read_bytes())
    (folder / "sunmi_ipcsdk_ca.crt").write_bytes(vendor.ca.read_bytes())
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")} | {
        "SUNMI_IPC_CONFIG_DIR": str(tmp_path / "config"), "SUNMI_IPC_INTERFACE": "lo", "TERM": "xterm",
        "SUNMI_IPC_LANG": lang, "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    at, said = Terminal(tmp_path, environment), {k: "".join(v.split()) for k, v in TOLD[lang].items()}
    secret, code, password = (
        "".join(s) for s in (vendor.secret_key, vendor.activation_code, vendor.p12_password)
    )

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

    (tmp_path / "site.toml").write_text(f'[[cameras]]\nsn = "{camera.sn}"\nname = "Door"\n')
    at.run("fleet", "apply", "--yes")
    assert said["written"] in at.run("fleet", "export", "--no-pictures", "--html", "report.html")
    assert camera.sn in (tmp_path / "report.html").read_text("utf-8")
    (tmp_path / f"walk.{lang}.txt").write_text(at.record, "utf-8")
    assert not [line for line in at.record.splitlines() if len(line) > COLUMNS and not line.startswith("$")]
