"""A fleet behind a broker that loses every third answer; and one whose way is closed in the middle of the run."""

from __future__ import annotations

import itertools
import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.broker import camera as remote_camera
from sunmi_ipc.broker import channel
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.i18n import translate
from sunmi_ipc.station import bridge as bridging
from tests.patience import eventually

from .test_via import ipc, shop

__all__ = ["ipc", "shop"]  # fixtures
pytestmark = [pytest.mark.broker, pytest.mark.slow]
ACTIVATE = "device/activate"
#: Seconds that the way may be closed in these runs.
POLICY = "[apply]\ntimeout = 2\nrestart = 3\nsettle = 0.5\n"


def site_of(cameras: list[Any], folder: Path, policy: str = "") -> Path:
    site = folder / "wanted.toml"
    site.write_text(
        f"{policy}[defaults]\nir = 'off'\nled = false\n"
        + "".join(f'[[cameras]]\nsn = "{c.sn}"\nname = "Door {n}"\n' for n, c in enumerate(cameras, 1)),
        "utf-8",
    )
    return site


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_camera, "_MARGIN_S", 1.0)
    monkeypatch.setattr(remote_camera, "_AGAIN_S", (0.1, 0.3))


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_every_third_answer_is_lost(
    quick: None, shop: Callable[..., Any], ipc: Any, tmp_path: Path, lost: int
) -> None:
    cameras, _, bridge = shop(3, state="factory")
    reply, number, dropped = bridge.gate._reply, itertools.count(), []

    def loses(client: str, envelope: Any) -> None:
        if next(number) % 3 == lost:
            dropped.append(client)
        else:
            reply(client, envelope)

    bridge.gate._reply = loses
    site = site_of(cameras, tmp_path, POLICY.replace("restart = 3", "restart = 60"))
    ipc("fleet", "apply", str(site), "--yes")
    assert len(dropped) > 5
    for camera in cameras:
        assert camera.state.counts[ACTIVATE] == 1
        assert camera.state.activated
    bridge.gate._reply = reply
    ipc("fleet", "verify", str(site))


class Closed:
    """Closes the way to a shop's cameras in the middle of a run, and opens it again."""

    def __init__(
        self, shop: Callable[..., Any], mosquitto: Any, connected: Any, patch: pytest.MonkeyPatch
    ) -> None:
        self.mosquitto, self.connected, self.patch = mosquitto, connected, patch
        self.cameras, self.station, self.bridge = shop(3, state="factory")
        self._file = self.station.loaded.path
        self._text = self._file.read_text("utf-8")
        self._passwords = mosquitto.folder / "passwords"
        self._users = self._passwords.read_text()

    def _restart(self, text: str) -> None:
        self.bridge.close()
        self.station.close()
        _, keys = text.split("[[broker.keys]]") if "[[broker.keys]]" in text else ("", "")
        self.station, self.bridge = self.connected(
            self.cameras, keys=f"[[broker.keys]]{keys}" if keys else ""
        )

    def key(self, *, back: bool = False) -> None:
        """The shop takes the key out of its station file, and restarts its station."""
        self._restart(self._text if back else self._text.partition("[[broker.keys]]")[0])

    def key_of_a_station_that_does_not_tell(self, *, back: bool = False) -> None:
        """The same, with a station of before: it says nothing to a key that it does not list."""
        if back:
            self._restart(self._text)
        else:
            self.bridge.gate._known.clear()

    def user(self, *, back: bool = False) -> None:
        """The broker takes our name from its list."""
        kept = [line for line in self._users.splitlines(keepends=True) if not line.startswith("hq:")]
        self._passwords.write_text(self._users if back else "".join(kept))
        self.mosquitto.process.send_signal(signal.SIGHUP)

    def station_stopped(self, *, back: bool = False) -> None:
        if back:
            self._restart(self._text)
        else:
            self.bridge.close()

    def broker(self, *, back: bool = False) -> None:
        if back:
            self.mosquitto.start()
            assert eventually(lambda: self.bridge.connection.connected)
        else:
            self.mosquitto.stop()


#: What is closed, and what of it is said.
WAYS = {
    Closed.key: ("does not list our key {key}", "the station {site} does not list our key {key}"),
    Closed.key_of_a_station_that_does_not_tell: (
        "list our key {key} no longer",
        "the station {site} did not answer in time",
    ),
    Closed.user: ("no connection to the broker", "no connection to the broker {broker}: {reason}"),
    Closed.station_stopped: ("is offline", "the station {site} is offline"),
    Closed.broker: ("no connection to the broker", "no connection to the broker {broker}: {reason}"),
}


@pytest.mark.parametrize("close", WAYS, ids=lambda close: close.__name__)
def test_the_way_is_closed_while_a_fleet_is_applied(
    quick: None, monkeypatch: pytest.MonkeyPatch, shop: Any, ipc: Any, mosquitto: Any, connected: Any,
    tmp_path: Path, close: Callable[..., None],
) -> None:  # fmt: skip
    """The run ends, says why and what next; the journal has what was done; the next run ends what this began."""
    monkeypatch.setattr(remote_camera, "RECALL_S", 2.0)
    if close is Closed.key_of_a_station_that_does_not_tell:
        monkeypatch.setattr(bridging, "_CALLERS", -1)
    way = Closed(shop, mosquitto, connected, monkeypatch)
    site = site_of(way.cameras, tmp_path, POLICY)
    acted = threading.Event()
    hold = way.cameras[0].hold

    def acts(called: str, answer: dict[str, Any]) -> None:
        hold(called, answer)
        if called == ACTIVATE:
            acted.set()

    for camera in way.cameras:
        camera.hold = acts

    def closes() -> None:
        acted.wait()
        close(way)

    thread = threading.Thread(target=closes)
    thread.start()
    code, told = ipc("--json", "fleet", "apply", str(site), "--yes", code=None)
    acted.set()
    thread.join()
    assert code == 7, told
    cameras = json.loads(told)["cameras"]
    problems = [problem for camera in cameras for problem in camera["problems"]]
    said, template = WAYS[close]
    said = said.format(key="hq")
    assert any(said in problem["message"] + (problem["hint"] or "") for problem in problems)
    assert all(problem["hint"] for problem in problems)
    assert any(
        "\u4e00" <= sign <= "\u9fff"
        for sign in translate(template, "zh", {"site": "x", "key": "hq", "broker": "b", "reason": ""})
    )
    with Journal(site.with_suffix(".journal"), write=False) as book:
        steps = list(book.steps())
    activated = [camera.sn for camera in way.cameras if camera.state.activated]
    assert activated
    assert len(activated) < len(cameras)
    # Whatever a camera has done is in the journal, as done, or as begun where the answer was lost; no more is done.
    states = {step.sn: step.state for step in steps if step.step == "activate"}
    assert all(states[sn] in ("done", "begun") for sn in activated)
    assert {sn for sn, state in states.items() if state == "done"} <= {*activated}
    for camera in way.cameras:
        camera.hold = hold
    close(way, back=True)
    channel.close_shared()  # the next command is another process
    ipc("fleet", "apply", str(site), "--yes")
    assert [camera.state.counts[ACTIVATE] for camera in way.cameras] == [1, 1, 1]
    ipc("fleet", "verify", str(site))
