"""Anything at all as an answer: errors of our tree or a result, in time, in little memory."""

from __future__ import annotations

import json
import os
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sunmi_ipc_cli.screen.output import show
from sunmi_ipc_cli.state import State

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.redact import printable
from sunmi_ipc.simulator import Vendor

from .hostile import Hostile, Stopwatch, answer, head

SAMPLES = [
    json.loads(p.read_text("utf-8")) for p in sorted((Path(__file__).parents[1] / "wire").glob("*.json"))
]
READS = [
    s for s in SAMPLES if s.get("reply") and s["endpoint"] in registry() and registry()[s["endpoint"]].result
]
DEADLINE, SLACK, MOST = 2.0, 3.0, 20_000_000

NAMES = sorted({key for s in READS for key in s["reply"].replace('"', " ").split() if key.isidentifier()})
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["", "0", "-1", " 7 ", "1e999", "99999999999999999999", "\x1b[2J", "{0}", "%s", "on", "null"])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), inner, max_size=6),
    max_leaves=15,
)  # fmt: skip
HEADERS = st.sampled_from(
    ["Content-Encoding: gzip", "Transfer-Encoding: chunked", "Content-Length: 7", "Content-Length: -1", "Date: 0",
     "Date: Tue, 99 Foo 99999 99:99:99 GMT", "Location: file:///", "Set-Cookie: \x01", "Content-Type: text/html; charset=x",
     "Connection: upgrade", "Content-Type: application/json; charset=utf-7", ": :", "X"]
)  # fmt: skip


def bodies(endpoint_reply: bytes) -> st.SearchStrategy[bytes]:
    """Bytes for a body: none at all alike, shaped like an answer, a real answer spoiled, and a great many."""

    def spoiled(edits: list[tuple[int, bytes]]) -> bytes:
        made = bytearray(endpoint_reply)
        for place, piece in edits:
            at = place % (len(made) + 1)
            made[at : at + max(1, place % 3)] = piece
        return bytes(made)

    shaped = VALUES.map(lambda v: json.dumps({"code": 0, "data": v}).encode("utf-8", "surrogatepass"))
    wrapped = st.tuples(VALUES, VALUES).map(lambda v: json.dumps({"code": v[0], "data": v[1]}).encode())
    edits = st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=4)), min_size=1, max_size=6)
    many = st.builds(
        lambda start, block, size: start + block * (size // len(block)),
        st.sampled_from([b"", b'{"code":0,"data":[', b'{"code":0,"data":{"a":"', b"["]),
        st.sampled_from([b"[],", b"{},", b'{"a":1},', b"1,", b'"",', b"\\u0041", b"[", b'{"a":', b"\xf0\x9f\x98\x80", b" "])
        | st.binary(min_size=1, max_size=5),
        st.integers(0, 3_000_000),
    )  # fmt: skip
    return st.binary(max_size=60) | shaped | shaped | wrapped | edits.map(spoiled) | edits.map(spoiled) | many


@pytest.fixture(scope="module")
def server(vendor: Vendor) -> Iterator[Hostile]:
    with Hostile(vendor) as running:
        yield running


#: A longer run: FUZZ=5000 python -m pytest tests/security/test_fuzz.py
EXAMPLES = int(os.environ.get("FUZZ", "120"))


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), sample=st.sampled_from(READS))
def test_any_answer(
    server: Hostile,
    revive: Callable[[str, dict[str, Any]], dict[str, Any]],
    capsys: pytest.CaptureFixture[str],
    data: st.DataObject,
    sample: dict[str, Any],
) -> None:
    body = data.draw(bodies(sample["reply"].encode()))
    lines = data.draw(st.lists(HEADERS, max_size=2))
    kind = data.draw(st.integers(0, 9))
    sent = body if kind == 0 else head(*lines) + body if kind == 1 else answer(body, *lines)

    def play(secure: Any) -> None:
        secure.sendall(sent)
        secure.shutdown(socket.SHUT_RDWR)

    server.play = play
    endpoint = registry()[sample["endpoint"]]
    with server.camera(timeout=DEADLINE) as camera, Stopwatch() as watch:
        camera._transport  # noqa: B018
        tracemalloc.start()
        shown = ""
        try:
            result = camera.call(endpoint, revive(sample["endpoint"], sample["values"]))
            for as_json in (True, False):
                show(State(json=as_json), result)
            shown = printable(repr(result))
        except SunmiIpcError as error:
            shown = "".join([str(error), *error.localized("zh")])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    capsys.readouterr()
    assert shown.isprintable()
    assert peak < MOST
    assert watch.seconds <= DEADLINE * 1.1 + SLACK
