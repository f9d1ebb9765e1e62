"""The same work on the LAN and through a broker, side by side in one run.

``python benchmarks/remote.py [--shops 20] [--cameras 10] [--answer 150] [--line 20] [--zooms 20] [--at-once 8]``.
Needs Mosquitto. Cameras and stations are in processes of their own, as they are in shops of their own. Printed:

* what a question and its answer take through the broker alone, between two clients, over lines that take
  ``--line`` milliseconds each way;
* what ``lens.zoom`` takes on the LAN and through the broker, and how many such round trips it costs more;
* what an ``apply`` of all shops' cameras takes either way, ``--at-once`` shops at a time as ``ipc sites apply`` does
  it, where each camera takes ``--answer`` milliseconds; and how much CPU each side needs for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from sunmi_ipc.broker.channel import Channel
from sunmi_ipc.broker.connection import Broker, Connection
from sunmi_ipc.broker.keys import KeyStore
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.fleet import sitefile
from sunmi_ipc.fleet.finder import Finder
from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.run import run
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.station import Station, load
from sunmi_ipc.station.bridge import Bridge

#: Processes that the shops are spread over.
_STREETS = 4


class Line:
    """A TCP line to the broker that takes a while in each direction."""

    def __init__(self, to: int, delay: float) -> None:
        self.port, self._to, self._delay = free_port("127.0.0.1"), to, delay
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        threading.Thread(target=self._run, args=(started,), daemon=True).start()
        started.wait(10)

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", self.port))
        started.set()
        self._loop.run_forever()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pump(reader, back), self._pump(there, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                self._loop.call_later(self._delay, writer.write, data)
        self._loop.call_later(self._delay, writer.close)


def round_trip(port: int, times: int = 30) -> float:
    """Median seconds of a question and its answer through the broker."""
    broker = Broker.of(f"mqtt://127.0.0.1:{port}")
    got = threading.Event()
    answering: list[Connection] = []

    def answer(message: Any) -> None:
        client = answering[0]._client
        assert client is not None
        client.publish("bench/answer", message.payload, qos=1)

    with (
        Connection(broker, subscriptions=["bench/question"], on_message=answer) as one,
        Connection(broker, subscriptions=["bench/answer"], on_message=lambda _: got.set()) as other,
    ):
        answering.append(one)
        assert one.wait(60)
        assert other.wait(60)
        took = []
        for _ in range(times):
            got.clear()
            began = time.perf_counter()
            other.publish("bench/question", b"{}", schema="bench/1")
            assert got.wait(10)
            took.append(time.perf_counter() - began)
    return statistics.median(took)


def apply(shops: list[tuple[Path, Any, Any]], wish: str, at_once: int) -> tuple[float, float]:
    """Seconds until every shop's file is carried out, and of CPU of this process."""

    def one(shop: tuple[Path, Any, Any]) -> None:
        folder, connect, finder = shop
        path = folder / f"{wish}.toml"
        wanted = sitefile.load(path)
        with Journal(folder / f"{wish}-{time.monotonic_ns()}.journal") as journal:
            for outcome in run(wanted, connect, journal, apply=True, finder=finder() if finder else None):
                assert str(outcome.standing) == "ok", outcome

    began, cpu = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, shops))
    return time.perf_counter() - began, time.process_time() - cpu


def shops_here(given: argparse.Namespace) -> None:
    """Cameras and stations of some shops, until standard input ends; a line with a number says how slow cameras are."""
    folder = Path(given.folder)
    with ExitStack() as stack:
        vendor = stack.enter_context(Vendor.kept(folder / "vendor"))
        settings = Settings.load()
        made = {}
        for number in range(given.first, given.first + given.shops):
            cameras = [
                VirtualCamera(
                    vendor, number=number * given.cameras + n, state="ready", udp=False, people=0
                ).start()
                for n in range(given.cameras)
            ]
            for camera in cameras:
                stack.callback(camera.close)
            site = f"shop-{number:03}"
            made[site] = cameras
            write_shop(folder / site, site, [(c.sn, c.address) for c in cameras], given.port, given.public)
            station = stack.enter_context(Station(load(folder / site / "station.toml"), settings))
            stack.enter_context(Bridge(station))
        print(
            json.dumps({site: [(c.sn, c.address) for c in found] for site, found in made.items()}), flush=True
        )
        for line in sys.stdin:
            if line.strip():
                for cameras in made.values():
                    for one in cameras:
                        one.fail("delay", float(line), times=None)
            print(json.dumps(time.process_time()), flush=True)


def write_shop(folder: Path, site: str, cameras: list[tuple[str, str]], port: int, public: str) -> None:
    """A shop's station file, and what is wanted of it by either way."""
    folder.mkdir()
    here = "".join(f'[[cameras]]\nsn = "{sn}"\naddress = "{address}"\n' for sn, address in cameras)
    far = "".join(f'[[cameras]]\nsn = "{sn}"\n' for sn, _ in cameras)
    (folder / "site.toml").write_text(here)
    for wish, text in (("lan", here), ("broker", far)):
        off = "off" if wish == "lan" else "on"
        led = "false" if wish == "lan" else "true"
        (folder / f"{wish}.toml").write_text(f"[defaults]\nir = '{off}'\nled = {led}\n{text}")
    (folder / "station.toml").write_text(
        f'[station]\nsite = "{site}"\ncameras = "site.toml"\ndata = "data"\n[watch]\ninterval = 60\n'
        "[counts]\nenabled = false\n[events]\nenabled = false\n"
        f'[broker]\nurl = "mqtt://127.0.0.1:{port}"\n[[broker.keys]]\nname = "bench"\npublic = "{public}"\n'
        'role = "admin"\ncalls_per_minute = 6000\n'
    )


class Street:
    """A process with some shops."""

    def __init__(
        self, given: argparse.Namespace, folder: Path, first: int, shops: int, port: int, public: str
    ) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable, __file__, "--folder", str(folder), "--first", str(first), "--shops", str(shops),
                "--cameras", str(given.cameras), "--port", str(port), "--public", public,
            ],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def _line(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def cameras(self) -> dict[str, list[tuple[str, str]]]:
        """Its shops' cameras, once all stations run."""
        return dict(self._line())

    def cpu(self, delay: str = "") -> float:
        """Seconds of CPU that it has used; with *delay*, cameras take so many seconds from now on."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{delay}\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(120)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--shops", type=int, default=20)
    parser.add_argument("--cameras", type=int, default=10, help="in each shop")
    parser.add_argument("--answer", type=float, default=150.0, help="milliseconds that a camera takes")
    parser.add_argument("--line", type=float, default=20.0, help="milliseconds to the broker, each way")
    parser.add_argument("--zooms", type=int, default=20)
    parser.add_argument("--at-once", type=int, default=8, help="shops")
    for ours in ("--folder", "--public"):
        parser.add_argument(ours, default="", help=argparse.SUPPRESS)
    for ours in ("--first", "--port"):
        parser.add_argument(ours, type=int, default=0, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.folder:
        shops_here(given)
        return
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port("127.0.0.1")
        (folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n"
        )
        process = subprocess.Popen(
            [mosquitto, "-c", str(folder / "mosquitto.conf")], stderr=subprocess.DEVNULL
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        line = Line(port, given.line / 1000)
        vendor = stack.enter_context(Vendor.kept(folder / "vendor"))
        os.environ.update(
            vendor.environment() | {"SUNMI_IPC_INTERFACE": "lo", "SUNMI_IPC_CONFIG_DIR": str(folder)}
        )
        settings = Settings.load()
        store = KeyStore(folder / "keys")
        public = store.create("bench").public
        step = -(-given.shops // _STREETS)
        streets = []
        for first in range(0, given.shops, step):
            streets.append(Street(given, folder, first, min(step, given.shops - first), line.port, public))
            stack.callback(streets[-1].close)
        shops = {site: cameras for street in streets for site, cameras in street.cameras().items()}
        channel = stack.enter_context(
            Channel(Broker.of(f"mqtt://127.0.0.1:{line.port}"), store.load(), sites=tuple(shops))
        )
        for site, cameras in shops.items():  # every station has come to rest
            end = time.monotonic() + 120
            while len(channel.site(site).cameras()) < len(cameras) and time.monotonic() < end:
                time.sleep(0.2)
        trip = round_trip(line.port)
        print(f"a question and its answer through the broker: {trip * 1000:.1f} ms", flush=True)
        first_site, ((sn, address), *_) = next(iter(shops.items()))
        near = settings.connect(address, sn=sn, model="FM020")
        remote = channel.site(first_site).camera(sn)
        took: dict[str, list[float]] = {"LAN": [], "broker": []}
        for number in range(given.zooms + 1):
            for name, client in (("LAN", near), ("broker", remote)):
                began = time.perf_counter()
                client.lens.zoom(100 + number)
                if number:  # the first opens connections
                    took[name].append(time.perf_counter() - began)
        lan, via = statistics.median(took["LAN"]), statistics.median(took["broker"])
        print(
            f"lens.zoom: LAN {lan * 1000:.1f} ms, broker {via * 1000:.1f} ms:"
            f" {(via - lan) / trip:.2f} round trips more", flush=True,
        )  # fmt: skip
        near.close()

        def finder(site: str) -> Any:
            def scan(**_: Any) -> Any:
                for sn, state in channel.site(site).cameras().items():
                    yield DiscoveredCamera(sn, f"{sn}.{site}.via", model=state.model, name=state.name)

            return lambda: Finder(scan=scan)

        def connect(site: str) -> Any:
            return lambda address, *, sn="", model="", **options: channel.site(site).camera(
                sn, model=model, timeout=options.get("timeout", 10.0), retries=1
            )

        before = sum(street.cpu(str(given.answer / 1000)) for street in streets)
        local, local_cpu = apply(
            [(folder / site, settings.connect, None) for site in shops], "lan", given.at_once
        )
        between = sum(street.cpu() for street in streets)
        through, through_cpu = apply(
            [(folder / site, connect(site), finder(site)) for site in shops], "broker", given.at_once
        )
        after = sum(street.cpu() for street in streets)
        print(
            f"apply to {given.shops * given.cameras} cameras in {given.shops} shops, {given.at_once} at once:"
            f" LAN {local:.1f} s, broker {through:.1f} s: {through / local:.2f} times\n"
            f"CPU of the caller {local_cpu:.1f} s and {through_cpu:.1f} s, of cameras and stations"
            f" {between - before:.1f} s and {after - between:.1f} s", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
