"""A rough day: everything at once, and what is left of it.

A receiver with 50 virtual cameras that post to it, a fleet that is set up, recordings' folder and pictures, for
ten minutes, while

* the receiver and ``ipc fleet apply`` are killed (SIGKILL) again and again,
* the disk under the spool is full for a while (as root; a small file system is mounted for it),
* the receiver's clock jumps by 30 days, forth and back,
* neighbours hold connections, drip, post large bodies and wrong signatures at full speed,
* ``ipc events status``, ``ipc events replay``, ``ipc scan`` and a picture's download run beside it.

Printed: events that were acknowledged and are lost, doubled, or not delivered; what hung; the largest memory of
the receiver; how often each camera was activated.

    python benchmarks/rough_day.py                       ten minutes, 50 cameras
    python benchmarks/rough_day.py --seconds 60 --cameras 10
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.events.delivery import Delivery
from sunmi_ipc.events.pictures import Pictures
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.events.sinks import JsonlSink
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect, start_cameras

APP, KEY = "JO83UNV983U9OR", "12345678"
DAY = 86400
#: A command that takes longer hangs.
PATIENCE_S = 120.0
SITE = """\
[apply]
activations_per_minute = 6000000
settle = 1
deadline = 120
[defaults]
name = "Cam {sn}"
ir = "on"
"""


# -- the receiver: a process of its own, whose clock can be set ---------------------------------------------


def receive(port: int, folder: Path) -> None:
    """Receive, save pictures, deliver to a file, until killed."""
    offset = folder / "clock"
    wall, wall_ns = time.time, time.time_ns

    def ahead() -> float:
        try:
            return float(offset.read_text())
        except (OSError, ValueError):
            return 0.0

    time.time = lambda: wall() + ahead()
    time.time_ns = lambda: wall_ns() + int(ahead() * 1e9)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        Spool(folder / "disk" / "spool") as spool,
        (folder / "out.jsonl").open("a", encoding="utf-8") as stream,
        Delivery(spool, JsonlSink(stream)),
        Pictures(spool, folder / "disk" / "pictures", attempts=2),
        Receiver(spool, host="127.0.0.1", port=port, secrets={APP: KEY}),
    ):
        signal.pause()


# -- the cameras: a process of their own ---------------------------------------------------------------------


def play(port: int, count: int, fleet: int) -> None:
    """Let events happen at *count* cameras, two a second each at most, until standard input ends."""
    acknowledged: Counter[str] = Counter()
    free: set[VirtualCamera] = set()
    lock = threading.Lock()

    def answered(camera: VirtualCamera, status: int, took: float) -> None:
        if status == 200:
            with lock:
                acknowledged[camera.sn] += 1
                free.add(camera)

    with contextlib.ExitStack() as stack:
        vendor = stack.enter_context(Vendor(app_id=APP, secret_key=KEY))
        cameras = start_cameras(vendor, count, port=0, state="ready", people=0, udp=False)
        boxed = start_cameras(vendor, fleet, first=count + 10, port=0, state="wired", people=0)
        for camera in [*cameras, *boxed]:
            stack.callback(camera.close)
        print(json.dumps({
            "env": vendor.environment(),
            "fleet": [{"sn": c.sn, "address": f"{c.ip}:{c.port}"} for c in boxed],
            "camera": f"{cameras[0].ip}:{cameras[0].port}",
        }), flush=True)  # fmt: skip
        for camera in cameras:
            with connect(camera) as client:
                client.events.subscribe("face_recog_event", callback=f"http://127.0.0.1:{port}/events")
        ended = threading.Event()
        threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
        numbers: Counter[str] = Counter()
        with Feed(
            cameras, Play(repeat=0.02, attempts=1_000_000, pause=0.2), workers=16, answered=answered
        ) as feed:
            free.update(cameras)
            while not ended.wait(0.5):
                with lock:
                    due = set(free)
                    free.clear()
                for camera in due:
                    feed.happen(camera, event_id=str(numbers[camera.sn]))
                    numbers[camera.sn] += 1
            feed.drain(60)
        print(json.dumps({
            "acknowledged": acknowledged,
            "activations": {c.sn: c.state.counts.get("device/activate", 0) for c in boxed},
        }), flush=True)  # fmt: skip


# -- the neighbours ------------------------------------------------------------------------------------------


def harass(port: int) -> None:
    """Be hostile at full speed, from addresses of one's own, until killed."""
    signed = b"app_id=%s&sign=%s&timestamp=1&random=1&event_type=x&sn=EVIL1&a=" % (APP.encode(), b"0" * 32)
    large = b'{"app_id":"x","sign":"x",' + b",".join(b'"%05x":0' % i for i in range(100_000)) + b"}"
    posts = [
        b"",
        b"P",
        b"POST /events HTTP/1.1\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 20_000,
        b"POST /events HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(large) + large,
        b"POST /events HTTP/1.1\r\nContent-Length: 60080\r\n\r\n" + signed.ljust(60_080, b"x"),
        b"POST /events HTTP/1.1\r\nContent-Length: 900\r\n\r\nabc",
    ]

    def one(number: int) -> None:
        held: list[socket.socket] = []
        while True:
            with contextlib.suppress(OSError):
                sock = socket.socket()
                sock.settimeout(1)
                sock.bind((f"127.66.0.{number % 5 + 1}", 0))
                sock.connect(("127.0.0.1", port))
                held.append(sock)
                sock.sendall(posts[number % len(posts)])
                if number % len(posts) in (2, 3, 4):
                    sock.recv(100)
            for sock in held[: max(0, len(held) - 40)]:
                sock.close()
            del held[: max(0, len(held) - 40)]
            time.sleep(0.02)

    for number in range(12):
        threading.Thread(target=one, args=(number,), daemon=True).start()
    signal.pause()


# -- the day -------------------------------------------------------------------------------------------------


class Watched:
    """The receiver's process: killed, started again, measured."""

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder, self.kills, self.peak = port, folder, 0, 0
        self.start()

    def start(self) -> None:
        """Start it."""
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--receive", str(self.port), str(self.folder)],
            stderr=(self.folder / "receiver.log").open("ab"),
        )

    def measure(self) -> None:
        """Note its largest memory so far."""
        with contextlib.suppress(OSError, StopIteration, IndexError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
            self.peak = max(self.peak, int(line.split()[1]))

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Kill it."""
        self.measure()
        self.process.send_signal(how)
        self.process.wait()
        self.kills += how is signal.SIGKILL


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A file system of 192 MB at *folder*, where that can be had."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=192m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=False)


class Day:
    """What goes on beside the receiver; each in a thread, until the day is over."""

    def __init__(self, folder: Path, env: dict[str, str], die: random.Random) -> None:
        self.folder, self.env, self.die = folder, env, die
        self.over = threading.Event()
        self.runs: Counter[str] = Counter()
        self.hangs: list[str] = []
        self.threads: list[threading.Thread] = []

    def go(self, work: Callable[[], None]) -> None:
        """Repeat *work* until the day is over."""

        def run() -> None:
            while not self.over.is_set():
                work()

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def ipc(self, *words: str, kill_after: float | None = None) -> int | None:
        """Run a command; note whether it hung."""
        process = subprocess.Popen(
            [sys.executable, "-m", "sunmi_ipc_cli", *words],
            env=self.env,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.runs[_named(words)] += 1
        try:
            process.wait(PATIENCE_S if kill_after is None else kill_after)
        except subprocess.TimeoutExpired:
            if kill_after is None:
                self.hangs.append(" ".join(words))
            process.kill()
            process.wait()
        return process.returncode

    def pause(self, least: float, most: float) -> None:
        """Wait some seconds, or until the day is over."""
        self.over.wait(self.die.uniform(least, most))


def _named(words: Sequence[str]) -> str:
    """A command by its name, without options and what they take."""
    left = list(words)
    while left and left[0].startswith("-"):
        del left[:2]
    return " ".join(itertools.takewhile(lambda word: not word.startswith("-"), left[:2]))


def day(seconds: float, count: int, fleet: int, seed: int) -> bool:
    """Play it; whether all is well."""
    die = random.Random(seed)
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name, "disk")) as mounted:
        folder, port = Path(name), free_port("127.0.0.1")
        spool = str(folder / "disk" / "spool")
        receiver = Watched(port, folder)
        shop = subprocess.Popen(
            [sys.executable, __file__, "--play", str(port), str(count), str(fleet)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert shop.stdin is not None
        assert shop.stdout is not None
        told = json.loads(shop.stdout.readline())
        (folder / "site.toml").write_text(
            SITE + "".join(f'[[cameras]]\nsn = "{one["sn"]}"\n' for one in told["fleet"])
        )
        env = dict(os.environ) | told["env"] | {
            "SUNMI_IPC_CONFIG_DIR": str(folder / "config"), "PYTHONPATH": str(Path(__file__).parents[1]),
        }  # fmt: skip
        hostile = subprocess.Popen([sys.executable, __file__, "--harass", str(port)])
        today = Day(folder, env, die)
        full = 0

        def kill() -> None:
            today.pause(8, 25)
            receiver.kill()
            receiver.start()

        def fill() -> None:
            nonlocal full
            today.pause(15, 40)
            ballast = folder / "disk" / "ballast"
            with contextlib.suppress(OSError), ballast.open("wb") as file:
                full += 1
                while True:
                    file.write(b"x" * (1 << 18))
                    file.flush()
            today.pause(5, 10)
            ballast.unlink(missing_ok=True)

        def jump() -> None:
            today.pause(10, 20)
            (folder / "clock").write_text(str(die.choice([-30, 0, 30]) * DAY))
            today.runs["clock jumps"] += 1

        def look() -> None:
            today.ipc(
                "events", die.choice(["status", "replay"]), "--spool", spool, *die.choice([[], ["--jsonl"]])
            )
            receiver.measure()

        def setup() -> None:
            site = str(folder / "site.toml")
            today.ipc("-q", "fleet", "apply", site, "-y", kill_after=die.uniform(1, 12))

        def others() -> None:
            today.ipc("scan", "--interface", "lo", "--timeout", "2", "--json")
            today.ipc("-c", told["camera"], "video", "snapshot", "-o", str(folder / "snap.jpg"))
            today.pause(1, 5)

        for work in (kill, jump, look, setup, others, *([fill] if mounted else [])):
            today.go(work)
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            time.sleep(1)
            receiver.measure()
        today.over.set()
        for thread in today.threads:
            thread.join()
        # Peace: what is right must become so.
        hostile.kill()
        hostile.wait()
        (folder / "disk" / "ballast").unlink(missing_ok=True)
        (folder / "clock").write_text("0")
        today.ipc("-q", "fleet", "apply", str(folder / "site.toml"), "-y")
        shop.stdin.close()
        figures = json.loads(shop.stdout.readline())
        shop.wait()
        acknowledged = {(sn, str(n)) for sn, number in figures["acknowledged"].items() for n in range(number)}
        with Spool(spool, retention=None, writable=False) as reading:
            deadline = time.monotonic() + 120
            while reading.counts()["consumers"]["jsonl"]["backlog"] and time.monotonic() < deadline:
                time.sleep(0.2)
            kept = [s.event.key for s in reading.replay(datetime(2000, 1, 1, tzinfo=UTC))]
            strangers = [key for key in kept if key[0] == "EVIL1"]
        receiver.kill(signal.SIGTERM)
        delivered, torn = set[tuple[str, str]](), 0
        for line in (folder / "out.jsonl").read_text("utf-8", "replace").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                torn += 1  # the line that a kill cut short; its event comes again
                continue
            delivered.add((record["sn"], record["event_id"]))
    there = {(sn, number) for sn, _, number in kept}
    lost, doubled = len(acknowledged - there), len(kept) - len(set(kept))
    missing = len(acknowledged - delivered)
    activations = Counter(figures["activations"].values())
    rows = [
        ("seconds, cameras", f"{seconds:.0f}, {count}"),
        ("receiver killed", receiver.kills),
        ("disk full", full if mounted else "not tried: needs root"),
        ("beside it", ", ".join(f"{name} {number}" for name, number in sorted(today.runs.items()))),
        ("events acknowledged", len(acknowledged)),
        ("acknowledged and lost", lost),
        ("doubled", doubled),
        ("acknowledged and not delivered", missing),
        ("lines cut by a kill", torn),
        ("strangers' events kept", len(strangers)),
        ("commands that hung", len(today.hangs)),
        ("receiver's largest memory", f"{receiver.peak / 1024:.0f} MiB"),
        (
            "cameras activated once, otherwise",
            f"{activations[1]}, {sum(n for times, n in activations.items() if times != 1)}",
        ),
    ]
    for what, value in rows:
        print(f"{what:36}{value}")
    for hung in today.hangs:
        print(f"  hung: {hung}")
    return (
        not (lost or doubled or missing or strangers or today.hangs)
        and receiver.peak < 300 << 10
        and set(activations) <= {1}
    )


def main() -> None:
    """Play the day."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--fleet", type=int, default=8, help="cameras that are set up meanwhile")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--receive", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--play", nargs=3, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--harass", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.receive:
        receive(int(options.receive[0]), Path(options.receive[1]))
    elif options.play:
        play(*options.play)
    elif options.harass:
        harass(options.harass)
    else:
        sys.exit(0 if day(options.seconds, options.cameras, options.fleet, options.seed) else 1)


if __name__ == "__main__":
    main()
