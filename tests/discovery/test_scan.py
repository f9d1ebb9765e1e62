"""Finding cameras on loopback; what a hostile packet may do is nothing."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.discovery import (
    DUPLICATE_SN,
    IP_MISMATCH,
    ODD_ANSWER,
    DiscoveredCamera,
    ScanReport,
    discover,
    find,
    memory,
    packet,
    targets,
)
from sunmi_ipc.discovery import scan as scan_module
from sunmi_ipc.discovery.broadcast import Links
from sunmi_ipc.discovery.targets import Pace, expand
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.simulator.discovery import response

Start = Callable[..., VirtualCamera]


def test_find_returns_at_the_first_match(virtual: Start) -> None:
    camera = virtual(udp=True)
    started = time.monotonic()
    found = find(camera.sn.lower(), timeout=30, interfaces=["lo"])
    assert (found.ip, found.port, found.source, found.flags) == (camera.ip, camera.port, "udp", ())
    assert (found.interface, found.interface_ip) == ("lo", "127.0.0.1")
    assert found.rtt_ms < 2_000
    assert time.monotonic() - started < 20


def test_a_camera_is_asked_by_its_address(virtual: Start) -> None:
    camera = virtual(udp=True)
    sock = next(s for s in camera._sockets if s.type == socket.SOCK_DGRAM)
    assert sock.getsockname() == (camera.ip, 10001)
    assert find(camera.sn, timeout=5, interfaces=["lo"], targets=[camera.ip]).sn == camera.sn


@pytest.mark.parametrize("reply", ["port", "broadcast"])
def test_answers_to_port_10001_and_by_broadcast_are_caught(virtual: Start, reply: str) -> None:
    camera = virtual(udp=True, reply=reply)
    assert find(camera.sn, timeout=5, interfaces=["lo"], mdns=False).ip == camera.ip


def test_not_found() -> None:
    with pytest.raises(errors.CameraNotFound, match="FS000"):
        find("FS000", timeout=0.2, interfaces=["lo"])


def test_a_scan_ends_when_it_is_quiet_and_when_all_are_found(virtual: Start) -> None:
    camera = virtual(udp=True)
    report = ScanReport()
    assert camera.sn in [c.sn for c in discover(timeout=20, expect=1, interfaces=["lo"], report=report)] or (
        len(report.cameras) == 1  # another test's camera was quicker
    )
    assert report.elapsed_s < 15
    list(discover(timeout=3, interfaces=["lo"], mdns=False, report=report))
    assert 1.9 < report.elapsed_s < 3.5  # the last request at 1 s, then a third of the timeout


def test_broken_answers_are_counted_and_do_not_stop_the_scan(virtual: Start) -> None:
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
            packet.REQUEST,
            bytes(packet.MAX_SIZE),  # the largest there is
        ):
            camera._sockets[1].sendto(junk, sender)
        good(sender)

    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)
    camera._answer_discovery = answer  # type: ignore[method-assign]
    BROADCASTS.join(answer)
    assert camera.sn in [c.sn for c in discover(timeout=0.7, interfaces=["lo"], report=report)]
    assert report.rejected["wrong magic"] >= 2
    assert report.rejected["wrong CRC"] >= 1
    assert camera.ip in report.rejected_from["wrong CRC"]
    # One that tells no serial number is a camera all the same, at port 443 as far as we know.
    assert [(c.sn, c.flags) for c in report.cameras if c.ip == camera.ip and c.port == 443] == [
        ("", (ODD_ANSWER,))
    ]
    assert report.elapsed_s > 0.6  # it went on


def test_who_takes_long_over_a_camera_misses_none_of_the_others(virtual: Start) -> None:
    first, second = virtual(udp=True), virtual(udp=True)
    good = second._answer_discovery

    def answer(sender: tuple[str, int]) -> None:
        if taken.is_set():
            good(sender)

    from sunmi_ipc.simulator.discovery import BROADCASTS

    taken = threading.Event()
    BROADCASTS.leave(second._answer_discovery)
    second._answer_discovery = answer  # type: ignore[method-assign]
    BROADCASTS.join(answer)
    found = {}
    for camera in discover(timeout=0.7, interfaces=["lo"], mdns=False):
        found[camera.sn] = camera
        if camera.sn == first.sn:
            time.sleep(0.8)  # longer than the scan may take
            taken.set()
    assert second.sn in found
    assert found[second.sn].rtt_ms < 700


def test_a_slow_start_does_not_eat_the_time(virtual: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    camera = virtual(udp=True)

    class Slow(Links):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            time.sleep(0.4)

    monkeypatch.setattr(scan_module, "Links", Slow)
    assert any(c.sn == camera.sn for c in discover(timeout=0.3, interfaces=["lo"], mdns=False))


def test_bounds() -> None:
    for options in ({"timeout": 0.0}, {"timeout": -1.0}, {"timeout": float("nan")}, {"expect": 0}):
        with pytest.raises(errors.ParameterError, match="out of range"):
            discover(**options)  # type: ignore[arg-type]
    with pytest.raises(errors.ParameterError, match="out of range"):
        find("FS1", timeout=0)


def test_liars_and_twins(virtual: Start) -> None:
    liar, one, two = (virtual(udp=True) for _ in range(3))
    liar.claims = {"ip": "10.9.9.9"}
    two.claims = {"deviceid": one.sn}
    report = ScanReport()
    scanning = discover(timeout=10, expect=10_000, interfaces=["lo"], mdns=False, report=report)
    ours = (camera for camera in scanning if camera.ip in {liar.ip, one.ip, two.ip})
    seen = list(itertools.islice(ours, 3))
    scanning.close()  # type: ignore[attr-defined]
    assert len([c for c in seen if c.sn == one.sn]) == 2
    flags = {c.ip: c.flags for c in report.cameras}
    assert flags[liar.ip] == (IP_MISMATCH,)
    assert flags[one.ip] == flags[two.ip] == (DUPLICATE_SN,)


def test_blocks_are_expanded() -> None:
    assert len(expand(["127.0.5.0/24", "127.0.5.1"])) == 254
    assert len(expand(["10.0.0.0/22"])) == 1022
    assert expand(["127.0.5.9", "127.0.5.9/32"]) == {"127.0.5.9": 443}
    assert expand(["127.0.5.9:8443"]) == {"127.0.5.9": 8443}
    for bad in ("127.0.0.0/8", "camera", "300.1.1.1", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:99999", ""):
        with pytest.raises(errors.ParameterError, match=f"^{bad}: neither an address nor a block"):
            expand(["127.0.5.1", bad])


def test_a_block_is_paced_and_in_time(virtual: Start) -> None:
    # A /24 in no more than 0.1 s a round, and never more than 16 datagrams at once.
    bursts: list[float] = []
    pace = Pace(lambda address: bursts.append(time.monotonic()))
    pace.extend(expand(["127.3.3.0/24"]))
    begun = time.monotonic()
    while (left := pace.step(time.monotonic())) is not None:
        time.sleep(max(0, left - time.monotonic()))
    assert len(bursts) == 254
    assert time.monotonic() - begun >= 15 * 0.005
    assert Pace.duration(254) < 0.1
    camera = virtual(udp=True)
    block = camera.ip.rpartition(".")[0] + ".0/24"
    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)  # found by its address, or not at all
    try:
        found = discover(timeout=6, interfaces=["lo"], targets=[block], mdns=False)  # ends once it is found
        assert any(c.sn == camera.sn for c in found)
    finally:
        BROADCASTS.join(camera._answer_discovery)


def test_a_block_takes_longer_where_few_connections_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    def duration() -> float:
        asked = expand(["10.0.0.0/25"])
        return scan_module._Scan(None, asked, ScanReport(), False, None, None)._duration()

    assert duration() == 0  # within the default time
    monkeypatch.setattr(targets, "_AT_ONCE", 64)
    assert duration() > 0.6 + 2 * 1.3  # a silent address holds its connection for 1.3 s; all get their turn


def test_no_such_interface() -> None:
    with pytest.raises(errors.ParameterError, match="there is no network interface "):
        list(discover(interfaces=["nowhere0"]))


def test_memory(tmp_path: Path) -> None:
    camera = DiscoveredCamera("FS1", "127.0.0.9", 8443, addresses=("127.0.0.9",), flags=("x",))
    memory.remember([camera], tmp_path)
    memory.remember([DiscoveredCamera("FS2", "127.0.0.8"), DiscoveredCamera("", "127.0.0.7")], tmp_path)
    memory.remember([DiscoveredCamera("FS3", "127.0.0.8", flags=(DUPLICATE_SN,))], tmp_path)
    assert memory.recall("FS1", tmp_path) == camera
    assert {c.sn for c in memory.last(tmp_path)} == {"FS1", "FS2"}
    (tmp_path / "last_scan.json").write_text("{")
    assert memory.last(tmp_path) == []
    (tmp_path / "file").write_text("")
    memory.remember([camera], tmp_path / "file")  # no folder: no error


def test_memory_is_bounded_and_the_oldest_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_MOST", 2)
    for sn in ("FS1", "FS2", "FS1", "FS3"):
        memory.remember([DiscoveredCamera(sn, "127.0.0.9", rtt_ms=time.monotonic())], tmp_path)
    assert [camera.sn for camera in memory.last(tmp_path)] == ["FS1", "FS3"]


def test_a_name_is_found_in_the_network_and_no_other_camera_for_it(virtual: Start, tmp_path: Path) -> None:
    door, other, twin = (virtual(udp=True) for _ in range(3))
    name = door.state.name = f"Door {door.sn}"
    other.state.name = "Till"
    assert memory.locate(name, tmp_path, timeout=0.6, interfaces=["lo"]).sn == door.sn
    known = memory.recall(door.sn.lower(), tmp_path)
    assert known is not None
    assert known.name == name
    # The name is another camera's now: not the one that bore it is meant.
    door.state.name, other.state.name = "Till", name
    assert memory.locate(name, tmp_path, timeout=0.6, interfaces=["lo"]).sn == other.sn
    twin.state.name = name = f"Two {twin.sn}"
    door.state.name = name
    with pytest.raises(errors.ParameterError, match="several cameras are called Two"):
        memory.locate(name, tmp_path, timeout=0.6, interfaces=["lo"])
    with pytest.raises(errors.CameraNotFound):
        memory.locate("Nobody", tmp_path, timeout=0.1, interfaces=["lo"])


def test_memory_is_verified_and_refreshed(virtual: Start, tmp_path: Path) -> None:
    camera, neighbour = virtual(udp=True), virtual(udp=True)
    memory.remember([DiscoveredCamera(camera.sn, neighbour.ip, addresses=(neighbour.ip,))], tmp_path)
    assert memory.locate(camera.sn, tmp_path, interfaces=["lo"]).ip == camera.ip
    known = memory.recall(camera.sn, tmp_path)
    assert known is not None
    assert known.ip == camera.ip


def test_memory_finds_a_name_and_a_camera_that_hears_no_broadcast(virtual: Start, tmp_path: Path) -> None:
    camera = virtual(udp=True)
    from sunmi_ipc.simulator.discovery import BROADCASTS

    BROADCASTS.leave(camera._answer_discovery)
    try:
        camera.state.name = "Door"
        memory.remember([DiscoveredCamera(camera.sn, camera.ip, name="Door")], tmp_path)
        assert memory.locate("Door", tmp_path, interfaces=["lo"]).sn == camera.sn
    finally:
        BROADCASTS.join(camera._answer_discovery)
    memory.remember([DiscoveredCamera("FS2", "127.0.0.2", name="Door")], tmp_path)
    with pytest.raises(errors.ParameterError, match=f"several cameras are called Door: {camera.sn}, FS2"):
        memory.locate("Door", tmp_path, interfaces=["lo"])


MANY = """
import json, sys, time
from sunmi_ipc.discovery import ScanReport, discover
wanted, last, started = set(json.loads(sys.argv[1])), 0.0, time.monotonic()
found = set()
report = ScanReport()
for camera in discover(timeout=20, interfaces=["lo"], report=report):
    if camera.sn in wanted:
        found.add(camera.sn)
        last = time.monotonic() - started
        if found == wanted:
            break
print(json.dumps([len(found), last, time.monotonic() - started]))
"""


@pytest.mark.slow
def test_five_hundred_cameras_in_one_process() -> None:
    start = [sys.executable, "-m", "sunmi_ipc_cli", "sim", "start", "--count", "500"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True, env=environment) as running:
        try:
            assert running.stdout is not None
            cameras = json.loads(running.stdout.readline())["cameras"]
            wanted = sorted({c["sn"] for c in cameras})
            assert len(wanted) == 500
            done = subprocess.run(
                [sys.executable, "-c", MANY, json.dumps(wanted)],
                env=environment,
                capture_output=True,
                text=True,
                timeout=40,
            )
            count, _, _ = json.loads(done.stdout)
            assert count == 500, done.stderr
        finally:
            running.terminate()
