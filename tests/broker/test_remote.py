"""Calls through a real Mosquitto with TLS and an ACL, carried out on virtual cameras."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]


def test_a_call_through_the_broker(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any
) -> None:
    camera = virtual()
    station, _ = connected([camera], keys=key("hq"))
    remote = channel("hq").site("shop-0017").camera(camera.sn)
    assert remote.device.info().sn == camera.sn
    remote.lens.set_zoom(300)
    assert kit.eventually(lambda: remote.lens.show().zoom == 300)
    assert remote.known_model() == "FM020"
    entry = next(e for e in station.audit.entries() if e.action == "lens.set_zoom")
    assert (entry.who, entry.origin, entry.sn, entry.result) == ("hq", "broker", camera.sn, "ok")
    with pytest.raises(errors.ParameterError):
        remote.lens.set_zoom(-1)  # refused here, by the declaration
    with pytest.raises(errors.UnsupportedError, match="direct connection"):
        remote.video.live()
    with pytest.raises(errors.UnsupportedError, match="direct connection"):
        _ = remote.host


def test_errors_are_what_they_were(connected: Any, key: Any, channel: Any, virtual: Virtual) -> None:
    camera = virtual(state="factory")
    connected([camera], keys=key("hq"))
    remote = channel("hq").site("shop-0017").camera(camera.sn)
    with pytest.raises(errors.NotActivatedError) as refused:
        remote.image.ir()
    assert refused.value.camera == f"shop-0017/{camera.sn}"
    with pytest.raises(errors.CameraNotFound):
        channel("hq").site("shop-0017").camera("FS101D8BS99999").device.info()
    with pytest.raises(errors.CameraNotFound, match="knows no station"):
        channel("hq").site("shop-4711").camera(camera.sn).device.info()


def test_roles_and_limits_are_the_shops(connected: Any, key: Any, channel: Any, virtual: Virtual) -> None:
    first, second = virtual(), virtual()
    listed = (
        key("looker", "view")
        + key("tuner", "tune", endpoints='["lens.*", "device.info"]', cameras=f'["{first.sn}"]')
        + key("boss", "admin")
        + key("slow", "view", calls_per_minute="2")
    )
    station, _ = connected([first, second], keys=listed)

    def camera(name: str, sn: str = first.sn) -> Any:
        return channel(name).site("shop-0017").camera(sn)

    with pytest.raises(errors.ForbiddenError, match="role tune"):
        camera("looker").lens.set_zoom(100)
    camera("looker").device.info()
    camera("tuner").lens.set_zoom(100)
    with pytest.raises(errors.ForbiddenError, match=r"image\.set_led"):
        camera("tuner").image.set_led(True)
    with pytest.raises(errors.ForbiddenError, match="this camera"):
        camera("tuner", second.sn).lens.set_zoom(100)
    with pytest.raises(errors.ForbiddenError, match="role admin"):
        channel("looker").site("shop-0017").camera(first.sn).sdcard.format()
    slow = camera("slow")
    slow.device.info(), slow.device.info()
    with pytest.raises(errors.ForbiddenError, match="2 calls a minute"):
        slow.device.info()
    assert {e.details["reason"] for e in station.audit.entries() if e.action == "call refused"} == {
        "not allowed"
    }


def test_activation_and_format_by_an_admin(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any
) -> None:
    camera = virtual(state="factory")
    camera.state.wired = True
    connected([camera], keys=key("boss", "admin"))
    remote = channel("boss").site("shop-0017").camera(camera.sn)
    remote.device.activate(camera.sn)
    assert camera.state.activated
    remote.sdcard.format()
    assert kit.eventually(lambda: remote.sdcard.status().status == CardStatus.NORMAL)


def test_a_snapshot_comes_in_pieces_where_the_file_lets_it(
    connected: Any, key: Any, channel: Any, virtual: Virtual
) -> None:
    camera = virtual()
    connected([camera], keys=key("hq", "tune"), broker="pictures = true")
    taken = channel("hq").site("shop-0017").camera(camera.sn).video.snapshot()
    assert taken.data.startswith(b"\xff\xd8\xff")


def test_pictures_stay_in_the_shop_by_default(
    connected: Any, key: Any, channel: Any, virtual: Virtual
) -> None:
    camera = virtual()
    connected([camera], keys=key("boss", "admin"))
    remote = channel("boss").site("shop-0017").camera(camera.sn)
    with pytest.raises(errors.ForbiddenError, match="pictures stay"):
        remote.video.snapshot()
    with pytest.raises(errors.ForbiddenError, match="pictures stay"):
        remote.fetch_picture("https://127.0.0.1/x.jpg")


def test_a_lost_answer_is_asked_for_and_the_call_carried_out_once(
    connected: Any, key: Any, channel: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual()
    station, bridge = connected([camera], keys=key("hq"))
    opened = channel("hq")
    remote = opened.site("shop-0017").camera(camera.sn, timeout=0.5)
    monkeypatch.setattr("sunmi_ipc.broker.camera._MARGIN_S", 1.0)
    lost: list[Any] = []
    send = bridge.gate._reply

    def lose_the_first(client: str, envelope: Any) -> None:
        if not lost:
            lost.append(envelope)
        else:
            send(client, envelope)

    bridge.gate._reply = lose_the_first
    remote.lens.set_focus(200)
    assert len(lost) == 1
    done = [e for e in station.audit.entries() if e.action == "lens.set_focus"]
    assert len(done) == 1


def test_a_call_that_the_station_never_had_is_sent_again_under_another_nonce(
    connected: Any, key: Any, channel: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual()
    station, bridge = connected([camera], keys=key("hq"))
    monkeypatch.setattr("sunmi_ipc.broker.camera._MARGIN_S", 1.0)
    held: list[bytes] = []
    take = bridge.gate.take

    def hold_the_first(payload: bytes) -> None:
        if not held:
            held.append(payload)
        else:
            take(payload)

    bridge.gate.take = hold_the_first
    remote = channel("hq").site("shop-0017").camera(camera.sn, timeout=0.5)
    remote.lens.set_focus(200)
    take(held[0])  # it arrives after all, and nobody wants it any more
    time.sleep(0.5)
    assert len([e for e in station.audit.entries() if e.action == "lens.set_focus"]) == 1
    assert bridge.gate.counts["repeated"] == 1


def test_clocks_that_differ(
    connected: Any, key: Any, channel: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = virtual()
    connected([camera], keys=key("hq"))
    opened = channel("hq")
    opened.site("shop-0017")._offset = -300.0  # as if our clock were five minutes behind
    assert opened.site("shop-0017").camera(camera.sn).device.info().sn == camera.sn
    assert abs(opened.site("shop-0017")._offset) < 10


class Served:
    """``ipc serve`` in a process of its own, to be killed."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sunmi_ipc_cli", "--json", "serve", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ.copy(),
        )
        assert self.process.stdout is not None
        self.ready = json.loads(self.process.stdout.readline())

    def kill(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(20)
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_a_killed_station_carries_nothing_out_twice(
    station_file: Any, settings: Any, mosquitto: Any, key: Any, channel: Any, keystore: Any, virtual: Virtual,
    kit: Any,
) -> None:  # fmt: skip
    from sunmi_ipc.broker import contract, keys
    from sunmi_ipc.broker.contract import Request, RequestKind
    from sunmi_ipc.broker.keys import new_nonce

    camera = virtual()
    path = station_file([camera], url=mosquitto.url, ca=mosquitto.ca, keys=key("hq"))
    path.write_text(
        path.read_text("utf-8").replace("[watch]", "[http]\nlisten = '127.0.0.1:0'\n[watch]"), "utf-8"
    )
    served = Served(path)
    try:
        opened = channel("hq")
        remote = opened.site("shop-0017").camera(camera.sn)
        now, nonce = time.time(), new_nonce()
        request = Request(
            kind=RequestKind.CALL, site="shop-0017", nonce=nonce, issued=now, expires=now + 300, client=opened.client,
            sn=camera.sn, endpoint="lens.set_focus", values={"focus": 111},
        )  # fmt: skip
        signed = keystore.load("hq").sign(keys.CALL, request).encode()
        topic = contract.topic("calls", "shop-0017")
        assert kit.eventually(lambda: opened.site("shop-0017").state())
        opened.connection.publish(topic, signed, schema="calls/1").wait(10)
        assert kit.eventually(lambda: remote.lens.show().focus == 111)
        served.kill()
        served = Served(path)
        assert kit.eventually(lambda: _online(opened))
        remote.lens.set_focus(222)
        opened.connection.publish(topic, signed, schema="calls/1").wait(10)  # the broker replays it
        remote.device.info()
        time.sleep(1.0)
        assert remote.lens.show().focus == 222
    finally:
        served.kill(signal.SIGTERM)


def _online(opened: Any) -> bool:
    state = opened.site("shop-0017")._state
    return state is not None and state.state == "online"


def test_from_an_event_loop_in_threads(connected: Any, key: Any, channel: Any, virtual: Virtual) -> None:
    """Calls through a broker wait in threads; the loop goes on, and a call that is given up does no harm."""
    cameras = [virtual() for _ in range(3)]
    connected(cameras, keys=key("hq", "admin"))
    site = channel("hq").site("shop-0017")
    remotes = [site.camera(camera.sn) for camera in cameras]

    async def calls() -> list[str]:
        given_up = asyncio.ensure_future(asyncio.to_thread(remotes[0].image.set_led, False))
        await asyncio.sleep(0)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        infos = await asyncio.gather(*(asyncio.to_thread(remote.device.info) for remote in remotes))
        return [info.sn for info in infos]

    assert asyncio.run(calls()) == [camera.sn for camera in cameras]
