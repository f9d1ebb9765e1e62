"""Sixty one-minute recordings: ours beside ``curl --parallel``, the memory that it takes, and a run that is killed.

The virtual camera runs in a process of its own and serves the same files to both, over TLS with a client
certificate; both write to the same disk, with the same number of connections. curl does not check the
camera's certificate (it cannot do so without the host name), we do.

    python benchmarks/download.py [--size MB] [--jobs N] [--rounds N] [--kills N]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

COUNT = 60
ME = [sys.executable, str(Path(__file__).resolve())]


def serve(folder: Path, megabytes: float) -> None:
    """A virtual camera whose recordings are random bytes; says where it is, and ends with its input."""
    from sunmi_ipc.simulator import VirtualCamera, files

    kept: dict[str, Path] = {}

    def source(_: VirtualCamera, name: str) -> files.Content:
        if name not in kept:
            kept[name] = folder / name
            # Like an MP4 at its head, by which a recording is known.
            body = random.Random(name).randbytes(int(megabytes * 1e6) - 24)
            kept[name].write_bytes(b"\0\0\0\x18ftypmp42" + bytes(12) + body)
        return files.Content(kept[name], "video/mp4")

    files._SOURCES["record"] = source
    with VirtualCamera(state="ready", udp=False) as virtual:
        where = {"address": virtual.address, "sn": virtual.sn, "env": virtual.vendor.environment()}
        print(json.dumps(where), flush=True)
        sys.stdin.read()


def camera(where: dict[str, Any]) -> Any:
    """A client for the virtual camera."""
    from sunmi_ipc.settings import Settings

    os.environ["SUNMI_IPC_CONFIG_DIR"] = tempfile.gettempdir()
    return Settings.load(environment=where["env"]).connect(where["address"], sn=where["sn"])


def recordings(client: Any, count: int) -> list[Any]:
    """The last *count* recordings that are complete."""
    now = datetime.now(UTC)
    found = list(client.video.records(now - timedelta(hours=20), now))
    return found[:count]


def ours(where: dict[str, Any], folder: Path, jobs: int, count: int) -> dict[str, Any]:
    """Download in this process; seconds, and how much memory it took more than before it began."""
    with camera(where) as client:
        wanted = recordings(client, count)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.perf_counter()
        size = sum(clip.size for clip in client.video.download_records(wanted, folder, workers=jobs))
        seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "seconds": seconds,
        "bytes": size,
        "more_mb": (after.ru_maxrss - before) / 1024,
        "cpu": after.ru_utime + after.ru_stime,
    }


def in_a_process(where: dict[str, Any], folder: Path, jobs: int, count: int) -> dict[str, Any]:
    """:func:`ours` in a fresh process, as curl is one."""
    arguments = ["--ours", json.dumps(where), str(folder), str(jobs), str(count)]
    done = subprocess.run([*ME, *arguments], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def curl(urls: list[str], where: dict[str, Any], folder: Path, jobs: int) -> float:
    """The same with curl; seconds."""
    folder.mkdir()
    config = folder.with_suffix(".curl")
    lines = [f'url = "{url}"\noutput = "{folder / url.rpartition("/")[2]}"' for url in urls]
    config.write_text("\n".join(lines))
    started = time.perf_counter()
    subprocess.run(
        ["curl", "--silent", "--show-error", "--no-progress-meter", "--fail", "--insecure", "--parallel", "--parallel-max", str(jobs),
         "--cert", str(where["pem"]), "--config", str(config)],
        check=True,
    )  # fmt: skip
    return time.perf_counter() - started


def pem(where: dict[str, Any], folder: Path) -> Path:
    """The client certificate as curl takes it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.serialization import pkcs12

    env = where["env"]
    data = Path(env["SUNMI_IPC_P12"]).read_bytes()
    key, certificate, _ = pkcs12.load_key_and_certificates(data, env["SUNMI_IPC_P12_PASSWORD"].encode())
    assert key is not None
    assert certificate is not None
    path = folder / "client.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(plain + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def digests(folder: Path) -> list[str]:
    """What is in a folder, whatever the names."""
    return sorted(hashlib.file_digest(path.open("rb"), "sha256").hexdigest() for path in folder.iterdir())


def race(where: dict[str, Any], urls: list[str], work: Path, jobs: int, rounds: int) -> None:
    """Take turns; the best of each counts, as other people's work on this machine only ever adds."""
    best: dict[str, float] = {}
    for number in range(rounds):
        for name in ("curl", "ours") if number % 2 else ("ours", "curl"):
            folder = work / f"{name}{number}"
            if name == "curl":
                seconds = curl(urls, where, folder, jobs)
            else:
                seconds = in_a_process(where, folder, jobs, COUNT)["seconds"]
            best[name] = min(best.get(name, 1e9), seconds)
            if number == rounds - 1:
                continue
            shutil.rmtree(folder)
    same = digests(work / f"ours{rounds - 1}") == digests(work / f"curl{rounds - 1}")
    size = sum(path.stat().st_size for path in (work / f"ours{rounds - 1}").iterdir()) / 1e6
    for name in ("curl", "ours"):
        print(f"{name}   {best[name]:6.2f} s  {size / best[name]:6.0f} MB/s")
        shutil.rmtree(work / f"{name}{rounds - 1}")
    print(f"speed  {best['curl'] / best['ours']:6.2f} of curl's (wanted: at least 0.8); same bytes: {same}")


def memory(where: dict[str, Any], work: Path, jobs: int) -> None:
    """The peak of the process, for few recordings and many."""
    for count in (jobs, COUNT, 5 * COUNT):
        found = in_a_process(where, work / "memory", jobs, count)
        shutil.rmtree(work / "memory")
        print(
            f"memory {found['more_mb']:6.1f} MB more for {count} recordings ({found['bytes'] / 1e6:.0f} MB)"
        )


def killed(where: dict[str, Any], work: Path, jobs: int, kills: int, seconds: float) -> None:
    """Kill it at random moments until it has been killed so often, then let it end."""
    folder, expected = work / "killed", work / "whole"
    in_a_process(where, expected, jobs, COUNT)
    resumed = 0
    for number in range(kills):
        process = subprocess.Popen(
            [*ME, "--ours", json.dumps(where), str(folder), str(jobs), str(COUNT)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        before = len(list(folder.glob("*"))) if folder.exists() else 0
        while process.poll() is None and time.monotonic() < deadline:
            if folder.exists() and (len(list(folder.glob("*"))) > before or any(folder.glob("*.part"))):
                break
            time.sleep(0.005)
        time.sleep(random.uniform(0, 1.2 * seconds / kills))
        if process.poll() is not None:
            print(f"       it was done before kill {number + 1}")
            break
        process.kill()
        process.wait()
        resumed += len(list(folder.glob("*.part")))
    in_a_process(where, folder, jobs, COUNT)
    same = digests(folder) == digests(expected) and not list(folder.glob("*.part"))
    print(
        f"killed {number + 1} times, {resumed} parts left behind; in the end complete and byte-identical: {same}"
    )


def main() -> None:
    """Serve, download, and print what it took."""
    if sys.argv[1:2] == ["--serve"]:
        serve(Path(sys.argv[2]), float(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--ours"]:
        where, folder, jobs, count = sys.argv[2:]
        print(json.dumps(ours(json.loads(where), Path(folder), int(jobs), int(count))))
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, default=8, help="MB of a recording")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "card").mkdir()
        server = subprocess.Popen(
            [*ME, "--serve", str(work / "card"), str(options.size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert server.stdout is not None
            where = json.loads(server.stdout.readline())
            where["pem"] = str(pem(where, work))
            with camera(where) as client:
                urls = [record.url for record in recordings(client, COUNT)]
            warm = in_a_process(where, work / "warm", options.jobs, COUNT)
            shutil.rmtree(work / "warm")
            race(where, urls, work, options.jobs, options.rounds)
            killed(where, work, options.jobs, options.kills, warm["seconds"])
            memory(where, work, options.jobs)
        finally:
            server.communicate()


if __name__ == "__main__":
    main()
