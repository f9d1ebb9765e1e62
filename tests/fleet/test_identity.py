"""Who may claim to be whom: known identities bind, certificates decide, and where nothing does a person is asked."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sunmi_ipc.discovery import DiscoveredCamera, discover
from sunmi_ipc.fleet.finder import Finder
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Standing
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.discovery import BROADCASTS

from .conftest import POLICY, Shop

Make = Callable[..., Shop]
NAMED = 'name = "Till"\n'


@contextlib.contextmanager
def stranger(vendor: Vendor | None, sn: str, **said: str) -> Iterator[VirtualCamera]:
    """Somebody else's camera, which says what it is told to; of our vendor, or with a certificate of its own."""
    with contextlib.ExitStack() as stack:
        own = vendor or stack.enter_context(Vendor())
        camera = stack.enter_context(
            VirtualCamera(own, state="ready", udp=True, seed=secrets.randbits(48), people=0)
        )
        for key, value in {"sn": sn, **said}.items():
            setattr(camera.state, key, value)
        yield camera


def finder(*cameras: VirtualCamera) -> Finder:
    def scan(**options: Any) -> Iterator[DiscoveredCamera]:
        places = {camera.address for camera in cameras}
        yield from (one for one in discover(**options | {"timeout": 0.5}) if one.address in places)

    return Finder(interfaces=["lo"], scan=scan)


def first(impostor: VirtualCamera, *others: VirtualCamera) -> None:
    """Have *impostor* answer before the *others* do."""
    for camera in others:
        good = camera._answer_discovery

        def late(sender: tuple[str, int], good: Callable[..., None] = good) -> None:
            threading.Timer(0.2, good, [sender]).start()

        BROADCASTS.leave(good)
        camera._answer_discovery = late  # type: ignore[method-assign]
        BROADCASTS.join(late)


QUICK = POLICY.replace("find = 5", "find = 2").replace("restart = 3", "restart = 0.5")


def test_the_first_claimant_of_a_serial_number_keeps_nobody_from_the_camera(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write("[defaults]\n" + NAMED)
    with stranger(None, camera.sn) as impostor:
        first(impostor, camera)
        (outcome,) = here.run(finder=finder(impostor, camera)).values()
    assert (outcome.standing, outcome.address) == (Standing.OK, camera.address)
    assert camera.state.name == "Till"
    assert impostor.state.counts == {}


@pytest.mark.slow
def test_where_only_the_impostor_answers_the_last_good_address_is_tried(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write("[defaults]\n" + NAMED, policy=QUICK)
    assert all(outcome.ok for outcome in here.run().values())
    with stranger(None, camera.sn) as impostor:
        (outcome,) = here.run(finder=finder(impostor)).values()
        assert (outcome.standing, outcome.address) == (Standing.OK, camera.address)
        camera.close()
        (outcome,) = here.run(finder=finder(impostor)).values()
    assert outcome.standing is Standing.FAILED
    assert outcome.problems[0].type == "TlsError"


def test_an_entry_by_mac_keeps_the_camera_that_it_got(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    mac = camera.state.mac
    here.write(f'[[cameras]]\nmac = "{mac}"\n{NAMED}', entries=False, policy=QUICK)
    (outcome,) = here.run().values()
    assert (outcome.ok, outcome.sn) == (True, camera.sn)
    with Journal(here.journal) as journal:
        assert journal.bindings() == {mac: camera.sn}
    # A camera of the same vendor, with a good certificate, claims the MAC, alone and first of two.
    with stranger(here.vendor, "FS101D8BS00001", mac=mac) as other:
        (outcome,) = here.run(finder=finder(other)).values()
        assert outcome.standing is Standing.ABSENT
        assert camera.sn in outcome.problems[0].message("en")
        first(other, camera)
        (outcome,) = here.run(finder=finder(other, camera)).values()
        assert (outcome.ok, outcome.sn) == (True, camera.sn)
        assert other.state.counts == {}


def test_two_that_claim_a_mac_are_named_and_nothing_is_done(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write(f'[[cameras]]\nmac = "{camera.state.mac}"\n{NAMED}', entries=False, policy=QUICK)
    with stranger(here.vendor, "FS101D8BS00001", mac=camera.state.mac) as other:
        (outcome,) = here.run(finder=finder(other, camera)).values()
        assert outcome.standing is Standing.FAILED
        message = outcome.problems[0].message("en")
        assert "FS101D8BS00001" in message
        assert camera.sn in message
        assert (camera.state.name, other.state.name) != ("Till", "Till")
    # With a certificate that is not our vendor's he does not count.
    with stranger(None, "FS101D8BS00001", mac=camera.state.mac) as other:
        (outcome,) = here.run(finder=finder(other, camera)).values()
        assert (outcome.ok, outcome.sn) == (True, camera.sn)


@pytest.mark.parametrize("approved", [True, False])
def test_an_any_entry_does_not_go_to_the_lowest_made_up_serial_number(shop: Make, approved: bool) -> None:
    here = shop(2, state="ready")
    here.write(f'[[cameras]]\nany = "FM020"\ncount = 2\n{NAMED}', entries=False, policy=QUICK)
    with stranger(here.vendor if approved else None, "FS101D8BS00000") as other:
        outcomes = here.run(finder=finder(other, *here.cameras))
        assert other.state.name != "Till"
    if approved:  # one too many, and nothing tells which
        assert {o.standing for o in outcomes.values()} == {Standing.FAILED}
        message = outcomes["any:FM020#1"].problems[0].message("en")
        assert all(sn in message for sn in ("FS101D8BS00000", *(c.sn for c in here.cameras)))
        assert "3" in message
        assert "2" in message
    else:
        assert sorted(o.sn for o in outcomes.values()) == sorted(c.sn for c in here.cameras)
        assert all(o.ok for o in outcomes.values())


def test_a_flood_of_made_up_cameras_is_an_error_and_not_a_wait(shop: Make) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write(f'[[cameras]]\nany = "FM020"\n{NAMED}', entries=False, policy=QUICK)

    def scan(**options: Any) -> Iterator[DiscoveredCamera]:
        for number in range(5000):
            yield DiscoveredCamera(f"FS101D8B{number:05}", "127.0.0.1", 9, model="FM020")
        yield from (one for one in discover(**options | {"timeout": 0.4}) if one.address == camera.address)

    (outcome,) = here.run(finder=Finder(interfaces=["lo"], scan=scan)).values()
    assert outcome.standing is Standing.FAILED
    assert outcome.seconds < 3
    assert "256 cameras" in outcome.problems[0].message("en")
    assert camera.state.counts == {}


@pytest.mark.parametrize("flag", ["other-network", "relayed"])
def test_nothing_is_done_to_a_camera_at_an_address_that_is_only_said(shop: Make, flag: str) -> None:
    here = shop(1, state="ready")
    (camera,) = here.cameras
    here.write("[defaults]\n" + NAMED, policy=QUICK)

    def scan(**options: Any) -> Iterator[DiscoveredCamera]:
        yield DiscoveredCamera(camera.sn, camera.ip, camera.port, flags=(flag,))

    (outcome,) = here.run(finder=Finder(interfaces=["lo"], scan=scan)).values()
    assert outcome.standing is Standing.ABSENT
    assert camera.state.counts == {}


def test_a_thread_that_dies_without_a_word_is_not_waited_for(
    shop: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sunmi_ipc.fleet.outcome import Outcome

    here = shop(3, state="ready")
    here.write("[defaults]\nled = false\n")
    settle = Outcome.settle

    def dying(self: Outcome, **options: Any) -> None:
        if self.sn == here.cameras[1].sn and self.seconds:
            raise SystemExit
        settle(self, **options)

    monkeypatch.setattr(Outcome, "settle", dying)
    outcomes = here.run()
    assert [outcomes[c.sn].standing for c in here.cameras] == [Standing.OK, Standing.FAILED, Standing.OK]
    assert "SystemExit" in outcomes[here.cameras[1].sn].problems[0].message("en")


def test_a_name_cut_in_two_by_the_firmware_costs_nobody_his_outcome() -> None:
    """Whatever a camera says, the journal keeps it, and the rows of its batch."""
    with Journal(None) as journal:
        threads = [
            threading.Thread(
                target=journal.keep, args=(f"FS{n}", f"FS{n}", {"name": "\ud800" if n == 3 else "Door"})
            )
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {key: outcome["name"] for key, (_, outcome) in journal.outcomes().items()} == {
            f"FS{n}": "\ud800" if n == 3 else "Door" for n in range(8)
        }
