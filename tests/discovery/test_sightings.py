"""One camera, or two: what sightings add up to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sunmi_ipc.discovery import DUPLICATE_SN, IP_MISMATCH, OTHER_NETWORK, RELAYED, DiscoveredCamera
from sunmi_ipc.discovery.camera import observe, serial_number_in
from sunmi_ipc.discovery.sightings import Roll, places

MAC, OTHER = "02:53:4D:00:00:01", "02:53:4D:00:00:02"


def seen(sn: str, sender: str, mac: str = MAC, **said: str) -> DiscoveredCamera:
    return observe({"deviceid": sn, "ip": sender, "mac": mac} | said, sender, interface="eth0")


def test_one_camera_on_two_interfaces_is_shown_once_with_both_addresses() -> None:
    roll = Roll()
    assert roll.enter(seen("FS1", "10.0.0.5")) is not None
    assert roll.enter(seen("FS1", "10.1.0.5", ip="10.0.0.5")) is None
    (camera,) = roll.cameras
    assert (camera.ip, camera.addresses, camera.flags) == ("10.0.0.5", ("10.0.0.5", "10.1.0.5"), ())


def test_the_claim_may_come_true_later() -> None:
    roll = Roll()
    first = roll.enter(seen("FS1", "10.1.0.5", ip="10.0.0.5"))
    assert first is not None
    assert first.flags == (IP_MISMATCH,)
    roll.enter(seen("FS1", "10.0.0.5"))
    assert roll.cameras[0].flags == ()


def test_two_cameras_that_claim_one_serial_number_are_both_flagged() -> None:
    roll = Roll()
    assert roll.enter(seen("FS1", "10.0.0.5")) is not None
    second = roll.enter(seen("FS1", "10.0.0.6", OTHER))
    assert second is not None
    assert second.flags == (DUPLICATE_SN,)
    assert [(c.ip, c.flags) for c in roll.cameras] == [
        ("10.0.0.5", (DUPLICATE_SN,)),
        ("10.0.0.6", (DUPLICATE_SN,)),
    ]
    assert roll.enter(seen("FS1", "10.0.0.6", OTHER)) is None


def test_a_flood_of_claimants_is_cut_off() -> None:
    roll = Roll()
    for number in range(500):
        roll.enter(seen("FS1", "10.0.0.5", f"02:53:4D:00:{number >> 8:02X}:{number & 255:02X}"))
    assert len(roll) == 16
    assert {camera.flags for camera in roll.cameras} == {(DUPLICATE_SN,)}
    assert roll.enter(seen("FS2", "10.0.0.6")) is not None


def test_without_macs_the_rest_decides() -> None:
    roll = Roll()
    roll.enter(seen("FS1", "10.0.0.5", "", name="Door"))
    assert roll.enter(seen("FS1", "10.1.0.5", "", name="Door")) is None
    assert roll.enter(seen("FS1", "10.0.0.6", "", name="Till")) is not None


def test_an_answer_is_surer_than_a_certificate() -> None:
    roll = Roll()
    made: dict[str, Any] = {"source": "https", "addresses": ("10.0.0.5",)}
    assert roll.enter(DiscoveredCamera("", "10.0.0.5", **made)) is not None
    assert roll.enter(DiscoveredCamera("", "10.0.0.5", **made)) is None
    named = roll.enter(seen("FS1", "10.0.0.5"))
    assert named is not None
    assert (named.sn, named.source, len(roll)) == ("FS1", "udp", 1)
    assert roll.enter(DiscoveredCamera("FS1", "10.0.0.5", **made)) is None
    assert roll.cameras[0].source == "udp"


def test_an_address_in_our_network_is_preferred() -> None:
    roll = Roll()
    roll.enter(replace(seen("FS1", "192.168.77.5"), flags=(OTHER_NETWORK,)))
    roll.enter(seen("FS1", "10.0.0.5"))
    (camera,) = roll.cameras
    assert (camera.ip, camera.flags) == ("10.0.0.5", ())
    assert camera.addresses == ("10.0.0.5", "192.168.77.5")


def test_what_somebody_else_names_is_shown_and_nowhere_to_connect_to(tmp_path: Path) -> None:
    """Also once the camera itself has answered elsewhere, and after it was remembered."""
    from sunmi_ipc.discovery import memory

    roll = Roll()
    roll.enter(replace(seen("FS1", "10.0.0.66"), source="mdns", flags=(RELAYED,)))
    roll.enter(replace(seen("FS1", "192.168.77.5"), flags=(OTHER_NETWORK,)))
    roll.enter(seen("FS1", "10.0.0.5"))
    (camera,) = roll.cameras
    assert camera.addresses[0] == "10.0.0.5"
    assert set(camera.addresses[1:]) == set(camera.far) == {"10.0.0.66", "192.168.77.5"}
    assert [one.address for one in places(roll.cameras, "fs1")] == ["10.0.0.5"]
    roll.enter(seen("FS1", "192.168.77.5"))  # it answers from there itself, in a network of ours
    (camera,) = roll.cameras
    assert camera.far == ("10.0.0.66",)
    memory.remember([replace(camera, sn="FS101D8BS00106")], tmp_path)
    assert set(memory.last(tmp_path)[0].addresses) == {"10.0.0.5", "192.168.77.5"}


def test_one_camera_has_one_port() -> None:
    """Whoever claims its serial number and MAC at another port does not send us to that port of the camera."""
    roll = Roll()
    roll.enter(replace(seen("FS1", "10.0.0.66"), port=9999))
    roll.enter(seen("FS1", "10.0.0.5"))
    assert [one.address for one in places(roll.cameras, "FS1")] == ["10.0.0.66:9999", "10.0.0.5"]
    assert all(DUPLICATE_SN in one.flags for one in roll.cameras)


def test_serial_numbers_are_found_in_any_text() -> None:
    assert serial_number_in("sunmi-fs101d8bs00106.local.") == "FS101D8BS00106"
    assert serial_number_in("C201000P00123") == "C201000P00123"
    assert serial_number_in("XC201000P001234") == ""


def test_serial_numbers_out_of_a_flood_are_bounded_per_sender_and_in_all() -> None:
    from sunmi_ipc.discovery.sightings import Census

    census = Census()
    assert sum(census.admits(f"FS{n:05}", "10.0.0.1") for n in range(5000)) == 1024
    assert census.admits("FS101D8BS00106", "10.0.0.2")  # another is heard all the same
    assert census.admits("FS00001", "10.0.0.9")  # known: has its room
    assert sum(census.admits(f"X{n}", f"10.1.{n >> 8}.{n & 255}") for n in range(9000)) == 4096 - 1025
    assert not census.admits("FS101D8BS00107", "10.0.0.3")
    census.forget("FS00001")
    assert census.admits("FS101D8BS00107", "10.0.0.3")


def test_a_camera_has_a_few_addresses_however_many_claim_to_be_it() -> None:
    roll = Roll()
    for n in range(200):
        roll.enter(seen("FS1", f"10.0.{n}.5"))
    (camera,) = roll.cameras
    assert len(camera.addresses) == 16
