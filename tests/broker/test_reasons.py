"""Each reason that a broker gives, and each end without one, is told in words with the next step, in both languages."""

from __future__ import annotations

import socket
import ssl
from typing import Any

import pytest

from sunmi_ipc.broker.connection import LOST
from sunmi_ipc.events import broker_reasons
from sunmi_ipc.events.broker_reasons import Reason
from sunmi_ipc.i18n import translate
from sunmi_ipc.station.refusals import Refusals
from sunmi_ipc.station.verdict import KINDS
from sunmi_ipc.station.verdict import Reason as Told


def verification(code: int) -> ssl.SSLCertVerificationError:
    made = ssl.SSLCertVerificationError(1, "certificate verify failed")
    made.verify_code = code
    return made


ENDS: list[Reason] = [
    *broker_reasons.CODES.values(),
    *(broker_reasons.ended(v, said=False, greeted=g) for v in (0x80, 0x82, 0x8D, 0) for g in (True, False)),
    broker_reasons.SILENT, broker_reasons.TOO_LONG, broker_reasons.BROKEN,
    *(
        broker_reasons.unreached(error)
        for error in (
            None, ConnectionRefusedError(), TimeoutError(), ConnectionResetError(), socket.gaierror(-2, "Name"),
            ssl.SSLEOFError(), ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), ValueError(),
            *map(verification, (9, 10, 18, 19, 20, 21, 62, 64)),
        )
    ),
]  # fmt: skip


def test_every_reason_has_its_words_and_a_next_step_in_both_languages() -> None:
    for reason in ENDS:
        for text in reason:
            assert text
            assert "nspecified" not in text
            assert translate(text, "zh", {}) != text, text


def test_there_is_one_for_every_code_that_the_protocol_has() -> None:
    codes: Any = pytest.importorskip("paho.mqtt.reasoncodes")
    packets: Any = pytest.importorskip("paho.mqtt.packettypes").PacketTypes
    known = codes.ReasonCode(packets.CONNACK).names  # of the class in newer versions alone
    assert {code for code in known if code >= 0x80} == set(broker_reasons.CODES)
    assert broker_reasons.coded(0xFE) == broker_reasons.coded(0x80)


def test_what_the_broker_says_is_told_from_what_it_does_not() -> None:
    assert "not say why" in broker_reasons.ended(0x80, said=True).problem
    assert "closed the connection" in broker_reasons.ended(0x80, said=False).problem
    assert "before it had answered" in broker_reasons.ended(0x80, said=False, greeted=False).problem


def test_what_an_older_version_kept_is_shown_without_the_step_that_it_did_not_know() -> None:
    old = Told("broker", 0.0, {"problem": "Connection refused"})
    assert old.hint("en") == "What is to be sent waits on the disk."
    assert "{" not in old.hint("zh")
    assert "Connection refused" in old.text("en")
    assert {"broker", "broker-refused", "broker-taken", "broker-unheard"} <= set(KINDS)


def test_one_lost_connection_is_no_refusal_and_two_are() -> None:
    refusals = Refusals()
    refusals.not_taken("state", LOST)
    assert not refusals.waits("state")
    refusals.taken("state")
    refusals.not_taken("state", LOST)
    assert not refusals.waits("state")
    refusals.not_taken("state", LOST)
    assert refusals.waits("state")
    assert refusals.told() == {"state": LOST}
    refusals.not_taken("replies", LOST)  # such a broker ends the connection for others, too
    assert refusals.waits("replies")
    refusals.not_taken("station", "our name may not do this (not authorised)")
    refusals.taken("state")
    assert set(refusals.told()) == {"replies", "station"}
