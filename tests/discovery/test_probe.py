"""Cameras that answer no UDP, recognised by their HTTPS port."""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.discovery import DiscoveredCamera, discover
from sunmi_ipc.discovery import scan as scan_module
from sunmi_ipc.link.tls import ClientCertificate
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.certs import CertificateAuthority

from .conftest import at_once

Start = Callable[..., VirtualCamera]


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try HTTPS ports at once: nothing here answers UDP."""
    monkeypatch.setattr(scan_module, "_PROBE_AFTER_S", 0.0)


def scan(*targets: str, timeout: float = 1.3, **options: Any) -> list[DiscoveredCamera]:
    """The cameras at *targets*, which stand first in the way: it ends with the first of them."""
    asked = {target.partition(":")[0] for target in targets}
    scanning = discover(timeout=timeout, interfaces=["lo"], targets=targets, mdns=False, **options)
    return list(itertools.islice((camera for camera in scanning if camera.ip in asked), 1))


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_by_its_certificate_without_showing_ours(virtual: Start, version: ssl.TLSVersion) -> None:
    # The virtual camera demands a client certificate; its own is seen all the same.
    camera = virtual()
    camera._context.maximum_version = version
    (found,) = scan(camera.address)
    assert (found.sn, found.source, found.port) == (camera.sn, "https", camera.port)
    assert (found.interface, found.interface_ip) == ("lo", "127.0.0.1")
    assert camera.state.counts == {}


def test_what_answers_udp_is_not_probed(virtual: Start) -> None:
    camera = virtual(udp=True)
    (found,) = scan(camera.address)
    assert found.source == "udp"


@contextlib.contextmanager
def server(
    folder: Path, name: str, answer: bytes, client_ca: bytes = b"", host: str = "127.0.8.8"
) -> Iterator[str]:
    """A TLS server with a certificate for *name* that sends *answer* to whatever comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CertificateAuthority().server_files(folder, name))
    if client_ca:
        context.load_verify_locations(cadata=client_ca.decode())
        context.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server((host, 0))

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            with raw, contextlib.suppress(OSError):
                raw.settimeout(5)
                with context.wrap_socket(raw, server_side=True) as secure:
                    if secure.recv(65_536):
                        secure.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{host}:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"code": 2}'
WEB = b"HTTP/1.1 200 OK\r\n\r\n<html>{a router}</html>"


@pytest.mark.usefixtures("soon")
@pytest.mark.parametrize(
    ("name", "answer", "sn"),
    [
        ("shop-camera", OK, ""),
        ("sunmi-device", WEB, ""),
        ("unit FS101D8BS00106", WEB, "FS101D8BS00106"),
    ],
)
def test_by_answer_or_name(tmp_path: Path, name: str, answer: bytes, sn: str) -> None:
    with server(tmp_path, name, answer) as address:
        assert [c.sn for c in scan(address)] == [sn]


def test_other_servers_are_no_cameras_and_silence_costs_no_time(tmp_path: Path) -> None:
    answers = [
        WEB,
        OK.replace(b"200 OK", b"404 Not Found"),
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"{" * 200_000,
        b"HTTP/1.1 200 OK\r\n\r\n{}",
    ]
    silent = socket.create_server(("127.0.8.9", 0))  # accepts, and says nothing
    with contextlib.ExitStack() as stack:
        stack.callback(silent.close)
        targets = [
            stack.enter_context(server(tmp_path, "router", answer, host=f"127.0.8.{number}"))
            for number, answer in enumerate(answers, 20)
        ]
        started = time.monotonic()
        assert scan(f"127.0.8.9:{silent.getsockname()[1]}", "127.0.8.10:1", *targets) == []
        assert time.monotonic() - started < 6


def test_our_certificate_is_shown_only_where_nothing_else_tells(tmp_path: Path, vendor: Vendor) -> None:
    ours = ClientCertificate.load(vendor.p12, vendor.p12_password)
    with server(tmp_path, "shop-camera", OK, vendor.client_authority.pem) as address:
        without, shown = at_once(lambda: scan(address), lambda: scan(address, timeout=8, certificate=ours))
        assert without == []
        assert [c.source for c in shown] == ["https"]
