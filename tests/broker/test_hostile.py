"""What a hostile broker, shop or neighbour writes into a message is made harmless where it is read."""

from __future__ import annotations

import itertools
import json
import math
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.broker import contract, failures, keys
from sunmi_ipc.broker.contract import Answer, BadMessage, Failure, StationState
from sunmi_ipc.broker.keys import KeyStore, SigningKey, new_nonce
from sunmi_ipc.broker.site import RemoteSite, _Wait
from sunmi_ipc.broker.stations import KnownStations
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


def test_a_template_from_elsewhere_steers_no_terminal() -> None:
    text = "\x1b[2J\x9b31m\u202e{x}\n\x07"
    told = Failure(type="SiteError", template=text, hint=text, values={"x": text})
    for failure in (told, told.model_copy(update={"values": {}}), told.model_copy(update={"type": "DeviceError", "code": 3})):  # fmt: skip
        error = failures.raised(failure, text)
        assert "".join((str(error), *error.localized("zh"), *error.localized("en"))).isprintable()


def test_our_own_templates_are_filled_in() -> None:
    first = errors.ConnectionFailed("no complete answer within {seconds:.3g} s", hint="See {path}.", seconds=3.14159, path="x")  # fmt: skip
    again = failures.raised(failures.told(first), "shop/A1")
    assert str(again) == "shop/A1: no complete answer within 3.14 s. See x."


def test_a_broker_that_swaps_the_stations_key_while_a_call_is_under_way() -> None:
    true, evil = SigningKey.new("station"), SigningKey.new("station")
    site, nonce = RemoteSite(None, "s1"), new_nonce()  # type: ignore[arg-type]
    site._approved, wait = true.public, _Wait()
    site._waiting[nonce] = wait
    site.take("", StationState(state="online", revision=2, since=1.0, public=evil.public))
    answer = Answer(site="s1", nonce=nonce, state="done", at=time.time(), result={"sn": "X"})
    site.take("", evil.sign(keys.ANSWER, answer))
    assert not wait.arrived.is_set()
    site.take("", true.sign(keys.ANSWER, answer))
    assert wait.arrived.is_set()
    assert len(wait.answers) == 1


def test_a_station_that_never_agrees_about_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    site, asked = RemoteSite(None, "s1"), list[str]()  # type: ignore[arg-type]
    swing = itertools.cycle((1000.0, -1000.0))

    def refused() -> Answer:
        error = failures.told(errors.ForbiddenError(failures.CLOCK["expired"]))
        return Answer(
            site="s1", nonce=new_nonce(), state="refused", at=time.time() + next(swing), error=error
        )

    class Line:
        key, client, prefix = SigningKey.new("hq"), "c" * 8, contract.PREFIX

        class connection:
            @staticmethod
            def publish(*_: Any, **__: Any) -> Any:
                next(iter(site._waiting.values())).take(refused())

    site._line = Line  # type: ignore[assignment]
    monkeypatch.setattr(site, "approve", lambda: None)
    answers = site.once(contract.RequestKind.CALL, 5.0, asked=asked)
    assert [a.state for a in answers] == ["refused"]
    assert len(asked) == len(set(asked)) == 2, (
        "asked for by the nonce that was sent last, and no more than twice"
    )


@pytest.mark.parametrize("timeout", [0, -1, math.nan, math.inf])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    site = RemoteSite(None, "s1")  # type: ignore[arg-type]
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
