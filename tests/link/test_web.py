"""Servers that are given something: whatever they answer, telling them has an end."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc.errors import ConnectionFailed
from sunmi_ipc.events import Spool
from sunmi_ipc.events.delivery import Again
from sunmi_ipc.events.model import of
from sunmi_ipc.events.sinks import WebhookSink
from sunmi_ipc.station import channels
from sunmi_ipc.station.verdict import Level

ENDLESS: dict[str, tuple[Callable[[], Iterable[bytes]], float]] = {
    "a head that drips": (lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX: "], itertools.repeat(b"x")), 0.02),
    "100 Continue for ever": (lambda: itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n" * 50), 0.0),
    "a status line of spaces": (lambda: itertools.chain([b"HTTP/1.1 "], itertools.repeat(b" " * 99)), 0.0),
    "silence": (list, 0.0),
}


@pytest.fixture(params=ENDLESS)
def endless(request: pytest.FixtureRequest) -> Iterator[str]:
    pieces, pause = ENDLESS[request.param]
    over = threading.Event()

    def serve(server: socket.socket) -> None:
        while not over.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    for piece in pieces():
                        connection.sendall(piece)
                        if over.wait(pause):
                            return
                    over.wait(5)
                except OSError:
                    continue

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/?token=hidden"
        over.set()
        server.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_telling_a_webhook_has_an_end(endless: str, tmp_path: Path) -> None:
    with Spool(tmp_path / "spool.db") as spool:
        spool.append(of({"sn": "FS1", "event_id": "1", "event_type": "x"}))
        (stored,) = spool.consumer("c").read()
    sink, began = WebhookSink(endless, timeout=0.2), time.monotonic()
    with pytest.raises(Again) as caught:
        sink.send([stored])
    sink.close()
    assert time.monotonic() - began < 5
    assert "hidden" not in str(caught.value)


def test_telling_people_has_an_end(endless: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_TIMEOUT_S", 0.2)
    message, began = channels.Message("test", "A test", "A test", Level.OK, {}), time.monotonic()
    with pytest.raises(ConnectionFailed) as caught:
        channels.WebhookChannel(channels.Secret(endless)).send(message)
    assert time.monotonic() - began < 5
    assert "hidden" not in str(caught.value)
