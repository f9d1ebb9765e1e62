"""A broker that greets and then never answers the subscription: told, left, and tried again."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from sunmi_ipc.broker import connection
from sunmi_ipc.broker.connection import Broker, Connection

pytest.importorskip("paho.mqtt")
CONNACK = b"\x20\x03\x00\x00\x00"


def suback(subscribe: bytes) -> bytes:
    """SUBACK with one reason code, of the packet number that was asked with."""
    return b"\x90\x04" + subscribe[2:4] + b"\x00\x00"


def test_an_unanswered_subscription_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READY_S", 0.3)
    asked: list[float] = []
    left = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answers in (False, True):
                client, _ = server.accept()
                with client:
                    client.settimeout(20)
                    client.recv(4096)
                    client.sendall(CONNACK)
                    packet = client.recv(4096)
                    asked.append(time.monotonic())
                    if answers:
                        client.sendall(suback(packet))
                    while client.recv(4096):
                        pass
                    left.set()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        broker = Broker.of(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        with Connection(broker, subscriptions=["a/b"], backoff=(0.5, 0.5)) as link:
            assert left.wait(20)  # it goes, and does not wait for ever
            assert "does not answer the subscription" in link.problem
            assert not link.connected
            assert link.wait(20)  # the next one answers
            assert link.problem == ""
            assert link.connections == 1
        thread.join(20)
        assert not thread.is_alive()
    assert len(asked) == 2
