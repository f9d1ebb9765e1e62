"""mDNS, on loopback: whatever bears a serial number is a camera."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from zeroconf import IPVersion, ServiceInfo, Zeroconf

from sunmi_ipc.discovery import OTHER_NETWORK, RELAYED, DiscoveredCamera, ScanReport, discover, find, mdns
from sunmi_ipc.errors import CameraNotFound

from .conftest import at_once

#: Processes of one machine hear each other: each has serial numbers of its own.
OURS = f"{os.getpid() % 100_000:05d}"


@contextlib.contextmanager
def announced(*services: tuple[str, str, int, dict[str, Any]]) -> Iterator[None]:
    zeroconf = Zeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only)
    infos = [
        ServiceInfo(
            kind,
            f"{name}.{kind}",
            addresses=[socket.inet_aton(properties.pop("ip", "127.0.7.7"))],
            port=port,
            properties=properties,
            server=f"{properties.pop('host', name)}.local.",
        )
        for kind, name, port, properties in services
    ]
    try:
        # Each is announced three times, with rests between.
        at_once(*(partial(zeroconf.register_service, i, cooperating_responders=True) for i in infos))
        yield
    finally:
        loop = zeroconf.loop
        zeroconf.close()
        if loop is not None:
            loop.close()


def scan(*sns: str, **options: Any) -> dict[str, DiscoveredCamera]:
    found = {}
    for camera in discover(timeout=6, interfaces=["lo"], **options):
        if camera.sn in sns:
            found[camera.sn] = camera
        if len(found) == len(sns):
            break
    return found


def test_by_name_by_host_and_by_text_of_any_type() -> None:
    name, host, text = f"FS101D8BS{OURS}", f"SS101D8BS{OURS}", f"C201D98T{OURS}"
    with announced(
        ("_https._tcp.local.", f"SUNMI {name}", 8443, {}),
        ("_rtsp._tcp.local.", f"door{OURS}", 554, {"host": host.lower()}),
        ("_sunmi-odd._tcp.local.", f"till{OURS}", 80, {"serial": text}),
        ("_http._tcp.local.", f"printer{OURS}", 80, {"note": "no camera"}),
    ):
        found = scan(name, host, text)
    assert {sn: (c.source, c.port, c.ip) for sn, c in found.items()} == {
        name: ("mdns", 8443, "127.0.7.7"),
        host: ("mdns", 443, "127.0.7.7"),
        text: ("mdns", 443, "127.0.7.7"),
    }
    assert found[name].interface == "lo"


@contextlib.contextmanager
def spoken(by: str, *services: tuple[str, str]) -> Iterator[None]:
    """Serial numbers and addresses, announced over and over by the computer at *by*: from its own address."""
    from zeroconf import DNSOutgoing  # type: ignore[attr-defined]

    packets: list[bytes] = []
    for sn, ip in services:
        info = ServiceInfo(
            "_https._tcp.local.", f"{sn}._https._tcp.local.", addresses=[socket.inet_aton(ip)], port=8443,
            server=f"{sn.lower()}.local.",
        )  # fmt: skip
        out = DNSOutgoing(0x8400)
        for record in (info.dns_pointer(), info.dns_service(), info.dns_text(), *info.dns_addresses()):
            out.add_answer_at_time(record, 0)
        packets += out.packets()
    done = threading.Event()

    def speak() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((by, 0))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(by))
            while not done.wait(0.1):
                for packet in packets:
                    sock.sendto(packet, ("224.0.0.251", 5353))

    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        yield
    finally:
        done.set()
        speaker.join()


@pytest.mark.slow
def test_an_address_counts_where_its_own_owner_announces_it() -> None:
    own, other, far = f"FS111D8BS{OURS}", f"FS112D8BS{OURS}", f"FS113D8BS{OURS}"
    with spoken("127.0.7.7", (own, "127.0.7.7"), (other, "127.0.7.8"), (far, "203.0.113.5")):
        found = scan(own, other, far)
        assert {sn: c.flags for sn, c in found.items()} == {
            own: (),
            other: (RELAYED,),
            far: (OTHER_NETWORK, RELAYED),
        }
        assert find(own, interfaces=["lo"], timeout=6).ip == "127.0.7.7"
        for sn, address in ((other, "127.0.7.8"), (far, "203.0.113.5")):
            with pytest.raises(CameraNotFound, match=address):
                find(sn, interfaces=["lo"], timeout=1.5)


@pytest.mark.slow
def test_none_is_left_out_where_many_must_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    class NotCached(ServiceInfo):
        def load_from_cache(self, zc: Zeroconf, now: float | None = None) -> bool:
            return False

        def request(self, zc: Zeroconf, timeout: float, *args: Any, **options: Any) -> bool:
            time.sleep(0.02)
            return super().request(zc, timeout, *args, **options)

    monkeypatch.setattr("zeroconf.ServiceInfo", NotCached)
    monkeypatch.setattr(mdns, "_MAX_ASKERS", 1)
    sns = [f"FS1{number}0D8BS{OURS}" for number in range(4)]
    with announced(*(("_https._tcp.local.", sn, 443, {}) for sn in sns)):
        assert sorted(scan(*sns)) == sns


def test_left_out_where_not_wanted() -> None:
    sn = f"FS102D8BS{OURS}"
    with announced(("_https._tcp.local.", sn, 443, {})):
        seen = [c.sn for c in discover(timeout=0.9, interfaces=["lo"], mdns=False)]
    assert sn not in seen


def test_an_mdns_that_does_not_start_is_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("zeroconf.Zeroconf", refuse)
    report = ScanReport()
    list(discover(timeout=0.6, interfaces=["lo"], report=report))
    assert "mDNS cannot be used: Address already in use" in [str(note) for note in report.notes]
