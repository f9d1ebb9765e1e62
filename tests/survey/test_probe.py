"""A probe finds what its grammar can spell, changes nothing, and knows when it cannot tell."""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import ConnectionFailed
from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.spec import DOC, Sign, registry
from sunmi_ipc.protocol.wire import Override
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect
from sunmi_ipc.simulator.replay import RawAnswer
from sunmi_ipc.simulator.variant import draw
from sunmi_ipc.survey.grammar import candidates
from sunmi_ipc.survey.probe import BUDGET, Probe


def probe(virtual: VirtualCamera, **options: Any) -> Any:
    with connect(virtual) as camera:
        return Probe(camera, pace=0.0, **options).run()


def found(seed: int) -> tuple[int, int, int]:
    """Paths found, those that could be found, and all; everything else is asserted."""
    with VirtualCamera(state="ready", wire_seed=seed, udp=False) as virtual:
        before = virtual.state.changes
        report = probe(virtual)
        assert virtual.state.changes == before
        assert report.calls_made <= BUDGET
        assert parse(report.toml).keys() == report.overrides.keys()
        hit = spellable = total = 0
        for ours, endpoint in registry().items():
            if endpoint.evidence is DOC or endpoint.sign is not Sign.SECRET:
                continue
            total += 1
            real = (virtual.overrides[ours].path if ours in virtual.overrides else "") or ours
            can = real == ours or real in dict(candidates(ours))
            spellable += can and (report.order_of_checks[0] == "URL" or endpoint.safe)
            told = (report.overrides[ours].path if ours in report.overrides else "") or ours
            verdict = next(f["verdict"] for f in report.findings if (f["path"], f["fact"]) == (ours, "path"))
            if verdict in ("proven", "corrected"):
                assert told == real, f"{ours} taken for {told}, it is {real}"
                hit += 1
        if report.order_of_checks[0] == "URL":
            tour(virtual, report.overrides)
    return hit, spellable, total


def tour(virtual: VirtualCamera, overrides: Any) -> None:
    """What the commands call, with nothing but the probe's corrections."""
    with connect(virtual, overrides=overrides) as camera:
        known = {e.key: overrides.get(p) for p, e in registry().items()}
        real = {e.key: virtual.overrides.get(p) for p, e in registry().items()}

        def has(key: str) -> bool:  # a path that nobody can spell stays unknown
            told, truth = known[key], real[key]
            return (told.path if told else "") == (truth.path if truth else "")

        if has("lens.show"):
            assert camera.lens.show().max_zoom == 500
            if has("lens.set_zoom"):
                camera.lens.set_zoom(60)
                assert 0 < camera.lens.show().zoom <= 60  # the motors are on their way
        if has("image.led") and has("image.set_led"):
            camera.image.set_led(False)
            assert camera.image.led().switch == 0
        if has("detection.show") and has("detection.set"):
            assert camera.detection.show().motion_level == 2
        if has("sdcard.status"):
            assert camera.sdcard.status().ready
        if has("faces.list_page") and has("faces.groups"):
            assert {g.name for g in camera.faces.groups().face_group} >= {"stranger", "regular"}
            assert len(list(camera.faces.list("stranger"))) > 0
        camera.people_flow.set_door_line(300, 700, 1500, 700)
        assert camera.people_flow.door_line().start_x == 300


@pytest.mark.parametrize("seed", [4, 17])
def test_another_firmware(seed: int) -> None:
    hit, spellable, total = found(seed)
    assert hit == spellable
    assert total == 50


@pytest.mark.slow
def test_fifty_firmwares() -> None:
    hits = [found(seed) for seed in range(50)]
    hit, spellable, total = (sum(column) for column in zip(*hits, strict=True))
    print(f"\nfound {hit} of {spellable} that can be spelt and asked for, {total} in all")
    assert hit == spellable


def test_a_camera_that_takes_any_parameter_is_asked_for_effects(vendor: Vendor) -> None:
    """A page size that bites tells its name, where no wrong name is refused."""
    called = {"page_size": "limit", "page_num": "pageNo"}
    lists = {"face/getFaceList", "face/getFaceIdList", "media/getVideoRecordList"}
    with VirtualCamera(
        vendor, state="ready", udp=False, people=20, quirks=["any-parameters"],
        overrides={path: Override("", called) for path in lists},
    ) as virtual:  # fmt: skip
        report = probe(virtual)
        rows = {(f["path"], f["verdict"]): f["detail"] for f in report.findings if f["fact"] == "parameters"}
        with connect(virtual, overrides=report.overrides) as camera:
            assert len(camera.faces.list_page("stranger", page_size=1).face_list) == 1
    for path in lists:
        if registry()[path].params_evidence is not DOC:
            assert report.overrides[path].names.items() >= called.items()
            assert (path, "corrected") in rows
    assert ("peopleFlow/getVisitorList", "corrected") not in rows
    assert report.calls_made <= BUDGET


def test_our_own_guesses_are_proven_where_they_hold() -> None:
    with VirtualCamera(state="ready", udp=False) as virtual:
        report = probe(virtual)
    assert not report.overrides
    assert report.order_of_checks == ["URL", "signature", "parameters"]
    paths = [f for f in report.findings if f["fact"] == "path"]
    assert {f["verdict"] for f in paths} == {"proven", "open"}
    assert [f["path"] for f in paths if f["verdict"] == "open"] == ["config/getApListWithoutAuth"]


@pytest.mark.parametrize(
    "answer", ['{"code":0}', '{"code":0,"data":{"sn":"FS101D8BS00106"}}', '{"code":5}', "<html>no</html>", ""]
)
def test_a_camera_that_says_the_same_to_everything(answer: str) -> None:
    with VirtualCamera(state="ready", udp=False) as virtual:
        virtual.answer = lambda path, body, kind="": RawAnswer(200, answer)  # type: ignore[method-assign]
        report = probe(virtual)
    assert report.stopped.startswith("cannot tell")
    assert report.calls_made < 20
    assert not report.overrides


@pytest.mark.slow
def test_a_camera_that_grows_slower() -> None:
    with VirtualCamera(state="ready", udp=False) as virtual:
        honest, count = virtual.answer, 0

        def slower(path: str, body: bytes, kind: str = "") -> Any:
            nonlocal count
            count += 1
            time.sleep(max(0.0, (count - 8) * 0.5))
            return honest(path, body, kind)

        virtual.answer = slower  # type: ignore[method-assign]
        report = probe(virtual, seconds=60.0)
    assert "slower" in report.stopped
    assert report.calls_made < 30


Answer = Callable[[str, bytes, str], Any]


def _silent(path: str, body: bytes, kind: str) -> Any:
    raise OSError  # the connection ends without a word


def _after(calls: int, then: Answer) -> Callable[[Answer], Answer]:
    """An honest camera that turns after so many *calls*."""

    def turned(honest: Answer) -> Answer:
        count = 0

        def play(path: str, body: bytes, kind: str) -> Any:
            nonlocal count
            count += 1
            return (honest if count <= calls else then)(path, body, kind)

        return play

    return turned


def _always(status: int, text: str, **headers: str) -> Answer:
    return lambda path, body, kind: RawAnswer(status, text, headers)


def _dice(seed: int) -> Answer:
    die = random.Random(seed)
    said = (
        '{"code":0,"data":{"sn":"C201D8BS00089"}}',
        '{"code":6}',
        '{"code":5}',
        '{"code":2}',
        "{}",
        "<html>",
    )
    return lambda path, body, kind: RawAnswer(die.choice((200, 200, 200, 404)), die.choice(said))


ZERO, FIVE = '{"code":0,"data":{"sn":"C201D8BS00089","zoom":1}}', '{"code":5}'
#: What a camera does to every call, or from some call on.
HOSTILE: dict[str, Callable[[Answer], Answer]] = {
    "404": lambda honest: _always(404, "<html>"),
    "500": lambda honest: _always(500, ""),
    "redirect": lambda honest: _always(302, "", Location="https://127.0.0.1:9/"),
    "a redirect to itself": lambda honest: _always(307, "", Location="/openapi/device/getInfo"),
    "silence": lambda honest: _silent,
    "huge": lambda honest: _always(200, '{"code":0,"data":{"sn":"' + "x" * 9_000_000 + '"}}'),
    "deep": lambda honest: _always(200, '{"code":0,"data":' + "[" * 100_000),
    "no number": lambda honest: _always(200, '{"code":"0e0","data":{"sn":1}}'),
    "0 after a while": _after(40, _always(200, ZERO)),
    "5 after a while": _after(40, _always(200, FIVE)),
    "404 after a while": _after(40, _always(404, "")),
    "6 after a while": _after(40, _always(200, '{"code":6}')),
    "another order after a while": _after(40, _always(200, '{"code":7}')),
    **{f"dice {n}": lambda honest, n=n: _dice(n) for n in range(12)},
    **{f"dice {n} after a while": _after(11, _dice(n)) for n in range(4)},
}


_QUICK = ("404", "redirect", "silence", "huge", "0 after a while", "dice 1")


@pytest.mark.parametrize(
    "kind", [k if k in _QUICK else pytest.param(k, marks=pytest.mark.slow) for k in sorted(HOSTILE)]
)
def test_a_camera_that_plays_with_us(kind: str, vendor: Vendor) -> None:
    with VirtualCamera(vendor, state="ready", udp=False, people=0) as virtual:
        virtual.answer = HOSTILE[kind](virtual.answer)  # type: ignore[method-assign,assignment]
        began = time.monotonic()
        try:
            report = probe(virtual, budget=120)
        except ConnectionFailed:
            assert kind == "silence"
            return
        assert time.monotonic() - began < 60
    assert report.stopped.startswith("cannot tell"), report.stopped
    assert report.cannot_tell
    assert not report.overrides
    assert all(f["verdict"] == "open" for f in report.findings), kind


def test_refusals_that_turn_into_silence(vendor: Vendor) -> None:
    """As where something locks whoever asks too often: it stops, says so, and what was said before holds."""
    with VirtualCamera(vendor, state="ready", udp=False, people=0, wire_seed=4) as virtual:
        virtual.answer = _after(60, _silent)(virtual.answer)  # type: ignore[method-assign]
        report = probe(virtual)
    assert report.stopped == "the camera has fallen silent"
    assert report.calls_made == 63
    assert any(f["verdict"] in ("proven", "corrected") for f in report.findings)


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_written_where_it_cannot_tell(lang: str, vendor: Vendor, tmp_path: Path) -> None:
    with VirtualCamera(vendor, state="ready", udp=False, people=0) as virtual:
        virtual.answer = lambda path, body, kind="": RawAnswer(200, FIVE)  # type: ignore[method-assign]
        done = CliRunner().invoke(
            app, ["protocol", "probe", "--write", "--yes", "--pace", "0", "-c", virtual.address],
            env=vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path), "SUNMI_IPC_LANG": lang},
        )  # fmt: skip
    assert done.exit_code == 6
    assert not list(tmp_path.rglob("*.toml"))
    assert {"en": "cannot tell", "zh": "无法判断"}[lang] in done.stderr
    assert "ipc configure" in done.stderr  # 5 may be our own fault
    assert "code 5" in done.stderr if lang == "en" else "返回码 5" in done.stderr


@pytest.mark.slow
def test_a_camera_that_is_not_there_is_not_there(tmp_path: Path, vendor: Vendor) -> None:
    done = CliRunner().invoke(
        app, ["protocol", "probe", "-c", "127.0.0.1:9", "--json"],
        env=vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": str(tmp_path)},
    )  # fmt: skip
    assert done.exit_code == 3, done.output


@pytest.mark.slow
@pytest.mark.parametrize("writes", [False, True])
@pytest.mark.parametrize("url_first", [False, True])
def test_a_write_is_never_carried_out(url_first: bool, writes: bool, vendor: Vendor) -> None:
    """Not even where the camera looks at the signature first, and writes are asked for all the same."""
    seed = next(seed for seed in range(50) if draw(seed).url_first == url_first)
    with VirtualCamera(vendor, state="ready", udp=False, people=0, wire_seed=seed) as virtual:
        reads = {e.path for e in registry().values() if e.safe}
        changes = {_real(virtual, e.path): e for e in registry().values() if not e.safe}
        report = probe(virtual, writes=writes)
        assert virtual.state.changes == 0
        assert virtual.state.counts.keys() <= reads
    well = [c for c in report.survey.calls if c["signed"] == "yes"]
    assert not [c for c in report.survey.calls if c["signed"] == "no"]
    assert not [
        c for c in report.survey.calls if "WithoutAuth" in c["path"] or "activate" in c["path"].lower()
    ]
    asked = [c for c in well if c["path"] in changes]
    assert bool(asked) == (writes and not url_first)
    for call in asked:
        assert call["sent"]
        assert set(call["sent"].values()) == {"-1"}
    wordless = re.compile("format|reset|clear|init|delete|del|remove|add|create", re.IGNORECASE)
    if not url_first:
        assert not [c for c in well if wordless.search(c["path"].rpartition("/")[2]) and not c["sent"]]


def _real(virtual: VirtualCamera, ours: str) -> str:
    return (virtual.overrides[ours].path if ours in virtual.overrides else "") or ours


def test_the_budget_is_kept_and_what_is_known_stays() -> None:
    with VirtualCamera(state="ready", wire_seed=3, udp=False) as virtual:
        report = probe(virtual, budget=40)
    assert report.calls_made <= 40
    assert "budget" in report.stopped
    assert any(f["verdict"] == "proven" for f in report.findings)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [4, 7])
def test_a_probe_goes_on_where_it_was_stopped(seed: int) -> None:
    """However often it is stopped: in the end it knows the same, and asks for no path twice."""
    with VirtualCamera(state="ready", wire_seed=seed, udp=False) as virtual:
        at_once = probe(virtual)
        knowledge: dict[str, Any] | None = None
        asked: list[str] = []
        for _ in range(12):
            with connect(virtual) as camera:
                probing = Probe(camera, pace=0.0, budget=230, resume=knowledge)
                report = probing.run()
            before = set((knowledge or {}).get("exists", {}))
            wrongly = [c["path"] for c in probing.survey.calls if c["signed"] == "wrongly"][3:]
            assert not before & set(wrongly)
            asked += wrongly
            assert report.resumed == len(before)
            knowledge = json.loads(json.dumps(probing.knowledge))
            if not report.stopped and not report.unsearched:
                break
        assert not report.stopped
        assert {o.path for o in report.overrides.values() if o.path} == {
            o.path for o in at_once.overrides.values() if o.path
        }


@pytest.mark.parametrize(
    "left", [{}, {"version": 1}, {"exists": 5}, {"exists": {"config/setZoom": "yes"}, "paths": [1]}, {"order": ["x"]},
             {"firmware": "9.9.9"}],
)  # fmt: skip
def test_what_cannot_be_gone_on_with_is_begun_anew(left: dict[str, Any]) -> None:
    with VirtualCamera(state="ready", udp=False) as virtual, connect(virtual) as camera:
        probing = Probe(camera, pace=0.0, budget=40)
        probing.run()
        report = Probe(camera, pace=0.0, budget=40, resume=probing.knowledge | left if left else {}).run()
    assert report.order_of_checks == ["URL", "signature", "parameters"]
    assert report.resumed == 0 or left.keys() == {"version"}
