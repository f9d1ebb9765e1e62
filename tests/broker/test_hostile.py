"""What a hostile broker, shop or neighbour writes into a message is made harmless where it is read."""

from __future__ import annotations

import json
import math
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.broker import contract, failures, keys
from sunmi_ipc.broker.contract import Answer, BadMessage, Failure, StationState
from sunmi_ipc.broker.keys import KeyStore, SigningKey
from sunmi_ipc.broker.remote import Channel, KnownStations, RemoteSite, _Wait, new_nonce
from sunmi_ipc.hub import rows

SN = "FS101D8BS00106"


def event(data: str, sn: str = SN, **changes: Any) -> tuple[str, bytes]:
    fields = {"key": f"s1/events/{sn}/x/1", "revision": 1, "sn": sn, "type": "x", "time": 1.0, "received": 1.0, **changes}  # fmt: skip
    return f"sunmi-ipc/v1/s1/cameras/{sn}/events", f'{json.dumps(fields)[:-1]},"data":{data}}}'.encode()


@pytest.mark.parametrize(
    "data",
    [
        '{"a":' + "[" * 33 + "]" * 33 + "}", '{"a":NaN}', '{"a":[Infinity]}', '{"a":-1e999}',
        '{"a":' + "9" * 4000 + "}", '{"a":' + "9" * 5000 + "}", '{"a":' + "[" * 9000 + "}", '{"a":"\\ud800"}',
    ],
    ids=["deep", "nan", "inf", "1e999", "4,000 digits", "5,000 digits", "deeper", "half a letter"],
)  # fmt: skip
def test_what_may_have_any_form_is_bounded(data: str) -> None:
    with pytest.raises(BadMessage):
        contract.read(*event(data))


def test_what_steers_a_terminal_is_replaced_before_it_is_stored() -> None:
    _, row = rows.row(contract.read(*event('{"\\u001b[2Ja":"\\u202e\\u0000"}')), 1.0)
    assert json.loads(row["data"]) == {"\ufffd[2Ja": "\ufffd\ufffd"}


@pytest.mark.parametrize("sn", [SN.lower(), "Fs101d8bs00106"])
def test_a_serial_number_has_one_spelling_in_topics_keys_and_payloads(sn: str) -> None:
    found = contract.read(*event("{}", sn))
    assert (found.sn, found.payload.sn) == (SN, SN)
    assert found.payload.key == f"s1/events/{SN}/x/1"
    assert rows.row(found, 1.0)[1]["sn"] == SN
    state = b'{"verdict":"ok","revision":1,"time":1.0}'
    assert contract.read(f"sunmi-ipc/v1/s1/cameras/{sn}/state", state).sn == SN
    with pytest.raises(BadMessage, match="another's"):
        contract.read(*event("{}", sn)[:1], event("{}", "FS101D8BS00107")[1])


@pytest.mark.parametrize(
    "template",
    ["{x:>999999999}", "{x!r:>99999999}", "{x.__class__.__mro__}", "{x[0]}", "{0}", "{", "}", "{missing}", "{x:.0f}", "{x:99}"],
)  # fmt: skip
def test_a_template_from_elsewhere_fills_in_plain_names_alone(template: str) -> None:
    told = Failure(type="ConnectionFailed", template=template, hint=template, values={"x": "v"})
    began = time.thread_time()
    for failure in (told, told.model_copy(update={"type": "DeviceError", "code": 3})):
        error = failures.raised(failure, "shop/A1")
        for text in (str(error), *error.localized("zh")):
            assert len(text) < 1000
            assert "__mro__" not in text or "class 'str'" not in text
    assert template in str(failures.raised(told, "shop/A1"))
    assert time.thread_time() - began < 1


def test_our_own_templates_are_filled_in() -> None:
    first = errors.ConnectionFailed("no complete answer within {seconds:.3g} s", hint="See {path}.", seconds=3.14159, path="x")  # fmt: skip
    again = failures.raised(failures.told(first), "shop/A1")
    assert str(again) == "shop/A1: no complete answer within 3.14 s. See x."


class _Air:
    """A channel that is connected to nothing: what the broker says is handed in."""

    def __init__(self, tmp_path: Path) -> None:
        self.channel = Channel.__new__(Channel)
        self.channel._lock = threading.Condition()
        self.channel._waiting, self.channel._states, self.channel._cameras = {}, {}, {}
        self.channel._prefix, self.channel._offset = contract.PREFIX, 0.0
        self.channel._stations = KnownStations(tmp_path / "known.json")

    def says(self, topic: str, payload: Any) -> None:
        from sunmi_ipc.broker.connection import Delivered

        self.channel._came(Delivered(topic, payload.encode(), False, lambda: None))


def test_a_broker_that_swaps_the_stations_key_while_a_call_is_under_way(tmp_path: Path) -> None:
    air, true, evil = _Air(tmp_path), SigningKey.new("station"), SigningKey.new("station")
    nonce = new_nonce()
    wait = air.channel._waiting[nonce] = _Wait("s1", true.public)
    air.says(
        "sunmi-ipc/v1/s1/station", StationState(state="online", revision=2, since=1.0, public=evil.public)
    )
    answer = Answer(site="s1", nonce=nonce, state="done", at=time.time(), result={"sn": "X"})
    air.says(f"sunmi-ipc/v1/s1/replies/{'c' * 8}", evil.sign(keys.ANSWER, answer))
    assert not wait.arrived.is_set()
    air.says(f"sunmi-ipc/v1/s1/replies/{'c' * 8}", true.sign(keys.ANSWER, answer))
    assert wait.arrived.is_set()
    assert len(wait.answers) == 1


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    site = RemoteSite.__new__(RemoteSite)
    with pytest.raises(errors.ParameterError):
        site.camera(SN, timeout=timeout)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 5000, "\ud800", "[1]", '{"a": {"file": 5}}'])
def test_lists_of_keys_and_stations_of_any_form(tmp_path: Path, text: str) -> None:
    for name in ("index.json", "known.json"):
        (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(errors.ConfigError):
        KeyStore(tmp_path).list()
    with pytest.raises(errors.ConfigError):
        KeyStore(tmp_path).load("a")
    with suppress(errors.ConfigError, errors.TlsError):
        KnownStations(tmp_path / "known.json").approve("b/s1", "x")
