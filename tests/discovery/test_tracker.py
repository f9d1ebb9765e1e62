"""Online, changed, offline."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest

from sunmi_ipc import errors
from sunmi_ipc.discovery import Change, ChangeKind, Tracker
from sunmi_ipc.discovery import broadcast as links_module
from sunmi_ipc.discovery.interfaces import Interface, interfaces
from sunmi_ipc.simulator import VirtualCamera

Start = Callable[..., VirtualCamera]


class Seen:
    """Collects changes of one camera, and waits for them."""

    def __init__(self, *sns: str) -> None:
        self.sns, self.changes, self._new = sns, list[Change](), threading.Condition()

    def __call__(self, change: Change) -> None:
        if change.camera.sn in self.sns:
            with self._new:
                self.changes.append(change)
                self._new.notify_all()

    @property
    def kinds(self) -> list[str]:
        return [str(change.kind) for change in self.changes]

    def wait(self, count: int) -> Change:
        with self._new:
            assert self._new.wait_for(lambda: len(self.changes) >= count, 30), self.kinds
            return self.changes[count - 1]


def test_comes_changes_goes_and_comes_again(virtual: Start) -> None:
    camera = virtual(udp=True)
    seen = Seen(camera.sn)
    with Tracker(interval=0.1, interfaces=["lo"], on_change=seen) as tracker:
        assert seen.wait(1).kind is ChangeKind.ONLINE
        assert camera.sn in [c.sn for c in tracker.cameras]
        camera.state.name = "Till"
        change = seen.wait(2)
        assert (change.kind, change.fields, change.camera.name) == (ChangeKind.CHANGED, ("name",), "Till")
        camera.restart(3600)
        assert seen.wait(3).kind is ChangeKind.OFFLINE
        assert camera.sn not in [c.sn for c in tracker.cameras]
        camera.restart(0)
        assert seen.wait(4).kind is ChangeKind.ONLINE
    assert seen.kinds == ["online", "changed", "offline", "online"]


def test_two_missed_rounds_are_no_change_three_are(virtual: Start) -> None:
    camera = virtual(udp=True)
    seen = Seen(camera.sn)
    good = camera._answer_discovery
    tracker = Tracker(interval=0.15, interfaces=["lo"], on_change=seen)
    began: list[int] = []

    def answer(sender: tuple[str, int]) -> None:
        # Others scan on this machine too: what counts is which of the tracker's rounds this is.
        began.append(tracker._round)
        if tracker._round - began[0] not in (2, 3, 6, 7, 8):
            good(sender)

    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)
    camera._answer_discovery = answer  # type: ignore[method-assign]
    done = threading.Event()
    with tracker:
        BROADCASTS.join(answer)
        seen.wait(1)
        while tracker._round < began[0] + 6:
            done.wait(0.02)
        assert seen.kinds == ["online"]
        seen.wait(3)
        while tracker._round < began[0] + 12:
            done.wait(0.02)
    assert seen.kinds == ["online", "offline", "online"]


def test_iterations_begin_with_who_is_there_and_end_at_close(virtual: Start) -> None:
    camera = virtual(udp=True)
    seen = Seen(camera.sn)
    with Tracker(interval=0.2, interfaces=["lo"], on_change=seen) as tracker:
        seen.wait(1)
        first = next(change for change in tracker if change.camera.sn == camera.sn)
        assert first.kind is ChangeKind.ONLINE
        rest = iter(tracker)
        ended = threading.Thread(target=lambda: [*rest])
        ended.start()
        tracker.close()
        ended.join(10)
        assert not ended.is_alive()
        assert [c for c in itertools.islice(tracker, 0, None) if c.kind is ChangeKind.OFFLINE] == []


def test_twins_without_macs_are_told_apart(virtual: Start) -> None:
    one, two = virtual(udp=True), virtual(udp=True)
    one.claims = {"mac": "", "model": "A"}
    two.claims = {"mac": "", "model": "B", "deviceid": one.sn}
    seen = Seen(one.sn)
    with Tracker(interval=0.1, interfaces=["lo"], on_change=seen):
        seen.wait(3)  # both online, and the first flagged
        one.claims = one.claims | {"name": "Till"}
        change = seen.wait(4)
        assert (change.kind, change.fields, change.camera.ip) == (ChangeKind.CHANGED, ("name",), one.ip)
        two.restart(3600)
        assert {str(seen.wait(5).kind), str(seen.wait(6).kind)} == {"offline", "changed"}
    assert seen.kinds[:4] == ["online", "changed", "online", "changed"]


def test_an_iteration_that_never_begins_costs_nothing() -> None:
    with Tracker(interfaces=["lo"]) as tracker:
        iter(tracker)
        assert tracker._waiting == []


def test_interfaces_come_and_go(virtual: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = virtual(udp=True)
    seen = Seen(camera.sn)
    there = True

    def available() -> list[Interface]:
        return [one for one in interfaces() if there and one.is_loopback]

    monkeypatch.setattr(links_module, "interfaces", available)
    with Tracker(interval=0.1, interfaces=["lo"], on_change=seen):
        seen.wait(1)
        there = False
        assert seen.wait(2).kind is ChangeKind.OFFLINE
        there = True
        assert seen.wait(3).kind is ChangeKind.ONLINE


def test_a_callback_that_fails_does_not_stop_it(virtual: Start, caplog: pytest.LogCaptureFixture) -> None:
    camera = virtual(udp=True)
    seen = Seen(camera.sn)

    def fail(change: Change) -> None:
        seen(change)
        raise ZeroDivisionError

    with Tracker(interval=0.1, interfaces=["lo"], on_change=fail):
        seen.wait(1)
        camera.restart(3600)
        assert seen.wait(2).kind is ChangeKind.OFFLINE
    assert "on_change failed" in caplog.text


def test_an_address_that_hears_no_broadcast_is_asked(virtual: Start) -> None:
    camera = virtual(udp=True)
    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)
    try:
        seen = Seen(camera.sn)
        with Tracker(interval=0.2, interfaces=["lo"], targets=[camera.ip], on_change=seen):
            assert seen.wait(1).camera.ip == camera.ip
    finally:
        BROADCASTS.join(camera._answer_discovery)


def test_bounds() -> None:
    for options in ({"interval": 0.0}, {"missed": 0}, {"targets": ["x"]}):
        with pytest.raises(errors.ParameterError):
            Tracker(**options)  # type: ignore[arg-type]
    with pytest.raises(errors.ParameterError, match="there is no network interface "):
        Tracker(interfaces=["nowhere0"]).start()
