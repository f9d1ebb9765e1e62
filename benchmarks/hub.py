"""Many shops at one broker, one hub, one database: how much, how fast, and is every row what was said.

    python benchmarks/hub.py scale [--stations 100 300 1000] [--cameras 10] [--rate 500] [--seconds 60]
    python benchmarks/hub.py exact [--messages 200000] [--kills 20] [--restarts 5] [--stops 3]

``scale`` starts, for each number of stations, a Mosquitto, a PostgreSQL, a hub and the simulated stations as
processes of their own, and measures twice: at a *steady* rate, how long a message takes from the station to
its committed row (PostgreSQL's own commit time, ``track_commit_timestamp``), and *flooded*, how many rows a
second there can be. CPU is what each process used of one core, from ``/proc``.

``exact`` kills hubs, restarts the broker and stops the database while 200,000 messages are said, and then
compares every row with what was said. Exit code 1 where one is lost, doubled or different.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from hub.exact import HubProcess, rough  # noqa: E402
from hub.servers import Mosquitto, Postgres, eventually  # noqa: E402

from sunmi_ipc.hub.store import Store, open_url  # noqa: E402

_TICK = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> Iterator[int]:
    """A process and those under it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    todo = [pid]
    while todo:
        found = todo.pop()
        yield found
        todo += parents.get(found, [])


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process, its children and those that have ended used."""
    total = 0.0
    for found in family(pid):
        try:
            fields = Path(f"/proc/{found}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(fields[n]) for n in ((11, 12, 13, 14) if found == pid else (11, 12)))
    return total / _TICK


def resident_mb(pid: int) -> float:
    """Memory of a process and its children, each page once (PSS where it can be read)."""
    total = 0.0
    for found in family(pid):
        try:
            text = Path(f"/proc/{found}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024
    return total


@dataclass
class Run:
    """What one phase measured."""

    stations: int
    cameras: int
    phase: str
    asked: float
    seconds: float
    rows: int
    p50_ms: float
    p99_ms: float
    cpu: dict[str, float]
    memory: dict[str, float]

    def line(self) -> str:
        """A row of the table."""
        cpu = " ".join(f"{name} {share * 100:.0f} %" for name, share in self.cpu.items())
        memory = " ".join(f"{name} {size:.0f}" for name, size in self.memory.items())
        return (
            f"{self.stations:6} {self.phase:8} {self.asked:6.0f} {self.rows / self.seconds:8.0f} rows/s "
            f"(of a core-second {' '.join(f'{n} {self.rows / max(c * self.seconds, 1e-9):.0f}' for n, c in self.cpu.items())}) "
            f"p50 {self.p50_ms:7.0f} ms p99 {self.p99_ms:7.0f} ms | CPU {cpu} | MB {memory}"
        )


def simulate(broker: Mosquitto, stations: int, cameras: int, rate: float, seed: int) -> subprocess.Popen[str]:
    """Simulated stations in a process of their own; returns when all are connected."""
    command = [
        sys.executable, "-m", "sunmi_ipc_cli", "--json", "sim", "sites", "--broker", broker.url, "--calm",
        "--count", str(stations), "--cameras", str(cameras), "--rate", str(rate), "--seed", str(seed), "--since", "2026-11-18T02:00:00Z",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    return process


def measure(stations: int, cameras: int, rate: float, seconds: float, phase: str) -> Run:
    """One phase, with everything started anew."""
    folder = Path(tempfile.mkdtemp(prefix="hub-benchmark-"))
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker"))
        database = stack.enter_context(Postgres(folder / "database"))
        hub = HubProcess(broker.url, database.url, "hub", folder).start()
        stack.callback(hub.kill)
        assert eventually(lambda: '"ready"' in hub.log, 60), hub.log
        store = Store(open_url(database.url))
        stack.callback(store.close)
        simulator = simulate(broker, stations, cameras, rate, seed=stations)
        stack.callback(simulator.kill)
        # First every station says how all its cameras are: that is no part of it.
        assert eventually(lambda: store.sizes()["cameras"] >= stations * cameras, 300, 0.5)
        time.sleep(5)
        assert broker.process is not None
        assert hub.process is not None
        pids = {
            "broker": broker.process.pid,
            "hub": hub.process.pid,
            "database": database.pid(),
            "stations": simulator.pid,
        }
        query = "SELECT (SELECT count(*) FROM counts) + (SELECT count(*) FROM events) AS n"
        before, cpu = store.read(query)[0]["n"], {name: cpu_s(pid) for name, pid in pids.items()}
        began = time.time()
        time.sleep(seconds)
        after, used = store.read(query)[0]["n"], {name: cpu_s(pid) - cpu[name] for name, pid in pids.items()}
        lasted = time.time() - began
        memory = {name: resident_mb(pid) for name, pid in pids.items()}
        simulator.send_signal(signal.SIGTERM)
        lag = store.read(
            "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY lag) AS p50, percentile_cont(0.99) WITHIN GROUP (ORDER BY lag) AS p99 "
            "FROM (SELECT extract(epoch FROM pg_xact_commit_timestamp(xmin)) - received AS lag FROM events "
            "WHERE received BETWEEN :began AND :ended) AS lags",
            began=began,
            ended=began + lasted,
        )[0]
        return Run(
            stations, cameras, phase, rate, lasted, after - before,
            float(lag["p50"] or 0) * 1000, float(lag["p99"] or 0) * 1000,
            {name: seconds_ / lasted for name, seconds_ in used.items()}, memory,
        )  # fmt: skip


def scale(options: argparse.Namespace) -> int:
    """Growth over the number of stations."""
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} cores; load before it began: {load:.1f}"
        + (" - the machine is shared" if load > 0.5 else "")
    )
    for stations in options.stations:
        for phase, rate in (("steady", options.rate), ("flooded", options.flood)):
            run = measure(stations, options.cameras, rate, options.seconds, phase)
            print(run.line(), flush=True)
            if options.json:
                with Path(options.json).open("a") as file:
                    file.write(json.dumps(run.__dict__) + "\n")
    return 0


def exact(options: argparse.Namespace) -> int:
    """Nothing lost, nothing doubled."""
    found: dict[str, Any] = rough(
        Path(tempfile.mkdtemp(prefix="hub-exact-")),
        messages=options.messages,
        kills=options.kills,
        restarts=options.restarts,
        stops=options.stops,
        hubs=options.hubs,
        stations=options.sites,
        rate=options.rate,
        patience=600,
        tell=lambda text: print(text, flush=True),
    )
    logs = found.pop("logs")
    print(json.dumps(found, indent=1))
    bad = any(found[name] for name in ("lost", "strange", "doubled", "different", "refused"))
    if bad:
        print("\n".join(logs))
    return int(bad)


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    below = parser.add_subparsers(required=True)
    one = below.add_parser("scale")
    one.add_argument("--stations", type=int, nargs="+", default=[100, 300, 1000])
    one.add_argument("--cameras", type=int, default=10)
    one.add_argument("--rate", type=float, default=500)
    one.add_argument("--flood", type=float, default=20_000)
    one.add_argument("--seconds", type=float, default=60)
    one.add_argument("--json", default="", help="append each run to this file")
    one.set_defaults(run=scale)
    two = below.add_parser("exact")
    two.add_argument("--messages", type=int, default=200_000)
    two.add_argument("--kills", type=int, default=20)
    two.add_argument("--restarts", type=int, default=5)
    two.add_argument("--stops", type=int, default=3)
    two.add_argument("--hubs", type=int, default=2)
    two.add_argument("--sites", type=int, default=50)
    two.add_argument("--rate", type=float, default=5000)
    two.set_defaults(run=exact)
    options = parser.parse_args()
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
