"""Real networks, made of namespaces: several interfaces, a router, losses, firewalls, VPNs."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import at_once

pytestmark = pytest.mark.slow  # interfaces and routers of its own

Network = Callable[[int], list[Any]]

HOLD = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 10001))
print("held", flush=True)
sys.stdin.read()
"""


LOSSY = """
table ip lossy {
  chain in {
    type filter hook input priority 0
    meta l4proto udp numgen random mod 100 < 20 drop
  }
  chain out {
    type filter hook output priority 0
    meta l4proto udp numgen random mod 100 < 20 drop
  }
}
"""
DEAF = """
table ip wall {
  chain in {
    type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
  }
}
"""
DUMB = """
table ip wall {
  chain out {
    type filter hook output priority 0
    udp dport 10001 reject
  }
}
"""
COUNT = """
table ip count {
  chain out {
    type filter hook output priority 0
    oifname "eth0" meta l4proto udp counter
  }
}
"""


EXPLAIN = """
import json
from sunmi_ipc.discovery import ScanReport, discover, explain
report = ScanReport()
found = list(discover(timeout=0.3, mdns=False, report=report))
print(json.dumps([str(reason) for reason in explain(report, thorough=True)] if not found else found))
"""


def reasons(namespace: Any) -> list[str]:
    """Why a scan finds nothing."""
    told: list[str] = json.loads(namespace("env", "-u", "SUNMI_IPC_INTERFACE", sys.executable, "-c", EXPLAIN))
    return told


def test_two_interfaces(network: Network) -> None:
    client, left, right = network(3)
    client.wire(left, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    client.wire(right, "eth1", "10.2.0.1/22", "10.2.0.5/22")
    # Some systems give an address a label; the interface is eth1 all the same.
    client("ip", "address", "flush", "dev", "eth1")
    client("ip", "address", "add", "10.2.0.1/22", "broadcast", "+", "dev", "eth1", "label", "eth1:1")
    client.nft(COUNT)
    two, both = right.cameras({"ip": "10.2.0.5", "number": 2}, {"ip": "10.2.0.5", "port": 9443, "number": 3})[
        "sns"
    ]
    started, rows = at_once(
        lambda: left.cameras({"ip": "10.1.0.5", "number": 1}, {"ip": "10.1.0.5", "port": 9443, "number": 3}),
        lambda: client.scan("--interface", "eth1", "--timeout", "0.9"),
    )
    assert {row["sn"] for row in rows} == {two, both}
    assert "counter packets 0 " in client("nft", "list", "ruleset")  # neither the request nor mDNS
    one = started["sns"][0]
    rows = {row["sn"]: row for row in client.scan("--timeout", "1.2")}
    assert {sn: (r["ip"], r["interface"], r["interface_ip"]) for sn, r in rows.items() if sn != both} == {
        one: ("10.1.0.5", "eth0", "10.1.0.1"),
        two: ("10.2.0.5", "eth1", "10.2.0.1"),
    }
    # A camera with a cable and Wi-Fi: shown once, both its addresses kept.
    assert sorted(rows[both]["addresses"]) == ["10.1.0.5", "10.2.0.5"]
    assert rows[both]["flags"] == []


def test_across_a_router(network: Network) -> None:
    client, router, shop = network(3)
    client.wire(router, "eth0", "10.1.0.1/24", "10.1.0.254/24")
    router.wire(shop, "eth1", "10.3.0.254/24", "10.3.0.5/24")
    router("sysctl", "-qw", "net.ipv4.ip_forward=1")
    client("ip", "route", "add", "default", "via", "10.1.0.254")
    shop("ip", "route", "add", "default", "via", "10.3.0.254")
    shop.address("eth1", "10.3.0.6/24")
    sn, mute = shop.cameras(
        {"ip": "10.3.0.5", "port": 8443, "number": 1},
        {"ip": "10.3.0.6", "port": 8443, "number": 2, "udp": False},
    )["sns"]
    nothing, found = at_once(
        lambda: client.scan("--no-mdns", "--timeout", "0.6"),
        lambda: client.scan("--target", "10.3.0.0/24:8443", "--expect", "2"),
    )
    assert nothing == []
    rows = {row["sn"]: row for row in found}
    assert {key: (row["ip"], row["interface"], row["source"]) for key, row in rows.items()} == {
        sn: ("10.3.0.5", "eth0", "udp"),
        mute: ("10.3.0.6", "eth0", "https"),
    }
    # From then on its serial number is enough.
    known = client.ipc("call", "device/getInfo", "--no-sign", "-c", sn)
    assert "not found" not in known.stderr


def test_on_a_cameras_own_access_point(network: Network) -> None:
    client, camera = network(2)
    client.wire(camera, "wlan0", "192.168.200.57/24", "192.168.200.1/24")
    started = camera.cameras({"ip": "192.168.200.1", "port": 443, "state": "factory"})
    (row,) = client.scan("--ap", "--expect", "1")
    assert (row["sn"], row["ip"], row["port"], row["source"]) == (
        started["sns"][0],
        "192.168.200.1",
        443,
        "ap",
    )
    done = client.ipc("wifi", "scan", "-c", "192.168.200.1", "--json", env=started["env"])
    assert done.returncode == 0, done.stderr
    assert "Shop-WiFi" in [network["ssid"] for network in json.loads(done.stdout)["ap_list"]]


def test_all_of_fifty_are_found_where_every_fifth_packet_is_lost(network: Network) -> None:
    client, shop = network(2)
    addresses = [f"10.1.0.{host}" for host in range(10, 60)]
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    shop.address("eth0", *(f"{address}/24" for address in addresses))
    shop.nft(LOSSY)
    sns = shop.cameras(*({"ip": ip, "number": n} for n, ip in enumerate(addresses)))["sns"]
    assert len(set(sns)) == 50
    assert {row["sn"] for row in client.scan("--expect", "50")} == set(sns)


def test_answers_to_port_10001_and_by_broadcast(network: Network) -> None:
    client, shop = network(2)
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    shop.address("eth0", "10.1.0.6/24", "10.1.0.7/24")
    sns = shop.cameras(
        {"ip": "10.1.0.5", "reply": "port", "number": 1},
        {"ip": "10.1.0.6", "reply": "broadcast", "number": 2},
        {"ip": "10.1.0.7", "number": 3},
    )["sns"]
    assert {row["sn"] for row in client.scan("--expect", "3")} == set(sns)
    # A virtual camera on this computer's own address is one like the others.
    (own,) = client.cameras({"ip": "10.1.0.1", "number": 4})["sns"]
    assert own in {row["sn"] for row in client.scan("--expect", "4")}


def test_a_camera_with_an_address_of_another_network(network: Network) -> None:
    client, shop = network(2)
    client.wire(shop, "eth0", "10.1.0.1/24", "192.168.77.5/24")
    (sn,) = shop.cameras({"ip": "192.168.77.5", "reply": "broadcast"})["sns"]
    done = client.ipc("scan", "--json", "--expect", "1")
    (row,) = json.loads(done.stdout)["cameras"]
    assert (row["sn"], row["ip"], row["flags"]) == (sn, "192.168.77.5", ["other-network"])
    assert "give eth0 an address in the camera's network" in done.stderr


def test_a_port_that_is_not_shared(network: Network) -> None:
    client, shop = network(2)
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    (sn,) = shop.cameras({"ip": "10.1.0.5"})["sns"]
    # Another program holds the port and does not share it: what can be found is, and it is said.
    holder = client.start(sys.executable, "-c", HOLD)
    assert holder.stdout.readline() == "held\n"
    done, watched, started = at_once(
        lambda: client.ipc("scan", "--json", "--timeout", "0.7", "--no-mdns"),
        lambda: client.ipc("scan", "--watch", "--jsonl", "--timeout", "0.7"),
        lambda: client.ipc("sim", "start"),
    )
    assert sn in [row["sn"] for row in json.loads(done.stdout)["cameras"]]
    assert "another program holds UDP port 10001" in done.stderr
    assert json.loads(watched.stdout)["camera"]["sn"] == sn
    assert "another program holds UDP port 10001" in watched.stderr
    # A virtual camera cannot do without it.
    assert started.returncode == 2
    assert "10001 cannot be used: Address already in use" in started.stderr


def test_an_interface_that_comes_and_goes_while_watched(network: Network) -> None:
    client, shop = network(2)
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    (sn,) = shop.cameras({"ip": "10.1.0.5"})["sns"]
    watch = client.start(
        sys.executable, "-m", "sunmi_ipc_cli", "scan", "--watch", "--jsonl", "--interval", "0.2",
        "--timeout", "60", env={"SUNMI_IPC_INTERFACE": ""},
    )  # fmt: skip

    def next_change() -> tuple[str, str]:
        change = json.loads(watch.stdout.readline())
        return change["event"], change["camera"]["sn"]

    assert next_change() == ("online", sn)
    client("ip", "link", "delete", "eth0")
    assert next_change() == ("offline", sn)
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    assert next_change() == ("online", sn)
    watch.terminate()


def test_a_firewall_is_told_in_and_out(network: Network) -> None:
    shop, client, deaf, dumb = network(4)
    for number, namespace in enumerate((client, deaf, dumb)):
        namespace.wire(shop, f"eth{number}", f"10.{number}.0.1/24", f"10.{number}.0.5/24")
    deaf.nft(DEAF)
    dumb.nft(DUMB)
    good, told_in, told_out, doctor = at_once(
        lambda: reasons(client),
        lambda: reasons(deaf),
        lambda: reasons(dumb),
        lambda: json.loads(deaf.ipc("doctor", "--json").stdout),
    )
    assert good == ["nothing on this computer stands in the way"]
    assert told_in == ["eth1 10.1.0.1: a firewall on this computer drops what comes in for UDP port 10001"]
    assert told_out == ["eth2 10.2.0.1: a firewall on this computer does not let the request out"]
    (check,) = [check for check in doctor["checks"] if check["check"] == "discovery"]
    assert not check["ok"]
    assert "firewall" in check["reasons"][0]["message"]
    assert check["reasons"][0]["hint"] == "Allow UDP port 10001, out and in."


def test_vpns_and_no_interface_are_told(network: Network) -> None:
    shop, bare, unplugged, roaming, client = network(5)
    unplugged.wire(shop, "eth9", "10.9.0.1/24", "10.9.0.5/24")
    shop("ip", "link", "set", "eth9", "down")
    end = time.monotonic() + 20
    while "NO-CARRIER" not in unplugged("ip", "link", "show", "eth9"):  # the kernel takes up to a second
        assert time.monotonic() < end
    try:
        for namespace in (roaming, client):
            namespace("ip", "tuntap", "add", "tun0", "mode", "tun")
    except AssertionError:
        assert reasons(bare) == ["no network interface with an IPv4 address"]
        pytest.skip("this kernel has no tun")
    for namespace in (roaming, client):
        namespace.address("tun0", "10.8.0.2/32")
        namespace("ip", "route", "add", "default", "dev", "tun0")
    client.wire(shop, "eth0", "10.1.0.1/24", "10.1.0.5/24")
    holder = client.start(sys.executable, "-c", HOLD)
    holder.stdout.readline()
    nothing, no_link, only, held = at_once(
        lambda: reasons(bare), lambda: reasons(unplugged), lambda: reasons(roaming), lambda: reasons(client)
    )
    assert no_link == ["no link: the cable is not plugged in, or the Wi-Fi not joined (eth9)"]
    assert nothing == ["no network interface with an IPv4 address"]
    assert only[0] == "only point-to-point links (tun0): no broadcast reaches a camera through them"
    assert held[0].startswith("UDP port 10001 is held by python")
    assert held[1] == "a VPN (tun0) holds the default route"


def test_an_access_point_in_reach_is_told(network: Network) -> None:
    client, camera = network(2)
    client.wire(camera, "wlan0", "192.168.200.57/24", "192.168.200.1/24")
    assert "this computer is on a camera's access point" in reasons(client)
