"""The receiver over real sockets: what is stored, what is answered, what is cut off."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.events import Receiver, Spool
from tests.patience import eventually


def raw(receiver: Receiver, data: bytes) -> bytes:
    """What comes back for *data*, up to the end of the connection."""
    with socket.create_connection((receiver.host, receiver.port), timeout=10) as sock:
        sock.sendall(data)
        with contextlib.suppress(OSError):  # the receiver may have ended it first
            sock.shutdown(socket.SHUT_WR)
        answer = b""
        while got := sock.recv(65536):
            answer += got
    return answer


def test_stored_once_then_answered(kit: Any, post: Any, spool: Spool) -> None:
    assert post.event() == 200
    assert json.loads(post.answer) == {"code": 0}
    assert post.event() == 200
    assert post(json.dumps(kit.signed(kit.MOTION)).encode(), "application/json") == 200
    assert post.receiver.counts["stored"] == 2
    assert post.receiver.counts["repeated"] == 1
    face, motion = spool.consumer("c").read()
    assert face.event.arrive_count == 3
    assert (face.source, face.verified, motion.event.sn) == ("127.0.0.1", True, kit.MOTION["sn"])


def test_same_id_of_another_camera_or_type_is_another_event(post: Any) -> None:
    assert [post.event(), post.event(sn="FS2"), post.event(event_type="other")] == [200] * 3
    assert post.receiver.counts["stored"] == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f | {"sign": "0" * 32},
        lambda f: f | {"faceid": "78"},
        lambda f: f | {"app_id": "another"},
        lambda f: {k: v for k, v in f.items() if k != "app_id"},
        lambda f: {k: v for k, v in f.items() if k != "sign"},
        lambda f: f | {"sign": ""},
    ],
)
def test_bad_and_missing_signatures_get_401(
    kit: Any, post: Any, spool: Spool, change: Callable[[Any], Any]
) -> None:
    assert post(kit.form(change(kit.signed(kit.FACE)))) == 401
    assert post.receiver.counts["unsigned"] == 1
    assert spool.counts()["kept"] == 0


def test_unsigned_only_where_allowed(kit: Any, receive: Any, posting: Any, spool: Spool) -> None:
    both = posting(receive(allow_unsigned=True))
    assert both(kit.form(kit.FACE)) == 200
    assert both(kit.form(kit.signed(kit.FACE | {"event_id": "2"}, key="wrong"))) == 401
    assert both(kit.form(kit.signed(kit.FACE | {"event_id": "3"}))) == 200
    nothing_known = posting(receive(secrets=None, allow_unsigned=True))
    assert nothing_known(kit.form(kit.signed(kit.FACE | {"event_id": "4"}))) == 200
    assert [s.verified for s in spool.consumer("c").read()] == [False, True, False]
    with pytest.raises(ConfigError):
        receive(secrets={})


def test_bodies_without_an_event_get_400(kit: Any, post: Any, spool: Spool) -> None:
    assert post(b"hello") == 400
    assert post(kit.form(kit.signed({"sn": "A"}))) == 400
    assert post(kit.form(kit.signed(kit.FACE | {"sn": "../x"}))) == 400
    assert post.receiver.counts["bad"] == 3
    assert spool.counts()["kept"] == 0
    assert post.event() == 200


def test_wrong_place_and_verb(post: Any, receive: Any, posting: Any) -> None:
    receiver = post.receiver
    assert (
        b" 404 "
        in raw(receiver, b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx").splitlines()[0]
    )
    anywhere = receive(path="")
    assert posting(anywhere, "/any/where?x=1").event() == 200
    assert b" 405 " in raw(receiver, b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").splitlines()[0]


def test_too_large(receive: Any, posting: Any, kit: Any) -> None:
    receiver = receive(max_body=2000)
    assert posting(receiver)(b"x" * 500_000) == 413
    head = b"POST /events HTTP/1.1\r\nHost: a\r\n"
    assert b" 413 " in raw(receiver, head + b"Content-Length: 99999999999999999999\r\n\r\n")
    assert b" 413 " in raw(receiver, head + b"Transfer-Encoding: chunked\r\n\r\nFFFFFF\r\n" + b"x" * 3000)
    assert receiver.counts["too_large"] == 3
    assert posting(receiver).event() == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /events HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /events HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /events HTTP/1.1\r\nContent-Length: -5\r\n\r\nhello",
        b"POST /events HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nhello",
        b"POST /events HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /events HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        b"POST /events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"POST /events HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"POST /events HTTP/1.1\r\nContent-Length: 50\r\n\r\nshort",
        b"POST /events HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"POST /" + b"e" * 9000 + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
        b"POST\r\n\r\n",
    ],
    ids=range(13),
)
def test_broken_http_gets_400(receive: Any, spool: Spool, request_: bytes) -> None:
    receiver = receive()
    answer = raw(receiver, request_)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert spool.counts()["kept"] == 0


def test_chunked_http10_and_100_continue(kit: Any, receive: Any) -> None:
    receiver = receive()

    def body(number: int) -> bytes:
        return bytes(kit.form(kit.signed(kit.FACE | {"event_id": str(number)})))

    chunked = b"%x;ext=1\r\n%s\r\n%x\r\n%s\r\n0\r\nTrailer: x\r\n\r\n" % (
        9,
        body(1)[:9],
        len(body(1)) - 9,
        body(1)[9:],
    )
    head = b"POST /events HTTP/1.1\r\nHost: a\r\n"
    two = head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked
    two += head + b"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n" % len(body(2)) + body(2)
    answer = raw(receiver, two)
    assert (answer.count(b" 200 OK"), answer.count(b" 100 Continue")) == (2, 1)
    old = raw(receiver, b"POST /events HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body(3)) + body(3))
    assert b" 200 OK" in old
    assert b"Connection: close" in old
    assert receiver.counts["stored"] == 3


def test_slow_clients_are_cut_off_while_others_are_served(receive: Any, posting: Any) -> None:
    receiver = receive(read_timeout=0.5)
    whole = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n" + b"a" * 800
    began = time.monotonic()
    with socket.create_connection((receiver.host, receiver.port), timeout=10) as sock:
        sock.settimeout(0.05)
        answer, sent = b"", 0
        while not answer:
            # A byte now and then would renew an ordinary timeout for ever.
            sock.send(whole[sent : sent + 1])
            sent += 1
            try:
                answer = sock.recv(1000)
            except TimeoutError:
                assert posting(receiver).event(event_id=str(sent)) == 200
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert 0.4 < time.monotonic() - began < 5
    assert receiver.counts["timed_out"] == 1


def test_more_clients_than_places(receive: Any, posting: Any) -> None:
    receiver = receive(max_connections=4, read_timeout=5)
    posts = [posting(receiver) for _ in range(20)]
    # All connections are kept alive, so each needs the place of one that waits.
    answers = [post.event(event_id=f"{n}") for n, post in enumerate(posts)]
    assert answers == [200] * 20
    with ThreadPoolExecutor(20) as pool:
        results = pool.map(lambda n: posting(receiver).event(event_id=f"t{n}"), range(20))
    assert list(results) == [200] * 20
    assert receiver.counts["stored"] == 40


@pytest.fixture(params=["disk", "quota"])
def small(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Spool, Callable[[], object]]]:
    """A spool on a file system of 4 MB, or held to 1 MB by SQLite, and how to make room for it."""
    if request.param == "quota":
        with Spool(tmp_path) as spool:
            limit = "PRAGMA max_page_count = {}".format
            spool._writer.run(lambda connection: connection.execute(limit(256)).close())
            yield spool, lambda: spool._writer.run(lambda c: c.execute(limit(10**6)).close())
        return
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system needs root and the right to mount")
    try:
        (tmp_path / "filler").write_bytes(b"x" * 2_000_000)
        with Spool(tmp_path) as spool:
            yield spool, (tmp_path / "filler").unlink
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_full_disk_gets_503_and_loses_nothing(
    receive: Any, posting: Any, small: tuple[Spool, Callable[[], object]], caplog: pytest.LogCaptureFixture
) -> None:
    spool, make_room = small
    receiver = receive(spool=spool)
    posts = [posting(receiver) for _ in range(4)]
    stored: list[str] = []
    refused: list[str] = []

    def fill(number: int) -> None:
        for step in range(60):
            try:
                status = posts[number].event(event_id=f"{number}-{step}", note="g" * 20_000)
            except (
                ConnectionError,
                http.client.HTTPException,
            ):  # kept too long on a slow machine: as cameras do
                posts[number] = posting(receiver)
                status = posts[number].event(event_id=f"{number}-{step}", note="g" * 20_000)
            assert status in (200, 503)
            (stored if status == 200 else refused).append(f"{number}-{step}")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(fill, range(4)))
    assert len(stored) > 20
    assert len(refused) > 20
    # Everything that was answered 200 is there, can be read, and is not taken twice, full as it is.
    kept = [s.event.event_id for s in spool.replay(datetime(2000, 1, 1, tzinfo=UTC))]
    assert sorted(kept) == sorted(stored)
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert "the disk is full" in errors[0]
    assert "Free space" in errors[0]
    make_room()
    for event_id in refused[:20]:  # as cameras do, again and again
        assert eventually(lambda one=event_id: posts[0].event(event_id=one) == 200)
    assert spool.counts()["kept"] == len(stored) + 20
    assert receiver.counts["aborted"] == 0


def test_closed_spool_gets_503(receive: Any, posting: Any, spool: Spool) -> None:
    post = posting(receive())
    spool.close()
    assert post.event() == 503


def test_close_ends_idle_connections_at_once(receive: Any, posting: Any) -> None:
    receiver = receive()
    assert posting(receiver).event() == 200
    began = time.monotonic()
    receiver.close()
    receiver.close()
    assert time.monotonic() - began < 3
    with pytest.raises(OSError):
        socket.create_connection((receiver.host, receiver.port), timeout=2)


def test_addresses_that_cannot_be_had(receive: Any) -> None:
    taken = receive()
    for host, port in (("127.0.0.1", taken.port), ("127.0.0.1", 70000)):
        with pytest.raises(ConfigError) as caught:
            receive(host=host, port=port)
        assert caught.value.localized("zh")[0].startswith("无法监听")
    assert taken.url == f"http://127.0.0.1:{taken.port}/events"


def test_a_client_that_goes_away(receive: Any, posting: Any) -> None:
    receiver = receive()
    with socket.create_connection((receiver.host, receiver.port)) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sendall(b"POST /events HTTP/1.1\r\nContent-Length: 900\r\n\r\n")
    assert eventually(lambda: receiver.counts["aborted"] + receiver.counts["bad"] > 0)
    assert posting(receiver).event() == 200


@settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_malformed_bodies_get_4xx_and_nothing_is_stored(
    kit: Any, post: Any, spool: Spool, data: st.DataObject
) -> None:
    """A signed event with a hole in it: a cut, a flipped byte, a field gone, another type of value."""
    fields = kit.signed(kit.FACE)
    kind = data.draw(st.sampled_from(["bytes", "cut", "flip", "gone", "type"]))
    body = json.dumps(fields).encode() if data.draw(st.booleans()) else kit.form(fields)
    if kind == "bytes":
        body = data.draw(st.binary(max_size=200))
    elif kind == "cut":
        body = body[: data.draw(st.integers(0, len(body) - 2))]
    elif kind == "flip":
        at = data.draw(st.integers(1, len(body) - 2))
        body = (
            body[:at]
            + bytes([body[at] ^ data.draw(st.sampled_from([1, 2, 4, 8, 16, 64, 128]))])
            + body[at + 1 :]
        )
    elif kind == "gone":
        gone = data.draw(st.sampled_from([k for k, v in fields.items() if v]))
        body = kit.form({k: v for k, v in fields.items() if k != gone})
    else:
        wrong = data.draw(st.sampled_from([None, True, [], {}, "", "\x00", [1], {"a": 1}]))
        body = json.dumps(kit.signed(kit.FACE | {"sn": wrong, "event_type": wrong})).encode()
    stored = spool.counts()["last_seq"]
    status = post(body)
    if kind == "flip" and status == 200:
        return  # the bit was the case of a label or of an escape: the signed text is as it was
    assert 400 <= status < 500
    assert spool.counts()["last_seq"] == stored
    assert post.receiver.counts["aborted"] == 0
