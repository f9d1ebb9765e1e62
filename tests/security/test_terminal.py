"""Names that a camera gives cannot steer the terminal: shown escaped, in tables, fields, JSON and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen.output import error_document, note, print_json_line, say
from sunmi_ipc_cli.state import State
from typer.testing import CliRunner

from sunmi_ipc.discovery.camera import observe
from sunmi_ipc.errors import ConfigError
from sunmi_ipc.simulator import Vendor

from .hostile import Hostile, answer

#: Window title, screen cleared, C1's CSI, bidirectional override, new line, bell, a lone surrogate.
EVIL = "Door\x1b]0;owned\x07\x1b[2J\x9b31m\u202egpj.exe\r\nerror: \x00\ud800"
ROW = {"name": EVIL, "ssid": EVIL, "faceid": EVIL, "group_name": EVIL, "url": EVIL, EVIL: EVIL}
DATA = {
    "sn": EVIL, "model_name": EVIL, **ROW, "ap_list": [ROW], "face_group": [ROW], "num": 1, "total_num": 1, "return_num": 1,
    "face_list": [ROW], "name_list": [EVIL], "hd_live_url": EVIL, "fhd_live_url": EVIL, "password": EVIL,
    "sub_event": [{"event": EVIL, "http_callback": [EVIL]}],
}  # fmt: skip
COMMANDS = [
    ["info"], ["wifi", "scan"], ["wifi", "show"], ["wifi", "show", "--reveal"], ["image", "name"],
    ["face", "group", "list"], ["face", "list", "-g", "VIP"], ["face", "attribute", "list", "-g", "VIP"],
    ["events", "list"], ["call", "config/getLed"], ["video", "live"],
]  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True], ids=["table", "json"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_hostile_name_is_shown_escaped(vendor: Vendor, words: list[str], as_json: bool) -> None:
    body = json.dumps({"code": 0, "data": DATA}).encode()
    with Hostile(vendor, answer(body)) as server:
        args = [*words, "-c", server.address, "-vv", *(["--json"] if as_json else [])]
        done = CliRunner().invoke(app, args, env=vendor.environment())
    for text in (done.stdout, done.stderr):
        assert text.replace("\n", "").isprintable(), text
        assert "\nerror: \\" not in text
    assert "unexpected failure" not in done.stderr
    if as_json and done.exit_code == 0:
        assert "Door" in json.dumps(json.loads(done.stdout)) or words[-1] == "name"
    if not as_json and words == ["info"]:
        assert (
            "Door\ufffd]0;owned\ufffd\ufffd[2J\ufffd31m\ufffdgpj.exe\ufffd\ufffderror: \ufffd\ufffd"
            in done.stdout
        )


def test_json_keeps_what_it_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    value: dict[str, Any] = {"name": EVIL, "门": ["😀", "\x7f", "\U000e0001"]}
    print_json_line(value)
    printed = capsys.readouterr().out
    assert printed.rstrip("\n").isprintable()
    assert "门" in printed
    assert json.loads(printed) == value


def test_remarks_and_errors_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    say(State(), "{name} is trusted with its new certificate.", name=EVIL)
    note(State(), "camera: {sn} at {ip}", sn=EVIL, ip=EVIL)
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert text.count("\n") == 1
        assert text.rstrip("\n").isprintable()
    document = error_document(ConfigError("{path} is not a folder", path=EVIL, hint="{path}"))["error"]
    assert document["message"].isprintable()
    assert document["hint"].isprintable()


def test_discovery_shows_names_escaped() -> None:
    found = observe({"deviceid": "FS101D8BS00106", "name": EVIL, "model": EVIL, "mac": EVIL}, "127.0.0.1")
    assert found.name.isprintable()
    assert found.name.startswith("Door\\x1b]0;owned")
    assert found.model.isprintable()
    assert found.mac.isprintable()


def test_no_error_steers_a_terminal_whatever_it_quotes() -> None:
    from sunmi_ipc.errors import ConfigError, ParameterError

    inner = ConfigError("{path} is no dump: {reason}", path="a\x1b[2J\n", reason="\u202eb")
    for error in (ParameterError("{name}: not JSON", name="x\x07" * 5000), ConfigError("{path}: {reason}", path=inner, reason=1),
                  ConfigError("the event is empty", camera="c\x1b[0m\n")):  # fmt: skip
        for text in (str(error), *error.localized("zh")):
            assert text.isprintable()
            assert len(text) < 10_000


def test_what_other_libraries_log_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    import logging

    State().log()
    assert logging.lastResort is not None  # where nobody has set anything up
    logging.lastResort.handle(logging.LogRecord("some.body", 30, "", 0, "not found: %s", (EVIL,), None))
    told = capfd.readouterr().err
    assert told.count("\n") == 1
    assert told.strip("\n").isprintable()
