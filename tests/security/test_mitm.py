"""The man in the middle: refused before the first byte of a signed request is sent, shown at the socket."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.link.trust import KnownCameras
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect

from .hostile import Hostile, answer

OK = b'{"code":0,"data":{"sn":"FS101D8BS00106"}}'


def impostor(vendor: Vendor, **options: Any) -> Hostile:
    """A server that lets every client in, and answers as a camera would."""
    context = vendor.server_context("FS101D8BS00106")
    context.verify_mode = ssl.CERT_NONE
    return Hostile(vendor, answer(OK), context=context, **options)


@pytest.fixture
def trust(request: pytest.FixtureRequest, vendor: Vendor, tmp_path: Path) -> dict[str, Any]:
    """By the vendor's CA, or by a pin."""
    if request.param == "ca":
        return {"ca": vendor.ca}
    return {"ca": None, "known_cameras": KnownCameras(tmp_path / "known_cameras.json")}


both = pytest.mark.parametrize("trust", ["ca", "pin"], indirect=True)


@both
def test_another_cas_certificate_and_another_key(
    vendor: Vendor, virtual: Callable[..., VirtualCamera], trust: dict[str, Any]
) -> None:
    camera = virtual()
    with connect(camera, sn=camera.sn, **trust) as client:
        client.device.info()
    with Vendor() as other, impostor(other) as server:
        mine = {"p12": vendor.p12, "p12_password": vendor.p12_password, "secret_key": vendor.secret_key}
        with server.camera(sn=camera.sn, retries=2, **mine | trust) as client:
            with pytest.raises(errors.TlsError, match=r"not from the CA|has changed"):
                client.device.info()
            with pytest.raises(errors.TlsError):
                client.wifi.join("Shop", "welcome-2020")
        assert server.connections >= 1
        assert server.received == b""


@both
def test_an_impostor_who_takes_the_address_between_two_calls(
    vendor: Vendor, virtual: Callable[..., VirtualCamera], trust: dict[str, Any]
) -> None:
    """A broken connection is tried again: the second handshake is judged like the first."""
    camera = virtual()
    with connect(camera, sn=camera.sn, retries=2, **trust) as client:
        assert client.device.info().sn == camera.sn
        at = (camera.ip, camera.port)
        camera.close()
        with Vendor() as other, impostor(other, at=at) as server:
            with pytest.raises(errors.TlsError):
                client.device.info()
            assert server.connections >= 1
            assert server.received == b""


def test_the_impostor_would_hear_what_is_sent_without_a_check(vendor: Vendor) -> None:
    """That nothing is heard above is the check's doing."""
    with Vendor() as other, impostor(other) as server:
        with server.camera(insecure=True, p12=vendor.p12, p12_password=vendor.p12_password) as client:
            client.device.info()
        assert b"sign=" in server.requests[0]
