"""Several answer under one serial number: the console's client goes to who can prove that it is his."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from sunmi_ipc.console.desk import Desk
from sunmi_ipc.errors import CameraNotFound, ParameterError
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.discovery import BROADCASTS
from tests.patience import eventually

from .conftest import Audit, settings_of

Pair = tuple[VirtualCamera, VirtualCamera]


@pytest.fixture
def pair(vendor: Vendor) -> Iterator[Pair]:
    """A camera, and an impostor with its serial number, its MAC, and a certificate of his own."""
    seed = secrets.randbits(64)
    with (
        Vendor() as other,
        VirtualCamera(vendor, state="ready", udp=True, seed=seed, people=0) as camera,
        VirtualCamera(other, state="ready", udp=True, seed=seed, people=0, port=camera.port) as impostor,
    ):
        yield camera, impostor


@pytest.fixture
def looking(vendor: Vendor, audit: Audit) -> Iterator[Callable[..., Desk]]:
    """A desk that looks for cameras itself."""
    made: list[Desk] = []

    def start(**changes: str) -> Desk:
        made.append(Desk(settings_of(vendor).with_options(**changes), audit, interval=0.1).__enter__())
        return made[-1]

    yield start
    for one in made:
        one.close()


def answers(camera: VirtualCamera, whether: bool) -> None:
    (BROADCASTS.join if whether else BROADCASTS.leave)(camera._answer_discovery)


def addresses(desk: Desk, sn: str) -> set[str]:
    return {one.address for one in desk._claimants(sn)}


@pytest.mark.parametrize("mac", ["", "02:53:4D:EE:EE:EE"])
def test_who_claims_first_keeps_nobody_from_the_camera(
    looking: Callable[..., Desk], pair: Pair, mac: str
) -> None:
    camera, impostor = pair
    impostor.state.mac = mac or impostor.state.mac
    answers(camera, False)
    desk = looking()
    assert eventually(lambda: desk.online(camera.sn))
    assert desk.card(camera.sn, fresh=True).state == "bad"
    answers(camera, True)
    assert eventually(lambda: len(addresses(desk, camera.sn)) == 2)
    assert desk.card(camera.sn, fresh=True).state == "ok"
    assert desk.link(camera.sn).address == camera.address
    # Who comes and goes beside it moves nothing.
    answers(impostor, False)
    assert eventually(lambda: addresses(desk, camera.sn) == {camera.address})
    answers(impostor, True)
    assert eventually(lambda: len(addresses(desk, camera.sn)) == 2)
    assert desk.online(camera.sn)
    assert desk.link(camera.sn).address == camera.address
    assert impostor.state.counts == {}


def test_at_the_first_contact_several_are_a_persons_question(
    looking: Callable[..., Desk], pair: Pair
) -> None:
    camera, impostor = pair
    desk = looking(ca="")
    assert eventually(lambda: len(addresses(desk, camera.sn)) == 2)
    with pytest.raises(ParameterError) as caught:
        desk.link(camera.sn)
    assert camera.address in str(caught.value)
    assert impostor.address in str(caught.value)
    assert camera.state.counts == impostor.state.counts == {}


def test_what_is_in_another_network_is_shown_and_not_connected_to(
    desk: Callable[..., Desk], ready: VirtualCamera
) -> None:
    from dataclasses import replace

    one = desk(ready)
    one._seen[ready.sn] = replace(one._seen[ready.sn], flags=("other-network",))
    with pytest.raises(CameraNotFound, match=ready.ip):
        one.link(ready.sn)
    assert [c.sn for c in one.cameras()] == [ready.sn]
    assert ready.state.counts == {}
