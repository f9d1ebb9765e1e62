"""Many cameras at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc import Fleet
from sunmi_ipc.api.device import Device
from sunmi_ipc.api.image import Image
from sunmi_ipc.api.wifi import Wifi
from sunmi_ipc.camera import Camera
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.errors import ConnectionFailed, NotSupportedError, ParameterError
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect

Virtual = Callable[..., VirtualCamera]


@pytest.fixture
def three(virtual: Virtual) -> Iterator[tuple[list[VirtualCamera], Fleet]]:
    cameras = [virtual() for _ in range(3)]
    with Fleet([connect(c, retries=0) for c in cameras]) as fleet:
        yield cameras, fleet


def test_results_come_as_they_finish_and_one_error_stops_nobody(
    three: tuple[list[VirtualCamera], Fleet],
) -> None:
    cameras, fleet = three
    cameras[0].fail("delay", 0.3)
    cameras[1].fail("drop")
    results = list(fleet.call(Device.info))
    assert results[-1].camera.address == cameras[0].address
    by_address = {r.camera.address: r for r in results}
    broken = by_address[cameras[1].address]
    assert not broken.ok
    assert isinstance(broken.error, ConnectionFailed)
    with pytest.raises(ConnectionFailed):
        broken.get()
    for camera in (cameras[0], cameras[2]):
        assert by_address[camera.address].get().sn == camera.sn


def test_call_takes_values_keywords_and_paths(three: tuple[list[VirtualCamera], Fleet]) -> None:
    cameras, fleet = three
    assert all(r.ok for r in fleet.call(Image.set_name, {"name": "Door"}))
    assert {c.state.name for c in cameras} == {"Door"}
    assert all(r.ok for r in fleet.call(Image.set_name, name="Aisle"))
    assert {r.get()["name"] for r in fleet.call("config/getIpcName")} == {"Aisle"}
    assert all(isinstance(r.error, NotSupportedError) for r in fleet.call("config/noSuchThing"))


def test_a_bad_parameter_reaches_no_camera(three: tuple[list[VirtualCamera], Fleet]) -> None:
    cameras, fleet = three
    with pytest.raises(ParameterError):
        fleet.call(Wifi.set, ssid="x" * 33)
    assert all(c.state.counts == {} for c in cameras)
    with pytest.raises(ParameterError):
        Fleet([], jobs=0)
    assert list(Fleet([]).call(Device.info)) == []


def test_the_pool_is_bounded_and_a_camera_has_one_thread(vendor: Vendor) -> None:
    cameras = [Camera(f"127.0.0.1:{port}") for port in range(1, 9)]
    fleet = Fleet([*cameras, *cameras], jobs=3)
    assert len(fleet) == 8
    lock = threading.Lock()
    busy: list[Camera] = []
    most = [0]

    def work(camera: Camera) -> None:
        with lock:
            assert camera not in busy
            busy.append(camera)
            most[0] = max(most[0], len(busy))
        time.sleep(0.01)
        with lock:
            busy.remove(camera)

    others: list[bool] = []
    second = threading.Thread(target=lambda: others.extend(r.ok for r in fleet.map(work)))
    second.start()
    assert all(r.ok for r in fleet.map(work))
    second.join()
    assert others == [True] * 8
    assert most[0] <= 6  # two maps of three


def test_leaving_early_cancels_what_has_not_begun() -> None:
    fleet = Fleet([Camera(f"127.0.0.1:{port}") for port in range(1, 41)], jobs=2)
    begun: list[Camera] = []

    def work(camera: Camera) -> int:
        begun.append(camera)
        if len(begun) == 3:
            raise KeyboardInterrupt
        time.sleep(0.02)
        return 1

    with pytest.raises(KeyboardInterrupt):
        list(fleet.map(work))
    assert len(begun) < 40
    begun.clear()
    results = fleet.map(lambda camera: begun.append(camera) or time.sleep(0.02))
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(begun) < 10


def test_any_exception_of_the_function_is_a_result() -> None:
    (result,) = Fleet([Camera("127.0.0.1:1")]).map(lambda camera: 1 // 0)
    assert isinstance(result.error, ZeroDivisionError)


def test_a_fleet_of_what_was_found(ready: VirtualCamera, tmp_path: Path) -> None:
    found = [DiscoveredCamera(ready.sn, ready.ip, ready.port, model="FM020")]
    settings = Settings.load(environment=ready.vendor.environment())
    with Fleet.of(found, settings) as fleet:
        (result,) = fleet.call(Device.info)
    assert result.get().sn == ready.sn == result.camera.sn
