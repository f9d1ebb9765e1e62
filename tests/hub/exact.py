"""A rough time for hub, broker and database while stations speak; then every row is compared with what was said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sunmi_ipc.broker import contract
from sunmi_ipc.broker.connection import Broker
from sunmi_ipc.hub.store import Away, Store, open_url
from sunmi_ipc.simulator.sites import VirtualSites, digest, opened

from .servers import Mosquitto, Postgres, eventually, hub_command

ROOT = Path(__file__).parents[2]


class HubProcess:
    """A hub in a process of its own, which can be killed."""

    def __init__(self, broker: str, database: str, name: str, folder: Path, *more: str) -> None:
        self._command = hub_command(broker, database, "--name", name, *more)
        self._folder, self._name = folder, name
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> HubProcess:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUNMI_IPC_HUB")}
        environment |= {"PYTHONPATH": str(ROOT), "SUNMI_IPC_CONFIG_DIR": str(self._folder / "config")}
        with (self._folder / f"{self._name}.log").open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
        return self

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(20)

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def log(self) -> str:
        return (self._folder / f"{self._name}.log").read_text("utf-8", "replace")


def said_by(row: dict[str, Any], table: str) -> contract.Payload:
    """The payload that a row must have come from."""
    if table == "counts":
        names = {"start": "starts", "end": "ends"}
        values = {f: row[names.get(f, f)] for f in contract.Counts.model_fields if f != "people"}
        return contract.Counts(**values, people=json.loads(row["people"]))
    if table == "events":
        values = {f: row[f] for f in contract.Event.model_fields if f not in ("data", "personal")}
        return contract.Event(**values, data=json.loads(row["data"]), personal=bool(row["personal"]))
    return contract.Alert(**{f: row[f] for f in contract.Alert.model_fields if f != "details"})


def compare(store: Store, ledger: dict[str, tuple[int, str]]) -> dict[str, Any]:
    """What is lost, what is there that nobody said, and what says something else."""
    found: dict[str, tuple[int, str]] = {}
    doubled = 0
    for table in ("counts", "events", "alerts"):
        for row in store.read(f"SELECT * FROM {table}"):
            doubled += row["key"] in found
            found[row["key"]] = (row["revision"], digest(said_by(row, table)))
    return {
        "said": len(ledger),
        "rows": len(found),
        "lost": len(ledger.keys() - found.keys()),
        "strange": len(found.keys() - ledger.keys()),
        "doubled": doubled,
        "different": sum(found[key] != value for key, value in ledger.items() if key in found),
    }


def rough(
    folder: Path,
    *,
    messages: int,
    kills: int,
    restarts: int,
    stops: int,
    stations: int = 20,
    cameras: int = 10,
    hubs: int = 2,
    rate: float = 3000.0,
    patience: float = 120.0,
    tell: Any = lambda text: None,
) -> dict[str, Any]:
    """Kill hubs, restart the broker and stop the database while *messages* are said; returns how it ended."""
    actions = ["kill"] * kills + ["restart"] * restarts + ["stop"] * stops
    # Spread each kind evenly, mixed with each other, the same each time.
    places = sorted(
        ((n + 0.5) / total, kind) for kind, total in Counter(actions).items() for n in range(total)
    )
    done: Counter[str] = Counter()
    began = time.monotonic()
    with Mosquitto(folder / "broker") as broker, Postgres(folder / "database") as database:
        running = [
            HubProcess(broker.url, database.url, f"hub-{n}", folder, "-v").start() for n in range(hubs)
        ]
        store = Store(open_url(database.url))
        make, connect = opened(Broker.of(broker.url))
        try:
            assert eventually(lambda: all('"ready"' in hub.log for hub in running), 300), running[0].log
            with VirtualSites(
                make, connect, count=stations, cameras=cameras, rate=rate, limit=messages, start=1_795_600_000, keep=True
            ) as sites:  # fmt: skip
                for place, kind in places:
                    assert eventually(lambda p=place: sites.tally.acknowledged >= p * messages, 900)
                    tell(f"{sites.tally.acknowledged:,} at the broker: {kind}")
                    if kind == "kill":
                        hub = running[done["kill"] % hubs]
                        hub.kill()
                        hub.start()
                    elif kind == "restart":
                        broker.stop()
                        time.sleep(0.5)
                        broker.start()
                    else:
                        database.stop("immediate" if done["stop"] % 2 else "fast")
                        time.sleep(2)
                        database.start()
                    done[kind] += 1
                assert eventually(lambda: sites.finished, patience + messages / 200), sites.waiting
                ledger, tally = dict(sites.tally.ledger), sites.tally
                settled = time.monotonic()

                def complete() -> bool:
                    try:
                        sizes = store.sizes()
                    except Away:
                        return False
                    return sizes["counts"] + sizes["events"] + sizes["alerts"] >= len(ledger)

                eventually(complete, patience, 0.5)
                # What is newer for a key that is there already does not show in a number of rows.
                time.sleep(1)
                result = compare(store, ledger)
                if result["different"]:
                    time.sleep(5)
                    result = compare(store, ledger)
            refused = store.read("SELECT * FROM refused")
        finally:
            for hub in running:
                hub.kill()
            store.close()
    return result | {
        "done": dict(done),
        "resent": tally.resent,
        "connects": tally.connects,
        "refused": len(refused),
        "seconds": round(time.monotonic() - began, 1),
        "settling": round(time.monotonic() - settled, 1),
        "logs": [hub.log[-1500:] for hub in running],
    }


__all__ = ["HubProcess", "compare", "rough", "said_by"]
