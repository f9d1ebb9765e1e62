"""From a camera through a real station and a real broker into the hub's database."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.hub.store import Store, open_url

from .servers import Mosquitto, eventually

ROOT = Path(__file__).parents[2]
FILE = """\
[station]
site = "shop-0017"
name = "Nanjing Road"
timezone = "Asia/Shanghai"
data = "data"
cameras = "site.toml"

[watch]
interval = 2

[counts]
backfill = "2h"
settle = "1s"

[events]
listen = "127.0.0.1:0"

[broker]
url = "{url}"
user = "shop-0017"
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Any]:
    """Start commands that say in a line of JSON when they are ready; SIGTERM must end them in order."""
    running: list[subprocess.Popen[str]] = []
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_")}
    environment |= {
        "SUNMI_IPC_CONFIG_DIR": str(tmp_path / "config"),
        "SUNMI_IPC_INTERFACE": "lo",
        "PYTHONPATH": str(ROOT),
    }

    def command(*words: str) -> dict[str, Any]:
        process = subprocess.Popen(
            [sys.executable, "-m", "sunmi_ipc_cli", "--json", *words], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        ready: dict[str, Any] = json.loads(process.stdout.readline())
        environment.update(ready.get("env", {}), SUNMI_IPC_INTERFACE="lo")
        return ready

    yield command
    codes = []
    for process in reversed(running):
        process.send_signal(signal.SIGTERM)
        codes.append(process.wait(60))
        assert process.stdout is not None
        process.stdout.close()
    assert codes == [0] * len(codes)


@pytest.mark.broker
@pytest.mark.slow
def test_a_real_station_is_understood(broker: Mosquitto, start: Any, tmp_path: Path) -> None:
    cameras = start("sim", "start", "--count", "2", "--state", "ready", "--port", "0", "--events", "30")[
        "cameras"
    ]
    entries = [f'[[cameras]]\nsn = "{c["sn"]}"\naddress = "{c["ip"]}:{c["port"]}"\n' for c in cameras]
    (tmp_path / "site.toml").write_text("".join(entries), "utf-8")
    text = FILE.format(url=broker.url) + '\n[http]\nlisten = "127.0.0.1:0"\n'
    (tmp_path / "station.toml").write_text(text, "utf-8")
    start("hub", "--broker", broker.url, "--database", "hub.db")
    start("serve", "station.toml")
    store = Store(open_url(str(tmp_path / "hub.db")))

    def arrived() -> bool:
        sizes = store.sizes()
        return sizes["sites"] == 1 and sizes["cameras"] == 2 and sizes["counts"] >= 4 and sizes["events"] >= 2

    assert eventually(arrived, 120, 0.5), store.sizes()
    serials = {camera["sn"] for camera in cameras}
    assert eventually(
        lambda: {row["verdict"] for row in store.read("SELECT verdict FROM verdicts_now")} == {"ok"}, 60, 0.5
    )
    (shop,) = store.read("SELECT * FROM shops_now")
    assert (shop["site"], shop["shop"], shop["state"], shop["cameras"]) == (
        "shop-0017",
        "Nanjing Road",
        "online",
        2,
    )
    assert {row["sn"] for row in store.read("SELECT DISTINCT sn FROM counts")} == serials
    assert {row["sn"] for row in store.read("SELECT DISTINCT sn FROM events")} == serials
    # Faces stay in the shop, and nothing was odd.
    assert store.read("SELECT DISTINCT personal FROM events") == [{"personal": 0}]
    assert store.read("SELECT * FROM refused") == []
    store.close()
