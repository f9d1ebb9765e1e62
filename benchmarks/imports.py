"""What importing the library and making a camera costs beside its heavy parts alone: whole processes."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

OURS = "import sunmi_ipc; sunmi_ipc.Camera('127.0.0.1')"
PARTS = "import requests, pydantic; from cryptography.hazmat.primitives.serialization import pkcs12"
ROUNDS = 20


def once(code: str) -> float:
    """Seconds that one whole process takes."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Take turns; print medians and the ratio."""
    times: dict[str, list[float]] = {OURS: [], PARTS: []}
    for code in times:
        once(code)
    for _ in range(ROUNDS):
        for code, seen in times.items():
            seen.append(once(code))
    ours, parts = (statistics.median(times[code]) for code in (OURS, PARTS))
    print(f"sunmi_ipc and a Camera              {ours * 1000:6.0f} ms")
    print(f"requests, pydantic, pkcs12          {parts * 1000:6.0f} ms")
    print(f"ratio                               {ours / parts:6.2f}  (wanted: at most 1.3)")


if __name__ == "__main__":
    main()
