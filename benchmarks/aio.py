"""A signed call under asyncio beside aiohttp for the same bytes over the same TLS; and many cameras beside a bare client.

``python benchmarks/aio.py [--cameras N] [--calls N] [--rounds N] [--servers N]``. The cameras live in processes of
their own. Printed:

* what a signed call takes (built, signed, sent, read, checked), and what aiohttp takes for the same bytes with the same
  TLS context: call by call in turns, over one kept connection each, to a virtual camera that checks the signature;
* N cameras that answer after 150 ms: one call each by ``AsyncFleet``, by the threaded ``Fleet`` and by a bare asyncio
  TLS client (a handshake, one request, one answer, nothing checked), from nothing, in turns, each time in a fresh
  process. Client and camera both show their certificates in every handshake, and no session is resumed. Memory is the
  process's peak, and how far that is above what it had before its first camera.

The cameras of the second part are as small as a server can be: an asyncio TLS server on an address of its own each,
with a certificate of its own, that answers 150 ms after it has read a request. What is measured is the client then. A
ratio is the median of the ratios of the runs that stood side by side; the processor's seconds are those of the client.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DELAY_S = 0.15
WAYS = ("bare", "asyncio", "threads")
ANSWER = json.dumps(
    {"code": 0, "data": {"sn": "FS101D8BS00106", "model_name": "FM020", "name": "Door"}}
).encode()


class SlowCamera(asyncio.Protocol):
    """Answers every request after a while."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has shaken hands."""
        self.transport, self.read = transport, b""

    def data_received(self, data: bytes) -> None:
        """A request, or a part of one."""
        self.read += data
        head, end, body = self.read.partition(b"\r\n\r\n")
        length = next((x for x in head.lower().split(b"\r\n") if x.startswith(b"content-length:")), b":0")
        if end and len(body) >= int(length.partition(b":")[2]):
            good = head.startswith(b"POST /openapi/device/getInfo ") and b"sign=" in body
            self.read = b""
            asyncio.get_running_loop().call_later(DELAY_S if good else 0, self.answer, good)

    def answer(self, good: bool) -> None:
        """Say it."""
        status = b"200 OK" if good else b"400 Bad Request"
        self.transport.write(  # type: ignore[attr-defined]
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (status, len(ANSWER), ANSWER)
        )


async def serve(folder: Path, first: int, count: int) -> None:
    """A process of cameras, until its input ends."""
    made = []
    for number in range(first, first + count):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / f"camera-{number}.pem")
        context.load_verify_locations(folder / "clients.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        host = f"127.{1 + number // 65_000}.{number // 250 % 256}.{1 + number % 250}"
        made.append(
            await asyncio.get_running_loop().create_server(SlowCamera, host, 0, ssl=context, backlog=16)
        )
    print(json.dumps([":".join(map(str, server.sockets[0].getsockname())) for server in made]), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # nothing here is worth closing


@contextlib.contextmanager
def cameras(count: int, servers: int) -> Iterator[dict[str, Any]]:
    """One virtual camera, and many slow ones."""
    from sunmi_ipc.simulator import Vendor

    with Vendor() as vendor, contextlib.ExitStack() as stack:
        (vendor.folder / "clients.pem").write_bytes(vendor.client_authority.pem)
        for number in range(count):
            vendor.authority.server_files(vendor.folder, f"camera-{number}")
        shop: dict[str, Any] = {"env": vendor.environment(), "many": []}

        def start(*options: str) -> Any:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, __file__, *options],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            assert process.stdin is not None
            stack.callback(process.stdin.close)
            assert process.stdout is not None
            return json.loads(process.stdout.readline())

        shop |= start("--virtual")
        for part in range(servers):
            shares = range(part, count, servers)
            begin = sum(len(range(other, count, servers)) for other in range(part))
            shop["many"] += start(
                "--serve", str(vendor.folder), "--first", str(begin), "--cameras", str(len(shares))
            )
        yield shop


def virtual() -> None:
    """The process of one virtual camera, with a vendor of its own."""
    from sunmi_ipc.simulator import Vendor, VirtualCamera

    with Vendor() as vendor, VirtualCamera(vendor, state="ready", udp=False) as one:
        print(json.dumps({"one_env": vendor.environment(), "one": one.address}), flush=True)
        sys.stdin.read()


def settings(environment: dict[str, str]) -> Any:
    """Settings for these cameras; a busy computer may take its time, which is measured."""
    from sunmi_ipc.settings import Settings

    return Settings.load(environment=environment).with_options(timeout=120.0)


async def signed_call(shop: dict[str, Any], calls: int) -> None:
    """One camera, one kept connection each."""
    import aiohttp

    from sunmi_ipc.aio import connect
    from sunmi_ipc.protocol import wire
    from sunmi_ipc.protocol.spec import registry

    endpoint = registry()["device/getInfo"]
    seconds: dict[str, list[float]] = {"ours": [], "aiohttp": []}
    cpu: dict[str, list[float]] = {"ours": [], "aiohttp": []}
    async with connect(settings(shop["one_env"]), shop["one"]) as camera:
        await camera.device.info()
        connector = aiohttp.TCPConnector(ssl=camera.tls[0], limit=1)
        async with aiohttp.ClientSession(connector=connector) as session:
            url, kind = f"https://{shop['one']}/openapi/device/getInfo", "application/x-www-form-urlencoded"

            async def theirs(body: bytes) -> None:
                async with session.post(url, data=body, headers={"Content-Type": kind}) as response:
                    assert json.loads(await response.read())["code"] == 0

            for number in range(calls + 20):
                body = wire.build(endpoint, {}, camera.credentials, now=time.time(), random=wire.nonce()).body
                turns: list[tuple[str, Callable[[], Any]]] = [
                    ("ours", camera.device.info),
                    ("aiohttp", lambda body=body: theirs(body)),  # type: ignore[misc]
                ]
                for name, call in turns if number % 2 else turns[::-1]:
                    started, processor = time.perf_counter(), time.process_time()
                    await call()
                    if number >= 20:
                        seconds[name].append(time.perf_counter() - started)
                        cpu[name].append(time.process_time() - processor)
    for name in seconds:
        print(
            f"signed call, {name:8}{statistics.median(seconds[name]) * 1e6:7.0f} us, "
            f"of it processor {statistics.median(cpu[name]) * 1e6:5.0f} us"
        )
    told = {kind: statistics.median(row["ours"]) / statistics.median(row["aiohttp"])
            for kind, row in (("wall", seconds), ("processor", cpu))}  # fmt: skip
    print(f"  ratio {told['wall']:.2f}, of the processor {told['processor']:.2f}  (wanted: at most 1.2)")


async def bare(shop: dict[str, Any]) -> None:
    """A handshake, one request and its answer with every camera."""
    from sunmi_ipc.link.tls import ClientCertificate, client_context, read_ca
    from sunmi_ipc.protocol import wire
    from sunmi_ipc.protocol.spec import registry
    from sunmi_ipc.protocol.wire import Credentials

    mine = settings(shop["env"])
    context = client_context(ClientCertificate.load(mine.p12, mine.p12_password), read_ca(mine.ca))
    credentials = Credentials(mine.app_id, mine.secret_key)

    async def one(address: str) -> asyncio.StreamWriter:
        host, _, port = address.partition(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=context, server_hostname=host)
        body = wire.build(
            registry()["device/getInfo"], {}, credentials, now=time.time(), random=wire.nonce()
        ).body
        head = (
            f"POST /openapi/device/getInfo HTTP/1.1\r\nHost: {address}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        assert b'"code": 0' in await reader.read(65_536)
        return writer

    # Kept open until all are done, as the fleets keep theirs for the next call.
    for writer in await asyncio.gather(*(one(address) for address in shop["many"])):
        writer.transport.abort()


async def native(shop: dict[str, Any]) -> None:
    """One signed call to every camera."""
    from sunmi_ipc.aio import AsyncFleet
    from sunmi_ipc.api.device import Device

    async with AsyncFleet.of(found(shop), settings(shop["env"])) as fleet:
        async for result in fleet.call(Device.info):
            result.get()


def threaded(shop: dict[str, Any]) -> None:
    """The same with as many threads as cameras."""
    from sunmi_ipc.api.device import Device
    from sunmi_ipc.fleet import Fleet

    with Fleet.of(found(shop), settings(shop["env"]), jobs=len(shop["many"])) as fleet:
        for result in fleet.call(Device.info):
            result.get()


def found(shop: dict[str, Any]) -> Any:
    """The cameras as a search would have found them."""
    from sunmi_ipc.discovery import DiscoveredCamera

    return [
        DiscoveredCamera(f"FS101D8BS{number:05}", host, int(port), model="FM020")
        for number, (host, port) in enumerate(address.split(":") for address in shop["many"])
    ]


def memory(name: str) -> float:
    """Megabytes of this process: VmRSS now, VmHWM at its peak."""
    line = next(x for x in Path("/proc/self/status").read_text("ascii").splitlines() if x.startswith(name))
    return int(line.split()[1]) / 1024


RUN: dict[str, Callable[[dict[str, Any]], None]] = {
    "bare": lambda shop: asyncio.run(bare(shop)),
    "asyncio": lambda shop: asyncio.run(native(shop)),
    "threads": threaded,
}


def way(name: str, shop: dict[str, Any]) -> None:
    """In a fresh process: once for what is loaded but once, then measured."""
    RUN[name](shop | {"many": shop["many"][:1]})
    before = memory("VmRSS")
    started, cpu = time.perf_counter(), time.process_time()
    RUN[name](shop)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    print(json.dumps([seconds, cpu, memory("VmHWM"), memory("VmHWM") - before]))


def many(shop: dict[str, Any], rounds: int) -> None:
    """All cameras in each way, round by round."""
    rows: dict[str, list[list[float]]] = {name: [] for name in WAYS}
    for number in range(rounds):
        for name in WAYS if number % 2 else WAYS[::-1]:
            done = subprocess.run(
                [sys.executable, __file__, "--way", name],
                input=json.dumps(shop),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            rows[name].append(json.loads(done.stdout))
    print(
        f"{len(shop['many'])} cameras that answer after {DELAY_S * 1000:.0f} ms, one call each from nothing"
    )
    for name in WAYS:
        seconds, cpu, peak, more = (statistics.median(column) for column in zip(*rows[name], strict=True))
        print(
            f"  {name:8} {seconds:6.2f} s, of it processor {cpu:5.2f} s, "
            f"memory {peak:5.1f} MB (+{more:5.1f} MB for the cameras)"
        )
    ratios = [
        statistics.median(
            mine[k] / other[k] for mine, other in zip(rows["asyncio"], rows["bare"], strict=True)
        )
        for k in (0, 1)
    ]
    print(
        f"  asyncio to bare: {ratios[0]:.2f}, of the processor {ratios[1]:.2f}  (wanted: at most 1.2, "
        "and less memory than threads)"
    )


def main() -> None:
    """Run all of it, and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=500)
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--servers", type=int, default=1, help="processes of cameras")
    parser.add_argument("--virtual", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--first", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.virtual or options.serve or options.way:
        from sunmi_ipc.simulator.loop import allow_sockets

        allow_sockets(4 * 1000)
    if options.virtual:
        virtual()
    elif options.serve:
        asyncio.run(serve(options.serve, options.first, options.cameras))
    elif options.way:
        way(options.way, json.loads(sys.stdin.read()))
    else:
        with cameras(options.cameras, options.servers) as shop:
            if options.calls:
                asyncio.run(signed_call(shop, options.calls))
            if options.rounds:
                many(shop, options.rounds)


if __name__ == "__main__":
    main()
