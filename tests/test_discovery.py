"""Finding cameras on loopback; what a hostile packet may do is nothing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sunmi_ipc import errors
from sunmi_ipc.discovery import DiscoveredCamera, ScanReport, discover, find, memory, packet
from sunmi_ipc.discovery.scan import expand
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.discovery import is_request, response


def test_the_request_is_the_papers() -> None:
    assert packet.REQUEST.hex() == "ffff33ff0101001865794a795a584e6c636e5a6c496a6f694d544578496e303d37947cfe"
    assert is_request(packet.REQUEST)


@given(
    st.dictionaries(
        st.text(max_size=8), st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=6
    )
)
def test_round_trip(values: dict[str, str]) -> None:
    parsed = packet.parse(response(values))
    assert (parsed.kind, dict(parsed.payload)) == (packet.Kind.RESPONSE, values)
    assert packet.parse(packet.encode(1, values)).payload == values


@given(st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda b: packet.REQUEST[:8] + b)))
def test_no_packet_raises_anything_else(data: bytes) -> None:
    try:
        packet.parse(data)
    except packet.BadPacket as bad:
        assert bad.reason  # noqa: PT017 - a parse that succeeds is right too


def test_find_returns_at_the_first_match(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(udp=True)
    found = find(camera.sn, timeout=5, interfaces=["lo"])
    assert (found.ip, found.port, found.source, found.flags) == (camera.ip, camera.port, "udp", ())
    assert found.rtt_ms < 2_000


def test_a_camera_is_asked_by_its_address(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(udp=True)
    sock = next(s for s in camera._sockets if s.type == socket.SOCK_DGRAM)
    assert sock.getsockname() == (camera.ip, 10001)
    assert find(camera.sn, timeout=5, interfaces=["lo"], targets=[camera.ip]).sn == camera.sn


def test_not_found() -> None:
    with pytest.raises(errors.CameraNotFound, match="FS000"):
        find("FS000", timeout=0.2, interfaces=["lo"])


def test_broken_answers_are_counted_and_do_not_stop_the_scan(virtual: Callable[..., VirtualCamera]) -> None:
    camera = virtual(udp=True)
    good = camera._answer_discovery
    report = ScanReport()

    def answer(sender: tuple[str, int]) -> None:
        for junk in (
            b"",
            b"junk",
            response({})[:-1],
            response({"deviceid": ""}),
            packet.REQUEST[:6] + b"\xff" * 9,
        ):
            camera._sockets[1].sendto(junk, sender)
        good(sender)

    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)
    camera._answer_discovery = answer  # type: ignore[method-assign]
    BROADCASTS.join(answer)
    assert camera.sn in [c.sn for c in discover(timeout=1.2, interfaces=["lo"], report=report)]
    assert report.rejected["wrong magic"] >= 2
    assert report.rejected["no serial number"] >= 1
    assert report.elapsed_s > 1


def test_blocks_are_expanded() -> None:
    assert len(expand(["127.0.5.0/24", "127.0.5.1"])) == 254
    assert expand(["127.0.5.9", "127.0.5.9/32"]) == ["127.0.5.9"]
    for bad in ("127.0.0.0/8", "camera", "300.1.1.1", "127.0.0.1:443"):
        with pytest.raises(errors.ParameterError):
            expand([bad])


def test_no_such_interface() -> None:
    with pytest.raises(errors.ParameterError, match="no such network interface"):
        list(discover(interfaces=["nowhere0"]))


def test_memory(tmp_path: Path) -> None:
    camera = DiscoveredCamera("FS1", "127.0.0.9", 8443, addresses=("127.0.0.9",), flags=("x",))
    memory.remember([camera], tmp_path)
    memory.remember([DiscoveredCamera("FS2", "127.0.0.8")], tmp_path)
    assert memory.recall("FS1", tmp_path) == camera
    assert {c.sn for c in memory.last(tmp_path)} == {"FS1", "FS2"}
    (tmp_path / "last_scan.json").write_text("{")
    assert memory.last(tmp_path) == []
