"""The disk of a whole running station fills up, and has room again: what was acknowledged is there, and all is told."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.broker import channel as channels
from sunmi_ipc.broker.contract import StationState
from sunmi_ipc.simulator import VirtualCamera
from sunmi_ipc.station.http import HttpServer
from tests.events.conftest import FACE, form, signed
from tests.station.test_alerts import Hook

from .test_bridge import ear

__all__ = ["ear"]  # a fixture
pytestmark = [pytest.mark.broker, pytest.mark.slow]
Virtual = Callable[..., VirtualCamera]
#: Seconds for which the disk is full.
FULL_S = float(os.environ.get("SUNMI_IPC_TEST_FULL_S", "5"))


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """The station's data folder, on a file system of its own."""
    data = tmp_path / "shop-0017" / "data"
    data.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(data)]
    if not hasattr(os, "geteuid") or os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system needs root and the right to mount")
    yield data
    subprocess.run(["umount", "-l", str(data)], check=True)


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


class Pushes:
    """A camera that pushes event after event, and tries again what was not taken."""

    def __init__(self, receiver: Any, settings: Any) -> None:
        self._receiver, self._settings = receiver, settings
        self.taken: list[str] = []
        self.refused = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.wait(0.01):
            fields = FACE | {"event_id": f"e{number}", "note": "n" * 5000}
            body = form(signed(fields, "".join(self._settings.secret_key), self._settings.app_id))
            connection = http.client.HTTPConnection(self._receiver.host, self._receiver.port, timeout=60)
            with contextlib.closing(connection):
                connection.request("POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded"})
                status = connection.getresponse().status
            if status == 200:
                self.taken.append(f"e{number}")
                number += 1
            else:
                assert status == 503
                self.refused += 1

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def test_a_disk_that_fills_up_under_a_running_station_and_has_room_again(
    small: Path, hook: Hook, connected: Any, settings: Any, virtual: Virtual, kit: Any, ear: Any, key: Any,
    channel: Any, mosquitto: Any, monkeypatch: pytest.MonkeyPatch, head_office: None,
) -> None:  # fmt: skip
    camera, hears = virtual(), ear()
    monkeypatch.setenv("ALERT_URL", hook.url)
    station, _ = connected(
        [camera], events='enabled = true\nlisten = "127.0.0.1:0"', keys=key("hq", "admin") + '[http]\nlisten = "127.0.0.1:0"\n',
        watch='disk = 4\nnotify = ["env:ALERT_URL"]\ngroup = 0.3',
    )  # fmt: skip
    server = HttpServer(station)
    url = server.start()
    remote = channel("hq").site("shop-0017").camera(camera.sn)
    pushes = Pushes(station.intake.receiver, settings)

    def asked(path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"{url}{path}", timeout=60) as answer:
                return answer.status, json.loads(answer.read())["status"]
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())["status"]

    def told() -> set[str]:
        """What is the matter, by what the station has said at the broker."""
        states: list[StationState] = hears.read("station")
        return {reason.code for reason in states[-1].reasons} if states else set()

    def alerted(what: str) -> set[str]:
        """What people were told: that it is the matter ("reasons"), that it no longer is ("over")."""
        return {one["code"] for _, message, _ in hook.got for one in message[what]}

    def looks() -> bool:
        station.upkeep.own()
        return True

    try:
        assert kit.eventually(lambda: len(pushes.taken) > 20 and asked("/readyz") == (200, "ok"))
        remote.image.set_led(True)
        (small / "filler").write_bytes(b"")
        with (small / "filler").open("ab", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 65_536)
        # Full: nothing is taken that could not be kept, and it is said on the screen, at the broker and to people.
        assert kit.eventually(lambda: pushes.refused > 3)
        wanted = {"disk", "events"}
        assert kit.eventually(lambda: looks() and {r.code for r in station.status().reasons} >= wanted)
        assert asked("/healthz") == (200, "ok")  # it lives: whoever restarts it would help nobody
        assert asked("/readyz")[0] == 503
        assert kit.eventually(lambda: told() >= wanted), hears.read("station")
        assert kit.eventually(lambda: alerted("reasons") >= wanted), hook.got
        line = ["--via", mosquitto.url, "--json", "sites", "status"]
        done = CliRunner().invoke(app, line)
        assert done.exit_code == 7
        assert set(json.loads(done.stdout)["sites"][0]["reasons"]) >= wanted
        end = time.monotonic() + FULL_S
        while time.monotonic() < end:
            time.sleep(0.2)
            (seen,) = station.status().cameras  # watching goes on
            assert (seen.sn, str(seen.verdict)) == (camera.sn, "ok")
        before = len(pushes.taken)
        # Room again: it goes on by itself.
        (small / "filler").unlink()
        assert kit.eventually(lambda: len(pushes.taken) > before + 20)
        assert kit.eventually(
            lambda: looks() and not {r.code for r in station.status().reasons} & {*wanted, "database"}
        )
        assert asked("/readyz") == (200, "ok")
        assert kit.eventually(lambda: not told() & wanted)
        assert kit.eventually(lambda: alerted("over") >= wanted), hook.got
        remote.image.set_led(False)
        assert station.store.dropped == 0
    finally:
        pushes.close()
        server.close()
        channels.close_shared()
    kept = [s.event.event_id for s in station.intake.spool.replay(datetime(2000, 1, 1, tzinfo=UTC))]
    assert sorted(kept) == sorted(pushes.taken)
    # The alert itself waited until there was room for it.
    assert kit.eventually(lambda: {a.code for a in hears.read("alerts") if a.state == "closed"} >= wanted)
