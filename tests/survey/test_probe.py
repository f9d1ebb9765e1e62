"""A probe finds what its grammar can spell, changes nothing, and knows when it cannot tell."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from sunmi_ipc.protocol.overrides import parse
from sunmi_ipc.protocol.spec import DOC, Sign, registry
from sunmi_ipc.simulator import VirtualCamera, connect
from sunmi_ipc.simulator.replay import RawAnswer
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
