"""Many asyncio cameras in one thread."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import aclosing

import pytest

from sunmi_ipc import Fleet, Settings, errors
from sunmi_ipc.aio import AsyncCamera, AsyncFleet, connect
from sunmi_ipc.api.device import Device
from sunmi_ipc.api.lens import Lens
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.link import tls
from sunmi_ipc.simulator import VirtualCamera, connect_async

Start = Callable[..., VirtualCamera]


def test_results_as_they_finish_and_errors_are_results(virtual: Start) -> None:
    cameras = [virtual() for _ in range(4)]
    cameras[0].fail("delay", 0.4, times=None)
    cameras[1].fail("code", 3, times=None)
    before = set(threading.enumerate())

    async def call() -> None:
        clients = [connect_async(camera) for camera in cameras]
        async with AsyncFleet([*clients, clients[0]]) as fleet:
            assert len(fleet) == 4
            results = [result async for result in fleet.call(Device.info)]
            assert results[-1].camera is clients[0]
            assert {type(result.error) for result in results} == {type(None), errors.DeviceError}
            with pytest.raises(errors.DeviceError):
                next(result for result in results if not result.ok).get()
            assert {result.get().sn for result in results if result.ok} == {
                camera.sn for camera in (cameras[0], *cameras[2:])
            }
            raw = [result async for result in fleet.call("device/getInfo")]
            told = [str(result.get().values()) for result in raw if result.ok]
            assert sum(camera.sn in text for camera in cameras for text in told) == 3
            with pytest.raises(errors.ParameterError):
                fleet.call(Lens.set_zoom, {"zoom": -1})
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(call())
    # What the virtual cameras answer with ends in its own time.
    ours = {t for t in threading.enumerate() if "_serve" not in t.name} - before
    assert not ours, ours


def test_no_more_at_a_time_than_jobs_and_leaving_early_cancels() -> None:
    async def work() -> None:
        fleet = AsyncFleet([AsyncCamera(f"127.0.0.{i}") for i in range(1, 31)], jobs=5)
        now = most = ended = 0

        async def one(camera: AsyncCamera) -> str:
            nonlocal now, most, ended
            now, most = now + 1, max(most, now + 1)
            try:
                await asyncio.sleep(0.005)
            finally:
                now, ended = now - 1, ended + 1
            return camera.host

        assert len({result.get() async for result in fleet.map(one)}) == 30
        assert most == 5
        async with aclosing(fleet.map(one)) as results:
            async for _ in results:
                break
        assert now == 0
        assert ended < 60
        with pytest.raises(errors.ParameterError):
            AsyncFleet([], jobs=0)

    asyncio.run(work())


def test_cameras_with_settings(ready: VirtualCamera) -> None:
    settings = Settings.load(environment=ready.vendor.environment())

    async def call() -> None:
        async with connect(settings, ready.address, sn=ready.sn) as camera:
            assert (await camera.device.info()).sn == ready.sn
        host, _, port = ready.address.partition(":")
        found = [DiscoveredCamera(ready.sn, host, int(port or 443), model="FM020")]
        async with AsyncFleet.of(found, settings) as fleet:
            assert [result.get().sn async for result in fleet.call(Device.info)] == [ready.sn]

    asyncio.run(call())


def test_settings_that_lead_through_a_broker_are_refused_with_the_way(ready: VirtualCamera) -> None:
    settings = Settings.load(
        environment=ready.vendor.environment()
        | {"SUNMI_IPC_VIA": "mqtts://hq.example", "SUNMI_IPC_SITE": "shop"}
    )
    found = [DiscoveredCamera(ready.sn, f"{ready.sn}.shop.via", model="FM020")]
    for made in (lambda: connect(settings, found[0].address), lambda: AsyncFleet.of(found, settings)):
        with pytest.raises(errors.UnsupportedError, match="direct connection") as told:
            made()
        assert "asyncio.to_thread" in told.value.hint
        assert "asyncio.to_thread" in told.value.localized("zh")[1]


def test_an_empty_fleet_is_done_at_once() -> None:
    async def call() -> None:
        started = time.monotonic()
        assert [result async for result in AsyncFleet([]).call(Device.info)] == []
        assert time.monotonic() - started < 5

    asyncio.run(call())


def test_many_cameras_read_their_trust_once(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is opened, and the corrections and pins are read, for all cameras together; a new file counts."""
    settings = Settings.load(environment=ready.vendor.environment())
    opened, shared = list[object](), list[object]()
    load, read = tls.ClientCertificate.load, Settings.shared

    def loading(path: str, password: str = "") -> tls.ClientCertificate:
        opened.append(path)
        return load(path, password)

    def sharing(self: Settings) -> object:
        shared.append(self)
        return read(self)

    monkeypatch.setattr(tls.ClientCertificate, "load", loading)
    monkeypatch.setattr(Settings, "shared", sharing)
    host, _, port = ready.address.partition(":")
    found = [DiscoveredCamera(f"FS101D8BS{i:05}", host, int(port), model="FM020") for i in range(20)]

    async def call() -> None:
        async with AsyncFleet.of(found, settings) as fleet:
            assert len({result.get().sn async for result in fleet.call(Device.info)}) == 1

    tls._OPENED.clear()
    asyncio.run(call())
    assert (len(opened), len(shared)) == (1, 1)
    with Fleet.of(found, settings) as fleet:
        assert len({result.get().sn for result in fleet.call(Device.info)}) == 1
    assert (len(opened), len(shared)) == (1, 2)
    ready.vendor.p12.write_bytes(ready.vendor.p12.read_bytes())  # a renewed certificate
    asyncio.run(call())
    assert (len(opened), len(shared)) == (2, 3)
