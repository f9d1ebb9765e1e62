"""The live picture: how soon, how far behind, at what cost. Beside ``ffmpeg -c copy`` repackaging the same stream.

    python benchmarks/console.py                                          # all, in eleven minutes
    python benchmarks/console.py --seconds 0 --load 0 --churn 3600        # an hour of coming and going
    python benchmarks/console.py --seconds 0 --load 0 --churn 600         # as many, closer together

A clock of black and white bars is drawn into a virtual camera's 1080p picture and read back from the page's pixels
in Chromium: what is between is the way from the camera's encoder to the screen. The console runs in a process of its
own, whose CPU time is read from ``/proc``; viewers beyond the browser are bare WebSockets that read what comes. For
first pictures the CPU time of the page's own thread and of the console stands beside the seconds: on a busy machine
the seconds are those of the others, too. Memory: what a visit leaves behind is a straight line through the
samples of the second half, once all that is made once has been made. A page that nobody connects to is kept for a
minute and more: so long memory grows, with as many pages as that.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from sunmi_ipc.simulator import Vendor, VirtualCamera
from sunmi_ipc.simulator.video import scene as film

BITS, WIDE, TOP, HIGH = 32, 48, 900, 96
#: The bars hold milliseconds modulo this.
WRAP = 1 << BITS
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required")  # fmt: skip


def clock_in_the_picture() -> None:
    """Draw the time of drawing into every picture: 32 bars, the highest bit first."""
    draw = film.Scene.picture

    def picture(self: Any, when: float, *rest: Any) -> Any:
        canvas = draw(self, when, *rest)
        now = int(time.time() * 1000) % WRAP
        scale = canvas.width / 1920
        for bit in range(BITS):
            light = 235 if now >> (BITS - 1 - bit) & 1 else 16
            box = (
                slice(round(TOP * scale), round((TOP + HIGH) * scale)),
                slice(round((96 + bit * WIDE) * scale), round((96 + (bit + 1) * WIDE) * scale)),
            )
            canvas.planes[0][box] = light
            half = tuple(slice(part.start // 2, part.stop // 2) for part in box)
            canvas.planes[1][half] = canvas.planes[2][half] = 128
        return canvas

    film.Scene.picture = picture  # type: ignore[method-assign]


READ = f"""() => {{
  const v = document.querySelector('video.lp-media'); if (!v || v.readyState < 2) return null;
  const c = window.bars || (window.bars = new OffscreenCanvas(1920, 1080)), g = c.getContext('2d', {{willReadFrequently: true}});
  g.drawImage(v, 0, 0, 1920, 1080);
  const d = g.getImageData(96, {TOP + HIGH // 2}, {BITS * WIDE}, 1).data; let n = 0;
  for (let i = 0; i < {BITS}; i++) n = n * 2 + (d[4 * (i * {WIDE} + {WIDE // 2})] > 125 ? 1 : 0);
  return [n, Date.now() % {WRAP}];
}}"""


#: Anything at all: what was seen last, or what moves.
SEEN = """() => [...document.querySelectorAll('.lp-media')].some(e => e.offsetWidth > 200
  && (e.naturalWidth > 0 || (e.readyState >= 2 && e.style.visibility !== 'hidden')))"""


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident megabytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def console(environment: dict[str, str]) -> Iterator[tuple[int, str, str]]:
    """``ipc console`` in a process of its own: its number, the link that lets in, and where it is."""
    command = [sys.executable, "-m", "sunmi_ipc_cli", "console", "--json", "--no-open", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, **environment}, text=True
    ) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        try:
            yield process.pid, said["url"], said["base"]
        finally:
            process.terminate()


async def look(base: str, sn: str, cookie: str, seconds: float, viewers: int) -> int:
    """Look with so many bare WebSockets; returns the bytes that came."""
    from websockets.asyncio.client import connect

    async def one() -> int:
        total, end = 0, time.monotonic() + seconds
        url = base.replace("http", "ws", 1) + f"/live/{sn}/fhd"
        async with connect(
            url, origin=base, additional_headers={"Cookie": cookie}, compression=None, max_size=None
        ) as socket:  # type: ignore[arg-type]
            while time.monotonic() < end:
                try:
                    total += len(await asyncio.wait_for(socket.recv(), end - time.monotonic() + 0.1))
                except TimeoutError:
                    break
        return total

    return sum(await asyncio.gather(*(one() for _ in range(viewers))))


def share(pid: int, seconds: float, work: Any) -> float:
    """How much of a core a process takes while *work* runs (and *seconds* pass)."""
    before, began = cpu(pid), time.monotonic()
    work()
    return (cpu(pid) - before) / (time.monotonic() - began)


def ffmpeg(url: str, seconds: float) -> float:
    """How much of a core ``ffmpeg -c copy`` takes to repackage the stream into fragments."""
    command = ["ffmpeg", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-an", "-c", "copy",
               "-movflags", "frag_every_frame+empty_moov+default_base_moof", "-f", "mp4", "-y", "/dev/null"]  # fmt: skip
    with subprocess.Popen(command) as process:
        time.sleep(3)  # its start is not its work
        result = share(process.pid, seconds, lambda: time.sleep(seconds))
        process.terminate()
    return result


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--seconds", type=float, default=300, help="how long the delay is measured; 0: not at all"
    )
    parser.add_argument(
        "--load", type=float, default=30, help="how long each CPU figure is measured; 0: not at all"
    )
    parser.add_argument(
        "--churn", type=float, default=300, help="how long viewers come and go; 0: not at all"
    )
    parser.add_argument("--looks", type=int, default=5, help="how often the first picture is looked at")
    given = parser.parse_args()
    clock_in_the_picture()
    with (
        Vendor() as vendor,
        tempfile.TemporaryDirectory() as folder,
        VirtualCamera(vendor, state="ready") as camera,
    ):
        environment = vendor.environment() | {"SUNMI_IPC_CONFIG_DIR": folder, "SUNMI_IPC_INTERFACE": "lo"}
        with console(environment) as (pid, link, base):
            measure(given, camera, pid, link, base)


def measure(given: Any, camera: VirtualCamera, pid: int, link: str, base: str) -> None:
    """All figures of one console and one camera."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(link)
        page.wait_for_url(base + "/")
        cookie = next(f"{c['name']}={c['value']}" for c in context.cookies() if c["name"] == "ipc_session")
        page.wait_for_selector(f"a[href$='{camera.sn}']", timeout=30_000)
        inside = context.new_cdp_session(page)
        inside.send("Performance.enable", {"timeDomain": "threadTicks"})
        for name in ("cold (the camera was not looked at)", "warm (somebody looks already)"):
            looks: list[tuple[float, ...]] = []
            for _ in range(given.looks if given.seconds else 0):
                page.goto("about:blank")
                time.sleep(12 if name.startswith("cold") else 1)
                began, used = time.monotonic(), cpu(pid)
                page.goto(f"{base}/camera/{camera.sn}", wait_until="commit")
                page.wait_for_function(SEEN, polling=20)
                seen = time.monotonic() - began
                page.wait_for_function(READ, polling=20)
                moves = time.monotonic() - began
                metrics = {m["name"]: m["value"] for m in inside.send("Performance.getMetrics")["metrics"]}
                looks.append((seen, moves, cpu(pid) - used, metrics["TaskDuration"]))
            if not looks:
                continue
            seen, moves, server, thread = (statistics.median(column) for column in zip(*looks, strict=True))
            print(
                f"first picture, {name}: {seen:.2f} s, most {max(look[0] for look in looks):.2f} s; "
                f"first that moves: {moves:.2f} s, most {max(look[1] for look in looks):.2f} s "
                f"(medians of {len(looks)}; CPU until then: console {server:.2f} s, page {thread:.2f} s; "
                f"load {os.getloadavg()[0]:.1f})",
                flush=True,
            )
        delays: list[float] = []
        end = time.monotonic() + given.seconds
        while time.monotonic() < end:
            if (read := page.evaluate(READ)) is not None:
                drawn, shown = read
                delays.append(((shown - drawn) % WRAP) / 1000)
            time.sleep(0.25)
        delays = [d for d in delays if d < 60]
        if delays:
            p95 = float(np.percentile(delays, 95))
            print(
                f"behind the camera over {given.seconds:.0f} s: median {statistics.median(delays):.2f} s, "
                f"p95 {p95:.2f} s, most {max(delays):.2f} s ({len(delays)} looks)", flush=True
            )  # fmt: skip
        browser.close()
    if given.load:
        cost(given, camera, pid, base, cookie)
    if given.churn:
        churn(given.churn, camera, pid, base, cookie)


def cost(given: Any, camera: VirtualCamera, pid: int, base: str, cookie: str) -> None:
    """CPU of one viewer and of twenty, beside FFmpeg on the same stream."""
    time.sleep(12)  # the session lingers
    idle = share(pid, given.load, lambda: time.sleep(given.load))
    for viewers in (1, 20):
        came: list[int] = []

        def watch(n: int = viewers, came: list[int] = came) -> None:
            came.append(asyncio.run(look(base, camera.sn, cookie, given.load, n)))

        used = share(pid, given.load, watch)
        rate = came[0] * 8 / given.load / viewers / 1e6
        print(
            f"CPU of {viewers:2} viewers of 1080p: {100 * used:.1f} % of a core (idle {100 * idle:.1f} %), "
            f"{rate:.2f} Mbit/s each",
            flush=True,
        )
    url = camera.live_url("fhd").replace("rtsp://", "rtsp://admin:admin@")
    if shutil.which("ffmpeg"):
        print(
            f"CPU of ffmpeg -c copy on the same stream: {100 * ffmpeg(url, given.load):.1f} % of a core",
            flush=True,
        )


def churn(seconds: float, camera: VirtualCamera, pid: int, base: str, cookie: str) -> None:
    """Viewers come, take a picture and go, with pages and pictures in between; what does a visit leave behind."""
    began, visits = time.monotonic(), [0, 0]
    samples: list[tuple[float, int, float]] = []
    pause = 0.0 if seconds <= 900 else 0.5  # an hour, as people would; or as many, closer together

    async def viewer() -> None:
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        url = base.replace("http", "ws", 1) + f"/live/{camera.sn}/fhd"
        while time.monotonic() - began < seconds:
            with contextlib.suppress(OSError, TimeoutError, WebSocketException):
                async with (
                    asyncio.timeout(30),  # one that is told of no picture again and again leaves, too
                    connect(
                        url,
                        origin=base,
                        additional_headers={"Cookie": cookie},
                        compression=None,
                        max_size=None,
                    ) as socket,  # type: ignore[arg-type]
                ):
                    while not isinstance(await socket.recv(), bytes):
                        pass
                visits[0] += 1
            await asyncio.sleep(pause)

    def pages() -> None:
        tabs = (
            "picture",
            "line",
            "people",
            "faces",
            "recordings",
            "events",
            "detection",
            "network",
            "endpoints",
        )
        while time.monotonic() - began < seconds:
            for path in (
                f"/camera/{camera.sn}?tab={tabs[visits[1] % len(tabs)]}",
                f"/picture/{camera.sn}.jpg",
            ):
                request = urllib.request.Request(base + path, headers={"Cookie": cookie})
                with contextlib.suppress(OSError), urllib.request.urlopen(request, timeout=30) as answer:
                    answer.read()
            visits[1] += 1
            time.sleep(0.5)

    async def watch() -> None:
        minute = 0
        while time.monotonic() - began < seconds:
            at = time.monotonic() - began
            samples.append((at, visits[0] + visits[1], memory(pid)))
            if at >= 60 * minute:
                print(
                    f"  {minute:3} min: {visits[0]:7} viewers, {visits[1]:5} pages, {samples[-1][2]:6.1f} MB",
                    flush=True,
                )
                minute += 1
            await asyncio.sleep(min(5.0, seconds / 40))

    async def all_of_it() -> None:
        await asyncio.gather(watch(), asyncio.to_thread(pages), *(viewer() for _ in range(8)))

    asyncio.run(all_of_it())
    later = samples[len(samples) // 2 :]
    if len(later) > 5:
        at, count, size = (np.array(column, dtype=float) for column in zip(*later, strict=True))
        hour = float(np.polyfit(at, size, 1)[0]) * 3600
        thousand = float(np.polyfit(count, size, 1)[0]) * 1000
        print(
            f"memory while viewers come and go over {seconds:.0f} s ({visits[0]} viewers, {visits[1]} pages): "
            f"{samples[0][2]:.0f} MB at first, {later[0][2]:.0f} MB half-way, {later[-1][2]:.0f} MB at the end; over the "
            f"second half {hour:+.1f} MB an hour, {thousand:+.2f} MB a thousand visits", flush=True
        )  # fmt: skip


if __name__ == "__main__":
    main()
