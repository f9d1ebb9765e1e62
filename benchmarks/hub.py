"""Many shops at one broker, one hub, one database: how much, how fast, and is every row what was said.

    python benchmarks/hub.py scale [--stations 100 300 1000] [--cameras 10] [--rate 500] [--seconds 60] [--tls]
    python benchmarks/hub.py exact [--messages 200000] [--kills 20] [--restarts 5] [--stops 3]

``scale`` starts, for each number of stations, a Mosquitto, a PostgreSQL, a hub and the simulated stations as
processes of their own, and measures twice: at a *steady* rate, how long a message takes from the station to
its committed row (PostgreSQL's own commit time, ``track_commit_timestamp``), and *flooded*, how many rows a
second there can be (saturation). Messages are what the broker was sent, by its own ``$SYS`` topics. CPU is what
each process used of one core, from ``/proc``. With ``--tls`` each phase is measured once more with TLS between
stations, broker and hub, and the last lines say what that costs.

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
sys.path.insert(0, str(ROOT))

from sunmi_ipc.broker.connection import Broker, Connection  # noqa: E402
from sunmi_ipc.hub.store import Store, open_url  # noqa: E402
from tests.hub.exact import HubProcess, rough  # noqa: E402
from tests.hub.servers import Mosquitto, Postgres, eventually  # noqa: E402

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
    tls: bool = False
    messages: float = 0.0

    def line(self) -> str:
        """A row of the table."""
        cpu = " ".join(f"{name} {share * 100:.0f} %" for name, share in self.cpu.items())
        memory = " ".join(f"{name} {size:.0f}" for name, size in self.memory.items())
        return (
            f"{self.stations:6} {self.phase:8} {'TLS' if self.tls else '   '} {self.asked:6.0f} "
            f"{self.messages:8.0f} messages/s {self.rows / self.seconds:8.0f} rows/s "
            f"(of a core-second {' '.join(f'{n} {self.rows / max(c * self.seconds, 1e-9):.0f}' for n, c in self.cpu.items())}) "
            f"p50 {self.p50_ms:7.0f} ms p99 {self.p99_ms:7.0f} ms | CPU {cpu} | MB {memory}"
        )


def certificates(folder: Path) -> Path:
    """A CA's and a broker's certificate for 127.0.0.1, by OpenSSL; returns the CA's."""
    folder.mkdir(parents=True)
    for above in (folder, folder.parent):
        above.chmod(0o755)
    (folder / "ext").write_text("subjectAltName=IP:127.0.0.1\n")
    for line in (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=bench -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj /CN=127.0.0.1 -keyout server.key -out server.csr",
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out server.pem",
    ):
        subprocess.run(["openssl", *line.split()], cwd=folder, check=True, capture_output=True)
    return folder / "ca.pem"


class Traffic:
    """What the broker counts of messages."""

    def __init__(self, url: str, ca: Path | None) -> None:
        self._got: dict[str, float] = {}
        self._connection = Connection(
            Broker.of(url, ca=str(ca or "")),
            subscriptions=["$SYS/broker/publish/messages/received"],
            on_message=self._take,
        )

    def _take(self, message: Any) -> None:
        self._got[message.topic] = float(message.payload)

    def received(self) -> float:
        """Messages that it was sent so far, as of the last second."""
        return sum(self._got.values())

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


def simulate(
    broker: str, ca: Path | None, stations: int, cameras: int, rate: float, seed: int
) -> subprocess.Popen[str]:
    """Simulated stations in a process of their own; returns when all are connected."""
    command = [
        sys.executable, "-m", "sunmi_ipc_cli", "--json", "sim", "sites", "--broker", broker, "--calm",
        "--count", str(stations), "--cameras", str(cameras), "--rate", str(rate), "--seed", str(seed), "--since", "2026-11-18T02:00:00Z",
        *(["--ca", str(ca)] if ca else []),
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    return process


def measure(stations: int, cameras: int, rate: float, seconds: float, phase: str, tls: bool) -> Run:
    """One phase, with everything started anew."""
    folder = Path(tempfile.mkdtemp(prefix="hub-benchmark-"))
    with ExitStack() as stack:
        ca = certificates(folder / "tls") if tls else None
        more = (
            f"cafile {ca}\ncertfile {folder}/tls/server.pem\nkeyfile {folder}/tls/server.key\n" if ca else ""
        )
        broker = stack.enter_context(
            Mosquitto(folder / "broker", "allow_anonymous true\nsys_interval 1\n", listener=more)
        )
        url = f"mqtts://127.0.0.1:{broker.port}" if ca else broker.url
        database = stack.enter_context(Postgres(folder / "database"))
        hub = HubProcess(url, database.url, "hub", folder, *(["--ca", str(ca)] if ca else [])).start()
        stack.callback(hub.kill)
        assert eventually(lambda: '"ready"' in hub.log, 60), hub.log
        store = Store(open_url(database.url))
        stack.callback(store.close)
        traffic = Traffic(url, ca)
        stack.callback(traffic.close)
        simulator = simulate(url, ca, stations, cameras, rate, seed=stations)
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
        began, sent = time.time(), traffic.received()
        time.sleep(seconds)
        sent = traffic.received() - sent
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
            {name: seconds_ / lasted for name, seconds_ in used.items()}, memory, tls, sent / lasted,
        )  # fmt: skip


def scale(options: argparse.Namespace) -> int:
    """Growth over the number of stations."""
    load = os.getloadavg()[0]
    print(
        f"{os.cpu_count()} cores; load before it began: {load:.1f}"
        + (" - the machine is shared" if load > 0.5 else "")
    )
    runs: list[Run] = []
    for stations in options.stations:
        for phase, rate in (("steady", options.rate), ("flooded", options.flood)):
            for tls in (False, True) if options.tls else (False,):
                run = measure(stations, options.cameras, rate, options.seconds, phase, tls)
                runs.append(run)
                print(run.line(), flush=True)
                if options.json:
                    with Path(options.json).open("a") as file:
                        file.write(json.dumps(run.__dict__) + "\n")
    flooded = [run for run in runs if run.phase == "flooded"]
    best = max(flooded, key=lambda run: run.rows / run.seconds)
    print(
        f"saturation: {best.rows / best.seconds:.0f} rows/s"
        f" ({best.stations} stations{', TLS' if best.tls else ''})"
    )
    for plain, secure in zip(flooded[::2], flooded[1::2], strict=True) if options.tls else ():
        costs = " ".join(
            f"{name} {_per_row(secure, name) / max(_per_row(plain, name), 1e-12):.2f}" for name in plain.cpu
        )
        print(f"TLS at {plain.stations} stations, CPU for a row, times that without: {costs}")
    return 0


def _per_row(run: Run, name: str) -> float:
    """Seconds of CPU for a row."""
    return run.cpu[name] * run.seconds / max(run.rows, 1)


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
    one.add_argument("--tls", action="store_true", help="each phase with TLS, too")
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
