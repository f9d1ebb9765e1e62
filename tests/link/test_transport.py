"""Connections that break, drip, lie and overflow: each is one clear error, in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sunmi_ipc import errors
from sunmi_ipc.aio.transport import AsyncHttpsTransport
from sunmi_ipc.camera import Camera, split_address
from sunmi_ipc.link.tls import camera_context
from sunmi_ipc.link.transport import HttpsTransport
from sunmi_ipc.simulator import VirtualCamera, connect


@pytest.fixture(autouse=True)
def in_both_colours(both_colours: Callable[..., Camera], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test here is run on a blocking camera, and on an asyncio one."""
    monkeypatch.setitem(globals(), "connect", both_colours)


def test_one_connection_serves_many_calls(ready: VirtualCamera) -> None:
    accepted = []
    original = ready._serve
    ready._serve = lambda *args: (accepted.append(1), original(*args))[1]  # type: ignore[method-assign]
    with connect(ready) as camera:
        for _ in range(20):
            assert camera.device.info().sn == ready.sn
    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("kind", "value", "error"),
    [
        ("http", 500, errors.ReplyError),
        ("http", 302, errors.ReplyError),
        ("garble", 0, errors.ReplyError),
        ("html", 0, errors.ReplyError),
        ("empty", 0, errors.ReplyError),
        ("huge", 0, errors.ReplyError),
        ("drop", 0, errors.ConnectionFailed),
        ("reset", 0, errors.ConnectionFailed),
        ("code", 3, errors.DeviceError),
        ("code", 4711, errors.DeviceError),
    ],
)
def test_faults_are_errors_of_the_tree(
    ready: VirtualCamera, kind: str, value: float, error: type[Exception]
) -> None:
    ready.fail(kind, value, times=None)
    with connect(ready, retries=1) as camera, pytest.raises(error) as caught:
        camera.device.info()
    assert type(caught.value).__module__ == "sunmi_ipc.errors"
    assert ready.address in str(caught.value)


@pytest.mark.parametrize(("kind", "value"), [("hang", 0), ("drip", 0.05), ("delay", 30)])
def test_total_deadline(ready: VirtualCamera, kind: str, value: float) -> None:
    ready.fail(kind, value, times=None)
    started = time.monotonic()
    with (
        connect(ready, timeout=0.4) as camera,
        pytest.raises(errors.ConnectionFailed, match="no complete answer"),
    ):
        camera.device.info()
    assert time.monotonic() - started < 0.4 * 1.1 + 0.2


def test_deadline_holds_in_the_handshake(vendor: Any) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        camera = Camera(
            f"127.0.0.1:{silent.getsockname()[1]}", app_id="a", secret_key="b", p12=vendor.p12,
            p12_password=vendor.p12_password, timeout=0.3, retries=0,
        )  # fmt: skip
        started = time.monotonic()
        with camera, pytest.raises(errors.ConnectionFailed):
            camera.device.info()
        assert time.monotonic() - started < 1


def test_reads_are_tried_again(ready: VirtualCamera) -> None:
    ready.fail("drop", times=2)
    with connect(ready) as camera:
        assert camera.device.info().sn == ready.sn


def test_writes_are_not_tried_again(ready: VirtualCamera) -> None:
    ready.fail("drop", times=1, path="config/formatMemoryCard")
    with connect(ready) as camera, pytest.raises(errors.ConnectionFailed):
        camera.sdcard.format()
    assert "config/formatMemoryCard" not in ready.state.counts


def test_reads_are_not_tried_again_after_an_answer(ready: VirtualCamera) -> None:
    ready.fail("code", 3, times=1)
    with connect(ready) as camera, pytest.raises(errors.DeviceError):
        camera.device.info()


def test_nobody_there() -> None:
    camera = Camera("127.0.0.1:1", p12=None)
    with pytest.raises(errors.ConfigError, match="app_id"):
        camera.device.info()


def test_refused_connection(vendor: Any) -> None:
    camera = Camera(
        "127.0.0.1:1", app_id="a", secret_key="b", p12=vendor.p12, p12_password=vendor.p12_password
    )
    with pytest.raises(errors.ConnectionFailed, match="refused"):
        camera.device.info()


def test_proxies_in_the_environment_are_ignored(
    ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with connect(ready) as camera:
        assert camera.device.info().sn == ready.sn


def test_the_context_stays_as_it_is(ready: VirtualCamera) -> None:
    """The trap: an HTTP library would load the public CAs into our context, or switch checking off."""
    vendor = ready.vendor
    context = camera_context(vendor.p12, vendor.p12_password, vendor.ca, False)
    before = (len(context.get_ca_certs()), context.verify_mode, context.check_hostname)
    with connect(ready) as camera:
        camera.device.info()
        assert isinstance(camera._transport, HttpsTransport | AsyncHttpsTransport)
        # The same key and CA give the same context: a fleet loads them once.
        assert camera._transport.context is context
    assert (len(context.get_ca_certs()), context.verify_mode, context.check_hostname) == before
    assert before[0] == 1


def test_a_wrong_clock_is_signed_around_once(ready: VirtualCamera, caplog: pytest.LogCaptureFixture) -> None:
    ready.fail("clock", -86_400 * 365 * 5)
    with connect(ready) as camera:
        assert camera.device.info().sn == ready.sn
        assert camera.clock_offset == pytest.approx(-86_400 * 365 * 5, abs=5)
        assert "clock" in caplog.text
        caplog.clear()
        camera.device.info()
        assert not caplog.text


def test_a_wrong_secret_is_not_blamed_on_the_clock(ready: VirtualCamera) -> None:
    with connect(ready, secret_key="wrong") as camera, pytest.raises(errors.AuthenticationError):
        camera.device.info()
    assert camera.clock_offset == 0
    ready.fail("clock", 90_000)
    with connect(ready, secret_key="wrong") as camera, pytest.raises(errors.AuthenticationError):
        camera.device.info()


def test_a_shared_camera_is_safe_in_threads(ready: VirtualCamera) -> None:
    results: list[str] = []
    with connect(ready) as camera:
        threads = [
            threading.Thread(target=lambda: results.append(camera.device.info().sn)) for _ in range(12)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [ready.sn] * 12


def test_no_foreign_exception_escapes(ready: VirtualCamera, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl

    import urllib3

    samples: list[BaseException] = [
        requests.ConnectionError("x"), requests.ReadTimeout("x"), requests.exceptions.SSLError("x"),
        requests.exceptions.ChunkedEncodingError("x"), requests.exceptions.InvalidHeader("x"),
        urllib3.exceptions.ProtocolError("x"), urllib3.exceptions.LocationParseError("x"), ssl.SSLError(1, "x"),
        ssl.SSLEOFError(8, "x"), OSError(113, "No route to host"), TimeoutError("x"), UnicodeError("x"),
    ]  # fmt: skip
    with connect(ready, retries=0) as camera:
        for sample in samples:

            def post(*args: Any, error: BaseException = sample, **kwargs: Any) -> None:
                raise error

            async def ask(*args: Any, error: BaseException = sample, **kwargs: Any) -> None:
                raise error

            monkeypatch.setattr(urllib3.HTTPSConnectionPool, "urlopen", post)
            monkeypatch.setattr("sunmi_ipc.aio.transport._Connection.ask", ask)
            with pytest.raises(errors.SunmiIpcError):
                camera.device.info()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.168.1.20", ("192.168.1.20", 443)),
        ("192.168.1.20:8443", ("192.168.1.20", 8443)),
        ("[fe80::1]:8443", ("fe80::1", 8443)),
        ("fe80::1", ("fe80::1", 443)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert split_address(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":443", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "1.2.3.4:x", "1.2.3.4:٤"]
)
def test_bad_addresses(text: str) -> None:
    with pytest.raises(errors.ParameterError):
        split_address(text)


def test_redirects_are_not_followed_and_cookies_not_kept(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual()
    camera.fail("http", 302)
    with connect(camera) as client, pytest.raises(errors.ReplyError, match="302"):
        client.device.info()
