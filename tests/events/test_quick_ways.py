"""What is read at a glance is read as the long way reads it: heads, forms, and the app that a body names."""

from __future__ import annotations

import contextlib
import re
import socket
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sunmi_ipc.errors import BadEvent
from sunmi_ipc.events import Receiver
from sunmi_ipc.events import decoding as layout
from sunmi_ipc.events.server import _Handler

# -- heads ---------------------------------------------------------------------------------------------

PLAIN = b"POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n"
#: Lines of a head behind the two plain ones, or a whole head, and what it is answered.
HEADS: list[tuple[bytes, bytes]] = [
    (PLAIN + b"\r\n", b"200"),
    (
        PLAIN + b"Content-Type:application/x-www-form-urlencoded\r\nUser-Agent: \t curl/8 (x; y)\t \r\n\r\n",
        b"200",
    ),
    (PLAIN + b"Connection: close\r\n\r\n", b"200"),
    (PLAIN + b"connection: CLOSE\r\n\r\n", b"200"),
    (PLAIN + b"Connection: keep-alive\r\n\r\n", b"200"),
    (PLAIN.replace(b"/events", b"/events?x=1&y=//") + b"\r\n", b"200"),
    (PLAIN.replace(b"/events", b"//events") + b"\r\n", b"200"),
    (PLAIN.replace(b"Host: a", b"Host: a\r\n b: folded") + b"\r\n", b"200"),
    (PLAIN.replace(b"1.1", b"1.0") + b"\r\n", b"200"),
    (PLAIN.replace(b"\r\n", b"\n") + b"\n", b"200"),
    (PLAIN + b"X_y!: z\r\nName: \xe9\r\nEmpty:\r\n\r\n", b"200"),
    (PLAIN + b"Expect: 100-continue\r\n\r\n", b"100"),
    (PLAIN + b"Content-Encoding: gzip\r\n\r\n", b"415"),
    (PLAIN + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n", b"415"),
    (PLAIN + b"Content-Length: 1\r\n\r\n", b"400"),
    (PLAIN + b"content-length: %d\r\n\r\n", b"400"),
    (PLAIN + b"Transfer-Encoding: chunked\r\n\r\n", b"400"),
    (PLAIN + b"transfer-encoding:identity\r\n\r\n", b"400"),
    (PLAIN.replace(b"%d", b"+5") + b"\r\n", b"400"),
    (PLAIN.replace(b"%d", b"5 5") + b"\r\n", b"400"),
    (PLAIN.replace(b"%d", b"") + b"\r\n", b"400"),
    (b"POST /events HTTP/1.1\r\nHost: a\r\n\r\n", b"400"),
    (b"POST  /events  HTTP/1.1\r\nContent-Length: %d\r\n\r\n", b"200"),
    (PLAIN.replace(b"/events", b"/elsewhere") + b"\r\n", b"404"),
    (PLAIN.replace(b"POST", b"GET") + b"\r\n", b"405"),
    (PLAIN.replace(b"POST", b"post") + b"\r\n", b"405"),
    (PLAIN.replace(b"HTTP/1.1", b"HTTP/1.1 x") + b"\r\n", b"400"),
    (PLAIN.replace(b"HTTP/1.1", b"HTTP/2.0") + b"\r\n", b"505"),
    (PLAIN + b"X: y\r\n" * 59 + b"\r\n", b"200"),
    (PLAIN + b"X: y\r\n" * 101 + b"\r\n", b"400"),
    (PLAIN + b"X: " + b"y" * 17_000 + b"\r\n\r\n", b"431"),
]


@pytest.mark.parametrize("quick", [True, False])
def test_heads_are_judged_alike(kit: Any, receive: Any, monkeypatch: pytest.MonkeyPatch, quick: bool) -> None:
    if not quick:
        monkeypatch.setattr(_Handler, "_plain_head", lambda self: None)
    receiver: Receiver = receive()
    for number, (head, status) in enumerate(HEADS):
        body = kit.form(kit.signed(kit.FACE | {"event_id": f"{number}"}))
        whole = head.replace(b"%d", b"%d" % len(body)) + body
        with socket.create_connection((receiver.host, receiver.port), 20) as sock:
            with contextlib.suppress(OSError):  # answered and closed under it
                sock.sendall(whole)
            answer = sock.recv(4096)
            assert answer[9:12] == status, (head, answer)
            close = b"close" in head.lower() or b"1.0" in head or status not in (b"200", b"100")
            assert (b"Connection: close" in answer) is close, (head, answer)
    assert receiver.counts["stored"] >= sum(status in (b"200", b"100") for _, status in HEADS) - 1


def test_several_requests_in_one_piece_and_one_in_many(kit: Any, receive: Any) -> None:
    receiver: Receiver = receive()
    bodies = [kit.form(kit.signed(kit.FACE | {"event_id": f"{n}"})) for n in range(4)]
    whole = b"".join(PLAIN % len(body) + b"\r\n" + body for body in bodies)
    with socket.create_connection((receiver.host, receiver.port), 20) as sock:
        sock.sendall(whole)
        answers = b""
        while answers.count(b"200 OK") < 4:
            got = sock.recv(4096)
            assert got
            answers += got
        for byte in PLAIN % len(bodies[0]) + b"\r\n" + bodies[0]:
            sock.sendall(bytes([byte]))
        assert b"200 OK" in sock.recv(4096)
    assert (receiver.counts["stored"], receiver.counts["repeated"]) == (4, 1)


# -- bodies --------------------------------------------------------------------------------------------

PIECES = st.lists(
    st.sampled_from(["a", "b", "=", "&", "+", "%", "%41", "%e4%bd%a0", "%ff", "%zz", "é", ";", " ", "%26", "%3D", "app_id", '"']),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=50)
@given(PIECES)
def test_a_form_is_read_as_the_standard_library_reads_it(text: str) -> None:
    try:
        wanted: Any = dict(
            pairs := parse_qsl(text.strip("&"), keep_blank_values=True, strict_parsing=True, errors="strict")
        )
        wanted = wanted if len(wanted) == len(pairs) and text.strip("&") else None
    except ValueError:
        wanted = None
    try:
        got: Any = layout._form(text)
    except BadEvent:
        got = None
    assert got == wanted


BODIES = st.lists(
    st.sampled_from([b"app_id", b"=", b"&", b'"', b":", b" ", b"A", b"\r\n", b"%41", b"app_", b"id", b"}"]),
    max_size=16,
).map(b"".join)


@settings(max_examples=50)
@given(BODIES)
def test_the_app_of_a_body_is_found_wherever_it_stands(body: bytes) -> None:
    form = re.findall(rb"(?:^|[&\r\n\t ])app_id=([^&\s]{0,200})", body)
    quoted = re.findall(rb'"app_id"\s{0,20}:\s{0,20}"([^"]{0,200})"', body)
    named = [unquote_to_bytes(one.replace(b"+", b" ")).decode("utf-8", "replace") for one in (*form, *quoted)]
    found = set(layout.app_ids(body))
    # A name within another's value is looked at, too: to be found too often costs nobody anything.
    assert set(named) <= found
    assert found <= set(named) or b'"' in body
