"""From a camera through a real station and a real broker into the hub's database."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
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

    command.running = running  # type: ignore[attr-defined]
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


@pytest.mark.broker
@pytest.mark.slow
def test_a_shop_that_gets_another_name(broker: Mosquitto, start: Any, tmp_path: Path) -> None:
    """Nothing is sent twice; the old name is offline, and gone when somebody takes it off the broker as the page says."""
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("mosquitto_sub is not installed (apt install mosquitto-clients)")
    (camera,) = start("sim", "start", "--count", "1", "--state", "ready", "--port", "0")["cameras"]
    entry = f'[[cameras]]\nsn = "{camera["sn"]}"\naddress = "{camera["ip"]}:{camera["port"]}"\n'
    (tmp_path / "site.toml").write_text(entry, "utf-8")
    text = FILE.format(url=broker.url) + '\n[http]\nlisten = "127.0.0.1:0"\n'
    (tmp_path / "station.toml").write_text(text, "utf-8")
    start("hub", "--broker", broker.url, "--database", "hub.db")
    start("serve", "station.toml")
    store = Store(open_url(str(tmp_path / "hub.db")))

    def shops() -> dict[str, str]:
        return {row["site"]: row["state"] for row in store.read("SELECT * FROM shops_now")}

    def sites() -> dict[str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "sunmi_ipc_cli", "--json", "--via", broker.url, "sites", "list"],
            capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": str(ROOT)}, cwd=tmp_path,
        )  # fmt: skip
        return {site["site"]: site["state"] for site in json.loads(done.stdout)["sites"]}

    def windows(site: str) -> list[int]:
        found = store.read("SELECT starts FROM counts WHERE site = :site ORDER BY starts", site=site)
        return [row["starts"] for row in found]

    assert eventually(lambda: len(windows("shop-0017")) >= 7 and store.sizes()["cameras"] == 1, 120, 0.5)
    station = start.running.pop()
    station.send_signal(signal.SIGTERM)
    assert station.wait(60) == 0
    station.stdout.close()
    (tmp_path / "station.toml").write_text(text.replace("shop-0017", "shop-0099"), "utf-8")
    start("serve", "station.toml")
    both = {"shop-0017": "offline", "shop-0099": "online"}
    assert eventually(lambda: shops() == both, 60, 0.5), shops()
    assert sites() == both
    assert eventually(lambda: len(store.read("SELECT 1 FROM verdicts_now WHERE site = 'shop-0099'")) == 1, 60)
    assert not {*windows("shop-0099")} & {*windows("shop-0017")[:-1]}  # the last one may be told anew

    page = (ROOT / "docs" / "many-shops.md").read_text("utf-8")
    (line,) = re.findall(r"^mosquitto_sub (.*?[^\\])\n", page, re.M | re.S)
    words = shlex.split(line.replace("\\\n", " "))
    words = [str(broker.port) if word == "8883" else word.replace("$HOST", "127.0.0.1") for word in words]
    for option in ("--cafile", "-u", "-P"):  # this broker lets everybody in
        at = words.index(option)
        del words[at : at + 2]
    subprocess.run(["mosquitto_sub", *words], capture_output=True, timeout=60, check=False)
    assert eventually(lambda: shops() == {"shop-0099": "online"}, 60, 0.5), shops()
    assert sites() == {"shop-0099": "online"}
    assert store.read("SELECT DISTINCT site FROM verdicts_now") == [{"site": "shop-0099"}]
    assert store.read("SELECT DISTINCT site FROM availability") == [{"site": "shop-0099"}]
    assert len(windows("shop-0017")) >= 7  # what was counted stays
    assert store.read("SELECT * FROM refused") == []
    store.close()
