"""Hostile cameras: how long a call lasts beside its deadline and what memory it takes; plain ``requests`` beside it.

``requests`` is used with care there: a timeout, ``stream=True``, no redirections, our certificates.
"""

from __future__ import annotations

import contextlib
import gzip
import ssl
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import requests
import requests.adapters

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.simulator import Vendor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "security"))
from hostile import Hostile, answer, head  # type: ignore[import-not-found]

DEADLINE, PATIENCE = 1.0, 4.0
THREADS: list[threading.Thread] = []
BOMB = gzip.compress(b" " * 200_000_000, 6)


class Plain(requests.adapters.HTTPAdapter):
    """Requests as it is, but with our certificate, and the vendor's CA without host names."""

    def __init__(self, vendor: Vendor) -> None:
        certificate = ClientCertificate.load(vendor.p12, vendor.p12_password)
        self._context = client_context.__wrapped__(certificate, vendor.ca.read_bytes())
        self._context.sslsocket_class = ssl.SSLSocket
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Give the pool the context."""
        super().init_poolmanager(*args, ssl_context=self._context, assert_hostname=False, **kwargs)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Connect with it."""
        host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {"ssl_context": self._context, "assert_hostname": False}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the context as it is."""


def drip(*start: bytes) -> Callable[[Any], Callable[[Any], None]]:
    """Bytes, then one every 50 ms."""
    return lambda server: lambda secure: server.drip(secure, chain(start, repeat(b" ")), 0.05)


def flood(start: bytes, block: bytes, size: int = 60_000_000) -> Callable[[Any], Callable[[Any], None]]:
    """*start*, then *block* again and again."""

    def play(secure: Any) -> None:
        secure.sendall(start)
        for _ in range(size // len(block)):
            secure.sendall(block)

    return lambda server: play


TRICKS: dict[str, Any] = {
    "drip in the head": drip(b"HTTP/1.1 200 OK\r\nX: "),
    "drip in the body": drip(head("Content-Length: 9999")),
    "drip of chunks": lambda s: lambda c: s.drip(c, chain([head("Transfer-Encoding: chunked")], repeat(b"1\r\n \r\n")), 0.05),
    "silence": lambda s: lambda c: s.closing.wait(20),
    "60 MB": flood(head("Content-Length: 60000000"), b"9" * 65_536),
    "endless chunks": flood(head("Transfer-Encoding: chunked"), b"4000\r\n" + b" " * 16_384 + b"\r\n"),
    "endless headers": flood(b"HTTP/1.1 200 OK\r\n", b"X: " + b"y" * 60_000 + b"\r\n"),
    "bomb": lambda s: answer(BOMB, "Content-Encoding: gzip"),
    "bomb in a redirection": lambda s: answer(BOMB, "Content-Encoding: gzip", "Location: /x", status="302 Found"),
    "4 MB of lists": lambda s: answer(b'{"code":0,"data":[' + b"[]," * 1_300_000 + b"[]]}"),
    "4 MB with an emoji": lambda s: answer(b'{"code":0,"data":"' + b"x" * 4_000_000 + "😀".encode() + b'"}'),
    "20,000 session tickets": lambda s: lambda c: s.closing.wait(20),
}  # fmt: skip


def measured(call: Callable[[], Any]) -> tuple[float, float, str]:
    """Seconds, peak megabytes and what came of it."""
    tracemalloc.start()
    started = time.monotonic()
    try:
        call()
        outcome = "answer"
    except SunmiIpcError as error:
        outcome = type(error).__name__
    except (requests.RequestException, OSError) as error:
        outcome = type(error).__name__
    seconds = time.monotonic() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return seconds, peak / 1e6, outcome


def in_time(call: Callable[[], None]) -> None:
    """Wait for *call*, but no longer than PATIENCE: some never end."""

    def quiet() -> None:
        with contextlib.suppress(requests.RequestException, OSError):
            call()

    thread = threading.Thread(target=quiet, daemon=True)
    thread.start()
    THREADS.append(thread)
    thread.join(PATIENCE)


def main() -> None:
    """Play every trick on both, and print a table and the worst."""
    print(f"{'trick':24} {'ours: s':>8} {'of deadline':>12} {'MB':>6}   {'requests: s':>12} {'MB':>7}")
    worst, most = 0.0, 0.0
    with Vendor() as vendor:
        with Hostile(vendor, answer(b'{"code":0}')) as server, server.camera() as camera:
            measured(camera.device.info)  # everything is imported once
        for name, make in TRICKS.items():
            context = vendor.server_context("FS101D8BS00106")
            if "tickets" in name:
                context.num_tickets = 20_000
            with Hostile(vendor, context=context) as server:
                server.play = make(server)
                with server.camera(timeout=DEADLINE) as camera:
                    transport = camera._transport
                    seconds, peak, outcome = measured(camera.device.info)
                    session = requests.Session()
                    session.trust_env = False
                    session.mount("https://", Plain(vendor))
                    url = f"{transport.base}/openapi/device/getInfo"

                    def plain(session: requests.Session = session, url: str = url) -> None:
                        with session.post(
                            url, data="x=1", timeout=DEADLINE, stream=True, allow_redirects=False
                        ) as r:
                            for _ in r.iter_content(65_536):
                                pass

                    theirs = measured(lambda plain=plain: in_time(plain))  # type: ignore[misc]
                    session.close()
            for thread in THREADS:
                thread.join()  # its server is gone; what it allocates must not be counted for the next
            worst, most = max(worst, seconds / DEADLINE), max(most, peak)
            print(
                f"{name:24} {seconds:8.3f} {seconds / DEADLINE:11.0%}  {peak:6.1f}   {theirs[0]:12.3f} {theirs[1]:7.1f}  {outcome}"
            )
    print(f"longest: {worst:.0%} of the deadline (allowed 110 %); most memory: {most:.1f} MB (allowed 20)")


if __name__ == "__main__":
    main()
