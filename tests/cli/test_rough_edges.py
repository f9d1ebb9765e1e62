"""What a new user stumbles over: help in one's own tongue, questions that are left, errors for scripts."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sunmi_ipc_cli.main import COMMANDS, app, load
from sunmi_ipc_cli.screen import output
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.errors import ConfigError, ParameterError
from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras


def test_help_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    shown = CliRunner().invoke(app, ["wifi", "--help"], prog_name="ipc").output
    assert "列出摄像机能看到的网络" in shown
    assert "List the networks" not in shown
    assert "设置固定地址或 DHCP" in CliRunner().invoke(app, ["network", "set", "-h"], prog_name="ipc").output


def test_no_group_brings_a_completion_of_its_own() -> None:
    for name in COMMANDS:
        assert not {"install_completion", "show_completion"} & {p.name for p in load(name).params}, name


def test_an_unknown_command_as_json() -> None:
    done = CliRunner().invoke(app, ["nonsense", "--json"], prog_name="ipc")
    assert done.exit_code == 2
    assert json.loads(done.stdout)["error"]["type"] == "UsageError"


def test_a_question_left_with_ctrl_c(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    done = CliRunner().invoke(
        app, ["sdcard", "format", "-c", ready.address], prog_name="ipc", env=ready.vendor.environment()
    )  # input ends at the question, as with Ctrl-C
    assert done.exit_code == 130
    assert done.stderr.endswith("Interrupted.\n")
    assert "config/formatMemoryCard" not in ready.state.counts


def test_a_picture_that_cannot_be_read_is_not_the_cameras_refusal(
    ready: VirtualCamera, tmp_path: Path
) -> None:
    done = CliRunner().invoke(
        app,
        ["face", "add", str(tmp_path / "nothing.jpg"), "-g", "stranger", "-c", ready.address, "--json"],
        prog_name="ipc",
        env=ready.vendor.environment(),
    )
    assert done.exit_code == 2
    assert json.loads(done.stdout)["faces"][0]["error"]


def test_tables_and_full_stops(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    output.table([{"name": "regular", "period": None}], ["name", "period"])
    assert "None" not in capsys.readouterr().out
    error = ParameterError("{name}: not a MAC", name="mac", hint="Name one of them.")
    output.print_error(State(), error)
    assert capsys.readouterr().err == "error: mac: not a MAC. Name one of them.\n"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    output.print_error(State(), error)
    assert "地址。请指定" in capsys.readouterr().err


def test_results_are_words_for_people(ready: VirtualCamera) -> None:
    def shown(*args: str) -> dict[str, str]:
        done = CliRunner().invoke(
            app, [*args, "-c", ready.address], prog_name="ipc", env=ready.vendor.environment()
        )
        assert done.exit_code == 0, done.stderr
        rows = (re.split(r"  +", line, maxsplit=1) for line in done.stdout.splitlines() if "  " in line)
        return {name: text for name, text in rows}

    assert shown("image", "ir") == {"night mode": "automatic"}
    assert shown("-q", "image", "ir") == {}
    assert shown("detection", "show")["days"] == "every day, all day"
    assert "from" not in shown("detection", "show")
    shown("detection", "set", "--days", "mon,周二", "--from", "22:00", "--to", "06:00")
    detection = shown("detection", "show")
    assert detection["days"] == "Monday, Tuesday"
    assert (detection["from"], detection["until"]) == ("22:00", "06:00 the next day")
    assert shown("detection", "set", "--to", "24:00")["until"] == "24:00"
    assert shown("sdcard", "status") == {"SD card": "ready"}
    assert shown("lens", "show")["zoom"] == "0 of 500"
    assert shown("doorline", "show")["left end"] == "400 pixels from the left, 800 pixels from the top"


def test_a_port_that_a_program_holds_on_every_address(vendor: Vendor) -> None:
    """Said at once, not after a certificate for each of 65,000 addresses."""
    with socket.socket() as other:
        other.bind(("0.0.0.0", 0))
        other.listen(1)
        with pytest.raises(ConfigError, match="--port"):
            start_cameras(vendor, 1, port=other.getsockname()[1], udp=False)


def test_faces_for_people(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(people=6)

    def run(*args: str) -> str:
        done = CliRunner().invoke(
            app, [*args, "-c", camera.address], prog_name="ipc", env=camera.vendor.environment()
        )
        assert done.exit_code == 0, done.stderr
        return done.stdout

    for args in (
        ("flow", "visitors", "--from", "2020-01-01", "--to", "now"),
        ("face", "list", "-g", "stranger"),
    ):
        rows = run(*args).splitlines()
        at = next(i for i, line in enumerate(rows) if line.startswith("FACE ID"))
        head, first = rows[at : at + 2]
        assert re.split("  +", head) == ["FACE ID", "GROUP", "AGE", "GENDER", "VISITS", "LAST VISIT"]
        assert re.search(r"  (male|female|unknown) +\d+ +20\d\d-\d\d-\d\d \d\d:\d\d$", first), first
    assert "LAST VISIT" in run("face", "oldest", "-g", "stranger")
    assert isinstance(
        json.loads(run("face", "list", "-g", "stranger", "--json"))["face_list"][0]["arrive_time"], int
    )
