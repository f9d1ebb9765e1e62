"""One way to say it: an option means one thing, takes one kind of value, and means it everywhere."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer
from sunmi_ipc_cli import spellings
from sunmi_ipc_cli.main import _FLAGS, _WITH_VALUE, COMMANDS, app, load
from sunmi_ipc_cli.screen.lengths import read, written
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.simulator import VirtualCamera

#: Options that several commands have, whose help says more of one command than of another: what all of them
#: mean, and how many texts there are. Who adds a text looks whether it is that meaning, or names his otherwise.
MEANINGS: dict[str, tuple[str, int]] = {
    "--allow-unsigned": ("take what has no signature", 2),
    "--as-is": ("go on although it looks wrong", 4),
    "--broker": ("the broker's URL", 2),
    "--by": ("how to count", 3),
    "--callback": ("URL that is called", 4),
    "--cameras": ("how many cameras each shop has", 2),
    "--capacity": ("how many faces a group may hold", 2),
    "--cert": ("our own certificate", 2),
    "--count": ("how many", 6),
    "--description": ("what a group is for", 2),
    "--fault": ("fault that a virtual one plays", 2),
    "--for": ("how long it goes on", 3),
    "--from": ("the beginning; of a period unless CONTRACT says otherwise", 6),
    "--group": ("the face group that it is about", 3),
    "--host": ("address to listen on", 2),
    "--image": ("the firmware image", 2),
    "--interval": ("time between two of a kind", 2),
    "--ip": ("IP address", 2),
    "--jobs": ("how many at once", 2),
    "--key": ("the key of --cert", 2),
    "--model": ("the camera's model", 2),
    "--name": ("the name that something gets", 6),
    "--output": ("where the result is written", 9),
    "--port": ("port to listen on", 6),
    "--reveal": ("show secrets", 2),
    "--seed": ("same number, same result", 3),
    "--show": ("show it on the terminal", 3),
    "--sn": ("only this serial number", 2),
    "--stop": ("end it", 1),
    "--subscribe": ("subscribe to this while listening", 2),
    "--timeout": ("how long to wait at most", 3),
    "--to": ("the end of a period", 3),
    "--tz": ("time zone of the times", 2),
    "--within": ("within so long", 2),
    "--yes": ("do not ask", 3),
}
#: Kinds of values that are one kind: what is written there is a moment, or a place for a file.
ALIKE = {
    "TIME": "time", "HH:MM": "time", "DAY": "time", "now|oldest": "time",
    "FILE|-": "path", "FILE": "path", "FILE.mp4": "path", "FOLDER": "path", "PATH": "path", "DIR": "path",
    "SN…": "SN", "EVENT…": "EVENT",
}  # fmt: skip
#: What scripts rely on, and what therefore stays although its value is of another kind.
CONTRACT = {("--from", "sim start"), ("--from", "configure"), ("--check", "dump"), ("--check", "serve run")}


def leaves(command: Any, words: str) -> Iterator[tuple[str, Any]]:
    """Every command and group, hidden ones too."""
    yield words, command
    for name, sub in getattr(command, "commands", {}).items():
        yield from leaves(sub, f"{words} {name}")


EVERY = {words: command for name in COMMANDS for words, command in leaves(load(name), name)}


def options() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for words, command in EVERY.items():
        for parameter in command.params:
            if parameter.param_type_name != "option":
                continue
            for name in (*parameter.opts, *parameter.secondary_opts):
                found[name][words] = parameter
    return found


def kind(parameter: Any) -> str:
    """What kind of value it takes: nothing, one of some words, or what its place holder says."""
    if parameter.is_flag:
        return "flag"
    told = str(parameter.metavar) + ("…" if parameter.multiple else "")
    if told in ALIKE:
        return ALIKE[told]
    return "words" if re.fullmatch(r"[\w]+(?:\|[\w]+)+", told) and told == told.lower() else told


def test_an_option_has_one_meaning() -> None:
    for name, uses in options().items():
        assert all(p.metavar or p.is_flag for p in uses.values()), (
            f"{name} needs a place holder: {list(uses)}"
        )
        kinds = {kind(p) for words, p in uses.items() if (name, words) not in CONTRACT}
        assert len(kinds) <= 1, f"{name} takes {kinds}: {list(uses)}"
        texts = {p.help for words, p in uses.items() if (name, words) not in CONTRACT or name == "--from"}
        if len(texts) > 1 and name.startswith("--"):
            meaning, count = MEANINGS[name]
            assert len(texts) == count, f"{name} means {meaning!r}; do all of these? {texts}"


def test_network_and_wifi_are_commands_alone() -> None:
    assert not {"--network", "--wifi"} & set(options())


def test_a_short_option_is_one_long_one() -> None:
    """``-g`` is ``--group`` everywhere."""
    longs: dict[str, set[str]] = defaultdict(set)
    for name, uses in options().items():
        if not name.startswith("--"):
            longs[name] |= {max(p.opts, key=len) for p in uses.values()}
    assert {name: found for name, found in longs.items() if len(found) > 1} == {}


def test_no_command_has_an_option_of_the_root() -> None:
    """They are moved to the front wherever they stand, so a command's own would never be seen."""
    root = {name for p in typer.main.get_command(app).params for name in p.opts} - {"--version", "--help"}
    assert root & set(options()) == set()
    assert root <= _WITH_VALUE | _FLAGS | {"--version"}


def test_whoever_waits_can_be_told_not_to() -> None:
    for words, command in EVERY.items():
        names = {name for p in command.params for name in p.opts}
        assert "--wait" not in names, words


def test_lengths_are_lengths() -> None:
    """A bare number of an option never counts anything but seconds, and no option has its unit in its name."""
    for name, uses in options().items():
        assert not re.search(r"[a-z]-(s|ms|seconds|days|minutes)$", name), name
        for words, parameter in uses.items():
            assert kind(parameter) not in ("SECONDS", "DAYS", "HOURS", "MINUTES") or name == "--days", (
                name,
                words,
            )


def test_old_spellings_are_old() -> None:
    """What the tables promise is there, and what they take is no option of today."""
    for words, table in spellings.OPTIONS.items():
        names = {name for p in EVERY[words].params for name in (*p.opts, *p.secondary_opts)}
        for old, new in table.items():
            assert old not in names, (words, old)
            assert new.camera or new.language or new.positional or not new.name or new.name in names, (
                words,
                new,
            )
    for group, renamed in spellings.COMMANDS.items():
        there = EVERY[group].commands
        assert all(old not in there and new in there for old, new in renamed.items()), group


Ipc = Callable[..., Any]


@pytest.fixture
def ipc(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> Ipc:
    for name, value in ready.vendor.environment().items():
        monkeypatch.setenv(name, value)

    def run(*args: str, code: int = 0) -> Any:
        done = CliRunner().invoke(app, [*args, "-c", ready.address], prog_name="ipc")
        assert done.exit_code == code, (args, done.output, done.stderr)
        return done

    return run


def test_an_old_spelling_does_the_same_and_says_the_new_one(ipc: Ipc, ready: VirtualCamera) -> None:
    said = ipc("face", "group", "move-rule", "--times", "3", "--days", "30").stderr
    assert "'--days' is '--within' now" in said
    told = ipc("flow", "settings", "--interval", "2m", "--mode", "snapshot").stderr
    assert "now" not in told
    shown = json.loads(ipc("flow", "settings", "--json").stdout)
    assert (int(shown["facerecog_interval"]), int(shown["customer_judgemode"])) == (120, 0)
    ipc("lens", "zoom", "10", "--wait", "--no-wait")
    assert ipc("detection", "set", "--motion", "high", "--sound", "0").exit_code == 0
    told = json.loads(ipc("detection", "show", "--json").stdout)
    assert (int(told["motion_level"]), int(told["audio_level"])) == (3, 0)


@pytest.mark.parametrize(
    ("words", "typed", "today"),
    [
        ("events listen", ["--keep-days", "14", "--keep-mb", "5"], ["--keep", "14d", "--keep-mb", "5"]),
        ("events listen", ["--keep-days=0.5"], ["--keep", "0.5d"]),
        ("events listen", ["--on", "all", "--subscribe", "E"], ["--subscribe", "E"]),
        ("face update", ["7", "-g", "VIP"], ["7", "--to-group", "VIP"]),
        ("cloud face list", ["--csv", "-", "VIP"], ["--csv", "-", "--group", "VIP"]),
        ("cloud face list", ["-g", "VIP"], ["-g", "VIP"]),
        ("cloud live", ["FS101D8BS00106", "--resolution", "1"], ["--quality", "1"]),
        ("cloud live", ["--quality", "hd"], ["--quality", "hd"]),
        ("cloud name", ["FS101D8BS00106", "Door"], ["Door"]),
        ("cloud name", ["Door"], ["Door"]),
        ("cloud events subscribe", ["--event", "2001", "--callback", "u"], ["2001", "--callback", "u"]),
        ("scan", ["--csv"], ["--csv", "-"]),
        ("scan", ["--csv", "--ap"], ["--csv", "-", "--ap"]),
        ("scan", ["--csv", "cameras.csv"], ["--csv", "cameras.csv"]),
        ("events listen", ["--keep-days"], ["--keep-days"]),
        ("face group move-rule", ["--", "--days", "3"], ["--", "--days", "3"]),
    ],
)
def test_old_into_new(words: str, typed: list[str], today: list[str]) -> None:
    assert spellings.respell(words, typed, EVERY[words], State(quiet=True)) == today


FS = "FS101D8BS00106"


@pytest.mark.parametrize(
    ("words", "before", "today"),
    [
        # waiting
        ("wifi set", ["Shop", "welcome-2020", "--wait"], ["Shop", "welcome-2020"]),
        ("sdcard format", ["--wait"], []),
        ("cloud face add", ["a.jpg", "-g", "VIP", "--wait"], ["a.jpg", "-g", "VIP"]),
        # camera
        ("cloud live", [FS], []),
        ("cloud playback", [FS, "--from", "14:00", "--to", "15:00"], ["--from", "14:00", "--to", "15:00"]),
        ("cloud snapshot", [FS], []),
        ("cloud records", [FS], []),
        ("events listen", ["--subscribe", "2001", "--on", FS], ["--subscribe", "2001"]),
        # faces
        ("cloud face list", ["VIP"], ["-g", "VIP"]),
        ("face update", ["7", "--group", "VIP"], ["7", "--to-group", "VIP"]),
        # lengths
        ("wifi set", ["Shop", "--timeout", "60"], ["Shop", "--timeout", "1m"]),
        ("events listen", ["--for", "4"], ["--for", "4s"]),
        ("events listen", ["--keep-days", "7"], ["--keep", "7d"]),
        ("face group move-rule", ["--times", "3", "--days", "30"], ["--times", "3", "--within", "30d"]),
        # subscriptions
        ("cloud events subscribe", ["--event", "2001", "--callback", "https://a.example/x"],
         ["2001", "--callback", "https://a.example/x"]),
        # --csv, and files that name themselves
        ("scan", ["--csv"], ["--csv", "-"]),
        ("doorline preview", [], []),
        ("video snapshot", [], []),
    ],
)  # fmt: skip
def test_what_was_typed_before_reads_as_what_is_typed_today(
    words: str, before: list[str], today: list[str]
) -> None:
    """Each way of saying it that there was, by the command itself: the values that it gets are the same."""

    def values(args: list[str]) -> dict[str, Any]:
        return dict(EVERY[words].make_context(words, list(args)).params)

    assert values(before) == values(today)


@pytest.mark.parametrize(
    ("before", "today"),
    [
        ("cloud faces list", "cloud face list"),
        ("cloud faces group list", "cloud face group list"),
        ("cloud rename", "cloud name"),
        ("cloud hooks add", "cloud events subscribe"),
        ("cloud hooks delete", "cloud events unsubscribe"),
    ],
)
def test_a_command_that_was_called_otherwise(before: str, today: str) -> None:
    old, new = (
        CliRunner().invoke(app, [*words.split(), "--help"], prog_name="ipc") for words in (before, today)
    )
    assert (old.exit_code, new.exit_code) == (0, 0)
    assert f"Usage: ipc {today} " in old.stdout
    assert old.stdout == new.stdout
    assert "now; the old spelling goes with the next release" in old.stderr
    assert before.split()[-2] not in CliRunner().invoke(app, ["cloud", "--help"]).stdout.split() or (
        before == "cloud rename"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30), ("30s", 30), ("2m", 120), ("1h30m", 5400), ("7d", 604_800), ("0.5", 0.5), ("1.5h", 5400),
        ("250ms", 0.25), ("2 m", 120), ("5分钟", 300), ("1小时30分", 5400), ("10秒", 10), ("7天", 604_800), ("1H", 3600), ("３０秒", 30),
    ],
)  # fmt: skip
def test_lengths_as_people_write_them(text: str, seconds: float) -> None:
    assert read(text) == seconds
    assert read(written(seconds)) == seconds


@pytest.mark.parametrize("text", ["", "soon", "-5", "5x", "1e9", "nan", "inf", "m", "5 5", "1h-3m", "9s9"])
def test_what_is_no_length(text: str) -> None:
    with pytest.raises(ParameterError, match="not a length of time"):
        read(text, "--for")


def test_a_length_out_of_bounds_is_refused_before_anything_is_sent(ipc: Ipc) -> None:
    said = ipc("wifi", "set", "Shop-WiFi", "welcome-2020", "--timeout", "2h", code=2).stderr
    assert "--timeout 2h" in said
    assert "1s–10m" in said
    assert "[default: 1m]" in " ".join(ipc("wifi", "set", "--help").stdout.split())


def test_words_and_numbers_are_the_same() -> None:
    """``--gender 1``, ``--mode 0``, ``--resolution 1``, ``--motion 3`` of before, by the tables that commands go by."""
    from sunmi_ipc_cli.camera import detection, face, flow
    from sunmi_ipc_cli.cloud import faces, media
    from sunmi_ipc_cli.screen.choices import choice

    same = (
        (face._GENDERS, {"0": "unknown", "1": "male", "2": "female"}),
        (flow._MODES, {"0": "snapshot"}),
        (detection._LEVELS, {"3": "high"}),
        (media._QUALITIES, {"0": "fhd", "1": "hd"}),
        (faces._GENDERS, {"1": "male", "2": "female"}),
    )
    for table, pairs in same:
        for number, word in pairs.items():
            assert choice(number, table, "--x") == choice(word, table, "--x"), (number, word)
