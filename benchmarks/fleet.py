"""200 virtual cameras from the box to the wanted state, with slow answers, faults and kills; against bare TLS.

``python benchmarks/fleet.py [--cameras N] [--kills N]``. The cameras live in a process of their own. Printed:

* what bare ``ssl`` takes for one handshake with each camera, and for one handshake and the same number of
  answers (raw bytes on a kept connection), with as many threads as the fleet has jobs;
* what the fleet takes for one call to each, for the first and for the second ``apply``;
* the memory of ``ipc fleet apply``; kills; activations and formats as the cameras count them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sunmi_ipc.api.device import Device
from sunmi_ipc.discovery import DiscoveredCamera
from sunmi_ipc.fleet import DEFAULT_JOBS, Fleet
from sunmi_ipc.link.tls import ClientCertificate, client_context, read_ca
from sunmi_ipc.protocol.spec import Model
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras
from sunmi_ipc.simulator.faults import Fault, Faults
from sunmi_ipc.simulator.state import new_state

JOBS = DEFAULT_JOBS
FAULTS = ("drop", "lost", "reset", "garble", "dirty", "restart")
#: What a camera itself takes in a first apply, whoever asks it.
FORMAT_S, OWN_S = 1.0, 1.5
ONCE = ("device/activate", "config/formatMemoryCard")
SITE = """\
[apply]
jobs = {jobs}
activations_per_minute = 6000000
settle = 3
restart = 20
deadline = 240
[defaults]
name = "Cam {{sn}}"
wifi = {{ ssid = "Shop-WiFi", password = "env:WIFI" }}
sdcard = "format-blank"
ir = "on"
detection = {{ motion = 3, days = ["mon", "tue"], from = "09:00", to = "18:00" }}
door_line = [300, 700, 1600, 700]
"""


class Trouble(Faults):
    """Answers after 0 to 300 ms, and a fault in one of twenty."""

    def __init__(self, camera: VirtualCamera, seed: int) -> None:
        super().__init__(seed)
        self.camera, self.die, self.rate, self.slow = camera, random.Random(seed), 0.0, 0.0

    def take(self, path: str, **which: Any) -> list[Fault]:
        """A delay, and perhaps a fault."""
        due = [Fault("delay", self.die.uniform(0, self.slow))] if self.slow else []
        if self.die.random() < self.rate:
            kind = self.die.choice(FAULTS)
            if kind == "restart":
                self.camera.restart(1.5)
                kind = "drop"
            due.append(Fault(kind))
        return due


def cameras(count: int) -> None:
    """The other process: obeys one JSON line at a time."""
    with Vendor() as vendor, contextlib.ExitStack() as stack:
        made: list[VirtualCamera] = []

        def start(state: str) -> None:
            for camera in made:
                camera.close()
            # Five digits of a serial number are few: a seed that gives no number twice.
            seed = next(
                seed
                for seed in iter(lambda: random.getrandbits(40), None)
                if len({new_state(Model.FM020, state, seed, n).sn for n in range(count)}) == count
            )
            made[:] = start_cameras(vendor, count, first=300, port=0, seed=seed, state=state, people=0)
            for number, camera in enumerate(made):
                camera.faults = Trouble(camera, number)
                camera.state.format_s, camera.state.join_s = FORMAT_S, OWN_S - FORMAT_S

        stack.callback(lambda: [camera.close() for camera in made])
        for line in sys.stdin:
            order = json.loads(line)
            if "start" in order:
                start(order["start"])
            for camera in made:
                assert isinstance(camera.faults, Trouble)
                camera.faults.rate, camera.faults.slow = order.get("rate", 0.0), order.get("slow", 0.0)
            sys.stdout.write(json.dumps({
                "env": vendor.environment(),
                "cameras": [{"sn": c.sn, "ip": c.ip, "port": c.port, "counts": c.state.counts} for c in made],
            }) + "\n")  # fmt: skip
            sys.stdout.flush()


class Shop:
    """The cameras' process, from here."""

    def __init__(self, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", "--cameras", str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def say(self, **order: Any) -> dict[str, Any]:
        """Give an order; what the cameras are and have counted comes back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process."""
        self._process.communicate()


def bare(shop: dict[str, Any], settings: Settings, calls: int = 0, body: bytes = b"") -> float:
    """Seconds for a handshake with every camera and *calls* answers on its connection, in JOBS threads."""
    certificate = ClientCertificate.load(settings.p12, settings.p12_password)
    shared = client_context(certificate, read_ca(settings.ca))
    request = (
        b"POST /openapi/config/getApListWithoutAuth HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n" + body
    )

    def one(camera: dict[str, Any]) -> None:
        with socket.create_connection((camera["ip"], camera["port"]), timeout=30) as raw:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with shared.wrap_socket(raw) as secure:
                for _ in range(calls):
                    secure.sendall(request)
                    secure.recv(65_536)

    started = time.perf_counter()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(one, shop["cameras"]))
    return time.perf_counter() - started


def fleet_call(shop: dict[str, Any], settings: Settings) -> float:
    """Seconds for one signed call to every camera, from nothing: clients made, handshakes, answers checked."""
    found = [DiscoveredCamera(c["sn"], c["ip"], c["port"], model="FM020") for c in shop["cameras"]]
    started = time.perf_counter()
    with Fleet.of(found, settings, jobs=JOBS) as fleet:
        assert all(result.ok for result in fleet.call(Device.info))
        return time.perf_counter() - started


def apply(folder: Path, env: dict[str, str], *, kill_after: float | None = None) -> tuple[float, int, Any]:
    """Run ``ipc fleet apply``. Returns: seconds, peak memory in KiB, its JSON (None where it was killed)."""
    started = time.perf_counter()
    with open(folder / "out.json", "w+") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "sunmi_ipc_cli", "-q", "--json", "fleet", "apply", str(folder / "site.toml"), "-y"],
            env=env, stdout=out,
        )  # fmt: skip
        if kill_after is not None:
            time.sleep(kill_after)
            os.kill(process.pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
        out.seek(0)
        text = out.read()
    return time.perf_counter() - started, usage.ru_maxrss, json.loads(text) if text.strip() else None


@contextlib.contextmanager
def site(shop: dict[str, Any]) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with a site file for these cameras, and the environment for ``ipc``."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entries = "".join(f'[[cameras]]\nsn = "{camera["sn"]}"\n' for camera in shop["cameras"])
        (folder / "site.toml").write_text(SITE.format(jobs=JOBS) + entries)
        yield folder, dict(os.environ) | shop["env"] | {
            "WIFI": "welcome-2020", "SUNMI_IPC_CONFIG_DIR": name, "PYTHONPATH": str(Path(__file__).parents[1]),
        }  # fmt: skip


def calls(shop: dict[str, Any]) -> list[int]:
    """Calls that each camera has carried out."""
    return [sum(camera["counts"].values()) for camera in shop["cameras"]]


def once(shop: dict[str, Any]) -> str:
    """Activations and formats, most and in all."""
    return ", ".join(
        f"{path.split('/')[1]}: {sum(counts)} on {len(counts)} cameras, at most {max(counts)} each"
        for path in ONCE
        for counts in [[camera["counts"].get(path, 0) for camera in shop["cameras"]]]
    )


def main() -> None:
    """Run all of it, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--serve", action="store_true")
    options = parser.parse_args()
    if options.serve:
        cameras(options.cameras)
        return
    shop = Shop(options.cameras)
    try:
        _speed(shop)
        _kills(shop, options.kills)
    finally:
        shop.close()


def _speed(shop: Shop) -> None:
    now = shop.say(start="ready")
    settings = Settings.load(environment=now["env"])
    rounds = [
        (bare(now, settings), bare(now, settings, calls=1), fleet_call(now, settings)) for _ in range(7)
    ]
    bound, answered, call = (
        min(times) for times in zip(*rounds, strict=True)
    )  # in turns: other load hits all
    print(f"{len(now['cameras'])} cameras that answer at once, {JOBS} jobs")
    print(f"  bare TLS handshakes              {bound:6.2f} s")
    print(f"  the same and one answer from each{answered:6.2f} s")
    print(
        f"  Fleet.call, one call to each     {call:6.2f} s   ratio {call / bound:5.2f}, {call / answered:5.2f}"
    )

    now = shop.say(start="factory")
    with site(now) as (folder, env):
        seconds, memory, document = apply(folder, env)
        first = calls(shop.say())
        again, _, second = apply(folder, env)
        last = calls(shop.say())
        reads = [b - a for a, b in zip(first, last, strict=True)]
        equal = bare(now, settings, calls=max(first))
        floor = bare(now, settings, calls=max(reads))
        print(
            f"  first apply                      {seconds:6.2f} s   {document['summary']}, {max(first)} calls each"
        )
        print(f"    bare ssl, as many answers      {equal:6.2f} s   ratio {seconds / equal:5.2f}")
        print(f"    of it a camera's own           {OWN_S:6.2f} s   (joins its Wi-Fi, formats its card)")
        print(
            f"  second apply                     {again:6.2f} s   {second['summary']}, {max(reads)} calls each"
        )
        print(f"    bare ssl, as many answers      {floor:6.2f} s   ratio {again / floor:5.2f}")
        print(f"    changed                        {sum(len(c['done']) for c in second['cameras'])}")
        print(f"  memory of apply                  {memory / 1024:6.0f} MB (wanted: under 250)")

    now = shop.say(start="factory", slow=0.3, rate=0.05)
    with site(now) as (folder, env):
        seconds, memory, document = apply(folder, env)
        made = max(calls(shop.say(slow=0.3)))
        equal = bare(now, settings, calls=made)
        print("the same, answers after 0-300 ms, faults in 5 %")
        print(f"  apply                            {seconds:6.2f} s   {document['summary']}")
        print(f"    bare ssl, as many answers, no faults {equal:6.2f} s   ratio {seconds / equal:5.2f}")
        print(f"    {once(shop.say())}")
        _failures(document)
        print(f"  memory of apply                  {memory / 1024:6.0f} MB (wanted: under 250)")


def _kills(shop: Shop, kills: int) -> None:
    now = shop.say(start="factory", slow=0.3, rate=0.05)
    with site(now) as (folder, env):
        moments = []
        for _ in range(kills):
            moment = random.uniform(0.5, 5.0)
            apply(folder, env, kill_after=moment)
            moments.append(f"{moment:.1f}")
        _, _, document = apply(folder, env)
        print(f"killed {kills} times (SIGKILL after {' '.join(moments)} s), started again each time")
        print(f"    {document['summary']}")
        print(f"    {once(shop.say())}")
        _failures(document)
        before = calls(shop.say())  # calm from here
        _, _, second = apply(folder, env)
        reads = [b - a for a, b in zip(before, calls(shop.say()), strict=True)]
        print(
            f"    apply again: {second['summary']}, changed {sum(len(c['done']) for c in second['cameras'])}, at most {max(reads)} calls each"
        )


def _failures(document: Any) -> None:
    for camera in document["cameras"]:
        if camera["standing"] != "ok":
            print(f"    {camera['sn']}: {camera['standing']} {[p['message'] for p in camera['problems']]}")


if __name__ == "__main__":
    main()
