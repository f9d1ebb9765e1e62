"""How fast and how surely cameras are found, on loopback; and what the packet parser survives.

500 virtual cameras run in one process, the scans in another. python-kasa's discovery, a well-kept
library of the same kind, waits 5 s by default, whatever answers: that is the yardstick. Then a
tracker's cost while nothing changes, and a million packets that are broken in every way we can think of.

    python benchmarks/discovery.py [CAMERAS [RUNS [PACKETS]]]
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import time

from sunmi_ipc.discovery import ScanReport, Tracker, discover, packet
from sunmi_ipc.discovery.camera import observe
from sunmi_ipc.simulator.discovery import response

KASA_DEFAULT_S = 5.0
"""``Discover.discover(discovery_timeout=5)``, python-kasa 0.10."""


def scans(sns: set[str], runs: int) -> None:
    """Scan *runs* times, ending at the last camera; then once without knowing how many there are."""
    rows = []
    missed = 0
    for _ in range(runs):
        found: set[str] = set()
        first = last = 0.0
        report = ScanReport()
        cpu, started = time.process_time(), time.perf_counter()
        for camera in discover(timeout=10, expect=len(sns), interfaces=["lo"], report=report):
            last = (time.perf_counter() - started) * 1000
            first = first or last
            found.add(camera.sn)
        whole = (time.perf_counter() - started) * 1000
        rows.append((first, last, whole, (time.process_time() - cpu) * 1000, whole - last))
        missed += len(sns - found)
    print(f"found            {len(sns) * runs - missed} of {len(sns)} x {runs}")
    for name, values in zip(
        ("first ms", "last ms", "in all ms", "CPU ms", "ending ms"), zip(*rows, strict=True), strict=True
    ):
        print(
            f"{name:<16} median {statistics.median(values):7.1f}   worst {max(values):7.1f}"
            + ("   (wanted: at most 300)" if name == "ending ms" else "")
        )
    whole = statistics.median(row[2] for row in rows)
    print(
        f"python-kasa's    {KASA_DEFAULT_S * 1000:.0f} ms by default: {KASA_DEFAULT_S * 1000 / whole:.0f} times that"
    )
    report = ScanReport()
    cpu = time.process_time()
    count = len(list(discover(interfaces=["lo"], report=report)))
    print(
        f"without --expect {count} found in {report.elapsed_s:.2f} s (wanted: under 2.5), "
        f"CPU {(time.process_time() - cpu) * 1000:.0f} ms with mDNS"
    )


def tracker(count: int) -> None:
    """What a tracker costs with every camera there and nothing changing."""
    online = 0
    with Tracker(interval=5, interfaces=["lo"]) as watching:
        for _ in watching:
            online += 1
            if online >= count:
                break
        time.sleep(2)
        cpu, started = time.process_time(), time.monotonic()
        time.sleep(20)
        share = (time.process_time() - cpu) / (time.monotonic() - started)
    print(f"tracker          {online} cameras, a round each 5 s: {share * 100:.2f} % of one core")


def fuzz(count: int) -> None:
    """Feed the parser broken packets; anything but BadPacket ends this with a traceback."""
    die = random.Random(1)
    good = response({"deviceid": "FS101D8BS00106", "ip": "10.0.0.1", "mac": "02:53:4D:00:00:01"})
    whole = broken = 0
    started = time.perf_counter()
    for number in range(count):
        kind = number % 5
        if kind == 0:
            data = die.randbytes(die.randrange(200))
        elif kind == 1:
            changed = bytearray(good)
            for _ in range(die.randrange(1, 4)):
                changed[die.randrange(len(changed))] = die.randrange(256)
            data = bytes(changed)
        elif kind == 2:
            data = good[: die.randrange(len(good))] + die.randbytes(die.randrange(20))
        elif kind == 3:
            data = packet.encode(2, {die.choice("abc") * die.randrange(5): die.randbytes(9).hex()})
        else:
            text = json.dumps(
                die.choice([None, 1e999, 10**50, [[]], {"deviceid": None}, {"ip": {}}, "\ud800"])
            )
            data = _sealed(text.encode() + die.randbytes(die.randrange(3)))
        try:
            observe(packet.parse(data).payload, "10.0.0.1")
            whole += 1
        except packet.BadPacket:
            broken += 1
    seconds = time.perf_counter() - started
    print(
        f"packets          {count} ({whole} good, {broken} rejected), no other exception; "
        f"{seconds / count * 1e6:.1f} us each with making them"
    )


def _sealed(payload: bytes) -> bytes:
    import base64
    import zlib

    body = base64.b64encode(payload)
    head = b"\xff\xff\x33\xff\x01\x02" + len(body).to_bytes(2) + body
    return head + zlib.crc32(head).to_bytes(4)


def alone() -> None:
    """Go on in a network namespace where that is possible: other virtual cameras would answer too."""
    if "SUNMI_IPC_ALONE" in os.environ:
        return
    os.environ["SUNMI_IPC_ALONE"] = "1"
    inside = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
    again = shlex.join([sys.executable, *sys.argv])
    with contextlib.suppress(OSError):
        if subprocess.run([*inside, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0:
            os.execvp(inside[0], [*inside, "sh", "-c", f"ip link set lo up && exec {again}"])
    print("no namespace to be had: other virtual cameras of this machine count too")


def main() -> None:
    """Start the cameras, and measure."""
    alone()
    cameras, runs, packets = (
        [int(text) for text in sys.argv[1:]] + [500, 20, 1_000_000][len(sys.argv) - 1 :]
    )[:3]
    command = [sys.executable, "-m", "sunmi_ipc_cli", "sim", "start", "--count", str(cameras)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            sns = {camera["sn"] for camera in json.loads(running.stdout.readline())["cameras"]}
            print(f"virtual cameras  {len(sns)} in one process")
            scans(sns, runs)
            tracker(len(sns))
        finally:
            running.terminate()
    fuzz(packets)


if __name__ == "__main__":
    main()
