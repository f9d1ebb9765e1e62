"""A signed call under asyncio beside aiohttp for the same bytes over the same TLS; and many cameras beside a bare client.

``python benchmarks/aio.py [--cameras N] [--rounds N]``. The cameras live in a process of their own. Printed:

* what a signed call takes (built, signed, sent, read, checked), and what aiohttp takes for the same bytes with the same
  TLS context, in turns: seconds, and seconds of this process's processor alone;
* N cameras that answer after 150 ms: one call each by ``AsyncFleet``, by the threaded ``Fleet`` and by a bare asyncio TLS
  client (a handshake, one request, one answer, nothing checked), from nothing, in turns; and what each adds to a fresh
  process's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

DELAY_S = 0.15
WAYS = ("bare", "asyncio", "threads")


def serve(count: int) -> None:
    """The other process: so many cameras; a line makes them answer late, or at once."""
    from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras

    with Vendor() as vendor, VirtualCamera(vendor, state="ready", udp=False) as one:
        many = start_cameras(vendor, count, first=300, port=0, state="ready", people=0) if count else []
        for camera in many:
            camera.fail("delay", DELAY_S, path="device/getInfo", times=None)
        print(
            json.dumps({"env": vendor.environment(), "one": one.address, "many": [c.address for c in many]}),
            flush=True,
        )
        sys.stdin.read()
        for camera in many:
            camera.close()


def settings(shop: dict[str, Any]) -> Any:
    """Settings for these cameras."""
    from sunmi_ipc.settings import Settings

    return Settings.load(environment=shop["env"])


async def signed_call(shop: dict[str, Any], rounds: int, calls: int = 200) -> None:
    """One camera, one kept connection each."""
    import aiohttp

    from sunmi_ipc.aio import connect
    from sunmi_ipc.protocol import wire
    from sunmi_ipc.protocol.spec import registry

    endpoint, seen = registry()["device/getInfo"], dict[str, list[tuple[float, float]]]()

    def note(name: str, started: tuple[float, float]) -> None:
        seen.setdefault(name, []).append(
            ((time.perf_counter() - started[0]) / calls, (time.process_time() - started[1]) / calls)
        )

    async with connect(settings(shop), shop["one"]) as camera:
        await camera.device.info()
        connector = aiohttp.TCPConnector(ssl=camera.tls[0], limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            url, kind = f"https://{shop['one']}/openapi/device/getInfo", "application/x-www-form-urlencoded"
            for _ in range(rounds):
                bodies = [
                    wire.build(endpoint, {}, camera.credentials, now=time.time(), random=wire.nonce()).body
                    for _ in range(calls)
                ]
                started = time.perf_counter(), time.process_time()
                for body in bodies:
                    async with session.post(url, data=body, headers={"Content-Type": kind}) as response:
                        json.loads(await response.read())
                note("aiohttp", started)
                started = time.perf_counter(), time.process_time()
                for _ in range(calls):
                    await camera.device.info()
                note("ours", started)
    told = {
        name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in seen.items()
    }
    for name in ("ours", "aiohttp"):
        print(
            f"signed call, {name:8}{told[name][0] * 1e6:7.0f} us, of it processor {told[name][1] * 1e6:5.0f} us"
        )
    print(f"ratio                {told['ours'][0] / told['aiohttp'][0]:7.2f}  (wanted: at most 1.2)")


async def bare(shop: dict[str, Any]) -> None:
    """A handshake, one request and its answer with every camera."""
    from sunmi_ipc.link.tls import ClientCertificate, client_context, read_ca
    from sunmi_ipc.protocol import wire
    from sunmi_ipc.protocol.spec import registry
    from sunmi_ipc.protocol.wire import Credentials

    mine = settings(shop)
    context = client_context(ClientCertificate.load(mine.p12, mine.p12_password), read_ca(mine.ca))
    credentials = Credentials(mine.app_id, mine.secret_key)

    async def one(address: str) -> None:
        host, _, port = address.partition(":")
        body = wire.build(
            registry()["device/getInfo"], {}, credentials, now=time.time(), random=wire.nonce()
        ).body
        reader, writer = await asyncio.open_connection(
            host, int(port or 443), ssl=context, server_hostname=host
        )
        head = (
            f"POST /openapi/device/getInfo HTTP/1.1\r\nHost: {address}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        assert b'"code"' in await reader.read(65_536)
        writer.transport.abort()

    await asyncio.gather(*(one(address) for address in shop["many"]))


async def native(shop: dict[str, Any]) -> None:
    """One signed call to every camera."""
    from sunmi_ipc.aio import AsyncFleet, connect
    from sunmi_ipc.api.device import Device

    mine = settings(shop)
    shared = mine.arguments()
    async with AsyncFleet(connect(mine, address, **shared) for address in shop["many"]) as fleet:
        async for result in fleet.call(Device.info):
            result.get()


def threaded(shop: dict[str, Any]) -> None:
    """The same with as many threads as cameras."""
    from sunmi_ipc.api.device import Device
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.fleet import Fleet

    shared = settings(shop).arguments()
    many = [Camera(address, **shared) for address in shop["many"]]
    with Fleet(many, jobs=len(many)) as fleet:
        for result in fleet.call(Device.info):
            result.get()


def way(name: str, shop: dict[str, Any]) -> None:
    """In a fresh process: once for what is loaded but once, then measured."""
    run: dict[str, Callable[[dict[str, Any]], None]] = {
        "bare": lambda some: asyncio.run(bare(some)),
        "asyncio": lambda some: asyncio.run(native(some)),
        "threads": threaded,
    }
    run[name](shop | {"many": shop["many"][:1]})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started, cpu = time.perf_counter(), time.process_time()
    run[name](shop)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps([seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before]))


def main() -> None:
    """Run all of it, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--way", choices=WAYS)
    options = parser.parse_args()
    if options.serve:
        serve(options.cameras)
        return
    if options.way:
        way(options.way, json.loads(sys.stdin.read()))
        return
    command = [sys.executable, __file__]
    with subprocess.Popen(
        [*command, "--serve", "--cameras", str(options.cameras)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as cameras:  # fmt: skip
        assert cameras.stdout is not None
        shop: dict[str, Any] = json.loads(cameras.stdout.readline())
        asyncio.run(signed_call(shop, options.rounds))
        rows: dict[str, list[list[float]]] = {name: [] for name in WAYS}
        for _ in range(max(1, options.rounds // 3)):
            for name in WAYS:
                done = subprocess.run(
                    [*command, "--way", name],
                    input=json.dumps(shop),
                    capture_output=True,
                    text=True,
                    check=True,
                )
                rows[name].append(json.loads(done.stdout))
        best = {name: [min(column) for column in zip(*found, strict=True)] for name, found in rows.items()}
        print(
            f"{len(shop['many'])} cameras that answer after {DELAY_S * 1000:.0f} ms, one call each from nothing"
        )
        for name in WAYS:
            seconds, cpu, memory = best[name]
            print(
                f"  {name:8} {seconds:6.2f} s, of it processor {cpu:5.2f} s, memory +{memory / 1024:5.1f} MB"
            )
        print(f"  ratio to bare {best['asyncio'][0] / best['bare'][0]:.2f}  (wanted: at most 1.2)")
        assert cameras.stdin is not None
        cameras.stdin.close()


if __name__ == "__main__":
    main()
