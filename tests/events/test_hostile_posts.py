"""The receiver under fire: what strangers may cost, and what an overheard event is good for."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from sunmi_ipc.errors import BadEvent
from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.events import decoding as layout

NEIGHBOUR = "127.0.0.9"


def connect(receiver: Receiver, source: str = NEIGHBOUR) -> socket.socket:
    return socket.create_connection((receiver.host, receiver.port), 10, source_address=(source, 0))


def ask(receiver: Receiver, data: bytes) -> bytes:
    """What comes back for *data*; a reset under it is no answer."""
    with connect(receiver) as sock:
        try:
            sock.sendall(data)
            return sock.recv(4096)
        except OSError:
            return sock.recv(4096)


def head(length: int, *more: str, target: str = "/events") -> bytes:
    lines = [f"POST {target} HTTP/1.1", "Host: a", f"Content-Length: {length}", *more, "", ""]
    return "\r\n".join(lines).encode()


# -- heads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "lines",
    [
        [f"X: {'y' * 70_000}"],
        [f"X-{n}: {'y' * 2000}" for n in range(20)],
        [f"X-{n}: {'y' * 180}" for n in range(95)],
    ],
)
def test_heads_have_a_largest_size_in_all(receive: Any, lines: list[str]) -> None:
    receiver = receive()
    assert ask(receiver, head(1, *lines) + b"x").startswith(b"HTTP/1.1 431 ")
    assert receiver.counts["too_large"] == 1


def test_a_head_that_never_ends_is_not_collected(receive: Any) -> None:
    receiver = receive()
    answer, sent = b"", 0
    with connect(receiver) as sock:
        sock.settimeout(5)
        try:
            sock.sendall(b"POST /events HTTP/1.1\r\n")
            while sent < 8_000_000:
                sent += sock.send(b"X: y\r\n" * 1000)
        except OSError:
            pass
        try:
            answer = sock.recv(100)
        except OSError:
            answer = b"reset"
    assert answer[9:12] == b"431" or answer == b"reset"
    assert sent < 8_000_000


@pytest.mark.parametrize("before", [b"\r\n", b"\n", b"\r\n\r\n\r\n"])
def test_empty_lines_before_a_request_do_not_count(kit: Any, receive: Any, before: bytes) -> None:
    """RFC 9112, 2.2: some clients end a body with a line break that its length does not count."""
    receiver = receive()
    bodies = [kit.form(kit.signed(kit.FACE | {"event_id": str(n)})) for n in range(2)]
    with connect(receiver) as sock:
        for body in bodies:
            sock.sendall(before + head(len(body)) + body)
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert receiver.counts["stored"] == 2


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://192.168.1.5:8480/events", b"200"),
        ("HTTP://192.168.1.5/events?x=1", b"200"),
        ("http://192.168.1.5:8480/elsewhere", b"404"),
        ("http://192.168.1.5", b"404"),
        ("http://[::1/events", b"404"),
    ],
)
def test_a_whole_url_in_the_request_line(kit: Any, receive: Any, target: str, status: bytes) -> None:
    body = kit.form(kit.signed(kit.FACE))
    assert ask(receive(), head(len(body), target=target) + body)[9:12] == status


@pytest.mark.parametrize(
    "more", [{"kind": "multipart/form-data; boundary=x"}, {"coding": "gzip"}, {"coding": "br"}]
)
def test_what_is_not_read_says_so(kit: Any, post: Any, more: dict[str, str]) -> None:
    """A 401 would send somebody looking for a wrong secret."""
    body = gzip.compress(kit.form(kit.signed(kit.FACE)))
    kind = more.get("kind", "application/x-www-form-urlencoded")
    headers = {"Content_Encoding": more["coding"]} if "coding" in more else {}
    assert post(body, kind, **headers) == 415


# -- who may send how much -----------------------------------------------------------------------------


def test_a_picture_within_an_event_is_a_known_cameras_alone(kit: Any, receive: Any, posting: Any) -> None:
    large = kit.form(kit.signed(kit.FACE | {"event_id": "1", "pic": "x" * 500_000}))
    assert posting(receive())(large) == 413
    subscribed = receive(cameras=lambda: ["127.0.0.1"])
    assert posting(subscribed)(large) == 200
    assert posting(subscribed)(b"x" * ((1 << 20) + 1)) == 413
    elsewhere = receive(cameras=lambda: ["10.0.0.7"])
    poster = posting(elsewhere)
    assert poster(large) == 413
    # One that was subscribed by other means is known by its first event.
    assert posting(elsewhere).event(event_id="2") == 200
    assert posting(elsewhere)(kit.form(kit.signed(kit.FACE | {"event_id": "3", "pic": "x" * 500_000}))) == 200


def test_a_stranger_is_turned_away_unread(
    kit: Any, receive: Any, posting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    receiver = receive()
    dialect = receiver.spool.dialect
    monkeypatch.setattr(
        receiver.spool,
        "dialect",
        type(dialect)(
            "counting", lambda b, t: read.append(1) or dialect.read(b, t), dialect.verify, dialect.event
        ),
    )
    poster = posting(receiver)
    assert poster(kit.form(kit.signed(kit.FACE, app_id="STRANGER"))) == 401
    assert poster(json.dumps(kit.signed(kit.FACE, app_id="STRANGER")).encode(), "application/json") == 401
    assert read == []
    assert poster(kit.form(kit.signed(kit.FACE))) == 200
    assert poster(json.dumps(kit.signed(kit.MOTION), indent=1).encode(), "application/json") == 200
    assert len(read) == 2


# -- places --------------------------------------------------------------------------------------------


def hold(receiver: Receiver, number: int, first: bytes, stop: threading.Event) -> threading.Thread:
    """A neighbour who opens a connection for each that is closed, and says *first* and no more."""

    def one() -> None:
        held: list[socket.socket] = []
        while not stop.is_set():
            while len(held) < number and not stop.is_set():
                try:
                    held.append(connect(receiver))
                    if first:
                        held[-1].sendall(first)
                except OSError:
                    break
            for sock in list(held):
                sock.setblocking(False)
                try:
                    if not sock.recv(100):
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    held.remove(sock)
                    sock.close()
            stop.wait(0.02)
        for sock in held:
            sock.close()

    thread = threading.Thread(target=one)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "first", [b"", b"P", b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\nabc"]
)
def test_a_camera_gets_through_beside_a_neighbour_who_holds_everything(
    receive: Any, posting: Any, first: bytes
) -> None:
    receiver = receive(max_connections=16)
    stop = threading.Event()
    threads = [hold(receiver, 100, first, stop) for _ in range(2)]
    try:
        time.sleep(1)
        began = time.monotonic()
        assert [posting(receiver).event(event_id=str(n)) for n in range(4)] == [200] * 4
        assert time.monotonic() - began < 15
    finally:
        stop.set()
        for thread in threads:
            thread.join()


# -- an overheard event --------------------------------------------------------------------------------


def test_what_no_signature_covers_makes_no_new_event(kit: Any, post: Any, spool: Spool) -> None:
    genuine = kit.signed({k: v for k, v in kit.FACE.items() if k != "event_id"})
    assert post(kit.form(genuine)) == 200
    for more in ({"x": ""}, {"y": "", "z": ""}, {"event_id": ""}, {"cloud_faceid": ""}):
        assert post(kit.form(genuine | more)) == 200
    assert post(json.dumps(genuine | {"n": None}).encode(), "application/json") == 200
    assert post.receiver.counts["stored"] == 1
    (stored,) = spool.consumer("c").read()
    assert not {"x", "y", "z", "n"} & set(stored.fields)


@pytest.mark.parametrize(
    "swallow",
    [
        ("arrive_count", "event_id"),
        ("faceid", "group_name"),
        ("gender", "group_name"),
        ("event_id", "event_type"),
    ],
)
def test_a_field_swallowed_by_its_neighbour_is_refused(kit: Any, post: Any, swallow: tuple[str, str]) -> None:
    genuine = kit.signed(kit.FACE)
    eater, eaten = swallow
    changed = dict(genuine)
    # Only neighbours in the order of the signature can be joined: those between go along.
    names = sorted(k for k, v in genuine.items() if v and eater < k <= eaten)
    changed[eater] = "&".join([str(genuine[eater]), *(f"{k}={changed.pop(k)}" for k in names)])
    assert post(kit.form(changed)) == 400
    assert post.receiver.counts["stored"] == 0


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1/p.jpg?id=1&token=abc",
        "http://127.0.0.1/p.jpg?a=1&b=2&sn=FS101",
        "https://127.0.0.1/get?file=1&timestamp=17&random=2",
    ],
)
def test_a_link_may_have_a_query(kit: Any, post: Any, link: str) -> None:
    assert post.event(pic_url=link) == 200
    nested = kit.signed({"data": json.dumps(kit.FACE | {"event_id": "2", "pic_url": link})})
    assert post(kit.form(nested)) == 200
    assert post.receiver.counts["stored"] == 2


def test_a_link_that_swallows_what_comes_after_it_is_refused(kit: Any, post: Any) -> None:
    genuine = kit.signed(kit.FACE)
    genuine["pic_url"] += f"&random={genuine.pop('random')}&report_time={genuine.pop('report_time')}"
    assert post(kit.form(genuine)) == 400


def test_the_same_envelope_counts_once_even_when_its_event_is_long_gone(
    kit: Any, post: Any, spool: Spool
) -> None:
    body = kit.form(kit.signed(kit.FACE))
    assert post(body) == 200
    spool._writer.execute("DELETE FROM events", ())
    assert post(body) == 200
    assert post.receiver.counts["stored"] == 1
    again = kit.signed(kit.FACE | {"report_time": "1593029999"})
    assert post(kit.form(again)) == 200
    assert post.receiver.counts["stored"] == 2


def test_an_envelope_is_known_for_400_days(kit: Any, post: Any, spool: Spool) -> None:
    body = kit.form(kit.signed(kit.FACE))
    assert post(body) == 200
    spool._writer.execute("DELETE FROM events", ())
    for days, stored in ((399, 1), (401, 2)):
        back = int((time.time() - days * 86_400) * 1e6)
        spool._writer.execute("UPDATE seals SET received = ?", (back,))
        spool._cleaner._seals_next = 0.0
        spool._writer.run(lambda connection: spool._cleaner._drop_seals(connection, time.time()))
        assert post(body) == 200
        assert post.receiver.counts["stored"] == stored


def test_a_number_used_again_is_another_event(kit: Any, post: Any, spool: Spool) -> None:
    """Cameras count from 1 again after a restart."""
    assert post.event(event_id="1", faceid="anna", report_time="1764000000") == 200
    assert post.event(event_id="1", faceid="bert", report_time="1764086400") == 200
    assert post.event(event_id="1", faceid="bert", report_time="1764086400") == 200
    first, second = spool.consumer("c").read()
    assert (first.fields["faceid"], second.fields["faceid"]) == ("anna", "bert")
    assert first.key != second.key
    # Signed anew, or laid out otherwise, it is the same all the same.
    anew = {"app_id": kit.APP, "timestamp": "1764086500", "random": "7777777"}
    fields = kit.FACE | {"event_id": "1", "faceid": "bert", "report_time": "1764086400"}
    assert post(json.dumps(kit.signed(fields | anew)).encode(), "application/json") == 200
    assert post.receiver.counts["stored"] == 2


def test_a_signed_event_stands_beside_an_invented_one(
    kit: Any, receive: Any, posting: Any, spool: Spool
) -> None:
    poster = posting(receive(allow_unsigned=True))
    assert poster(kit.form(kit.FACE)) == 200
    assert poster(kit.form(kit.signed(kit.FACE))) == 200
    assert poster(kit.form(kit.FACE)) == 200
    assert poster(kit.form(kit.FACE | {"group_name": "invented"})) == 200
    found = spool.consumer("c").read()
    assert [(s.verified, s.fields["group_name"]) for s in found] == [
        (False, "stranger"),
        (True, "stranger"),
        (False, "invented"),
    ]
    assert len({s.key for s in found}) == 3


@pytest.mark.parametrize(
    "body", [b'{"app_id": "a%sb"}' % (b"x" * 50_000), b"app_id=" + b"%" * 50_000, b'"app_id"' * 8000]
)
def test_looking_for_the_app_costs_little(body: bytes) -> None:
    times = []
    for many in (1, 2):
        began = time.perf_counter()
        layout.app_ids(body * many)
        times.append(time.perf_counter() - began)
    assert max(times) < 0.5


def test_a_value_that_could_be_two_is_refused_in_the_library_too(kit: Any) -> None:
    changed = kit.signed({"sn": "A", "event_type": "x", "note": "regular&x=1"})
    with pytest.raises(BadEvent):
        layout.verify(layout.read(urlencode(changed).encode()), {kit.APP: kit.KEY})


def test_strangers_do_not_fill_the_memory(receive: Any, kit: Any, posting: Callable[..., Any]) -> None:
    """Many large bodies at once: none is read further than a stranger's may be."""
    receiver = receive()
    body = b'{"app_id":"app","sign":"x",' + b",".join(b'"%05x":0' % i for i in range(100_000)) + b"}"
    answers: list[bytes] = []

    def one() -> None:
        try:
            answers.append(ask(receiver, head(len(body)) + body)[9:12])
        except OSError:
            answers.append(b"413")

    threads = [threading.Thread(target=one) for _ in range(32)]
    for thread in threads:
        thread.start()
    assert posting(receiver).event() == 200
    for thread in threads:
        thread.join()
    assert set(answers) <= {b"413", b""}
