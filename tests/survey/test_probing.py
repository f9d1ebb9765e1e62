"""``ipc protocol probe`` and what it leaves: candidates, pace, budget, Ctrl-C, corrections, proven facts."""

from __future__ import annotations

import inspect
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli import endpoints
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.protocol import reference, seen
from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.spec import DOC, registry
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.survey.grammar import candidates
from sunmi_ipc.survey.probe import Probe

Run = Callable[..., Any]


@pytest.fixture
def run(vendor: Vendor, tmp_path: Path) -> Run:
    def run(*words: str, lang: str = "en") -> Any:
        return CliRunner().invoke(
            app, list(words),
            env=vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path), "SUNMI_IPC_LANG": lang, "COLUMNS": "160"},
        )  # fmt: skip

    return run


@pytest.mark.slow
def test_candidates_are_of_a_small_grammar_the_likeliest_first() -> None:
    documented = {path for path, e in registry().items() if e.evidence is DOC}
    for path, endpoint in registry().items():
        if endpoint.evidence is DOC:
            continue
        made = candidates(path)
        names = [name for name, _ in made]
        assert path not in names
        assert len(names) == len(set(names)) < 400
        assert not documented & set(names)
        assert [score for _, score in made] == sorted((score for _, score in made), reverse=True)
    led, card = dict(candidates("config/getLed")), dict(candidates("config/formatMemoryCard"))
    assert {"config/queryLed", "config/getLedSwitch", "config/getLedConfiguration", "config/listLed"} <= set(
        led
    )
    assert "config/formatSdCard" in card
    # The same words in another drawer come last.
    assert "device/getLed" in led
    assert led["device/getLed"] < min(score for name, score in led.items() if name.startswith("config/"))
    for ours, theirs in (
        ("face/addFace", "face/createFace"), ("face/deleteFaces", "face/delFaces"), ("face/updateFace", "face/modifyFace"),
        ("config/getMemoryCardStatus", "config/getExternalStorage"), ("face/clearGroup", "face/resetGroup"),
    ):  # fmt: skip
        assert theirs in dict(candidates(ours))


def test_four_calls_a_second_and_four_hundred_in_all() -> None:
    defaults = {name: p.default for name, p in inspect.signature(Probe).parameters.items()}
    assert (defaults["pace"], defaults["budget"]) == (0.25, 400)
    with VirtualCamera(state="ready", udp=False) as virtual, connect(virtual) as camera:
        began = time.monotonic()
        report = Probe(camera, pace=0.05, budget=14).run()
        assert time.monotonic() - began >= 0.05 * 13
    assert report.calls_made <= 14


@pytest.mark.slow
def test_shown_then_written_and_every_command_uses_it(run: Run, vendor: Vendor, tmp_path: Path) -> None:
    with VirtualCamera(vendor, state="ready", udp=False, wire_seed=3) as virtual:
        at = ("-c", virtual.address)
        shown = run("protocol", "probe", "--pace", "0", *at)
        assert shown.exit_code == 0, shown.output
        assert "it is config/readWifiConf" in shown.stdout
        assert 'config/readWifiConf"' in shown.stdout  # the file, too
        assert "--write" in shown.stderr
        assert not list(tmp_path.rglob("overrides.toml"))
        assert run("wifi", "show", *at).exit_code in (5, 6)
        written = run("protocol", "probe", "--pace", "0", "--write", "--yes", *at)
        assert written.exit_code == 0, written.output
        (file,) = tmp_path.rglob("overrides.toml")
        assert parse(file.read_text("utf-8"))["config/getWifiConf"].path == "config/readWifiConf"
        assert run("wifi", "show", *at).exit_code == 0
        assert run("protocol", "show", "config/getWifiConf").stdout.count("config/readWifiConf") == 1


def test_ctrl_c_keeps_what_is_known_and_the_next_goes_on(run: Run, vendor: Vendor) -> None:
    with VirtualCamera(vendor, state="ready", udp=False, people=0) as virtual:
        honest, count = virtual.answer, 0

        def answer(path: str, body: bytes, kind: str = "") -> Any:
            nonlocal count
            count += 1
            if count == 40:
                os.kill(os.getpid(), signal.SIGINT)
            return honest(path, body, kind)

        virtual.answer = answer  # type: ignore[method-assign]
        at = ("--pace", "0", "-c", virtual.address)
        first = run("protocol", "probe", *at)
        assert "Stopped: interrupted" in first.stderr, first.output
        assert "it exists" in first.stdout
        again = run("protocol", "probe", *at)
        assert "paths were known from the probe before" in again.stderr
        anew = run("protocol", "probe", "--budget", "30", "--anew", *at, lang="zh")
        assert "上次探测" not in anew.stderr
        assert "已停止：调用次数已用完" in anew.stderr


def test_a_proven_fact_is_a_line_in_a_file_and_shown_everywhere(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = seen.parse('"config/getLed" = ["FM020 1.8.2", "FM010 1.2.0"]\n')
    monkeypatch.setattr(seen, "seen", lambda: facts)
    on = "FM020 1.8.2, FM010 1.2.0"
    listed = run("protocol", "list", "--evidence", "proven", "--json")
    assert [row["path"] for row in json.loads(listed.stdout)["endpoints"]] == ["config/getLed"]
    assert on in run("protocol", "list").stdout
    assert on in run("protocol", "show", "config/getLed").stdout
    assert on in reference.evidence(registry()["config/getLed"])
    told = endpoints.describe(("image.led", "image.set_led"))
    assert f"config/getLed (proven: {on})" in told
    assert "config/setLed (inferred)" in told
    assert on in reference.markdown()
    assert on in reference.markdown("zh")


@pytest.mark.parametrize(
    "line", ['"x/y" = []', '"x/y" = "FM020 1.8.2"', '"x/y" = ["FM020"]', '"x/y" = ["FM020 one"]']
)
def test_a_line_that_says_no_model_and_firmware_is_none(line: str) -> None:
    with pytest.raises(ValueError, match="MODEL FIRMWARE"):
        seen.parse(line)


def test_what_ships_is_of_that_form() -> None:
    assert set(seen.seen()) <= set(registry())
