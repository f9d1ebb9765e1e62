"""Verdicts on cameras: right, in time, and no false alarm."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.errors import CameraNotFound, ConfigError
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station import Station, Store, load
from sunmi_ipc.station.judge import Judge
from sunmi_ipc.station.verdict import KINDS, Level, Reason
from sunmi_ipc.values import CardStatus

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]


def test_all_is_well(station: Start, virtual: Virtual, kit: Any) -> None:
    cameras = [virtual(), virtual(model="FM010")]
    running = station(cameras)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    time.sleep(1.0)
    status = running.status()
    assert status.verdict is Level.OK
    assert [c.sn for c in status.cameras] == [c.sn for c in cameras]
    facts = status.cameras[0].facts
    assert facts["answer_ms"] > 0
    assert (facts["card"], abs(facts["clock_s"]) <= 1, facts["recorded"]) == ("normal", True, True)
    assert running.watch.judge.history() == []


def test_a_card_is_taken_out_and_put_back(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera])
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    taken = time.time()
    camera.insert_card(CardStatus.NONE)
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"card-none"})
    (reason,) = running.camera_status(camera.sn).reasons
    assert taken <= reason.since <= time.time()
    camera.insert_card(CardStatus.NORMAL)
    assert kit.wait_for(lambda: not kit.codes(running, camera.sn))
    (entry,) = running.watch.judge.history(camera.sn)
    assert entry["code"] == "card-none"
    assert entry["until"] > entry["since"]


@pytest.mark.parametrize(
    ("card", "code"), [(CardStatus.BLANK, "card-blank"), (CardStatus.BROKEN, "card-broken")]
)
def test_other_cards(station: Start, virtual: Virtual, kit: Any, card: CardStatus, code: str) -> None:
    camera = virtual()
    camera.insert_card(card)
    running = station([camera])
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {code})


def test_a_clock_that_is_off(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    camera.fail("clock", -7200)
    running = station([camera])
    assert kit.wait_for(lambda: "clock" in kit.codes(running, camera.sn))
    assert "-7200 s" in running.camera_status(camera.sn).reasons[0].text("en")


def test_a_lost_answer_is_no_alarm(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera])
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    camera.fail("reset", times=1)
    time.sleep(2.0)
    assert running.watch.judge.history() == []


@pytest.mark.slow
def test_a_camera_that_goes_and_comes(station: Start, virtual: Virtual, kit: Any) -> None:
    camera, other = virtual(), virtual()
    running = station([camera, other])
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    camera.restart(5)
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"unreachable"}, 5)
    assert not kit.codes(running, other.sn)
    assert kit.wait_for(lambda: not kit.codes(running, camera.sn))


def test_not_activated(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual(state="factory")
    camera.state.wired = True
    running = station([camera])
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"not-activated"})
    assert camera.sn in running.camera_status(camera.sn).reasons[0].hint("en")


def test_an_impostor_is_not_talked_to(station: Start, virtual: Virtual, kit: Any, vendor: Vendor) -> None:
    """Another camera of the same vendor answers at the address: it is asked who it is, and nothing else."""
    camera, other = virtual(), virtual()
    running = station([camera])
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    address = camera.address
    camera.close()
    host, _, port = address.partition(":")
    with VirtualCamera(
        vendor, state="ready", ip=host, port=int(port), udp=False, people=0, seed=99
    ) as impostor:
        assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"wrong-camera"})
        with pytest.raises(Exception, match="another camera"):
            running.camera(camera.sn)
        asked = {path for path, count in impostor.state.counts.items() if count}
        assert asked == {"device/getInfo"}
    assert other.state.counts == {}


def test_a_stranger_with_another_certificate(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera])
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    host, _, port = camera.address.partition(":")
    camera.close()
    with VirtualCamera(state="ready", ip=host, port=int(port), udp=False, people=0):
        assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"not-trusted"})


@pytest.mark.slow
def test_one_alarm_for_a_switch(station: Start, virtual: Virtual, kit: Any) -> None:
    cameras = [virtual() for _ in range(4)]
    running = station(cameras)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    for camera in cameras:
        camera.restart(8)
    assert kit.wait_for(lambda: [r.code for r in running.status().reasons] == ["uplink"])
    assert kit.wait_for(lambda: all(kit.codes(running, c.sn) == {"behind"} for c in cameras), 7)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    told = {(e["sn"][:1], e["code"]) for e in running.watch.judge.history()}
    assert {code for _, code in told} == {"uplink", "behind"}


@pytest.mark.slow
def test_named_lines(station: Start, virtual: Virtual, kit: Any) -> None:
    cameras = [virtual() for _ in range(3)]
    up = cameras[:2]
    behind = f'[watch.behind]\nupstairs = ["{up[0].sn}", "{up[1].sn}"]'
    running = station(cameras, watch=behind)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    for camera in up:
        camera.restart(4)
    assert kit.wait_for(lambda: [r.details.get("group") for r in running.status().reasons] == ["upstairs"])
    assert not kit.codes(running, cameras[2].sn)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)


@pytest.mark.slow
def test_nobody_blocks_the_others(station: Start, virtual: Virtual, kit: Any) -> None:
    """Cameras that hang hold their own threads; the others are looked at in time."""
    hanging, well = [virtual() for _ in range(3)], virtual()
    running = station([*hanging, well], watch="workers = 4")
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    for camera in hanging:
        camera.fail("hang", 5, times=None)
    time.sleep(0.5)
    before = well.state.counts["device/getInfo"]
    time.sleep(2.0)
    assert well.state.counts["device/getInfo"] - before >= 3


def test_not_asked_more_often_than_configured(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera], interval=0.5)
    assert kit.wait_for(lambda: running.status().verdict is Level.OK)
    before, began = camera.state.counts["device/getInfo"], time.monotonic()
    time.sleep(2.0)
    asked = camera.state.counts["device/getInfo"] - before
    assert asked <= (time.monotonic() - began) / 0.5 + 1


def test_muted(station: Start, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    running = station([camera])
    until = time.time() + 3600
    running.mute(camera.sn, until, reason="a ladder", who="kim")
    assert running.camera_status(camera.sn).muted_until == until
    (entry,) = running.audit.entries(sn=camera.sn)
    assert (entry.action, entry.who, entry.details["reason"]) == ("mute", "kim", "a ladder")
    running.mute(camera.sn, 0)
    assert running.camera_status(camera.sn).muted_until == 0
    with pytest.raises(CameraNotFound):
        running.mute("FS101D8BS99999", until)


def test_verdicts_outlive_a_restart(write: Any, settings: Any, virtual: Virtual, kit: Any) -> None:
    camera = virtual()
    path = write([camera])
    camera.insert_card(CardStatus.NONE)
    with Station(load(path), settings) as first:
        assert kit.wait_for(lambda: kit.codes(first, camera.sn) == {"card-none"})
        since = first.camera_status(camera.sn).reasons[0].since
    with Station(load(path), settings) as second:
        assert second.camera_status(camera.sn).reasons[0].since == since
        camera.insert_card(CardStatus.NORMAL)
        assert kit.wait_for(lambda: not kit.codes(second, camera.sn))
        assert len(second.watch.judge.history(camera.sn)) == 1


def test_one_station_a_folder(station: Start, virtual: Virtual, write: Any, settings: Any) -> None:
    camera = virtual()
    running = station([camera])
    with pytest.raises(ConfigError, match="another station"):
        Station(running.loaded, settings).start()


def test_hysteresis(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite3") as store:
        judge = Judge(store, looks={"unreachable": 3})
        see = lambda at, *codes: judge.update("A", {c: {} for c in codes}, {"unreachable"}, at=at)  # noqa: E731
        assert see(1, "unreachable") == see(2, "unreachable") == []
        assert see(3) == []  # it answered: counted anew
        assert see(4, "unreachable") == see(5, "unreachable") == []
        (told,) = see(6, "unreachable")
        assert (told.began, told.reason.since) == (True, 4)
        assert see(7, "unreachable") == []
        (told,) = see(8)
        assert (told.began, told.reason.code) == (False, "unreachable")
        assert store.read("SELECT since, until FROM reasons") == [(4.0, 8.0)]


@pytest.mark.parametrize("code", KINDS)
def test_every_verdict_speaks_both_languages(code: str) -> None:
    from sunmi_ipc.i18n import _chinese

    kind = KINDS[code]
    assert kind.text in _chinese()
    assert not kind.hint or kind.hint in _chinese()
    details = {"problem": "x", "group": "g", "other": "o", "sn": "S", "state": 9, "seconds": 61.0, "minutes": 30.0,
               "hours": 2.0, "passing": 3, "keys": "ir", "count": 4, "megabytes": 5, "path": "/", "name": "n", "when": "w", "kinds": "counts"}  # fmt: skip
    reason = Reason(code, 0.0, details)
    for lang in ("en", "zh"):
        assert "{" not in reason.text(lang) + reason.hint(lang)
    assert any("\u4e00" <= c <= "\u9fff" for c in reason.text("zh"))
