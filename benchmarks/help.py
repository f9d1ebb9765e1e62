"""How long ``ipc --help`` takes beside python-kasa's ``kasa --help``: whole processes, taken in turn."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path


def once(command: list[str]) -> float:
    """Seconds that one whole process takes."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print both medians and their ratio; ``pip install python-kasa`` beside sunmi-ipc first."""
    scripts = Path(sys.executable).parent
    ours, theirs = (shutil.which(name, path=str(scripts)) for name in ("ipc", "kasa"))
    if not ours or not theirs:
        raise SystemExit("install sunmi-ipc and python-kasa into this environment first")
    times: dict[str, list[float]] = {"ipc": [], "kasa": []}
    once([ours, "--help"]), once([theirs, "--help"])
    for _ in range(20):
        times["ipc"].append(once([ours, "--help"]))
        times["kasa"].append(once([theirs, "--help"]))
    ipc, kasa = (statistics.median(times[name]) for name in ("ipc", "kasa"))
    print(
        f"ipc --help   {ipc * 1000:6.0f} ms\nkasa --help  {kasa * 1000:6.0f} ms\nratio        {ipc / kasa:6.2f}  (wanted: at most 0.35)"
    )


if __name__ == "__main__":
    main()
