"""What a virtual camera does while it is away, has no card, or gets another address."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sunmi_ipc import discovery
from sunmi_ipc.simulator import VirtualCamera, connect


def test_nobody_is_counted_without_a_card_however_late_it_is_asked(
    virtual: Callable[..., VirtualCamera],
) -> None:
    camera = virtual(people=12)
    with connect(camera) as client:
        client.faces.groups()
        minute = int(time.time()) // 60
        # Nobody has looked for two hours; in the second there was no card.
        camera.state.documents["life"]["minute"] = minute - 120
        camera.state.blind.append((60.0 * (minute - 60), 60.0 * minute))
        camera.state.arrived.clear()
        first = datetime.fromtimestamp(60 * (minute - 120), UTC)
        client.faces.groups()
        assert camera.state.arrived
        assert max(camera.state.arrived) < 60 * (minute - 60)
        hour = timedelta(hours=1)
        assert client.people_flow.arrivals(first + hour, first + 2 * hour).total == 0


def test_a_camera_that_moves_is_found_again_and_is_the_same(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(udp=True)
    before = camera.address
    with connect(camera) as client:
        client.image.set_name("Door")
    camera.move()
    assert camera.address != before
    found = discovery.find(camera.sn, timeout=5, interfaces=["lo"])
    assert (found.ip, found.port) == (camera.ip, camera.port)
    with connect(camera) as client:
        assert client.device.info().name == "Door"
    camera.move(before.split(":")[0])
    with connect(camera) as client:
        assert client.device.info().sn == camera.sn
