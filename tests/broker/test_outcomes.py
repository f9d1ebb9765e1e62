"""What becomes of calls that change something, whatever is lost, late, doubled or killed: done once, and told rightly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc import errors
from sunmi_ipc.broker import camera as remote_camera
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.store import StoreError

pytestmark = pytest.mark.broker
Virtual = Callable[..., VirtualCamera]
JOIN, FORMAT, ACTIVATE = "config/setWifiConf", "config/formatMemoryCard", "device/activate"
#: The calls that hurt most if they were done twice: what they are called by, and where the camera counts them.
CALLS: dict[str, tuple[str, Callable[[Any], Any], str]] = {
    "wifi": ("ready", lambda camera: camera.wifi.join("Shop-WiFi", "a-password"), JOIN),
    "format": ("ready", lambda camera: camera.sdcard.format_and_wait(timeout=10, interval=0.05), FORMAT),
    "activate": ("factory", lambda camera: camera.device.activate(camera.sn), ACTIVATE),
}


class Way:
    """What a broker does with calls on their way to a gate, and with its answers."""

    def __init__(self, bridge: Any) -> None:
        self._gate = bridge.gate
        self._take, self._reply = bridge.gate.take, bridge.gate._reply
        self.calls: Callable[[bytes], list[bytes]] = lambda payload: [payload]
        self.answers: Callable[[Any], list[Any]] = lambda envelope: [envelope]
        bridge.gate.take, bridge.gate._reply = self.take, self.reply

    def take(self, payload: bytes) -> None:
        for one in self.calls(payload):
            self._take(one)

    def reply(self, client: str, envelope: Any) -> None:
        for one in self.answers(envelope):
            self._reply(client, one)


@pytest.fixture
def shop(
    connected: Any, key: Any, channel: Any, virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """A camera behind a station, and the way there: ``camera, remote, way, bridge``."""
    monkeypatch.setattr(remote_camera, "_MARGIN_S", 1.0)
    monkeypatch.setattr(remote_camera, "RECALL_S", 4.0)
    monkeypatch.setattr(remote_camera, "_AGAIN_S", (0.1, 0.3))

    def make(state: str = "ready", **limits: str) -> Any:
        camera = virtual(state=state)
        camera.state.wired = True
        _, bridge = connected([camera], keys=key("hq", "admin", **limits))
        remote = channel("hq").site("shop-0017").camera(camera.sn, timeout=0.5)
        return camera, remote, Way(bridge), bridge

    return make


def first_of(messages: int) -> Callable[[], bool]:
    """Whether it is one of the first so many."""
    seen: list[int] = []

    def is_first() -> bool:
        seen.append(1)
        return len(seen) <= messages

    return is_first


def doubled(message: Any) -> list[Any]:
    return [message] * 3


@pytest.mark.slow
@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("trouble", ["answer lost", "doubled", "late", "reordered"])
def test_done_once_whatever_the_broker_does(shop: Any, what: str, trouble: str) -> None:
    state, call, path = CALLS[what]
    camera, remote, way, _ = shop(state)
    first, kept = first_of(1), []
    if trouble == "answer lost":
        way.answers = lambda envelope: [] if first() else [envelope]
    elif trouble == "doubled":
        way.calls = way.answers = doubled
    elif trouble == "late":  # the call comes when nobody waits for it any more
        way.calls = lambda payload: kept.append(payload) or [] if first() else [payload]
    else:  # after the question what became of it

        def after(payload: bytes) -> list[bytes]:
            if first():
                kept.append(payload)
                return []
            return [payload, *kept]

        way.calls = after
    call(remote)
    for payload in kept:
        way._take(payload)
    time.sleep(0.3)
    assert camera.state.counts[path] == 1


@pytest.mark.slow
@pytest.mark.parametrize("how", ["acted", "never had"])
def test_a_caller_whose_broker_died_asks_as_soon_as_it_is_back(shop: Any, mosquitto: Any, how: str) -> None:
    """And not after the time that an answer may take, which nobody will send any more."""
    camera, remote, way, _ = shop()
    remote.device.info()
    remote.timeout = 60.0
    reached, first = threading.Event(), first_of(1)

    def dies(message: Any) -> list[Any]:
        if not first():
            return [message]
        reached.set()
        return []

    if how == "acted":
        way.answers = dies
    else:
        way.calls = dies
    for call in (lambda: remote.image.set_led(True), remote.device.info):
        done = threading.Thread(target=call)
        done.start()
        assert reached.wait(20)
        mosquitto.stop(signal.SIGKILL)
        mosquitto.start()
        began = time.monotonic()
        done.join(25)
        assert not done.is_alive()
        assert time.monotonic() - began < 20
        reached.clear()
        first = first_of(1)
    assert camera.state.counts["config/setLed"] == 1


def test_asking_what_became_of_a_call_does_not_use_up_the_calls_of_a_minute(shop: Any) -> None:
    camera, remote, way, bridge = shop(calls_per_minute="4")
    first = first_of(1)
    way.answers = lambda envelope: [] if first() else [envelope]
    bridge.gate._recent["hq"].extend([time.monotonic()] * 3)
    remote.image.set_led(True)
    assert camera.state.counts["config/setLed"] == 1


def test_not_to_be_allowed_to_ask_says_nothing_of_the_call(shop: Any) -> None:
    _, remote, way, bridge = shop(calls_per_minute="4")
    first = first_of(1)
    way.answers = lambda envelope: [] if first() else [envelope]
    bridge.gate._recalled["hq"].extend([time.monotonic()] * 4)
    with pytest.raises(errors.OutcomeUnknown, match="not known whether it was carried out") as caught:
        remote.image.set_led(True)
    assert caught.value.sent


def test_a_refusal_whose_answer_is_lost_is_still_a_refusal(shop: Any) -> None:
    camera, remote, way, _ = shop(endpoints='["lens.*"]')
    first = first_of(1)
    way.answers = lambda envelope: [] if first() else [envelope]
    with pytest.raises(errors.ForbiddenError, match="may not call") as caught:
        remote.image.set_led(True)
    assert not caught.value.sent
    assert "config/setLed" not in camera.state.counts


def test_a_store_that_fails_is_no_failure_of_the_call(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    camera, remote, way, bridge = shop()
    first, broken = first_of(1), first_of(2)
    way.answers = lambda envelope: [] if first() else [envelope]
    store = bridge.gate._station.store
    read = store.read

    def fails(sql: str, values: Any = ()) -> Any:
        if "FROM requests WHERE nonce" in sql and broken():
            raise StoreError("the disk is gone")
        return read(sql, values)

    monkeypatch.setattr(store, "read", fails)
    remote.image.set_led(True)
    assert camera.state.counts["config/setLed"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("what", CALLS)
def test_a_station_that_is_gone_after_it_has_acted(shop: Any, what: str) -> None:
    """Never "done", never "not sent": it is not known, and the next step is said."""
    state, call, path = CALLS[what]
    camera, remote, way, _bridge = shop(state)
    way.answers = lambda envelope: []
    with pytest.raises(errors.OutcomeUnknown) as caught:
        call(remote)
    assert camera.state.counts[path] == 1
    assert caught.value.sent
    assert "look at the camera" in caught.value.hint
    assert "不知道" in caught.value.localized("zh")[1]


def test_a_key_that_changes_meanwhile_is_no_refusal_of_the_call(
    shop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote, way, _ = shop()
    way.answers = lambda envelope: []

    def changed(*_: Any) -> None:
        raise errors.ForbiddenError("the answers of {site} are signed with another key than before", site="x")

    once = remote.site.once

    def asked(kind: Any, timeout: float, **fields: Any) -> Any:
        if kind == "recall":
            changed()
        return once(kind, timeout, **fields)

    monkeypatch.setattr(remote.site, "once", asked)
    with pytest.raises(errors.OutcomeUnknown, match="another key than before") as caught:
        remote.image.set_led(True)
    assert caught.value.sent


# -- whole processes -------------------------------------------------------------------------------


class Ipc:
    """``ipc`` at head office, in a process of its own."""

    def __init__(self, url: str, config: Path) -> None:
        self._line = [sys.executable, "-m", "sunmi_ipc_cli", "--via", url, "--site", "shop-0017", "--json"]
        self._env = os.environ | {"SUNMI_IPC_CONFIG_DIR": str(config)}

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._line, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=self._env
        )

    def run(self, *words: str) -> tuple[int, str, str]:
        process = self.start(*words)
        out, told = process.communicate(timeout=120)
        return process.returncode, out, told


@pytest.fixture
def served(
    mosquitto: Any, station_file: Any, settings: Any, head_office: None, tmp_path: Path, virtual: Virtual
) -> Iterator[Callable[..., Any]]:
    """A shop and head office as processes: ``camera, ipc, station``, where ``station()`` starts it (again)."""
    running: list[Any] = []

    def make(state: str) -> Any:
        made = subprocess.run(
            [sys.executable, "-m", "sunmi_ipc_cli", "--json", "keys", "new", "hq"],
            capture_output=True, check=True, env=os.environ.copy(),
        )  # fmt: skip
        public = json.loads(made.stdout)["public"]
        camera = virtual(state=state)
        camera.state.wired = True
        path = station_file(
            [camera], url=mosquitto.url, ca=mosquitto.ca,
            keys=f'[[broker.keys]]\nname = "hq"\npublic = "{public}"\nrole = "admin"\n[http]\nlisten = "127.0.0.1:0"\n',
        )  # fmt: skip
        secrets = {name: value for name, value in camera.vendor.environment().items()}

        def station() -> subprocess.Popen[str]:
            process = subprocess.Popen(
                [sys.executable, "-m", "sunmi_ipc_cli", "--json", "serve", str(path)],
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | secrets,
            )  # fmt: skip
            running.append(process)
            assert process.stdout is not None
            assert json.loads(process.stdout.readline())["ready"]
            return process

        ipc = Ipc(mosquitto.url, tmp_path / "config")
        return camera, ipc, station

    yield make
    for process in running:
        process.kill()
        process.wait(20)
        process.stdout.close()


WORDS = {
    "wifi": ("wifi", "set", "Shop-WiFi", "12345678", "--hidden"),
    "format": ("sdcard", "format", "--yes"),
    "activate": ("activate", "--yes"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "killed"),
    [("wifi", "station"), ("format", "station"), ("activate", "station"), ("format", "broker")],
)
def test_what_is_killed_between_act_and_answer(served: Any, mosquitto: Any, what: str, killed: str) -> None:
    state, _, path = CALLS[what]
    camera, ipc, station = served(state)
    process = station()
    acted, hold, once = threading.Event(), camera.hold, first_of(1)

    def act(called: str, answer: dict[str, Any]) -> None:
        if called == path and once():
            if killed != "broker":
                process.kill()
                process.wait(20)
            if killed != "station":
                mosquitto.stop(signal.SIGKILL)
            acted.set()
        hold(called, answer)

    camera.hold = act
    time.sleep(2)
    words = [*WORDS[what]]
    words[1:1] = [camera.sn] if what == "activate" else []
    asked = ipc.start("-c", camera.sn, *words)
    assert acted.wait(60), asked.communicate(timeout=60)
    time.sleep(1)
    if killed != "station":
        mosquitto.start()
    if killed != "broker":
        process = station()
    out, told = asked.communicate(timeout=120)
    assert camera.state.counts[path] == 1
    said = json.loads(out)
    if killed == "broker":  # the station knows, and is asked
        assert asked.returncode == 0, (out, told)
    else:
        assert asked.returncode == 3, (out, told)
        assert said["error"]["type"] == "OutcomeUnknown"
        assert "not known" in said["error"]["hint"]
