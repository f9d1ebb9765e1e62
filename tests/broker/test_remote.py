"""Calls through a real Mosquitto with TLS and an ACL, carried out on virtual cameras."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sunmi_ipc.simulator import VirtualCamera

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]


def test_a_call_through_the_broker(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any
) -> None:
    camera = virtual()
    connected([camera], keys=key("hq"))
    remote = channel("hq").site("shop-0017").camera(camera.sn)
    assert remote.device.info().sn == camera.sn
    remote.lens.set_zoom(300)
    assert kit.eventually(lambda: remote.lens.show().zoom == 300)
