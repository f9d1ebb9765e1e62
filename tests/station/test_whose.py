"""Several answer under one serial number: the station goes by who can prove it, wherever he answers."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.discovery import BROADCASTS
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.verdict import Level

Start = Callable[..., Station]
Pair = tuple[VirtualCamera, VirtualCamera]
HERE = (
    '[station]\nsite = "s"\ncameras = "site.toml"\ndata = "data"\n[watch]\ninterval = 0.2\ndiscover = 0.1\n'
)


@pytest.fixture
def pair(vendor: Vendor) -> Iterator[Pair]:
    """A camera, and an impostor with its serial number and MAC and a certificate of his own."""
    seed = secrets.randbits(64)
    with (
        Vendor() as other,
        VirtualCamera(vendor, state="ready", udp=True, seed=seed, people=0) as camera,
        VirtualCamera(other, state="ready", udp=True, seed=seed, people=0, port=camera.port) as impostor,
    ):
        assert (camera.sn, camera.state.mac) == (impostor.sn, impostor.state.mac)
        yield camera, impostor


@pytest.fixture
def start(tmp_path: Path, settings: Settings) -> Iterator[Callable[[str], Station]]:
    """A station whose cameras are found by discovery."""
    running: list[Station] = []

    def made(site: str, given: Settings = settings) -> Station:
        (tmp_path / "site.toml").write_text(site, "utf-8")
        (tmp_path / "station.toml").write_text(
            HERE + "[counts]\nenabled = false\n[events]\nenabled = false\n", "utf-8"
        )
        running.append(Station(load(tmp_path / "station.toml"), given).start())
        return running[-1]

    yield made
    for one in running:
        one.close()


def where(station: Station, sn: str) -> str:
    return station.roster.member(sn).verified


@pytest.mark.parametrize("mac", ["", "02:53:4D:EE:EE:EE"])
def test_the_first_claimant_does_not_keep_the_station_from_its_camera(
    start: Start, pair: Pair, kit: Any, mac: str
) -> None:
    camera, impostor = pair
    impostor.state.mac = mac or impostor.state.mac
    answer, camera._answer_discovery = camera._answer_discovery, lambda sender: None  # type: ignore[method-assign]
    BROADCASTS.leave(answer)  # the impostor alone is heard at first
    running = start(f'[[cameras]]\nsn = "{camera.sn}"\n')
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) == {"not-trusted"})
    BROADCASTS.join(answer)
    assert kit.wait_for(lambda: where(running, camera.sn) == camera.address)
    assert kit.wait_for(lambda: kit.codes(running, camera.sn) <= {"duplicate"})
    # It stays there, however often the other calls.
    rounds = camera.state.counts["device/getInfo"]
    assert kit.wait_for(lambda: camera.state.counts["device/getInfo"] > rounds + 1)
    assert running.roster.member(camera.sn).address == camera.address
    assert impostor.state.counts == {}


def test_where_only_the_impostor_is_heard_the_last_good_address_is_tried(
    start: Start, pair: Pair, kit: Any
) -> None:
    camera, impostor = pair
    running = start(f'[[cameras]]\nsn = "{camera.sn}"\n')
    assert kit.wait_for(lambda: where(running, camera.sn) == camera.address)
    running.close()
    BROADCASTS.leave(camera._answer_discovery)
    again = start(f'[[cameras]]\nsn = "{camera.sn}"\n')
    assert kit.wait_for(lambda: where(again, camera.sn) == camera.address)
    assert impostor.state.counts == {}


def test_at_the_first_contact_several_are_a_persons_question(
    start: Callable[..., Station], pair: Pair, kit: Any, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, impostor = pair
    monkeypatch.delenv("SUNMI_IPC_CA")
    running = start(f'[[cameras]]\nsn = "{camera.sn}"\n', Settings.load())
    told = lambda: [r.details for r in running.camera_status(camera.sn).reasons if r.code == "refused"]  # noqa: E731
    assert kit.wait_for(told)
    assert camera.address in str(told())
    assert impostor.address in str(told())
    assert camera.state.counts == impostor.state.counts == {}


def test_an_any_entry_is_not_lost_to_a_made_up_serial_number(
    start: Start, vendor: Vendor, virtual: Callable[..., VirtualCamera], kit: Any, tmp_path: Path
) -> None:
    with Vendor() as other, VirtualCamera(other, state="ready", udp=True, people=0) as made_up:
        made_up.claims["deviceid"] = "FS000D0AA00000"
        camera = virtual(udp=True)
        running = start('[[cameras]]\nany = "FM020"\n')
        mine = lambda: {m.sn for m in running.roster.members() if m.verified}  # noqa: E731
        assert kit.wait_for(mine)
        assert made_up.state.counts == {}
        running.close()
        # What an entry has got it keeps, over a restart too.
        (sn,) = mine()
        again = start('[[cameras]]\nany = "FM020"\n')
        assert [m.sn for m in again.roster.members()] == [sn]
        again.close()
    # And what the journal of 'ipc fleet apply' says counts first.
    with Journal(tmp_path / "site.journal") as journal:
        journal.bind("any:FM020#1", camera.sn)
    (tmp_path / "data" / "station.sqlite3").unlink()
    bound = start('[[cameras]]\nany = "FM020"\n')
    assert kit.wait_for(lambda: bound.status().verdict is not Level.UNKNOWN)
    assert [m.sn for m in bound.roster.members()] == [camera.sn]
