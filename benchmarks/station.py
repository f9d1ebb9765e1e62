"""What watching many cameras costs, beside as many bare TLS handshakes and answers.

    python benchmarks/station.py [--cameras 200] [--seconds 300] [--interval 60]

Cameras and the station run in processes of their own; the station's processor time and memory are measured from
when every camera has been looked at once. Beside it, in the same run: the same number of TLS connections with the
same certificate, each with one signed ``device/getInfo`` over it, by nothing but ``ssl`` and ``http.client``.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sunmi_ipc.link.tls import ClientCertificate, client_context, read_ca
from sunmi_ipc.protocol.wire import build
from sunmi_ipc.settings import Settings

FILE = """\
[station]
site = "benchmark"
data = "data"
cameras = "site.toml"
[http]
listen = "127.0.0.1:0"
[watch]
interval = {interval}
[counts]
backfill = "1h"
[events]
listen = "127.0.0.1:0"
"""


def usage(pid: int) -> tuple[float, float]:
    """Processor seconds and resident megabytes of a process."""
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return (int(stat[11]) + int(stat[12])) / ticks, pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def ready(process: subprocess.Popen[str]) -> dict[str, object]:
    """What a program says once it is ready."""
    assert process.stdout is not None
    found: dict[str, object] = json.loads(process.stdout.readline())
    return found


def bare(cameras: list[dict[str, object]], settings: Settings) -> float:
    """Processor seconds of a handshake and an answer with each camera."""
    from sunmi_ipc.api.device import Device
    from sunmi_ipc.protocol.wire import Credentials, nonce

    certificate = ClientCertificate.load(settings.p12, settings.p12_password)
    context = client_context(certificate, read_ca(settings.ca), False)
    credentials = Credentials(settings.app_id, settings.secret_key, settings.activation_code)
    began = time.process_time()
    for camera in cameras:
        outgoing = build(Device.info, {}, credentials, now=time.time(), random=nonce())
        connection = http.client.HTTPSConnection(
            str(camera["ip"]), int(str(camera["port"])), context=context, timeout=10
        )
        connection.request(
            "POST", outgoing.url_path, outgoing.body,
            {"Content-Type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        assert json.loads(connection.getresponse().read())["code"] == 0
        connection.close()
    return time.process_time() - began


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--interval", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"SUNMI_IPC_CONFIG_DIR": str(folder / "config"), "SUNMI_IPC_INTERFACE": "lo"}
        ipc = [sys.executable, "-m", "sunmi_ipc_cli"]
        sim = subprocess.Popen(
            [*ipc, "sim", "start", "--count", str(given.cameras), "--state", "ready", "--port", "0"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        station = None
        try:
            told = ready(sim)
            cameras: list[dict[str, object]] = told["cameras"]  # type: ignore[assignment]
            os.environ |= told["env"]  # type: ignore[operator]
            lines = [f'[[cameras]]\nsn = "{c["sn"]}"\naddress = "{c["ip"]}:{c["port"]}"\n' for c in cameras]
            (folder / "site.toml").write_text("\n".join(lines))
            (folder / "station.toml").write_text(FILE.format(interval=given.interval))
            alone = bare(cameras, Settings.load())
            station = subprocess.Popen(
                [*ipc, "--json", "-q", "serve", str(folder / "station.toml")],
                stdout=subprocess.PIPE,
                text=True,
            )
            ready(station)
            time.sleep(given.interval + 15)
            before, _ = usage(station.pid)
            began = time.monotonic()
            peak = 0.0
            while time.monotonic() - began < given.seconds:
                time.sleep(1)
                peak = max(peak, usage(station.pid)[1])
            after, _ = usage(station.pid)
            seconds = time.monotonic() - began
            rounds = seconds / given.interval
            print(f"{given.cameras} cameras, a look every {given.interval:.0f} s, for {seconds:.0f} s")
            print(f"  station            {(after - before) / seconds:8.2%} of a core, {peak:.0f} MB")
            print(
                f"  a look at one      {(after - before) / rounds / given.cameras * 1e3:8.2f} ms of processor time"
            )
            print(f"  bare TLS + answer  {alone / given.cameras * 1e3:8.2f} ms of processor time")
            print(f"  bare, as often     {alone * rounds / seconds:8.2%} of a core")
        finally:
            for process in (station, sim):
                if process is not None:
                    process.terminate()
                    process.wait(20)


if __name__ == "__main__":
    main()
