"""Calls to a station that does not listen; and what a scrape says of calls, done and refused."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.broker import contract
from sunmi_ipc.broker.channel import Channel
from sunmi_ipc.broker.connection import Connection
from sunmi_ipc.broker.contract import StationState
from sunmi_ipc.broker.keys import SigningKey
from sunmi_ipc.redact import Secret
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.http import HttpServer

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]
SN = "FS101D8BS00106"


def test_a_call_to_a_station_that_does_not_listen_was_not_sent(
    mosquitto: Any, key: Any, channel: Any
) -> None:
    """Its word that it is online is left at the broker, and nobody has subscribed to its calls."""
    key("hq")
    state = StationState(
        state="online", revision=int(time.time() * 1000), since=time.time(), public=SigningKey.new("station").public, cameras=(SN,)
    )  # fmt: skip
    with Connection(mosquitto.broker("root")) as left:
        left.publish(
            contract.topic("station", "shop-0018"), state.encode(), schema="station/1", retain=True
        ).wait(10)
    camera = channel("hq").site("shop-0018").camera(SN)
    for call in (lambda: camera.lens.set_zoom(100), camera.device.info):
        began = time.monotonic()
        with pytest.raises(errors.ConnectionFailed, match="does not listen") as told:
            call()
        assert time.monotonic() - began < 5  # told at once, not after the time that an answer may take
        assert told.value.sent is False
        assert "Nothing was carried out" in told.value.hint
        assert "没有执行" in told.value.localized("zh")[1]


def test_a_key_that_the_shop_no_longer_lists_is_named_by_who_waits(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The station says nothing to it: what it refuses could be a copy of a call that it carries out.

    A station of before, which does not tell whose calls it takes either.
    """
    monkeypatch.setattr("sunmi_ipc.broker.camera._MARGIN_S", 0.5)
    monkeypatch.setattr("sunmi_ipc.station.bridge._CALLERS", -1)
    camera = virtual()
    key("gone")
    station, bridge = connected([camera], keys=key("hq"))
    remote = channel("gone").site("shop-0017").camera(camera.sn, timeout=0.3, retries=0)
    with pytest.raises(errors.ConnectionFailed, match="did not answer in time") as told:
        remote.device.info()
    for text in (told.value.hint, told.value.localized("zh")[1]):
        assert "gone" in text
    assert bridge.gate.counts["unknown key"] == 1
    assert any(entry.details.get("reason") == "unknown key" for entry in station.audit.entries())


def test_a_key_that_the_station_does_not_list_is_told_at_once(
    connected: Any, key: Any, channel: Any, virtual: Virtual
) -> None:
    camera = virtual()
    key("gone")
    _, bridge = connected([camera], keys=key("hq"))
    remote = channel("gone").site("shop-0017").camera(camera.sn)
    for call in (remote.device.info, lambda: remote.lens.set_zoom(100)):
        with pytest.raises(errors.AccessDenied, match="does not list our key gone") as told:
            call()
        assert not told.value.sent
        assert "ipc keys list" in told.value.hint
        assert "没有列出我们的密钥" in told.value.localized("zh")[0]
    assert not bridge.gate.counts
    assert channel("hq").site("shop-0017").camera(camera.sn).device.info().sn == camera.sn


def test_a_broker_that_refuses_our_name_is_not_waited_for(mosquitto: Any, keystore: Any) -> None:
    """Refused twice, it is told: the time that a broker may need to be there is not waited out."""
    keystore.create("hq")
    for broker in (
        replace(mosquitto.broker("hq"), password=Secret("another one")),
        replace(mosquitto.broker("hq"), user="nobody"),
    ):
        with Channel(broker, keystore.load("hq")) as opened:
            began = time.monotonic()
            with pytest.raises(errors.AccessDenied, match="no connection to the broker") as told:
                opened.site("shop-0017").camera(SN).device.info()
            assert time.monotonic() - began < 9  # ten seconds are waited for one that does not answer
        assert not told.value.sent
        assert "name and password" in told.value.hint


def test_a_scrape_tells_what_became_of_calls(
    connected: Any, key: Any, channel: Any, virtual: Virtual, kit: Any
) -> None:
    camera = virtual()
    listed = key("hq", "view") + '[http]\nlisten = "127.0.0.1:0"\n'
    station, bridge = connected([camera], keys=listed)
    opened = channel("hq")
    remote = opened.site("shop-0017").camera(camera.sn)
    for _ in range(3):
        remote.device.info()
    with pytest.raises(errors.ForbiddenError):
        remote.lens.set_zoom(100)
    with pytest.raises(errors.CameraNotFound):
        opened.site("shop-0017").camera("FS101D8BS99999").device.info()
    stranger = SigningKey.new("stranger").sign(
        "of something else", StationState(state="online", revision=1, since=1.0)
    )
    for text in (b"no message", stranger.encode(), stranger.encode().replace(b"stranger", b"hq")):
        opened.connection.publish(contract.topic("calls", "shop-0017"), text, schema="calls/1").wait(10)
    assert kit.eventually(lambda: bridge.gate.counts["refused"] == 4), bridge.gate.counts
    server = HttpServer(station)
    try:
        with urllib.request.urlopen(f"{server.start()}/metrics", timeout=10) as answer:
            text = answer.read().decode()
    finally:
        server.close()
    lines = {line for line in text.splitlines() if line.startswith("sunmi_ipc_broker_calls")}
    site = 'site="shop-0017"'
    assert lines >= {
        f'sunmi_ipc_broker_calls_total{{result="done",{site}}} 3.0',
        f'sunmi_ipc_broker_calls_total{{result="failed",{site}}} 1.0',
        f'sunmi_ipc_broker_calls_total{{result="refused",{site}}} 4.0',
        f'sunmi_ipc_broker_calls_refused_total{{reason="not allowed",{site}}} 1.0',
        f'sunmi_ipc_broker_calls_refused_total{{reason="not a message",{site}}} 1.0',
        f'sunmi_ipc_broker_calls_refused_total{{reason="unknown key",{site}}} 1.0',
        f'sunmi_ipc_broker_calls_refused_total{{reason="bad signature",{site}}} 1.0',
    }
    if promtool := shutil.which("promtool"):
        done = subprocess.run(
            [promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=30
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
