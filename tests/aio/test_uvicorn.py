"""The receiver in a FastAPI application under a real uvicorn, and what strangers try there."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from sunmi_ipc.aio import EventReceiver
from sunmi_ipc.events import Spool
from sunmi_ipc.protocol import wire

uvicorn = pytest.importorskip("uvicorn", reason="extra serve")
fastapi = pytest.importorskip("fastapi", reason="extra serve")

APP, SECRET = "app", "secret"
FORM = "application/x-www-form-urlencoded"


def posted(**fields: str) -> bytes:
    form = {
        "event_type": "dynamic_detect_event", "event_id": "1", "detect_type": "1", "sn": "FS101D8BS00106",
        "report_time": str(int(time.time())), "app_id": APP, "random": "1234567890", **fields,
    }  # fmt: skip
    form["sign"] = wire.sign(form, SECRET)
    return urlencode(form).encode()


def request(body: bytes, *headers: str, method: str = "POST", path: str = "/events/") -> bytes:
    lengths = (
        () if any("ength" in h or "ransfer" in h for h in headers) else (f"Content-Length: {len(body)}",)
    )
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: x",
        f"Content-Type: {FORM}",
        "Connection: close",
        *lengths,
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, EventReceiver, Spool]]:
    with Spool(tmp_path_factory.mktemp("uvicorn") / "spool") as spool:
        receiver = EventReceiver(spool, secrets={APP: SECRET}, read_timeout=0.5, max_requests=16)
        application = fastapi.FastAPI()
        application.mount("/events", receiver)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(uvicorn.Config(application, log_level="critical", timeout_keep_alive=1))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
            thread.start()
            while not server.started:
                time.sleep(0.01)
            yield listening.getsockname()[1], receiver, spool
            server.should_exit = True
            thread.join(10)
        receiver.close()


def say(port: int, *parts: bytes, pause: float = 0.0) -> bytes:
    """What the server answers; empty where it only closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client, contextlib.suppress(OSError):
        for part in parts:
            client.sendall(part)
            time.sleep(pause)
        while data := client.recv(65_536):
            answer += data
    return answer


def status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


Served = tuple[int, EventReceiver, Spool]


def test_an_event_is_on_the_disk_before_its_answer_and_another_of_its_number_stands_beside_it(
    served: Served,
) -> None:
    port, receiver, spool = served
    before = len(spool.after(0, 100))
    answer = say(port, request(posted(event_id="11")))
    assert status(answer) == 200
    assert answer.endswith(b'{"code":0}')
    assert len(spool.after(0, 100)) == before + 1
    body = posted(event_id="12")
    assert [status(say(port, request(body))) for _ in range(3)] == [200] * 3
    assert len(spool.after(0, 100)) == before + 2
    # The same number with other content is another event.
    assert status(say(port, request(posted(event_id="12", detect_type="2")))) == 200
    assert len(spool.after(0, 100)) == before + 3
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    assert status(say(port, request(chunked, "Transfer-Encoding: chunked"))) == 200
    assert receiver.counts["repeated"] >= 3


def test_what_strangers_try_is_refused_and_a_camera_is_served_all_the_while(served: Served) -> None:
    port, _, spool = served
    before = len(spool.after(0, 100))
    good = posted(event_id="20")
    forged = good[:-1] + (b"1" if good.endswith(b"0") else b"0")
    nested = b'{"event_type":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    large = b"x" * 1_100_000  # this address has signed before: a camera's limit
    endless = b"".join(b"1000\r\n" + b"x" * 4096 + b"\r\n" for _ in range(300))
    tries: list[tuple[bytes, set[int]]] = [
        (request(forged), {401}),
        (request(b""), {400, 401}),
        (request(good, method="GET"), {405}),
        (request(nested, "Content-Type: application/json"), {400, 401}),
        (request(large), {0, 413}),
        (request(good, "Content-Length: 99999999999999999999"), {0, 400, 413}),
        (request(good, "Content-Length: 5", "Transfer-Encoding: chunked"), {400}),
        (request(endless, "Transfer-Encoding: chunked"), {0, 413}),
        (request(good, "Content-Encoding: gzip"), {415}),
        (request(good, "X: " + "x" * 20_000), {400, 431}),
        (b"GET / HTTP/9.9\r\n\r\n", {0, 400, 505}),
        (b"\x16\x03\x01\x02\x00" + bytes(512), {0, 400}),
    ]
    for sent, wanted in tries:
        answer = say(port, sent)
        assert status(answer) in wanted, (sent[:60], answer)
        assert b"Traceback" not in answer
    assert len(spool.after(0, 100)) == before
    assert status(say(port, request(good))) == 200


def test_a_slow_body_is_cut_off_and_one_that_is_left_is_let_go(served: Served) -> None:
    port, receiver, _ = served
    good = posted(event_id="30")
    whole = request(good)
    assert status(say(port, whole[:-5])) == 408
    before = receiver.counts["aborted"]
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(whole[:-5])
        time.sleep(0.05)
    end = time.monotonic() + 5
    while receiver.counts["aborted"] == before and time.monotonic() < end:
        time.sleep(0.01)
    assert receiver.counts["aborted"] == before + 1
    assert status(say(port, whole)) == 200


def test_silent_connections_and_wrong_signatures_at_speed_keep_no_camera_out(served: Served) -> None:
    port, _, spool = served
    before = len(spool.after(0, 100))
    with contextlib.ExitStack() as stack:
        for number in range(60):
            silent = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            silent.sendall(b"" if number % 2 else b"POST /events/ HTTP/1.1\r\nHost: x\r\nX: ")
        forged = request(posted(event_id="40").replace(b"sign=", b"sign=0"))

        def hammer() -> None:
            for _ in range(10):
                assert status(say(port, forged)) == 401

        hammers = [threading.Thread(target=hammer) for _ in range(4)]
        for thread in hammers:
            thread.start()
        assert status(say(port, request(posted(event_id="41")))) == 200
        for thread in hammers:
            thread.join(30)
    assert len(spool.after(0, 100)) == before + 1
