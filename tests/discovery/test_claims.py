"""Who claims a serial number is the camera only where its certificate says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc.discovery import DiscoveredCamera, find, memory
from sunmi_ipc.discovery.claims import LINGER_S
from sunmi_ipc.errors import CameraNotFound, ParameterError, TlsError
from sunmi_ipc.link.trust import KnownCameras
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.discovery import BROADCASTS


@pytest.fixture
def pair(vendor: Vendor) -> Iterator[tuple[VirtualCamera, VirtualCamera]]:
    """A camera, and an impostor with its serial number and a certificate of his own, who answers first."""
    seed = threading.get_native_id() * 7919 % (1 << 40)
    with (
        Vendor() as other,
        VirtualCamera(other, state="ready", udp=True, seed=seed, people=0) as impostor,
        VirtualCamera(vendor, state="ready", udp=True, seed=seed, people=0) as camera,
    ):
        assert camera.sn == impostor.sn
        impostor.state.mac = "02:53:4D:EE:EE:EE"
        good = camera._answer_discovery

        def late(sender: tuple[str, int]) -> None:
            threading.Timer(0.25, good, [sender]).start()

        BROADCASTS.leave(good)
        camera._answer_discovery = late  # type: ignore[method-assign]
        BROADCASTS.join(late)
        yield camera, impostor


def settings(vendor: Vendor, *, ca: bool) -> Settings:
    environment = dict(vendor.environment())
    if not ca:
        environment.pop("SUNMI_IPC_CA")
    return Settings.load(environment=environment)


def locate(sn: str, given: Settings, place: Path) -> DiscoveredCamera:
    return memory.locate(sn, place, interfaces=["lo"], judge=given.claims)


Pair = tuple[VirtualCamera, VirtualCamera]


def test_with_a_ca_the_first_claimant_does_not_keep_us_from_the_camera(
    pair: Pair, vendor: Vendor, tmp_path: Path
) -> None:
    camera, impostor = pair
    found = locate(camera.sn, settings(vendor, ca=True), tmp_path)
    assert (found.ip, found.port) == (camera.ip, camera.port)
    assert impostor.state.counts == {}
    assert memory.proven(camera.sn, tmp_path) == found.address


def test_a_pin_tells_the_camera_from_the_impostor_who_has_its_mac_too(
    pair: Pair, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, impostor = pair
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path))
    impostor.state.mac = camera.state.mac
    given = settings(vendor, ca=False)
    with given.connect(camera.address, sn=camera.sn) as client:
        client.device.info()
    found = locate(camera.sn, given, tmp_path)
    assert (found.ip, found.port) == (camera.ip, camera.port)


def test_at_the_first_contact_several_claimants_are_a_persons_question(
    pair: Pair, vendor: Vendor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, impostor = pair
    monkeypatch.setenv("SUNMI_IPC_CONFIG_DIR", str(tmp_path))
    with pytest.raises(ParameterError) as caught:
        locate(camera.sn, settings(vendor, ca=False), tmp_path)
    assert camera.address in str(caught.value)
    assert impostor.address in str(caught.value)
    assert KnownCameras(tmp_path / "known_cameras.json").items() == []  # nobody was pinned by looking


def test_an_impostor_alone_is_refused_by_his_certificate(pair: Pair, vendor: Vendor, tmp_path: Path) -> None:
    camera, impostor = pair
    camera.close()
    with pytest.raises(TlsError):
        locate(camera.sn, settings(vendor, ca=True), tmp_path)
    assert impostor.state.counts == {}


def test_where_the_search_finds_only_the_impostor_the_last_good_address_is_tried(
    pair: Pair, vendor: Vendor, tmp_path: Path
) -> None:
    camera, _ = pair
    memory.prove(DiscoveredCamera(camera.sn, camera.ip, camera.port), tmp_path)
    BROADCASTS.leave(camera._answer_discovery)  # it answers no search any more
    camera._answer_discovery = lambda sender: None  # type: ignore[method-assign]
    found = locate(camera.sn, settings(vendor, ca=True), tmp_path)
    assert (found.ip, found.port) == (camera.ip, camera.port)


@pytest.mark.parametrize("flags", [("other-network",), ("relayed",), ("duplicate-sn",)])
def test_what_is_flagged_is_not_remembered_as_a_place_to_connect_to(
    flags: tuple[str, ...], tmp_path: Path
) -> None:
    memory.remember([DiscoveredCamera("FS101D8BS00106", "203.0.113.5", flags=flags)], tmp_path)
    assert memory.last(tmp_path) == []


def test_find_listens_on_for_a_second_claimant_only_where_it_is_told_to(
    virtual: Callable[..., VirtualCamera],
) -> None:
    camera = virtual(udp=True)
    assert find(camera.sn, interfaces=["lo"], linger=LINGER_S).ip == camera.ip
    asked: list[str] = []

    def nobody(found: DiscoveredCamera) -> str:
        asked.append(found.ip)
        return ""

    with pytest.raises(CameraNotFound):
        find(camera.sn, interfaces=["lo"], timeout=0.5, approve=nobody)
    assert asked == [camera.ip]  # once, however often it answers
