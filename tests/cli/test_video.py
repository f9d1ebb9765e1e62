"""``ipc video`` and ``ipc doorline preview``, in this process, against virtual cameras."""

from __future__ import annotations

import base64
import io
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen import picture
from typer.testing import CliRunner

from sunmi_ipc.simulator import VirtualCamera, files
from sunmi_ipc.simulator.video import PictureFormat, VideoSettings

HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
PERIOD = ["--from", HOUR.isoformat(), "--to", (HOUR + timedelta(minutes=2, seconds=30)).isoformat()]


@pytest.fixture
def filming(virtual: Callable[..., VirtualCamera], monkeypatch: pytest.MonkeyPatch) -> VirtualCamera:
    small = VideoSettings(
        hd=PictureFormat(160, 90, 20),
        fhd=PictureFormat(320, 180, 20),
        clip=PictureFormat(160, 90, 1),
        clip_ready_s=(0.1, 0.2),
    )
    camera = virtual(video=small)
    for name, value in camera.vendor.environment().items():
        monkeypatch.setenv(name, value)
    return camera


@pytest.fixture
def ipc(filming: VirtualCamera) -> Callable[..., Any]:
    """Run a command on the camera; its result."""

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, [*args, "-c", filming.address])
        assert done.exit_code == code, (args, done.stdout, done.stderr)
        return done

    return run


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a player that writes down what it was called with, and nothing but it."""
    monkeypatch.setenv("DISPLAY", ":99")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name: str, status: int = 0) -> Path:
        script = folder / name
        script.write_text(
            f'#!/bin/sh\necho "$0 $*" >> {tmp_path}/played\nfor last; do :; done\n'
            f'while read -r line; do echo "$line"; done < "${{last#--playlist=}}" > {tmp_path}/opened\nexit {status}\n'
        )
        script.chmod(0o755)
        return tmp_path / "played"

    return install


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_the_address_for_scripts(ipc: Any, filming: VirtualCamera) -> None:
    line = ipc("video", "live", "--url-only").stdout
    assert re.fullmatch(rf"rtsp://admin:admin@{filming.ip}:\d+/[0-9a-f]{{32}}/live_fhd.sdp\n", line)
    assert "live_hd" in ipc("video", "live", "--url-only", "--quality", "hd").stdout
    shown = ipc("video", "live", "--json").stdout
    assert "admin" not in shown
    assert json.loads(shown)["hd_live_url"].endswith("live_hd.sdp")
    assert "admin" not in ipc("video", "playback", *PERIOD).stdout
    assert ipc("video", "playback", *PERIOD, "--url-only").stdout.startswith("rtsp://admin:admin@")


def test_players_in_their_order(ipc: Any, player: Any) -> None:
    printed = ipc("video", "live")
    assert printed.stdout.startswith("rtsp://127.")
    assert "No player" in printed.stderr
    for name in ("vlc", "mpv", "ffplay"):
        played = player(name)
        ipc("video", "live", "-q")
        line = played.read_text().splitlines()[-1]
        assert f"/{name} " in line
        assert "rtsp://admin:admin@" in played.with_name("opened").read_text()
        # Everybody may read a program's arguments.
        assert "rtsp://" not in line
        assert not Path(line.split()[-1].removeprefix("--playlist=")).exists()
    ipc("video", "live", "-q", "--player", "mpv")
    assert "/mpv " in played.read_text().splitlines()[-1]
    ipc("video", "playback", *PERIOD, "--play", "-q")
    assert "playback_" in played.with_name("opened").read_text()
    player("ffplay", status=3)
    assert "status 3" in ipc("video", "live", code=2).stderr
    assert "unknown" in ipc("video", "live", "--player", "winamp", code=2).stderr


def test_a_wrong_password_is_told_before_the_player_opens(
    ipc: Any, player: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUNMI_IPC_RTSP_PASSWORD", "falsch")
    played = player("ffplay")
    done = ipc("video", "live", "-vv", code=5)
    assert "401" in done.stderr
    assert "falsch" not in done.stderr
    assert not played.exists()


def test_record_and_frames(ipc: Any, tmp_path: Path) -> None:
    made = json.loads(ipc("video", "live", "--record", "1s", "-o", str(tmp_path / "r.mp4"), "--json").stdout)
    assert made["seconds"] >= 0.9
    assert made["bytes"] == (tmp_path / "r.mp4").stat().st_size
    files = json.loads(
        ipc("video", "live", "--frames", "2", "--quality", "hd", "-o", str(tmp_path / "f"), "--json").stdout
    )["files"]
    assert [size(Path(file)) for file in files] == [(160, 90)] * 2
    raw = ipc("video", "live", "--frames", "3", "--quality", "hd", "-o", "-").stdout_bytes
    assert len(raw) == 3 * 160 * 90 * 3
    for bad in (
        ["--record", "soon"],
        ["--frames", "1"],
        ["--record", "1s", "--frames", "1"],
        ["--quality", "8k"],
    ):
        ipc("video", "live", *bad, code=2)


def test_records(ipc: Any) -> None:
    day = ["--from", (HOUR - timedelta(hours=1)).isoformat(), "--to", (HOUR + timedelta(hours=1)).isoformat()]
    found = json.loads(ipc("video", "records", *day, "--json").stdout)
    assert len(found["record_list"]) == 100
    assert found["duration_s"] == 6000
    assert [gap["end_time"] - gap["start_time"] for gap in found["gaps"]] == [600, 600]
    text = ipc("video", "records", *day, "--tz", "UTC").stdout
    assert f"{HOUR - timedelta(hours=1):%Y-%m-%d %H:%M:%S}" in text
    assert text.count("0:50:00   50          0:10:00") == 2
    assert "█" in text.splitlines()[-2]
    assert "1:40:00 in 100 recordings, 2 gaps" in text
    shanghai = ipc("video", "records", *day, "--tz", "+08:00").stdout
    assert f"{HOUR + timedelta(hours=7):%Y-%m-%d %H:%M:%S}" in shanghai
    assert ipc("video", "records", *day, "--each").stdout.count("/record/") == 100
    empty = [
        "--from",
        (HOUR + timedelta(minutes=52)).isoformat(),
        "--to",
        (HOUR + timedelta(minutes=55)).isoformat(),
    ]
    assert "There is no recording in this period." in ipc("video", "records", *empty).stdout


def test_download_and_merge(ipc: Any, filming: VirtualCamera, tmp_path: Path) -> None:
    folder, whole = tmp_path / "usb", tmp_path / "all.mp4"
    made = json.loads(
        ipc("video", "download", *PERIOD, "-o", str(folder), "--merge", str(whole), "--json").stdout
    )
    assert [clip["status"] for clip in made["clips"]] == ["saved"] * 3
    assert made["bytes"] == sum(path.stat().st_size for path in folder.iterdir())
    assert made["merged"]["seconds"] == pytest.approx(180, abs=2)
    assert whole.exists()
    assert {path.name.split("_")[0] for path in folder.iterdir()} == {filming.sn}
    again = ipc("video", "download", *PERIOD, "-o", str(folder), "--jsonl").stdout
    assert [json.loads(line)["status"] for line in again.splitlines()] == ["kept"] * 3
    assert "3 were there already" in ipc("video", "download", *PERIOD, "-o", str(folder)).stdout


def test_download_what_is_not_all_there(ipc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = f"{int(HOUR.timestamp()) + 60}.mp4"
    monkeypatch.setitem(
        files._SOURCES,
        "record",
        lambda _, name: None if name == gone else files.Content(b"\0\0\0\x18ftypmp42" + name.encode()),
    )
    done = ipc("video", "download", *PERIOD, "-o", str(tmp_path), "--json", code=7)
    assert json.loads(done.stdout)["error"]["type"] == "DownloadError"
    assert "2 of 3 recordings are complete" in done.stderr
    assert len(list(tmp_path.glob("*.mp4"))) == 2


def test_download_refusals(ipc: Any, tmp_path: Path) -> None:
    assert "--from" in ipc("video", "download", "-o", str(tmp_path), code=2).stderr
    empty = [
        "--from",
        (HOUR + timedelta(minutes=52)).isoformat(),
        "--to",
        (HOUR + timedelta(minutes=55)).isoformat(),
    ]
    assert "235" in ipc("video", "download", *empty, "-o", str(tmp_path), code=5).stderr
    (tmp_path / "file").write_text("x")
    assert (
        "cannot be written" in ipc("video", "download", *PERIOD, "-o", str(tmp_path / "file"), code=2).stderr
    )


@pytest.mark.slow
def test_clip(ipc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sunmi_ipc.video import clip

    assert clip.FIRST_S == 4.0  # what the vendor names; a test need not wait for it
    path = tmp_path / "c.mp4"
    period = [*PERIOD[:3], (HOUR + timedelta(seconds=5)).isoformat()]
    made = json.loads(ipc("video", "clip", *period, "-o", str(path), "--json").stdout)
    assert made == {"file": str(path), "bytes": path.stat().st_size}
    assert "/clip/" in json.loads(ipc("video", "clip", *period, "--json").stdout)["url"]
    ipc("video", "clip", code=2)


def test_snapshot(ipc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = ipc("video", "snapshot", "-o", "-").stdout_bytes
    assert Image.open(io.BytesIO(raw)).size == (320, 180)
    path = tmp_path / "s.png"
    made = json.loads(ipc("video", "snapshot", "-o", str(path), "--json").stdout)
    assert made["bytes"] == path.stat().st_size
    assert made["snapshot_url"].endswith(".jpg")
    monkeypatch.chdir(tmp_path)
    ipc("video", "snapshot")
    assert len(list(tmp_path.glob("FS*.jpg"))) == 1
    monkeypatch.setenv("COLUMNS", "40")
    shown = ipc("video", "snapshot", "--show").stdout
    assert shown.count("▀") >= 40
    assert len(list(tmp_path.glob("FS*.jpg"))) == 1  # shown, not saved
    ipc("video", "snapshot", "--show", "--json", code=2)
    ipc("video", "snapshot", "--protocol", "telex", code=2)
    ipc("video", "snapshot", "-o", str(tmp_path / "s.docx"), code=2)


def test_doorline_preview(ipc: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "line.png"
    made = json.loads(ipc("doorline", "preview", "-o", str(path), "--json").stdout)
    assert made["proposed"] is False
    assert made["line"]["end_x"] == 1500
    proposed = json.loads(
        ipc("doorline", "preview", "480", "540", "1440", "540", "-o", str(path), "--json").stdout
    )
    assert proposed["proposed"] is True
    with Image.open(path) as drawn:
        assert drawn.format == "PNG"
        assert drawn.size == (320, 180)
        line = drawn.convert("RGB")
    assert line.getpixel((100, 90)) == (255, 196, 0)
    assert line.getpixel((160, 100)) == (0, 200, 83)  # the arrow's head: below the line, the way in
    ipc("doorline", "preview", "480", "540", "1440", "540", "--in", "up", "-o", str(path))
    with Image.open(path) as drawn:
        assert drawn.convert("RGB").getpixel((160, 80)) == (0, 200, 83)
    raw = ipc("doorline", "preview", "-o", "-").stdout_bytes
    assert raw.startswith(b"\x89PNG")
    for bad in (["1", "2"], ["1", "2", "3", "4"], ["--in", "left"], ["--resolution", "4k"]):
        ipc("doorline", "preview", *bad, "-o", str(path), code=2)
    monkeypatch.chdir(tmp_path)  # it names its file by itself, as a snapshot does
    named = json.loads(ipc("doorline", "preview", "--json").stdout)["file"]
    assert re.fullmatch(r"FS\w+_[-\d]+_[-\d]+_doorline\.png", named)
    assert Path(named).read_bytes().startswith(b"\x89PNG")
    ipc("doorline", "preview", "--show")
    assert [file.name for file in tmp_path.glob("*_doorline.png")] == [named]


# -- pictures on a terminal, read back by what the protocols say -----------------------------------


def sample() -> Image.Image:
    image = Image.new("RGB", (20, 12), (255, 0, 0))
    image.paste((0, 0, 255), (10, 0, 20, 12))
    return image


def test_kitty_and_iterm2() -> None:
    text = "".join(picture.draw(sample(), "kitty", columns=10))
    parts = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", text)
    assert parts[0][0].startswith("a=T,f=100,c=10,")
    assert parts[-1][0].endswith("m=0")
    image = Image.open(io.BytesIO(base64.b64decode("".join(data for _, data in parts))))
    assert image.getpixel((15, 5)) == (0, 0, 255)
    noisy = Image.frombytes("RGB", (200, 100), os.urandom(60_000))
    many = re.findall(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\", "".join(picture.draw(noisy, "kitty")))
    assert len(many) > 10
    assert all(len(data) <= 4096 for _, data in many)
    assert [head.endswith("m=1") for head, _ in many] == [True] * (len(many) - 1) + [False]
    match = re.fullmatch(r"\x1b\]1337;File=([^:]*):([^\a]*)\a\n", "".join(picture.draw(sample(), "iterm2")))
    assert match
    data = base64.b64decode(match[2])
    assert f"size={len(data)};" in match[1]
    assert Image.open(io.BytesIO(data)).size == (20, 12)


def test_sixel() -> None:
    """Decoded by a reader of its own: colours, run lengths, bands of six rows."""
    text = "".join(picture.draw(sample(), "sixel"))
    match = re.fullmatch(r'\x1bP0;1q"1;1;20;12(.*)\x1b\\\n', text, re.S)
    assert match
    colours: dict[int, tuple[int, ...]] = {}
    pixels: dict[tuple[int, int], tuple[int, ...]] = {}
    x = y = current = 0
    for token in re.findall(r"#\d+(?:;2;\d+;\d+;\d+)?|!\d+[?-~]|[?-~]|[$-]", match[1]):
        if token[0] == "#":
            number, *rgb = token[1:].split(";")
            current = int(number)
            if rgb:
                colours[current] = tuple(int(v) for v in rgb[1:])
        elif token in "$-":
            x, y = 0, y + (6 if token == "-" else 0)
        else:
            count = int(token[1:-1]) if token[0] == "!" else 1
            rows = [bit for bit in range(6) if (ord(token[-1]) - 63) >> bit & 1]
            pixels |= {(x + i, y + bit): colours[current] for i in range(count) for bit in rows}
            x += count
    assert len(pixels) == 240
    assert {pixels[x, y] for x in range(10) for y in range(12)} == {(100, 0, 0)}
    assert {pixels[x, y] for x in range(10, 20) for y in range(12)} == {(0, 0, 100)}


def test_blocks() -> None:
    text = "".join(picture.draw(sample(), "blocks", columns=20))
    lines = text.splitlines()
    assert [line.count("▀") for line in lines] == [20] * 6
    assert lines[0].startswith("\x1b[38;2;255;0;0;48;2;255;0;0m▀")
    assert all(line.endswith("\x1b[0m") for line in lines)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"KITTY_WINDOW_ID": "1"}, "kitty"),
        ({"TERM": "xterm-ghostty"}, "kitty"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm2"),
        ({"LC_TERMINAL": "iTerm2"}, "iterm2"),
        ({"KITTY_WINDOW_ID": "1", "TMUX": "/tmp/x"}, "blocks"),
        ({}, "blocks"),
    ],
)
def test_what_a_terminal_says_of_itself(
    environment: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KITTY_WINDOW_ID", "TERM", "TERM_PROGRAM", "LC_TERMINAL", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert picture.best_protocol() == expected


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_that_is_asked_for_sixel() -> None:
    import pty
    import subprocess
    import sys

    for answer, expected in ((b"\x1b[?62;4;22c", b"True"), (b"\x1b[?62;22c", b"False")):
        outer, inner = pty.openpty()
        code = "from sunmi_ipc_cli.screen import picture; print('says', picture._says_sixel())"
        process = subprocess.Popen([sys.executable, "-c", code], stdin=inner, stdout=inner, stderr=inner)
        os.close(inner)
        seen = b""
        try:
            while b"\x1b[c" not in seen:
                seen += os.read(outer, 1000)
            os.write(outer, answer)
            while b"says" not in seen or not seen.endswith(b"\n"):
                seen += os.read(outer, 1000)
        finally:
            process.wait(10)
            os.close(outer)
        assert expected in seen
