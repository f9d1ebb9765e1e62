"""A clean environment, virtual cameras, and a guard against traffic that leaves this machine."""

from __future__ import annotations

import asyncio
import functools
import inspect
import ipaddress
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time
from enum import Flag
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from sunmi_ipc import redact
from sunmi_ipc.protocol.spec import Group, registry
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect, connect_async
from tests import network

# A shell that starts us behind "&" has SIGINT ignored, and every child would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# Hundreds of children would compile the same modules again where no bytecode may be written into the tree.
if sys.dont_write_bytecode:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    )
    sys.dont_write_bytecode, sys.pycache_prefix = False, os.environ["PYTHONPYCACHEPREFIX"]


if os.environ.get("PYTEST_XDIST_WORKER"):
    network.apart()


@pytest.fixture(autouse=True)
def the_network(request: pytest.FixtureRequest) -> Iterator[None]:
    """A worker's own loopback, but for tests that ask a package index."""
    if request.node.get_closest_marker("index"):
        with network.with_the_others():
            yield
    else:
        yield


# How long an example takes to make or to run says something of this machine's load, not of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith("SUNMI_IPC_") or name in (
            "LC_ALL",
            "LC_MESSAGES",
            "http_proxy",
            "https_proxy",
            "NO_COLOR",
        ):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path_factory.mktemp("config")))
    monkeypatch.setenv("SUNMI_IPC_INTERFACE", "lo")


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that runs in this process directs our log to its own stderr."""
    logger = logging.getLogger("sunmi_ipc")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate, level = before
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def secrets_as_they_were() -> Iterator[None]:
    """What one test calls a secret ("xxxxxxxx") must not be masked in the words of the next."""
    known = redact._known
    before = dict(known._spellings)
    yield
    if known._spellings != before:
        known._spellings, known._pattern = before, None


@pytest.fixture(autouse=True)
def loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail on any packet to another machine (a namespace test runs in a process of its own)."""

    def guard(method: str) -> None:
        original = getattr(socket.socket, method)

        def checked(self: socket.socket, *args: Any) -> Any:
            address = args[-1]
            if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
                host = str(address[0])
                if host == "192.0.2.1" and method == "connect" and self.type & socket.SOCK_DGRAM:
                    return original(self, *args)  # a question to the routing table: nothing is sent
                if host != "localhost" and not _stays(self, ipaddress.ip_address(host)):
                    raise AssertionError(f"a test talks to {host}")
            return original(self, *args)

        monkeypatch.setattr(socket.socket, method, checked)

    for method in ("connect", "connect_ex", "sendto"):
        guard(method)


def _stays(sock: socket.socket, host: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if host.is_multicast and host.version == 4:  # mDNS goes where the socket says
        way = sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, 4)
        return ipaddress.IPv4Address(way).is_loopback
    return host.is_loopback


@pytest.fixture(scope="session")
def vendor() -> Iterator[Vendor]:
    with Vendor() as made:
        yield made


@pytest.fixture
def virtual(vendor: Vendor) -> Iterator[Callable[..., VirtualCamera]]:
    """Start virtual cameras: ``virtual(state="ready", model="FM010")``."""
    running: list[VirtualCamera] = []

    def start(**options: Any) -> VirtualCamera:
        # Not from random: it starts alike in every worker, and cameras of two tests would be twins.
        camera = VirtualCamera(
            vendor,
            number=len(running),
            **{"state": "ready", "udp": False, "people": 0, "seed": secrets.randbits(64)} | options,
        ).start()
        camera.state.format_s = camera.state.join_s = 0.1
        running.append(camera)
        return camera

    yield start
    for camera in running:
        camera.close()


@pytest.fixture
def ready(virtual: Callable[..., VirtualCamera]) -> VirtualCamera:
    """A camera on the LAN, activated, with a formatted card."""
    return virtual()


@pytest.fixture
def factory(virtual: Callable[..., VirtualCamera]) -> VirtualCamera:
    """A camera out of its box."""
    return virtual(state="factory")


class Waiting:
    """An asyncio camera, or a group of it, as tests of blocking ones use them: each call is waited for."""

    def __init__(self, inner: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.__dict__.update(_inner=inner, _loop=loop)

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._inner.close)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        if isinstance(value, Group):
            self.__dict__[name] = Waiting(value, self._loop)
            return self.__dict__[name]
        return functools.partial(self._run, value) if callable(value) else value

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)

    def _run(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async def run() -> Any:
            made = method(*args, **kwargs)
            return await made if inspect.isawaitable(made) else made

        made = asyncio.run_coroutine_threadsafe(run(), self._loop).result()
        return self._items(made) if inspect.isasyncgen(made) else made

    def _items(self, items: Any) -> Iterator[Any]:
        try:
            while True:
                try:
                    yield self._run(items.__anext__)
                except StopAsyncIteration:
                    return
        finally:
            self._run(items.aclose)


@pytest.fixture(scope="session")
def event_loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture(params=["blocking", "asyncio"])
def both_colours(
    request: pytest.FixtureRequest, event_loop_thread: asyncio.AbstractEventLoop
) -> Callable[..., Any]:
    """``connect`` for a blocking camera, and for an asyncio one whose calls are waited for."""
    if request.param == "blocking":
        return connect

    def connected(virtual: VirtualCamera, **options: Any) -> Waiting:
        return Waiting(connect_async(virtual, **options), event_loop_thread)

    return connected


@pytest.fixture
def revive() -> Callable[[str, dict[str, Any]], dict[str, Any]]:
    """A sample's values as Python types: Unix seconds become times, hex text becomes bytes."""

    def convert(path: str, values: dict[str, Any]) -> dict[str, Any]:
        kinds = {p.name: p.base for p in registry()[path].parameters}
        made = dict(values)
        for name, value in values.items():
            if kinds[name] is datetime:
                made[name] = datetime.fromtimestamp(value, UTC)
            elif kinds[name] is time:
                made[name] = time(value // 60, value % 60)
            elif kinds[name] is bytes:
                made[name] = bytes.fromhex(value)
            elif issubclass(kinds[name], Flag):
                made[name] = kinds[name](value)
        return made

    return convert
