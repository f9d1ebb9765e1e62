"""A broker that has turned hostile: what the gate lets through, remembers, keeps in memory and tells."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sunmi_ipc.broker import contract, keys
from sunmi_ipc.broker.contract import Answer, Envelope, Request, RequestKind
from sunmi_ipc.broker.failures import CLOCK
from sunmi_ipc.broker.keys import SigningKey, new_nonce
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.gate import Gate


class Stage:
    """A station's gate without a broker: what is thrown at it, and what it answers."""

    def __init__(self, path: Any, settings: Any, key: SigningKey, camera: VirtualCamera) -> None:
        self.key, self.camera, self.path, self.settings = key, camera, path, settings
        self.answers: list[Answer] = []
        self.own = SigningKey.new("station")
        self.open()

    def open(self) -> None:
        self.station = Station(load(self.path), self.settings).start()
        table = self.station.file.broker
        assert table is not None
        self.gate = Gate(self.station, table, self.own, self._reply)

    def close(self) -> None:
        self.gate.close()
        self.station.close()

    def _reply(self, client: str, envelope: Envelope) -> None:
        text = keys.verify(envelope, keys.ANSWER, self.own.public)
        self.answers.append(contract.decode(Answer, text, limit=contract.MAX_CALL))

    def request(self, **changes: Any) -> Request:
        now = time.time()
        fields: dict[str, Any] = {
            "kind": RequestKind.CALL, "site": "shop-0017", "nonce": new_nonce(), "issued": now, "expires": now + 30,
            "client": "a-client-of-tests", "sn": self.camera.sn, "endpoint": "image.set_led", "values": {"switch": 1},
        }  # fmt: skip
        return Request(**fields | changes)

    def signed(self, **changes: Any) -> bytes:
        return self.key.sign(keys.CALL, self.request(**changes)).encode()

    def settle(self) -> None:
        end = time.monotonic() + 20
        while time.monotonic() < end and (self.gate._waiting or self.gate._busy):
            time.sleep(0.01)
        time.sleep(0.1)

    @property
    def carried_out(self) -> int:
        return len([e for e in self.station.audit.entries(limit=1000) if e.action == "image.set_led"])

    def told(self) -> dict[str, int]:
        self.gate._tell(everything=True)
        found: dict[str, int] = {}
        for entry in self.station.audit.entries(limit=1000):
            if entry.action == "call refused":
                found[entry.details["reason"]] = (
                    found.get(entry.details["reason"], 0) + entry.details["count"]
                )
        return found


@pytest.fixture
def stage(
    station_file: Callable[..., Any], settings: Any, keystore: Any, key: Any, virtual: Any
) -> Iterator[Stage]:
    camera = virtual()
    listed = key("hq", "tune", calls_per_minute="6000")
    path = station_file([camera], url="mqtt://127.0.0.1:1", keys=listed)
    made = Stage(path, settings, keystore.load("hq"), camera)
    yield made
    made.close()


def test_what_is_signed_is_carried_out_once_however_often_it_comes(stage: Stage) -> None:
    message = stage.signed()
    for _ in range(50):
        stage.gate.take(message)
    stage.settle()
    assert [answer.state for answer in stage.answers] == ["done"]
    stage.close()
    stage.open()  # a restart forgets nothing
    stage.gate.take(message)
    stage.settle()
    assert stage.carried_out == 1
    assert stage.told()["repeated"] == 50


def test_forged_foreign_and_late_calls(stage: Stage) -> None:
    other = SigningKey.new("hq")
    good = contract.decode(Envelope, stage.signed(), limit=contract.MAX_CALL)
    now = time.time()
    answer = stage.own.sign(keys.ANSWER, Answer(site="shop-0017", nonce=new_nonce(), state="done", at=now))
    # The last letter of a signature in base64 has four bits that nobody reads.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other_spelling = f"{good.signature[:85]}{letters[letters.index(good.signature[85]) ^ 1]}=="
    wrong = {
        "not a message": b"{}",
        "unknown key": good.model_copy(update={"key": "somebody"}).encode(),
        "bad signature": other.sign(keys.CALL, stage.request()).encode(),
        "another site": stage.signed(site="shop-0018"),
        "expired": stage.signed(issued=now - 400, expires=now - 100),
        "from the future": stage.signed(issued=now + 200, expires=now + 300),
        "valid for too long": stage.signed(expires=now + 1e6),
    }
    for message in (
        *wrong.values(),
        good.model_copy(update={"body": good.body.replace("image.set_led", "sdcard.format")}).encode(),
        good.model_copy(update={"signature": other_spelling}).encode(),
        # Signed, but as something else.
        stage.key.sign(keys.ANSWER, stage.request()).encode(),
        answer.model_copy(update={"key": "hq"}).encode(),
    ):
        stage.gate.take(message)
    stage.settle()
    assert stage.carried_out == 0
    told = stage.told()
    assert told == {**dict.fromkeys(wrong, 1), "bad signature": 5}
    assert {a.state for a in stage.answers} <= {"refused"}


def test_a_flood_of_anything_stays_in_bounds(stage: Stage) -> None:
    rng = random.Random(20)
    good = stage.signed()
    huge = b"x" * (10 << 20)
    deep = b'{"key":' + b"[" * 100_000
    fill = [huge, deep, b"\x00" * 1000, good[: len(good) // 2], good[::-1]]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(3000):
        message = rng.choice(fill)
        if number % 3 == 0:
            spoiled = bytearray(good)
            spoiled[rng.randrange(len(spoiled))] ^= 1 << rng.randrange(8)
            message = bytes(spoiled)
        stage.gate.take(message)
        assert len(stage.gate._waiting) <= 256
        assert stage.gate._bytes <= 8 << 20
    stage.settle()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10
    assert grown < 64, f"{grown} MB"
    assert stage.carried_out == 0
    told = stage.told()
    assert sum(told.values()) == 3000
    assert told["too long"] > 100
    entries = [e for e in stage.station.audit.entries(limit=1000) if e.action == "call refused"]
    assert len(entries) < 40, "a flood must not fill the audit"
    stage.gate.take(good)  # and whoever means it well still gets through
    stage.settle()
    assert stage.carried_out == 1


def test_what_was_refused_for_its_limits_cannot_be_brought_again(stage: Stage) -> None:
    stage.gate._recent["hq"].extend([time.monotonic()] * 6000)
    message = stage.signed()
    stage.gate.take(message)
    stage.settle()
    assert stage.answers[-1].state == "refused"
    stage.gate._recent["hq"].clear()
    stage.gate.take(message)
    stage.settle()
    assert stage.carried_out == 0


def test_what_became_of_a_call_is_told_to_who_sent_it(stage: Stage) -> None:
    nonce = new_nonce()
    stage.gate.take(stage.signed(nonce=nonce))
    stage.settle()
    stage.gate.take(stage.signed(kind=RequestKind.RECALL, of=nonce))
    stage.settle()
    assert [answer.state for answer in stage.answers] == ["done", "done"]
    never = new_nonce()
    stage.gate.take(stage.signed(kind=RequestKind.RECALL, of=never))
    stage.settle()
    assert stage.answers[-1].state == "unknown"
    stage.gate.take(stage.signed(nonce=never))  # too late now
    stage.settle()
    assert stage.carried_out == 1


def test_a_call_from_the_future_is_not_carried_out_once_its_time_has_come(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    early = stage.signed(issued=now + 3600, expires=now + 3630)
    stage.gate.take(early)
    stage.settle()
    monkeypatch.setattr(time, "time", lambda: now + 3610)
    stage.gate.take(early)  # whoever kept a copy at the broker
    stage.settle()
    assert stage.carried_out == 0
    assert stage.told()["repeated"] == 1


@pytest.mark.parametrize("off", [-365 * 86_400, -7200, 7200, 365 * 86_400])
def test_a_clock_that_is_a_year_off_is_told_and_a_flood_of_old_calls_is_not(stage: Stage, off: int) -> None:
    now = time.time()
    for _ in range(50):
        stage.gate.take(stage.signed(issued=now + off, expires=now + off + 30))
    stage.settle()
    assert stage.carried_out == 0
    assert 1 <= len(stage.answers) <= 5
    (answer, *_) = stage.answers
    assert answer.state == "refused"
    assert answer.error is not None
    assert answer.error.template in CLOCK.values()  # with it, the caller asks again by the station's clock
    assert abs(answer.at - now) < 60


def test_a_nonce_outlives_a_clock_that_swings_by_a_month(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, real, month = stage.signed(), time.time, 30 * 86_400
    stage.gate.take(message)
    stage.settle()
    for ahead in (month, -month, 12 * month, 0):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        stage.gate._tidy()
        stage.gate.take(message)
        stage.settle()
    assert stage.carried_out == 1
    # A month on, with its answer forgotten, and then set back.
    counted = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: counted() + month)
    monkeypatch.setattr(time, "time", lambda: real() + month)
    for _ in range(2):
        stage.gate._tidy()
    monkeypatch.setattr(time, "time", real)
    stage.gate.take(message)
    stage.settle()
    assert stage.carried_out == 1
    nonce = contract.decode(Envelope, message, limit=contract.MAX_CALL).body.partition('"nonce":"')[2][:32]
    monkeypatch.undo()
    stage.gate.take(stage.signed(kind=RequestKind.RECALL, of=nonce))
    stage.settle()
    assert stage.answers[-1].state == "lost"  # never "unknown", after which it would be sent again


def test_a_key_that_is_kept_busy_does_not_run_out_of_nonces(stage: Stage) -> None:
    stage.station.store.write(
        *(
            ("INSERT INTO requests VALUES (?, 'hq', ?, 'done', '')", (f"{n:032x}", time.time() - 86_400))
            for n in range(60_000)
        )
    )
    stage.gate._tidy()
    assert stage.station.store.read("SELECT count(*) FROM requests")[0][0] == 50_000
    stage.gate.take(stage.signed())
    stage.settle()
    assert stage.carried_out == 1


def test_a_serial_number_in_small_letters_is_the_camera(stage: Stage) -> None:
    stage.gate.take(stage.signed(sn=stage.camera.sn.lower()))
    stage.settle()
    assert stage.carried_out == 1
    assert stage.answers[-1].state == "done"


def test_what_destroys_wants_the_confirmation_in_the_request(
    station_file: Any, settings: Any, keystore: Any, key: Any, virtual: Any
) -> None:
    camera = virtual()
    path = station_file([camera], url="mqtt://127.0.0.1:1", keys=key("boss", "admin"))
    stage = Stage(path, settings, keystore.load("boss"), camera)
    try:
        for confirm, state in (("", "failed"), ("FS101D8BS99999", "failed"), (camera.sn, "done")):
            stage.gate.take(stage.signed(endpoint="sdcard.format", values={}, confirm=confirm))
            stage.settle()
            assert stage.answers[-1].state == state
            if state == "failed":
                assert stage.answers[-1].error is not None
                assert stage.answers[-1].error.type == "ParameterError"
    finally:
        stage.close()
