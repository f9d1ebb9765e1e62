"""Words on screens: every field and value has its name in both languages; refusals name what was typed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from enum import Enum, StrEnum
from typing import Any, get_args

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen import words as screen
from sunmi_ipc_cli.screen.lines import wrapped
from sunmi_ipc_cli.screen.tables import width
from typer.testing import CliRunner

import sunmi_ipc.cloud.models
import sunmi_ipc.events.model  # noqa: F401 - both: their results are among those looked at
from sunmi_ipc import models, words
from sunmi_ipc.i18n import _chinese
from sunmi_ipc.models.base import Reply
from sunmi_ipc.protocol.values import AgeRange, CardStatus, Weekdays
from sunmi_ipc.redact import MASK
from sunmi_ipc.simulator import VirtualCamera


def results(kind: type[Reply] = Reply) -> Iterator[type[Reply]]:
    for sub in kind.__subclasses__():
        if sub.__module__.startswith("sunmi_ipc.") and not sub.__name__.startswith("_"):
            yield sub
        yield from results(sub)


RESULTS = sorted(set(results()), key=lambda kind: f"{kind.__module__}.{kind.__name__}")


def kinds(annotation: Any) -> Iterator[type[Enum]]:
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield annotation
    for inner in get_args(annotation):
        yield from kinds(inner)


@pytest.mark.parametrize("kind", RESULTS, ids=lambda kind: kind.__name__)
def test_every_field_has_a_name_in_both_languages(kind: type[Reply]) -> None:
    for name, field in kind.model_fields.items():
        wire = field.alias or name
        known = {wire, f"{kind.__name__}.{wire}"} & set(words.LABELS)
        assert known, f"{kind.__name__}.{wire} has no label in sunmi_ipc.words"
        label = words.label(wire, kind.__name__)
        assert "_" not in label
        assert label in _chinese(), label


def test_every_value_has_a_word_in_both_languages() -> None:
    seen = {e for kind in RESULTS for f in kind.model_fields.values() for e in kinds(f.annotation)}
    for enum in seen - {AgeRange, Weekdays}:
        for member in enum:
            assert member.value in words.WORDS[enum], member
    for table in words.WORDS.values():
        for word in table.values():
            assert word in _chinese() or re.fullmatch(r"\d+p", word), word
    loose = [*words.LABELS.values(), *words.HEADINGS.values(), *words.DAYS.values(), *words.LEVELS]
    loose += [*words.UNITS.values(), *words.GROUPS.values()]
    loose += [words.NOT_TOLD, words.NONE, words.NEVER, words.ALL_DAY, words.EVERY_DAY]
    assert [word for word in loose if word not in _chinese()] == []


def test_values_in_words() -> None:
    told = screen.told
    assert told(None) == told("") == "not told"
    assert told(()) == "none"
    assert told(True) == "yes"
    assert told(CardStatus(77)) == "77"
    assert told(Weekdays.MONDAY | Weekdays.SUNDAY) == "Monday, Sunday"
    assert told(Weekdays.EVERY_DAY) == "every day"
    assert told(Weekdays.ALWAYS) == "every day, all day"
    assert told(time(9, 5)) == "09:05"
    assert told(time.max) == "24:00"
    assert told(datetime.fromtimestamp(0, UTC)) == "never"
    assert told(datetime(2026, 11, 24, 15, 30, tzinfo=UTC), tz=UTC) == "2026-11-24 15:30"
    assert told(AgeRange.AGE_56_UP) == "56+"
    assert told((0, 180), "angles") == "0°, 180°"
    assert (told(0, "motion_level"), told(3, "audio_level"), told(9, "audio_level")) == (
        "off",
        "high (3)",
        "9",
    )


def test_a_secret_stays_one() -> None:
    made = models.WifiConfiguration(ssid="Shop", password="welcome-2020")
    assert dict(screen.record(made))["password"] == MASK
    assert screen.cells(made)["password"] == MASK
    assert dict(screen.record(made, reveal=True))["password"] == "welcome-2020"


Ipc = Callable[..., Any]


@pytest.fixture
def ipc(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Ipc:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str) -> Any:
        return CliRunner().invoke(app, [*args, "-c", ready.address], prog_name="ipc")

    return run


READS = (
    "info",
    "detection show",
    "lens show",
    "doorline show",
    "image ir",
    "image rotation",
    "image led",
    "image name",
    "flow settings",
    "face settings",
    "face group list",
    "face list -g stranger",
    "face oldest -g stranger",
    "sdcard status",
    "network show",
    "wifi show",
    "wifi scan",
    "events list",
    "video live --json",
)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_wire_name_is_on_a_screen(ipc: Ipc, lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name with an underscore, nor a number in a word's place; in Chinese no English label either."""
    monkeypatch.setenv("SUNMI_IPC_LANG", lang)
    for line in READS:
        if "--json" in line:
            continue
        done = ipc(*line.split())
        assert done.exit_code == 0, (line, done.stderr)
        text = done.stdout
        assert not re.search(r"\b[A-Za-z]+_[A-Za-z]+\b", text.replace("SUNMI_", "")), (line, text)
        assert "None" not in text
        assert "null" not in text
        if lang == "zh":
            labels = [row.split("  ")[0] for row in text.splitlines()]
            english = {tr.lower() for tr in words.LABELS.values()}
            assert [label for label in labels if label.lower() in english] == [], (line, text)


@pytest.mark.parametrize(
    ("line", "said", "advised"),
    [
        ("doorline set 1500 800 400 800", "X2 400: the ends are swapped", "Try 400 800 1500 800."),
        ("doorline set 100 400 2400 800", "X2 2400: outside the picture", "Allowed: 0-1920."),
        ("doorline set 100 400 150 800", "X2 150: the door line is too short", "100 pixels"),
        ("doorline set 1 1 800 1 --resolution 4k", "--resolution 4k: unknown", "1080p, 720p"),
        ("detection set --days mon,funday", "--days mon,funday: unknown", "Did you mean sun?"),
        ("detection set --from 25:00", "--from 25:00: not a time of day", "00:00 to 24:00"),
        ("image ir autp", "MODE autp: unknown", "Did you mean auto?"),
        ("image rotation 90", "DEGREES 90: unknown", "Allowed: 0, 180."),
        ("lens zoom far", "POSITION far: not a position", "N, +N, -N or N%"),
        ("flow arrivals --from soon", "--from soon: not a time", "yesterday 14:00"),
        ("flow arrivals --tz Mars/Base", "--tz Mars/Base: not a time zone", "Asia/Shanghai"),
        ("network set --ip 192.168.1.300 --yes", "--ip 192.168.1.300: not an address", "192.168.1.20"),
    ],
)
def test_a_refusal_names_what_was_typed(ipc: Ipc, line: str, said: str, advised: str) -> None:
    done = ipc(*line.split())
    assert done.exit_code == 2
    assert said in done.stderr, done.stderr
    assert advised in done.stderr, done.stderr


def test_a_refused_secret_is_not_repeated(ipc: Ipc) -> None:
    done = ipc("wifi", "set", "Shop", "p" * 65)
    assert done.exit_code == 2
    assert "p" * 65 not in done.stderr + done.stdout


def test_the_next_step_can_be_copied(virtual: Callable[..., VirtualCamera], ipc: Ipc) -> None:
    camera = virtual(state="factory")
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.discovery.camera import DiscoveredCamera
    from sunmi_ipc.settings import config_dir

    done = CliRunner().invoke(app, ["info", "-c", camera.address], prog_name="ipc")
    assert "'ipc activate SN'" in done.stderr  # nothing is known of it yet
    seen = DiscoveredCamera(sn=camera.sn, ip=camera.address.partition(":")[0], port=camera.port)
    memory.remember([seen], config_dir())
    done = CliRunner().invoke(app, ["info", "-c", camera.address, "--json"], prog_name="ipc")
    assert f"'ipc activate {camera.sn}'" in json.loads(done.stdout)["error"]["hint"]


def test_lines_break_at_blanks_and_not_in_a_command() -> None:
    text = "error: the camera is not activated (code 7). Activate it: 'ipc activate FS101D8BS33934'."
    shown = wrapped(text, 44).split("\n")
    assert max(map(width, shown)) <= 44
    assert "'ipc activate FS101D8BS33934'." in " ".join(shown)
    assert [line for line in shown if "'ipc activate FS101D8BS33934'." in line]
    assert " ".join(line.strip() for line in shown) == text
    long = "→ " + "word " * 12 + "'ipc wifi set Shop-Guest - -c FS101D8BS33934 --wait' does it"
    parts = wrapped(long, 40).split("\n")
    assert [p for p in parts if "'ipc wifi set Shop-Guest - -c FS101D8BS33934 --wait'" in p]
    assert all(p.startswith(("→ ", "  ")) for p in parts)
    assert wrapped("To make it so: ipc fleet apply a-very-long-name-of-a-site-file.toml --yes", 30) == (
        "To make it so:\nipc fleet apply a-very-long-name-of-a-site-file.toml --yes"
    )
    assert wrapped(text, 0) == text
    chinese = "错误：摄像机尚未激活（返回码 7）。请激活：'ipc activate FS101D8BS33934'。"
    assert max(map(width, wrapped(chinese, 44).split("\n"))) <= 44
    assert wrapped(chinese, 44).replace("\n", "") == chinese


def test_str_enums_are_known() -> None:
    assert all(issubclass(kind, (int, StrEnum)) for kind in words.WORDS)


def test_a_terminals_width_is_known_in_the_running_program() -> None:
    """A real process on a real terminal of 44 columns: nothing is wider, no word is cut."""
    pty = pytest.importorskip("pty")
    import fcntl
    import os
    import struct
    import subprocess
    import sys
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 44, 0, 0))
    line = [sys.executable, "-m", "sunmi_ipc_cli", "doorline", "set", "1500", "800", "400", "800"]
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(line, stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    text = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(leader)
    assert process.wait(20) == 2
    lines = text.decode().splitlines()
    assert max(map(len, lines)) <= 44, lines
    assert " ".join(lines) == (
        "error: X2 400: the ends are swapped, the left end comes first. Try 400 800 1500 800."
    )


def test_an_argument_is_called_in_refusals_as_in_help(
    ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)
    args = ["wifi", "set", "x" * 33, "welcome-2020", "-c", ready.address]
    assert "SSID " in CliRunner().invoke(app, args, prog_name="ipc").stderr
    refused = CliRunner().invoke(app, [*args, "--lang", "zh"], prog_name="ipc").stderr
    assert "网络名称" in refused
    assert "SSID" not in refused


def test_what_is_to_be_typed_is_not_broken() -> None:
    told = "error: X2 400: the ends are swapped, the left end comes first. Try 400 800 1500 800."
    for columns in (30, 44, 80):
        assert "400 800 1500 800." in wrapped(told, columns).split("\n")[-1]
    lines = wrapped("The webhook's secret is read here, the broker's password there.", 30).split("\n")
    assert max(map(len, lines)) <= 30
