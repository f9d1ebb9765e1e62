"""Events acknowledged durable a second, beside a bare ``http.server``; and a soak with the receiver killed.

Receiver and senders are processes of their own on this machine, so both share its cores. The bare
server reads the body and answers 200; it parses, verifies and writes nothing.

    python benchmarks/events.py            200,000 events, 50 cameras, 10 kills
    python benchmarks/events.py --quick    6,000 events, 3 kills

The rates are measured with plain sockets, which cost little; the soak with virtual cameras, which
were subscribed over TLS, sign each event when it happens, and take their share of the cores.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.events.delivery import Delivery
from sunmi_ipc.events.receiver import free_port
from sunmi_ipc.events.sinks import JsonlSink
from sunmi_ipc.protocol.wire import sign
from sunmi_ipc.simulator import Feed, Play, Vendor, VirtualCamera, connect, start_cameras

APP, KEY = "JO83UNV983U9OR", "12345678"


def request(sn: str, number: int, *, close: bool) -> bytes:
    """A signed face event as a camera would post it."""
    fields = {
        "app_id": APP,
        "timestamp": str(1593029283 + number),
        "random": "289192",
        "event_type": "face_recog_event",
        "sn": sn,
        "event_id": str(number),
        "faceid": str(number % 997),
        "group_name": "stranger",
        "age_range": "4",
        "gender": "2",
        "arrive_count": "3",
        "pic_url": "http://127.0.0.1/face.jpg",
        "report_time": str(1593029283 + number),
    }
    body = urlencode(fields | {"sign": sign(fields, KEY)}).encode()
    head = b"POST /events HTTP/1.1\r\nHost: receiver\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    head += b"Connection: close\r\n" if close else b""
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


class Sender:
    """Posts its events one after another, each until it is acknowledged."""

    def __init__(self, sn: str, numbers: range, port: int, *, close: bool) -> None:
        self.sn, self.numbers, self.port, self.close = sn, iter(numbers), port, close
        self.sock: socket.socket | None = None
        self.number: int | None = next(self.numbers, None)
        self.began = self.answered = 0.0

    def send(self, selector: selectors.BaseSelector) -> bool:
        """Post the present event; False while nobody listens."""
        if self.number is None:
            return True
        try:
            if self.sock is None:
                self.sock = socket.create_connection(("127.0.0.1", self.port), timeout=5)
                selector.register(self.sock, selectors.EVENT_READ, self)
            self.began = time.perf_counter()
            self.sock.sendall(request(self.sn, self.number, close=self.close))
        except OSError:
            self.drop(selector)
            return False
        return True

    def drop(self, selector: selectors.BaseSelector) -> None:
        """Let go of the connection."""
        if self.sock is not None:
            selector.unregister(self.sock)
            self.sock.close()
            self.sock = None

    def receive(self, selector: selectors.BaseSelector) -> bool:
        """Read the answer; whether the event was acknowledged."""
        assert self.sock is not None
        try:
            answer = self.sock.recv(4096)
        except OSError:
            answer = b""
        good = answer.startswith(b"HTTP/1.1 200")
        if not good or self.close or b"Connection: close" in answer:
            self.drop(selector)
        if good:
            self.number = next(self.numbers, None)
        return good


def post(port: int, events: int, senders: int, *, close: bool) -> list[float]:
    """Post *events* from *senders* connections; the latencies of the acknowledged posts."""
    selector = selectors.DefaultSelector()
    each = events // senders
    cameras = [Sender(f"FS{n:04}", range(each), port, close=close) for n in range(senders)]
    waiting = [camera for camera in cameras if not camera.send(selector)]
    latencies: list[float] = []
    while len(latencies) < each * senders:
        for key, _ in selector.select(0.05):
            camera = key.data
            if camera.receive(selector):
                latencies.append(time.perf_counter() - camera.began)
            if not camera.send(selector):
                waiting.append(camera)
        waiting = [camera for camera in waiting if not camera.send(selector)]
    for camera in cameras:
        camera.drop(selector)
    selector.close()
    return latencies


class Bare(BaseHTTPRequestHandler):
    """Reads the body, answers 200, does nothing."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one packet, as ours: else the comparison would flatter us

    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "10")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b'{"code":0}')

    def log_message(self, *_: object) -> None:
        """Nothing."""


class BareServer(ThreadingHTTPServer):
    """With the receiver's queue, so that both are asked the same."""

    request_queue_size = 512
    daemon_threads = True


def serve_bare(port: int) -> None:
    """Serve until killed."""
    with BareServer(("127.0.0.1", port), Bare) as server:
        server.serve_forever()


def serve(port: int, directory: str, jsonl: str) -> None:
    """Receive into *directory*, deliver to *jsonl* where it is given, until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Spool(directory) as spool, Receiver(spool, host="127.0.0.1", port=port, secrets={APP: KEY}):
        if not jsonl:
            signal.pause()
        with open(jsonl, "a", encoding="utf-8") as stream, Delivery(spool, JsonlSink(stream)):
            signal.pause()


class Server:
    """A server process on a port that it keeps."""

    def __init__(self, *arguments: str) -> None:
        self.port, self.arguments = free_port("127.0.0.1"), arguments
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it listens."""
        kind, *rest = self.arguments
        self.process = subprocess.Popen([sys.executable, __file__, f"--{kind}", str(self.port), *rest])
        while wait:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    sys.exit("the server did not start")
                time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Signal it, and wait."""
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait()

    def memory(self) -> int:
        """Resident KiB."""
        assert self.process is not None
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmRSS")))


def percentiles(latencies: list[float]) -> str:
    """Median and 99th."""
    ordered = sorted(latencies)
    return f"p50 {ordered[len(ordered) // 2] * 1e3:6.1f} ms   p99 {ordered[len(ordered) * 99 // 100] * 1e3:6.1f} ms"


def throughput(directory: Path, events: int, senders: int) -> None:
    """Ours and the bare server in turn, with connections kept and with a new one for each event."""
    for close in (False, True):
        rates: dict[str, list[float]] = {"bare": [], "ours": []}
        shown: dict[str, list[float]] = {"bare": [], "ours": []}
        for turn in range(3):
            for name in rates:
                target = directory / f"spool-{close}-{turn}"
                server = Server("bare") if name == "bare" else Server("receiver", str(target), "")
                server.start()
                post(server.port, senders * 4, senders, close=close)  # warm
                began = time.perf_counter()
                latencies = post(server.port, events, senders, close=close)
                rates[name].append(len(latencies) / (time.perf_counter() - began))
                shown[name] += latencies
                server.stop()
        how = "a connection each" if close else "connections kept"
        for name, rate in rates.items():
            label = "http.server, bare" if name == "bare" else "receiver, durable"
            print(f"{label}, {how:17} {sorted(rate)[1]:6.0f} events/s   {percentiles(shown[name])}")
        ratio = sorted(rates["ours"])[1] / sorted(rates["bare"])[1]
        print(
            f"{'ratio to bare':37} {ratio:6.2f}" + ("" if close else "   (wanted: at least 1,500 events/s)")
        )


class Shops:
    """Virtual cameras in a process of their own; each posts its next event when the last is acknowledged."""

    def __init__(self, port: int, events: int, count: int) -> None:
        arguments = [str(port), str(events), str(count)]
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--shops", *arguments], stdout=subprocess.PIPE, text=True
        )

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it says: how far it is, at last the figures."""
        assert self.process.stdout is not None
        with self.process:
            for line in self.process.stdout:
                yield json.loads(line)


def play_shops(port: int, events: int, count: int) -> None:
    """Post *events* from *count* virtual cameras that were subscribed over TLS; one in fifty twice."""
    latencies: list[float] = []
    each, numbers = events // count, dict[str, int]()
    finished = threading.Event()
    lock = threading.Lock()

    def answered(camera: VirtualCamera, status: int, took: float) -> None:
        if status != 200:
            return
        with lock:
            latencies.append(took)
            done = len(latencies)
            number = numbers[camera.sn] = numbers[camera.sn] + 1
        if done % 500 == 0:
            print(json.dumps({"done": done}), flush=True)
        if number < each:
            feed.happen(camera, event_id=str(number))
        elif done == each * count:
            finished.set()

    with contextlib.ExitStack() as stack:
        vendor = stack.enter_context(Vendor(app_id=APP, secret_key=KEY))
        cameras = start_cameras(vendor, count, port=0, state="ready", people=0, udp=False)
        for camera in cameras:
            stack.callback(camera.close)
            with connect(camera) as client:
                client.events.subscribe("face_recog_event", callback=f"http://127.0.0.1:{port}/events")
            numbers[camera.sn] = 0
        play = Play(repeat=0.02, attempts=1_000_000, pause=0.05)
        feed = stack.enter_context(Feed(cameras, play, workers=count, answered=answered))
        began = time.perf_counter()
        for camera in cameras:
            feed.happen(camera, event_id="0")
        finished.wait()
        seconds = time.perf_counter() - began
        feed.drain(60)
        figures = {"seconds": seconds, "shown": percentiles(latencies), "counts": feed.counts}
        print(json.dumps(figures | {"cameras": [camera.sn for camera in cameras]}), flush=True)


def soak(directory: Path, events: int, count: int, kills: int) -> bool:
    """Receive *events* while the receiver is killed *kills* times in the first two thirds; whether all is well."""
    spool, jsonl = directory / "soak", directory / "soak.jsonl"
    server = Server("receiver", str(spool), str(jsonl))
    server.start()
    marks = [events * 2 * (k + 1) // (3 * (kills + 1)) for k in range(kills)]
    settle = marks[-1] + max(500, events // 20) if marks else 500
    memory: list[int] = []
    figures: dict[str, Any] = {}
    for said in Shops(server.port, events, count).lines():
        if marks and said.get("done", 0) >= marks[0]:
            marks.pop(0)
            server.stop(signal.SIGKILL)
            server.start(wait=False)
        elif not memory and said.get("done", 0) >= settle:
            memory.append(server.memory())
        figures = said
    memory.append(server.memory())
    sent = {(sn, str(i)) for sn in figures["cameras"] for i in range(events // count)}
    with Spool(spool, retention=None) as reading:
        deadline = time.monotonic() + 120
        while reading.counts()["consumers"]["jsonl"]["backlog"] and time.monotonic() < deadline:
            time.sleep(0.1)
        kept = [s.event.key for s in reading.replay(datetime(2000, 1, 1, tzinfo=UTC))]
    server.stop()
    delivered: list[tuple[str, str]] = []
    with jsonl.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                record = json.loads(line)
            except ValueError:
                continue  # the line that a kill cut short; its event comes again
            delivered.append((record["sn"], record["event_id"]))
    there = {(sn, event_id) for sn, _, event_id in kept}
    lost, doubled, missing = len(sent - there), len(kept) - len(set(kept)), len(sent - set(delivered))
    counts = figures["counts"]
    print(f"soak: {len(sent)} events of {count} virtual cameras, {kills} SIGKILLs; "
          f"{counts['unanswered']} posts found nobody, {counts['repeated']} were repeated though acknowledged")  # fmt: skip
    print(
        f"  {len(sent) / figures['seconds']:.0f} events/s sustained, the kills included   {figures['shown']}"
    )
    print(f"  lost {lost}, doubled {doubled}, kept but never sent {len(there - sent)}")
    print(
        f"  delivered: missing {missing}, more than once {len(delivered) - len(set(delivered))} (at least once)"
    )
    print(f"  memory after the last kill {memory[0] / 1024:.1f} MiB, at the end {memory[-1] / 1024:.1f} MiB")
    return not (lost or doubled or missing or there - sent)


def main() -> None:
    """Run both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--directory", help="where to spool; default: a temporary folder, which may be in memory"
    )
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--receiver", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--shops", nargs=3, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        serve_bare(int(options.bare))
    elif options.receiver:
        serve(int(options.receiver[0]), options.receiver[1], options.receiver[2])
    elif options.shops:
        play_shops(*options.shops)
    else:
        if options.quick:
            options.events, options.kills = 6000, 3
        with tempfile.TemporaryDirectory(dir=options.directory) as directory:
            flush(Path(directory))
            throughput(Path(directory), min(10_000, options.events), options.cameras)
            good = soak(Path(directory), options.events, options.cameras, options.kills)
        sys.exit(0 if good else 1)


def flush(directory: Path) -> None:
    """What a flush costs on this disk: without it the figures mean little."""
    times = []
    with open(directory / "flush", "wb", buffering=0) as file:
        for _ in range(100):
            file.write(b"x" * 4096)
            began = time.perf_counter()
            os.fsync(file.fileno())
            times.append(time.perf_counter() - began)
    print(f"a flush of 4 KiB to this disk takes {sorted(times)[50] * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
