"""Trust on first use: pins by serial number, kept safely, and what becomes of them."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc import errors
from sunmi_ipc.link.tls import ClientCertificate, fingerprint, shown_certificate
from sunmi_ipc.link.trust import KnownCameras
from sunmi_ipc.simulator import Vendor, VirtualCamera, connect, connect_async

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config" / "known_cameras.json"


def test_a_pin_is_kept_for_its_owner_alone_with_fingerprint_and_dates(path: Path) -> None:
    KnownCameras(path).approve("SN1", b"one")
    ((name, pin),) = KnownCameras(path).items()
    assert (name, pin.fingerprint) == ("SN1", fingerprint(b"one"))
    assert pin.first_seen == pin.last_seen
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [p.name for p in path.parent.iterdir() if p.name.startswith("tmp")] == []


def test_a_changed_certificate_is_refused_with_both_fingerprints(path: Path) -> None:
    pins = KnownCameras(path)
    pins.approve("SN1", b"one")
    with pytest.raises(errors.TlsError) as caught:
        pins.approve("SN1", b"two")
    for text in (fingerprint(b"one"), fingerprint(b"two"), "ipc trust accept SN1"):
        assert text in str(caught.value)
    pins.replace("SN1", b"two")
    pins.approve("SN1", b"two")
    with pytest.raises(errors.TlsError):
        pins.approve("SN1", b"one")
    assert pins.forget("SN1")
    assert not pins.forget("SN1")
    pins.approve("SN1", b"three")


def test_a_serial_number_is_strict_where_an_address_changes_hands(path: Path) -> None:
    """DHCP gives a known camera another's address; nobody gets another's serial number."""
    pins = KnownCameras(path)
    pins.approve("SN1", b"one")
    pins.approve("10.0.0.1", b"two", by_address=True)
    pins.approve("10.0.0.1", b"one", by_address=True)
    with pytest.raises(errors.TlsError):
        pins.approve("10.0.0.1", b"three", by_address=True)
    with pytest.raises(errors.TlsError):
        pins.approve("SN1", b"two")
    assert [name for name, _ in pins.items()] == ["10.0.0.1", "SN1"]


def test_last_seen_moves_and_first_seen_stays(path: Path) -> None:
    pins = KnownCameras(path)
    pins.approve("SN1", b"one")
    raw = json.loads(path.read_text())
    raw["SN1"] |= {"first_seen": "2026-01-01T00:00:00+00:00", "last_seen": "2026-01-02T00:00:00+00:00"}
    path.write_text(json.dumps(raw))
    pins.approve("SN1", b"one")
    ((_, pin),) = pins.items()
    assert pin.first_seen == "2026-01-01T00:00:00+00:00"
    assert pin.last_seen > "2026-11"


WRITER = """
import sys
from sunmi_ipc.link.trust import KnownCameras
print("ready", flush=True)
sys.stdin.readline()
pins = KnownCameras(sys.argv[1])
for i in range(25):
    pins.approve(f"{sys.argv[2]}-{i}", f"{sys.argv[2]}-{i}".encode())
"""


def test_processes_that_pin_at_once_lose_no_pin(path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        for name in "abc"
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in started:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert len(KnownCameras(path).items()) == 75
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_pin_that_cannot_be_kept_is_said(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    with pytest.raises(errors.ConfigError, match="cannot be written"):
        KnownCameras(path).approve("SN1", b"one")


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("")
    with pytest.raises(errors.ConfigError, match="cannot be written") as caught:
        KnownCameras(tmp_path / "config" / "known_cameras.json").approve("SN1", b"one")
    assert "SUNMI_IPC_CA" in caught.value.hint


# -- against cameras ------------------------------------------------------------------------------


def renewed(camera: VirtualCamera, vendor: Vendor) -> None:
    """Give the camera a new key and certificate of *vendor*'s CA."""
    context: ssl.SSLContext = vendor.server_context(camera.sn)
    camera._context = context
    camera._cut()


def test_a_renewed_certificate_of_the_same_ca_is_accepted(ready: VirtualCamera, vendor: Vendor) -> None:
    with connect(ready) as client:
        client.device.info()
        before = client._transport
        renewed(ready, vendor)
        assert client.device.info().sn == ready.sn
        assert client._transport is before


def test_a_renewed_certificate_is_refused_where_it_was_pinned(
    ready: VirtualCamera, vendor: Vendor, path: Path
) -> None:
    with connect(ready, ca=None, sn=ready.sn, known_cameras=KnownCameras(path)) as client:
        client.device.info()
        renewed(ready, vendor)
        with pytest.raises(errors.TlsError, match="has changed"):
            client.device.info()


def env(vendor: Vendor) -> dict[str, str | None]:
    return {**vendor.environment(), "SUNMI_IPC_CA": None}


def test_the_first_contact_on_the_access_point_is_pinned_by_serial_number(
    virtual: Callable[..., VirtualCamera], vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every access point has the same address: the second camera set up there is no impostor."""
    first, second = virtual(state="factory", udp=True), virtual(state="factory", udp=True)
    run = CliRunner().invoke
    for camera in (first, second):
        monkeypatch.setattr("sunmi_ipc.discovery.camera.ACCESS_POINT", camera.ip)
        done = run(app, ["wifi", "scan", "-c", camera.address, "--json"], env=env(vendor))
        assert done.exit_code == 0, done.output
    listed = json.loads(run(app, ["trust", "list", "--json"], env=env(vendor)).stdout)["cameras"]
    assert {row["name"] for row in listed} == {first.sn, second.sn}
    # On the shop's network it is known again: another key under its serial number is refused.
    renewed(first, vendor)
    done = run(app, ["wifi", "scan", "-c", first.sn], env=env(vendor))
    assert done.exit_code == 4
    assert f"ipc trust accept {first.sn}" in done.stderr


def test_trust_list_accept_forget(ready: VirtualCamera, vendor: Vendor) -> None:
    run = CliRunner().invoke
    name = ready.address
    assert run(app, ["info", "-c", name], env=env(vendor)).exit_code == 0
    renewed(ready, vendor)
    refused = run(app, ["info", "-c", name], env=env(vendor))
    assert refused.exit_code == 4
    assert f"ipc trust accept {name}" in refused.stderr
    unasked = run(app, ["trust", "accept", name], env=env(vendor))
    assert unasked.exit_code == 2
    assert "--yes" in unasked.stderr
    assert run(app, ["info", "-c", name], env=env(vendor)).exit_code == 4
    accepted = run(app, ["trust", "accept", name, "--yes", "--json"], env=env(vendor))
    assert accepted.exit_code == 0, accepted.output
    shown = json.loads(accepted.stdout)["fingerprint"]
    assert run(app, ["info", "-c", name], env=env(vendor)).exit_code == 0
    assert shown in run(app, ["trust", "list"], env=env(vendor)).stdout
    assert run(app, ["trust", "forget", name], env=env(vendor)).exit_code == 0
    again = run(app, ["trust", "forget", name], env=env(vendor))
    assert again.exit_code == 2
    assert "trust list" in again.stderr


def unchecked(camera: VirtualCamera, vendor: Vendor) -> bytes:
    """Give the camera a certificate of another CA, which is returned; it still takes *vendor*'s clients."""
    with Vendor() as other:
        context: ssl.SSLContext = other.server_context(camera.sn)
        context.load_verify_locations(cadata=vendor.client_authority.pem.decode())
        camera._context = context
        camera._cut()
    own = ClientCertificate.load(vendor.p12, vendor.p12_password)
    return shown_certificate(camera.ip, camera.port, own, timeout=10)


@pytest.mark.slow  # each look for a camera that is refused takes its time
def test_the_command_that_the_hint_names_accepts_by_serial_number(
    virtual: Callable[..., VirtualCamera], vendor: Vendor
) -> None:
    """Whoever looks for the camera to accept it must not be sent away because it is not accepted yet."""
    camera, run = virtual(state="ready", udp=True), CliRunner().invoke
    assert run(app, ["info", "-c", camera.sn], env=env(vendor)).exit_code == 0
    renewed(camera, vendor)
    refused = run(app, ["info", "-c", camera.sn], env=env(vendor))
    assert refused.exit_code == 4
    assert f"ipc trust accept {camera.sn}" in refused.stderr
    accepted = run(app, ["trust", "accept", camera.sn, "--yes"], env=env(vendor))
    assert accepted.exit_code == 0, accepted.output
    assert run(app, ["info", "-c", camera.sn], env=env(vendor)).exit_code == 0


@pytest.mark.slow  # each look for a camera that is refused takes its time
def test_what_a_person_accepted_counts_beside_a_ca(
    virtual: Callable[..., VirtualCamera], vendor: Vendor
) -> None:
    camera, run, given = virtual(state="ready", udp=True), CliRunner().invoke, vendor.environment()
    unchecked(camera, vendor)
    refused = run(app, ["info", "-c", camera.sn], env=given)
    assert refused.exit_code == 4
    assert f"ipc trust accept {camera.sn}" in " ".join(refused.stderr.split())
    by_address = run(app, ["trust", "accept", camera.address, "--yes"], env=given)
    assert by_address.exit_code == 0
    assert "only by serial number" in by_address.stderr
    assert run(app, ["info", "-c", camera.address], env=given).exit_code == 4
    assert run(app, ["trust", "accept", camera.sn, "--yes"], env=given).exit_code == 0
    assert run(app, ["info", "-c", camera.sn], env=given).exit_code == 0
    # That one, and no other: neither another of that CA, nor any of the vendor's.
    unchecked(camera, vendor)
    assert run(app, ["info", "-c", camera.sn], env=given).exit_code == 4
    assert run(app, ["trust", "forget", camera.sn], env=given).exit_code == 0
    renewed(camera, vendor)
    assert run(app, ["info", "-c", camera.sn], env=given).exit_code == 0


def test_what_was_only_pinned_does_not_count_beside_a_ca(
    ready: VirtualCamera, vendor: Vendor, path: Path
) -> None:
    unchecked(ready, vendor)
    pins = KnownCameras(path)
    with connect(ready, ca=None, sn=ready.sn, known_cameras=pins) as client:
        client.device.info()
    assert not pins.accepted(ready.sn)
    with (
        connect(ready, sn=ready.sn, known_cameras=pins) as client,
        pytest.raises(errors.TlsError, match="not from the CA"),
    ):
        client.device.info()


def test_a_client_that_runs_learns_of_what_was_accepted_and_forgotten(
    ready: VirtualCamera, vendor: Vendor, path: Path
) -> None:
    """In both colours: a station goes on for years."""
    import asyncio

    der = unchecked(ready, vendor)

    def told(name: str) -> None:
        pins = KnownCameras(path)
        pins.replace(ready.sn, der) if name == "accept" else pins.forget(ready.sn)

    async def other_colour() -> None:
        options = {"sn": ready.sn, "known_cameras": KnownCameras(path)}
        async with connect_async(ready, **options) as client:
            with pytest.raises(errors.TlsError):
                await client.device.info()
            told("accept")
            assert (await client.device.info()).sn == ready.sn
            told("forget")
            with pytest.raises(errors.TlsError, match="not from the CA"):
                await client.device.info()

    with connect(ready, sn=ready.sn, known_cameras=KnownCameras(path)) as client:
        with pytest.raises(errors.TlsError):
            client.device.info()
        told("accept")
        assert client.device.info().sn == ready.sn
        assert client.greet() == ""
        told("forget")
        with pytest.raises(errors.TlsError, match="not from the CA"):
            client.device.info()
    asyncio.run(other_colour())


def test_a_list_of_an_older_version_is_read_and_what_is_not_accepted_is_written_as_then(path: Path) -> None:
    pins = KnownCameras(path)
    pins.approve("SN1", b"one")
    pins.replace("SN2", b"two")
    raw = json.loads(path.read_text())
    assert set(raw["SN1"]) == {"fingerprint", "first_seen", "last_seen"}
    assert raw["SN2"].pop("accepted") is True
    raw["SN2"]["last_seen"] = raw["SN2"]["first_seen"] = "2026-01-01T00:00:00+00:00"
    path.write_text(json.dumps(raw))
    assert not KnownCameras(path).accepted("SN2")
    KnownCameras(path).replace("SN2", b"two")
    raw["SN2"]["accepted"] = True
    path.write_text(json.dumps(raw))
    KnownCameras(path).approve("SN2", b"two")  # its date is brought up, and it stays accepted
    pin = KnownCameras(path).known("SN2")
    assert pin is not None
    assert pin.accepted
    assert pin.last_seen > pin.first_seen
