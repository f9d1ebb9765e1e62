"""What the station does for itself: quiet cameras, doors that nobody enters, certificates, pictures, readiness."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.events.adapters import CAMERA
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.card import file_url
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.hours import Hours
from sunmi_ipc.station.upkeep import Upkeep
from sunmi_ipc.station.validity import endings, file_ends

Start = Callable[..., Station]
Virtual = Callable[..., VirtualCamera]
EVENTS = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\n'
HOUR = 3600


def event(number: int, sn: str, kind: str = "dynamic_detect_event", **more: Any) -> Any:
    fields = {"event_type": kind, "sn": sn, "event_id": str(number), "report_time": int(time.time())} | more
    return CAMERA.event(fields)


def put(station: Station, number: int, sn: str, **more: Any) -> None:
    assert station.intake is not None
    station.intake.spool.append(event(number, sn, **more))


def upkeep(running: Station, settings: Settings | None = None, **tables: dict[str, Any]) -> Upkeep:
    """The upkeep of a station whose file says something else in these tables."""
    file = running.file
    for name, values in tables.items():
        file = file.model_copy(update={name: getattr(file, name).model_copy(update=values)})
    return Upkeep(
        replace(running.loaded, file=file),
        settings or running.settings,
        store=running.store,
        roster=running.roster,
        watch=running.watch,
        scheduler=running.scheduler,
        intake=running.intake,
    )


def reasons(station: Station, sn: str) -> dict[str, str]:
    return {r.code: r.text("en") for r in station.watch.judge.reasons(sn)}


# -- what is forgotten ------------------------------------------------------------------------------


def test_a_clock_that_jumps_forgets_nothing(
    station: Start, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = station([virtual()])
    running.store.write(("INSERT INTO counts VALUES ('A1', ?, 900, 1, 2, 3, 1.0, 'counted', 0, '{}')", (int(time.time()) - 900,)))  # fmt: skip
    kept = upkeep(running, keep={"counts": 86_400.0, "audit": 86_400.0})
    kept.tidy()
    real = time.time
    for ahead in (30 * 86_400, 0, -30 * 86_400, 0):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        kept.tidy()
        assert running.store.read("SELECT count(*) FROM counts")[0][0] == 1
    # Not over a restart either: what the clock said last is kept.
    monkeypatch.setattr(time, "time", lambda: real() + 30 * 86_400)
    upkeep(running, keep={"counts": 86_400.0}).tidy()
    assert running.store.read("SELECT count(*) FROM counts")[0][0] == 1
    # A month that went by while it ran is another thing.
    monkeypatch.setattr(time, "time", real)
    kept = upkeep(running, keep={"counts": 86_400.0})
    kept.tidy()
    counted = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: counted() + 30 * 86_400)
    monkeypatch.setattr(time, "time", lambda: real() + 30 * 86_400)
    for _ in range(2):
        kept.tidy()
    assert running.store.read("SELECT count(*) FROM counts")[0][0] == 0


# -- quiet ------------------------------------------------------------------------------------------


def test_a_camera_without_events_in_opening_hours_is_told_of(station: Start, virtual: Virtual) -> None:
    loud, silent = virtual(), virtual()
    running = station([loud, silent], more=EVENTS, watch="quiet = '2h'")
    put(running, 1, loud.sn)
    long_ago = time.time() - 3 * HOUR
    running.upkeep._started = long_ago
    for member in running.roster.members():
        member.added = long_ago
    running.upkeep.quiet()
    assert reasons(running, silent.sn)["quiet"] == "no event in 3.0 opening hours"
    assert "quiet" not in reasons(running, loud.sn)
    put(running, 2, silent.sn)
    running.upkeep.quiet()
    assert "quiet" not in reasons(running, silent.sn)


def test_a_closed_shop_is_quiet_without_alarm(station: Start, virtual: Virtual) -> None:
    camera = virtual()
    running = station([camera], more=EVENTS, watch="quiet = '2h'")
    local = datetime.now(running.loaded.zone)
    opening = local - timedelta(hours=1)  # opened an hour ago; the night does not count
    hours = Hours.parse(f"{opening:%H:%M}-{local + timedelta(hours=2):%H:%M}")
    made = upkeep(running, station={"hours": hours})
    made._started = running.roster.members()[0].added = time.time() - 12 * HOUR
    made.quiet()
    assert "quiet" not in reasons(running, camera.sn)


# -- nobody enters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arrivals", "passing", "state", "told"),
    [
        (0, 5, "counted", True),
        (1, 5, "counted", False),  # somebody came in
        (0, 0, "counted", False),  # nobody is there at all
        (0, 5, "gap", False),  # nothing is known
    ],
)
def test_many_pass_and_nobody_enters(
    station: Start, virtual: Virtual, arrivals: int, passing: int, state: str, told: bool
) -> None:
    camera = virtual()
    running = station([camera], watch="nobody_enters = '2h'")
    assert running.watch.wait_for_looks(10)
    now = int(time.time()) // 900 * 900
    for n in range(1, 9):
        running.store.write(
            (
                "INSERT INTO counts VALUES (?, ?, 900, ?, 0, ?, 900, ?, 0, '{}')",
                (camera.sn, now - 900 * n, arrivals if n == 3 else 0, passing, state),
            )
        )
    upkeep(running, counts={"enabled": True}).nobody_enters()
    assert ("nobody-enters" in reasons(running, camera.sn)) is told
    if told:
        assert (
            reasons(running, camera.sn)["nobody-enters"]
            == "40 people passed and nobody entered in 2.0 opening hours"
        )


# -- certificates -----------------------------------------------------------------------------------


def pem(vendor: Vendor, path: Path, *days: float) -> Path:
    """A file with certificates that end in so many days."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding

    now, blocks = datetime.now(UTC), []
    for number in days:
        made = vendor.authority.issue(
            "c", ec.generate_private_key(ec.SECP256R1()), not_before=now - timedelta(days=400),
            not_after=now + timedelta(days=number),
        )  # fmt: skip
        blocks.append(made.public_bytes(Encoding.PEM))
    path.write_bytes(b"text before\n" + b"\n".join(blocks))
    return path


@pytest.mark.parametrize(
    ("days", "code"), [(400, ""), (10, "certificate-file"), (-1, "certificate-file-over")]
)
def test_a_ca_that_ends_is_told_of_before(
    station: Start,
    virtual: Virtual,
    settings: Settings,
    vendor: Vendor,
    tmp_path: Path,
    days: float,
    code: str,
) -> None:
    running = station([virtual()])
    path = pem(vendor, tmp_path / "ca.pem", days)
    upkeep(running, settings.with_options(ca=str(path))).own()
    found = {c for c in reasons(running, "") if c.startswith("certificate")}
    assert found == ({code} if code else set())
    if code:
        assert str(path) in reasons(running, "")[code]


def test_an_old_certificate_beside_its_successor_is_no_alarm(vendor: Vendor, tmp_path: Path) -> None:
    ends = file_ends(pem(vendor, tmp_path / "ca.pem", -30, 500))
    assert ends is not None
    assert ends > time.time() + 499 * 86_400 - 60
    (tmp_path / "no.pem").write_text("nothing")
    assert file_ends(tmp_path / "no.pem") is None
    assert file_ends(tmp_path / "missing.pem") is None


def test_every_certificate_of_the_station_is_looked_at(
    write: Any, settings: Settings, virtual: Virtual, vendor: Vendor, tmp_path: Path
) -> None:
    pem(vendor, tmp_path / "web.pem", 5)
    pem(vendor, tmp_path / "broker.pem", 6)
    more = (
        '[http]\ncertificate = "web.pem"\nkey = "web.key"\n'
        '[broker]\nurl = "mqtts://hq.example"\ncertificate = "broker.pem"\nkey = "k"\n'
    )
    loaded = load(write([virtual()], more=more))
    found = {(e.code, Path(e.path).name): e.at for e in endings(loaded, settings)}
    assert set(found) == {
        ("certificate", ""),
        ("certificate-file", Path(settings.ca).name),
        ("certificate-file", "web.pem"),
        ("certificate-file", "broker.pem"),
    }
    assert found["certificate-file", "web.pem"] < found["certificate-file", "broker.pem"]


def test_a_client_certificate_of_tomorrow_has_not_ended(
    write: Any, settings: Settings, virtual: Virtual, vendor: Vendor, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    path = tmp_path / "early.p12"
    path.write_bytes(
        vendor.client_authority.p12(
            "x", "pw", not_before=now + timedelta(days=1), not_after=now + timedelta(days=900)
        )
    )
    given = settings.with_options(p12=str(path), p12_password="pw")
    (ours,) = [e for e in endings(load(write([virtual()])), given) if e.code == "certificate"]
    assert ours.at > time.time() + 899 * 86_400


def test_a_cameras_own_certificate(station: Start, virtual: Virtual, settings: Settings) -> None:
    camera = virtual()
    running = station([camera])
    assert running.watch.wait_for_looks(10)
    running.upkeep.camera_certificates()
    assert reasons(running, camera.sn) == {}  # ten years
    far = {"certificate": 20 * 365 * 86_400.0}
    upkeep(running, watch=far).camera_certificates()
    assert reasons(running, camera.sn)["camera-certificate"].startswith("its certificate ends 20")
    # Where it is pinned, its dates decide nothing.
    running.watch.judge.update(camera.sn, {}, ["camera-certificate"])
    upkeep(running, settings.with_options(ca=""), watch=far).camera_certificates()
    assert reasons(running, camera.sn) == {}


# -- pictures ---------------------------------------------------------------------------------------


def test_pictures_of_events_are_fetched_from_our_cameras_alone(
    station: Start, virtual: Virtual, kit: Any
) -> None:
    camera, stranger = virtual(people=3), virtual()
    running = station([camera], more=EVENTS + "pictures = true\n")
    assert running.watch.wait_for_looks(10)
    url, elsewhere = (file_url(c.state, "event/77-1.jpg") for c in (camera, stranger))
    for number, link in ((1, url), (2, elsewhere)):
        put(running, number, camera.sn, kind="face_recog_event", faceid="77", pic_url=link)
    folder = running.loaded.data / "pictures"
    assert kit.wait_for(lambda: list(folder.rglob("*.jpg")))
    time.sleep(0.3)
    (picture,) = folder.rglob("*.jpg")
    assert picture.read_bytes().startswith(b"\xff\xd8")


# -- ready or not -----------------------------------------------------------------------------------


def test_not_ready_while_a_part_does_not_work(serve: Any, virtual: Virtual) -> None:
    running, ask = serve([virtual()], more=EVENTS)
    assert ask("GET", "/readyz")[::2] == (200, {"status": "ok"})
    running.store.problem = "database or disk is full"
    assert ask("GET", "/readyz")[::2] == (503, {"status": "database"})
    assert ask("GET", "/healthz")[0] == 200  # alive all the same
    running.store.problem = ""
    running.intake.spool.close()
    assert ask("GET", "/readyz")[::2] == (503, {"status": "events"})
    assert json.dumps(running.status().as_dict())
