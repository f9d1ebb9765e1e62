"""Standard output as it is found: narrow encodings, a full disk, none at all. Whole processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import VirtualCamera

IPC = [sys.executable, "-m", "sunmi_ipc_cli"]
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def run(*args: str, environment: dict[str, str] | None = None, **options: Any) -> Any:
    return subprocess.run(
        [*IPC, *args],
        env=os.environ | (environment or {}),
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE} | options,
    )


@pytest.fixture
def named(ready: VirtualCamera) -> VirtualCamera:
    """A camera whose name most code pages cannot write."""
    ready.state.name = "门店 Zoë 😀…"
    return ready


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "lang"), [("gbk", "zh_CN.UTF-8"), ("cp1252", "zh_CN.UTF-8"), ("ascii", "en_US.UTF-8")]
)
def test_what_an_encoding_lacks_is_escaped(encoding: str, lang: str, named: VirtualCamera) -> None:
    environment = named.vendor.environment() | {"PYTHONIOENCODING": encoding, "LANG": lang}
    text = run("image", "name", "-c", named.address, environment=environment)
    assert text.returncode == 0, text.stderr
    assert "Zo" in text.stdout.decode(encoding)
    assert "\\ud83d\\ude00" in text.stdout.decode(encoding)
    document = run("image", "name", "-c", named.address, "--json", environment=environment)
    assert json.loads(document.stdout.decode(encoding)) == {"name": "门店 Zoë 😀…"}
    for args in (["--help"], ["protocol", "list"]):
        done = run(*args, environment=environment)
        assert (done.returncode, done.stderr) == (0, b""), args
        chinese = "查找" in done.stdout.decode(encoding)
        assert chinese == (lang[:2] == "zh" and encoding == "gbk" and "--help" in args)
    refused = run("scna", environment=environment)
    assert refused.returncode == 2
    assert b"Traceback" not in refused.stderr


def test_chinese_that_was_asked_for_is_escaped() -> None:
    done = run("--help", "--lang", "zh", environment={"PYTHONIOENCODING": "cp1252"})
    assert done.returncode == 0
    assert "查找此网络中的摄像机".encode("unicode-escape") in done.stdout


@needs_full
@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--help"], 1),
        (["--version"], 1),
        (["completion", "bash"], 1),
        (["protocol", "list"], 1),
        (["protocol", "list", "--json"], 1),
        (["wifi", "--help"], 1),
        (["info", "-c", "127.0.0.1:1", "--json"], 2),  # not configured: that is told, too
    ],
)
def test_a_full_disk_is_a_line_and_an_exit_code(args: list[str], code: int) -> None:
    with open("/dev/full", "wb") as full:
        done = run(*args, stdout=full)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == code
    assert len(lines) == (2 if code == 2 else 1), lines
    assert lines[-1] == "error: /dev/full cannot be written: No space left on device"


@needs_full
def test_a_full_disk_in_chinese() -> None:
    with open("/dev/full", "wb") as full:
        done = run("--help", stdout=full, environment={"LANG": "zh_CN.UTF-8"})
    assert done.stderr.decode() == "错误：无法写入 /dev/full：磁盘空间不足\n"


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
@pytest.mark.parametrize(
    ("closed", "code", "told"),
    [
        ("<&-", 0, ""),
        (">&-", 1, "error: standard output cannot be written: Bad file descriptor\n"),
        ("2>&-", 0, ""),
        ("<&- >&- 2>&-", 1, ""),
    ],
)
def test_closed_streams(closed: str, code: int, told: str) -> None:
    command = f"exec {sys.executable} -m sunmi_ipc_cli protocol list {closed}"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert (done.returncode, done.stderr.decode()) == (code, told)


def test_nobody_to_ask() -> None:
    command = f"exec {sys.executable} -m sunmi_ipc_cli configure <&-"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert len(done.stderr.decode().splitlines()) == 1


def test_a_reader_that_has_gone_is_no_failure() -> None:
    command = f"{sys.executable} -m sunmi_ipc_cli protocol list | head -1"
    done = subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_unbuffered_output_keeps_its_place_among_remarks() -> None:
    code = (
        "import sys; from sunmi_ipc_cli.screen import streams; streams.prepare(); "
        "sys.stdout.write('row\\n'); sys.stderr.write('remark\\n'); sys.stdout.write('end\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=True
    )  # fmt: skip
    assert done.stdout.split() == [b"row", b"remark", b"end"]
