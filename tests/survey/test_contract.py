"""What ``ipc dump``, ``ipc sim start --from`` and ``--wire-seed`` promise, each promise once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.spec import DOC, registry
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.filming import PictureFormat, VideoSettings
from sunmi_ipc.simulator.variant import draw
from sunmi_ipc.survey import findings, model
from sunmi_ipc.survey.dump import dump

DUMPS = sorted((Path(__file__).parents[1] / "dumps").glob("*.json"))
_SMALL = PictureFormat(160, 160, 2)
VIDEO = VideoSettings(hd=_SMALL, fhd=_SMALL, clip=_SMALL, clip_ready_s=(0.0, 0.1))
Run = Callable[..., Any]


@pytest.fixture
def run(vendor: Vendor, tmp_path: Path) -> Run:
    def run(*words: str, given: str | None = None, lang: str = "en") -> Any:
        return CliRunner().invoke(
            app, list(words), input=given,
            env=vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path / "config"), "SUNMI_IPC_LANG": lang},
        )  # fmt: skip

    return run


# -- what is in a dump --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(vendor: Vendor) -> dict[str, Any]:
    """A dump with everything in it."""
    with (
        VirtualCamera(vendor, state="ready", people=2, video=VIDEO) as virtual,
        connect(virtual) as camera,
    ):
        virtual.fail("clock", 7200, times=None)
        before = virtual.state.changes
        document = dump(camera, pace=0.0)
        assert virtual.state.changes == before
    return document


@pytest.mark.slow
def test_everything_that_a_dump_is_to_hold(whole: dict[str, Any]) -> None:
    assert (whole["format"], whole["version"]) == ("sunmi-ipc-dump", 1)
    assert {"tool", "model", "firmware", "discovery", "tls", "calls", "video", "findings"} <= set(whole)
    heard = whole["discovery"]
    assert bytes.fromhex(heard["datagram"]).startswith(b"\xff\xff")
    assert heard["bytes"] == 12 + int(heard["length_field"], 16)
    assert set(whole["tls"]) == {"version", "cipher", "certificate"}
    certificate = whole["tls"]["certificate"]
    assert {"subject", "issuer", "not_before", "not_after", "key", "signature"} <= set(certificate)
    assert "BEGIN" not in json.dumps(whole)  # never the key, nor the certificate itself
    assert 7000 < whole["clock"]["offset_s"] < 7400
    assert all({"path", "sent", "status", "headers", "body", "ms"} <= set(call) for call in whole["calls"])
    assert any(json.loads(call["body"])["code"] for call in whole["calls"])  # refusals, too
    for stream in ("hd_live_url", "fhd_live_url"):
        assert whole["video"][stream]["sdp"].startswith("v=0")
        assert whole["video"][stream]["picture"] == "160x160"
    for name, kinds in (("snapshot", {"jpeg"}), ("recording", {"mp4", "flv"}), ("clip", {"mp4"})):
        part = whole["video"][name]
        assert part["container"] in kinds
        assert len(bytes.fromhex(part["head"])) == 64 < part["bytes"]
    facts = {row["fact"] for row in whole["findings"]}
    assert facts == {"path", "fields", "place of the fields"}
    assert {row["verdict"] for row in whole["findings"]} <= {"proven", "refuted", "corrected", "open"}


def test_what_an_answer_says_of_its_fields() -> None:
    led = registry()["config/getLed"]
    known = next(iter(findings.wire_fields(led.result)))  # type: ignore[arg-type]
    assert findings.shape(led.result, {known: "1"}) == (
        "proven",
        f"present: {known}; types: {known}=text of digits",
    )  # type: ignore[arg-type]
    assert findings.shape(led.result, {"glow": 1}) == ("refuted", f"absent: {known}; unknown: glow")  # type: ignore[arg-type]
    assert findings.shape(led.result, {known: 1, "glow": 1})[1].startswith(f"present: {known}; unknown: glow")  # type: ignore[arg-type]


def test_the_dumps_that_we_have_say_that_they_are_of_virtual_cameras() -> None:
    for path in DUMPS:
        assert "virtual" in model.read(path)["note"]


# -- the command --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_it_shows_what_it_will_write_and_asks(
    lang: str, run: Run, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc_cli.protocol.dump.is_terminal", lambda: True)
    with VirtualCamera(vendor, state="ready", people=0) as virtual:
        file = tmp_path / "found.json"
        words = ("dump", "--no-video", "--pace", "0", "-o", str(file), "-c", virtual.address)
        no = run(*words, given="v\nn\n", lang=lang)
        assert no.exit_code == 1
        assert not file.exists()
        told = {"en": ("calls", "bytes", "replaced: ", "findings: ", "proven", "Nothing was written"),
                "zh": ("次调用", "字节", "已替换：", "结论：", "已证实", "[y/N/v]")}[lang]  # fmt: skip
        assert [word for word in told if word not in no.stderr] == []
        assert str(file) in no.stderr
        # v shows all of it; around it stands what was typed.
        shown = json.loads(no.stdout[no.stdout.index("{") : no.stdout.rindex("}") + 1])
        yes = run(*words, given="y\n", lang=lang)
        assert yes.exit_code == 0, yes.output
    whole = json.loads(file.read_text("utf-8"))
    assert virtual.sn not in no.output + yes.output.replace(virtual.address, "") + json.dumps(whole)
    assert shown.keys() == whole.keys()
    assert run("dump", "--check", str(file)).exit_code == 0


def test_where_nobody_can_look_it_is_printed_or_wanted_unseen(
    run: Run, vendor: Vendor, tmp_path: Path
) -> None:
    with VirtualCamera(vendor, state="ready", people=0) as virtual:
        file = tmp_path / "found.json"
        words = ("dump", "--no-video", "--pace", "0", "-c", virtual.address)
        unasked = run(*words, "-o", str(file))
        assert unasked.exit_code == 2
        assert "destroys" not in unasked.stderr
        assert "--yes" in unasked.stderr
        assert virtual.state.counts == {}  # known before the camera is asked
        assert not file.exists()
        printed = run(*words, "-o", "-")
        assert json.loads(printed.stdout)["format"] == "sunmi-ipc-dump"
        told = json.loads(run(*words, "-o", str(file), "--json").stdout)
        assert told["file"] == str(file)
        assert sum(told["replaced"].values()) > 0


@pytest.mark.slow
def test_a_probe_leaves_a_dump_with_its_findings(run: Run, vendor: Vendor, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    with VirtualCamera(vendor, state="ready", people=0) as virtual:
        words = (
            "protocol",
            "probe",
            "--pace",
            "0",
            "--budget",
            "30",
            "--dump",
            str(file),
            "-c",
            virtual.address,
        )
        unasked = run(*words)
        assert unasked.exit_code == 2
        assert "--yes" in unasked.stderr
        assert virtual.state.counts == {}
        done = run(*words, "--yes")
        assert done.exit_code == 0, done.output
        assert "replaced: " in done.stderr
    document = model.read(file)
    assert len(document["calls"]) <= 30
    assert {row["verdict"] for row in document["findings"]} >= {"proven"}
    assert virtual.sn not in file.read_text("utf-8")


def test_a_dump_is_checked(run: Run, tmp_path: Path) -> None:
    good = run("dump", "--check", str(DUMPS[0]), "--json")
    assert json.loads(good.stdout)["valid"] is True
    bad = tmp_path / "bad.json"
    bad.write_text(DUMPS[0].read_text("utf-8").replace('"calls"', '"cells"', 1), "utf-8")
    assert run("dump", "--check", str(bad)).exit_code == 2
    assert "calls" in run("dump", "--check", str(bad)).stderr
    assert run("dump", "--check", str(tmp_path / "none.json")).exit_code == 2


def test_dirty_types_and_refusals_come_again_as_they_were(vendor: Vendor) -> None:
    document = model.read(next(path for path in DUMPS if path.stem == "virtual-FM020"))
    dirty = '{"code":"0","data":{"led_switch":"1","junk":null}}'
    said = {"config/getLed": (200, dirty), "config/getIrMode": (200, '{"code":232}'),
            "config/getRotation": (503, "")}  # fmt: skip
    for call in document["calls"]:
        if call["path"] in said:
            call["status"], call["body"] = said[call["path"]]
    with (
        VirtualCamera(vendor, state="ready", dump=document) as replayed,
        connect(replayed) as camera,
    ):
        again = {c["path"]: (c["status"], c["body"]) for c in dump(camera, pace=0.0, video=False)["calls"]}
        assert camera.device.info().software_version == document["firmware"]
    assert {path: again[path] for path in said} == said


@contextmanager
def started(*options: str) -> Iterator[dict[str, Any]]:
    with subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "sim", "start", "--port", "0", *options],
        env=os.environ | {"LANG": "C.UTF-8"}, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_a_camera_is_started_from_a_dump(path: Path, tmp_path: Path) -> None:
    document = model.read(path)
    (tmp_path / "overrides.toml").write_text(document["overrides"], "utf-8")
    with started("--from", str(path)) as ready:
        (one,) = ready["cameras"]
        assert one["model"] == document["model"]
        env = ready["env"] | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path)}
        at = ("-c", f"{one['ip']}:{one['port']}")
        info = CliRunner().invoke(app, ["info", "--json", *at], env=env)
        assert json.loads(info.stdout)["software_version"] == document["firmware"]
        assert CliRunner().invoke(app, ["image", "led", "off", *at], env=env).exit_code == 0
        led = CliRunner().invoke(app, ["image", "led", "--json", *at], env=env)
        assert json.loads(led.stdout)["led_switch"] in (0, "0"), led.stdout


@pytest.mark.slow
def test_a_camera_is_started_with_other_names(tmp_path: Path) -> None:
    with started("--state", "ready", "--wire-seed", "3") as ready:
        (one,) = ready["cameras"]
        env = ready["env"] | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path)}
        at = ("-c", f"{one['ip']}:{one['port']}")
        assert CliRunner().invoke(app, ["info", *at], env=env).exit_code == 0
        assert CliRunner().invoke(app, ["wifi", "show", *at], env=env).exit_code in (5, 6)


# -- what a seed draws --------------------------------------------------------------------------------


def test_a_seed_draws_what_is_not_documented_and_nothing_else() -> None:
    drawn = [draw(seed) for seed in range(50)]
    documented = {path for path, endpoint in registry().items() if endpoint.evidence is DOC}
    for seed, variant in enumerate(drawn):
        again = draw(seed)
        assert again.overrides == variant.overrides
        assert not documented & set(variant.overrides)
        paths = [(variant.overrides[p].path if p in variant.overrides else "") or p for p in registry()]
        assert len(set(paths)) == len(paths)
    for manner in ("flat", "url_first", "status_404"):
        assert {getattr(variant, manner) for variant in drawn} == {True, False}
    assert any(override.names for variant in drawn for override in variant.overrides.values())
    assert any(variant.fields for variant in drawn)


@pytest.mark.parametrize("url_first", [True, False])
@pytest.mark.parametrize("status_404", [True, False])
def test_a_seed_decides_who_looks_first_and_how_it_says_no(
    url_first: bool, status_404: bool, vendor: Vendor
) -> None:
    from sunmi_ipc.protocol.spec import Sign
    from sunmi_ipc.survey.dump import NO_PATH, Survey

    seed = next(s for s in range(99) if (draw(s).url_first, draw(s).status_404) == (url_first, status_404))
    with (
        VirtualCamera(vendor, state="ready", udp=False, people=0, wire_seed=seed) as virtual,
        connect(virtual) as camera,
    ):
        survey = Survey(camera, pace=0.0)
        well = survey.send(NO_PATH, {}, Sign.SECRET)
        wrongly = survey.send(NO_PATH, {}, Sign.SECRET, spoil=True)
    none = ("http", 404) if status_404 else ("code", 6)
    assert well.same == none
    assert wrongly.same == (none if url_first else ("code", 5))


def test_overrides_of_a_seed_are_a_file(vendor: Vendor) -> None:
    from sunmi_ipc.protocol import overrides

    for seed in range(5):
        drawn = draw(seed).overrides
        assert parse(overrides.dump(drawn)) == drawn
