"""The virtual camera keeps state, refuses what a camera would, and stays on this machine."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable

import pytest

from sunmi_ipc import errors
from sunmi_ipc.discovery import discover, find
from sunmi_ipc.protocol.values import CardStatus
from sunmi_ipc.simulator import VirtualCamera, connect, parse_fault


def test_from_the_box_to_a_formatted_card(virtual: Callable[..., VirtualCamera]) -> None:
    virtual_camera = virtual(state="factory", udp=True)
    with connect(virtual_camera, retries=5) as camera:
        with pytest.raises(errors.NotActivatedError):
            camera.device.info()
        with pytest.raises(errors.DeviceError) as caught:
            camera.device.activate(virtual_camera.sn)
        assert caught.value.code == 4
        assert "Shop-WiFi" in [ap.ssid for ap in camera.wifi.networks().ap_list]
        camera.wifi.join("Shop-WiFi", "welcome-2020")
        find(virtual_camera.sn, timeout=5)
        assert camera.device.ensure_active(virtual_camera.sn)
        assert not camera.device.ensure_active(virtual_camera.sn)
        with pytest.raises(errors.DeviceError) as caught:
            camera.device.activate("FS000D0BS00000")
        assert caught.value.code == 11
        assert camera.sdcard.status().status is CardStatus.BLANK
        assert camera.sdcard.format_and_wait(timeout=10, interval=0.02).ready
        with pytest.raises(errors.NotAllowedError):
            camera.wifi.set_without_auth("Other", "")
        camera.wifi.join("Shop-Guest")
        find(virtual_camera.sn, timeout=5)
        assert camera.wifi.show().ssid == "Shop-Guest"


def test_activation_refusals(factory: VirtualCamera) -> None:
    factory.state.wired = True
    with connect(factory) as camera:
        with pytest.raises(errors.DeviceError) as caught:
            camera.device.activate("FS000D0BS00000")
        assert caught.value.code == 11
        factory.state.bound = True
        with pytest.raises(errors.DeviceError) as caught:
            camera.device.activate(factory.sn)
        assert caught.value.code == 10
    with connect(factory, activation_code="wrong") as camera, pytest.raises(errors.AuthenticationError):
        camera.device.activate(factory.sn)
    with connect(factory, app_id="wrong") as camera, pytest.raises(errors.AuthenticationError) as refused:
        camera.device.activate(factory.sn)
    assert refused.value.code == 1


def test_unknown_url(ready: VirtualCamera) -> None:
    with connect(ready) as camera, pytest.raises(errors.NotSupportedError) as caught:
        camera.call("config/noSuchThing", {})
    assert caught.value.code == 6


@pytest.mark.parametrize(("card", "code"), [(CardStatus.NONE, 220), (CardStatus.BROKEN, 221)])
def test_cards_that_cannot_be_formatted(ready: VirtualCamera, card: CardStatus, code: int) -> None:
    ready.insert_card(card)
    with connect(ready) as camera:
        assert camera.sdcard.status().status is card
        with pytest.raises(errors.DeviceError) as caught:
            camera.sdcard.format()
        assert caught.value.code == code


def test_formatting_takes_time(ready: VirtualCamera) -> None:
    ready.state.format_s = 60
    with connect(ready) as camera:
        camera.sdcard.format()
        assert camera.sdcard.status().status is CardStatus.BLANK
        with pytest.raises(errors.ProvisionError, match="state: blank") as caught:
            camera.sdcard.wait_until_normal(timeout=0.05, interval=0.02)
        assert caught.value.step == "sdcard"
        assert "Take the card out" in caught.value.hint
        ready.fail("reset", times=None)
        with pytest.raises(errors.ProvisionError, match="state: not answering") as caught:
            camera.sdcard.wait_until_normal(timeout=0.05, interval=0.02)
        assert "power and network" in caught.value.hint  # a card that nobody saw is not blamed


def test_dirty_json_gives_the_same_result(ready: VirtualCamera) -> None:
    with connect(ready) as camera:
        info, card, lens = camera.device.info(), camera.sdcard.status(), camera.lens.show()
        ready.fail("dirty", times=None)
        assert camera.sdcard.status() == card
        # One optional field is left out, and is not told then; the rest is as it was.
        assert camera.lens.show() == lens.model_copy(update={"focused_y": None})
        assert camera.device.info() == info.model_copy(update={"mac": ""})
        raw = camera.call("device/getInfo", {})
        assert "mac" not in raw
        assert "unknownKey" in raw


def test_fields_beside_the_code(virtual: Callable[..., VirtualCamera]) -> None:
    with connect(virtual(flat=True)) as camera:
        assert camera.device.info().model == "FM020"


def test_restart(ready: VirtualCamera) -> None:
    with connect(ready, retries=0) as camera:
        camera.device.info()
        ready.restart(30)
        with pytest.raises(errors.ConnectionFailed):
            camera.device.info()
        ready.restart(0)
        assert camera.device.info().sn == ready.sn


def test_several_cameras_are_found_each_at_its_address(virtual: Callable[..., VirtualCamera]) -> None:
    cameras = [virtual(udp=True) for _ in range(5)]
    wanted = {(c.sn, c.ip, c.port) for c in cameras}
    found = set()
    for camera in discover(timeout=5, interfaces=["lo"]):
        found.add((camera.sn, camera.ip, camera.port))
        if wanted <= found:
            break
    assert wanted <= found


def test_the_same_seed_gives_the_same_camera() -> None:
    one, other, another = (VirtualCamera(seed=seed, udp=False) for seed in (5, 5, 6))
    assert (one.sn, one.state.mac) == (other.sn, other.state.mac)
    assert one.sn != another.sn


def test_it_stays_on_this_machine() -> None:
    with pytest.raises(errors.ConfigError, match="stays on this machine"):
        VirtualCamera(ip="0.0.0.0")
    assert VirtualCamera(ip="0.0.0.0", expose=True).ip == "0.0.0.0"


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        camera = VirtualCamera(ip="127.0.0.1", port=taken.getsockname()[1], udp=False)
        with pytest.raises(errors.ConfigError, match="cannot be used"):
            camera.start()
        camera.close()


def test_it_demands_a_client_certificate(ready: VirtualCamera) -> None:
    import ssl

    context = ssl.create_default_context(cafile=ready.vendor.ca)
    context.check_hostname = False

    def ask() -> bytes:
        with (
            socket.create_connection((ready.ip, ready.port), timeout=5) as raw,
            context.wrap_socket(raw) as secure,
        ):
            secure.sendall(b"POST /openapi/device/getInfo HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
            return secure.recv(1)

    with pytest.raises(ssl.SSLError):
        ask()


@pytest.mark.parametrize(
    ("text", "kind", "value", "path", "times"),
    [
        ("delay=2", "delay", 2, None, 1),
        ("code=3@device/getInfo", "code", 3, "device/getInfo", 1),
        ("dropx5", "drop", 0, None, 5),
        ("http=503@config/getLedx2", "http", 503, "config/getLed", 2),
        ("dirty", "dirty", 0, None, None),
    ],
)
def test_faults_as_people_write_them(
    text: str, kind: str, value: float, path: str | None, times: int | None
) -> None:
    fault = parse_fault(text)
    assert (fault.kind, fault.value, fault.path, fault.times) == (kind, value, path, times)


@pytest.mark.parametrize("text", ["", "explode", "delay=x", "=2"])
def test_faults_that_are_none(text: str) -> None:
    with pytest.raises(errors.ParameterError):
        parse_fault(text)


def test_requests_that_are_no_form(ready: VirtualCamera) -> None:
    for body in (b"%zz=\xff", b"a=1&a=2", b"novalue"):
        assert ready.answer("device/getInfo", body) == {"code": 2}
    json.dumps(ready.describe())
