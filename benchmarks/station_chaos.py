"""Half an hour of trouble: what the station tells, beside what was done to the cameras.

    python benchmarks/station_chaos.py [--minutes 30] [--cameras 8] [--kills 5] [--seed 1]

Virtual cameras restart, lose their cards, get other addresses, have their clocks jump; the network goes down and up
(with ``--network``, as root in a network namespace of its own: the loopback interface itself); the station is killed
with SIGKILL. Looks come every two seconds and people are counted by the minute. At the end:

- every verdict must have been told within its time (:data:`WITHIN_S`) and be over within it;
- nothing else may have been told: a reason without a cause is a false alarm;
- people of every covered minute must equal what the camera itself has;
- minutes without a card must not be whole.

Exit code 1 where something of it does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sunmi_ipc.simulator import Vendor, VirtualCamera, connect, flow, start_cameras
from sunmi_ipc.station.store import FILE as STORE
from sunmi_ipc.station.store import Store
from sunmi_ipc.values import CardStatus

INTERVAL_S, WITHIN_S, WINDOW_S = 2.0, 25.0, 60
FILE = """\
[station]
site = "chaos"
data = "data"
cameras = "site.toml"
[http]
listen = "127.0.0.1:0"
[watch]
interval = {interval}
discover = 2
recording = 0
quiet = 0
drift = 0
[counts]
window = "1m"
settle = 2
backfill = "{minutes}m"
pause = 0
[events]
enabled = false
"""


@dataclass
class Trouble:
    """Something that was done to a camera: which codes may follow from it, and when it was over."""

    sn: str
    codes: tuple[str, ...]
    began: float
    ended: float = 0.0
    must: bool = True


@dataclass
class Run:
    """What happened."""

    troubles: list[Trouble] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    blackouts: list[tuple[float, float]] = field(default_factory=list)


def start(folder: Path) -> subprocess.Popen[str]:
    """The station, once it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sunmi_ipc_cli", "--json", "-q", "serve", str(folder / "station.toml")],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["ready"]
    return process


def disturb(camera: VirtualCamera, what: str, seconds: float, run: Run) -> None:
    """Begin a trouble; it ends by itself, or by :func:`mend`."""
    now = time.time()
    if what == "restart":
        camera.restart(seconds)
        run.troubles.append(Trouble(camera.sn, ("unreachable", "behind"), now, now + seconds))
    elif what == "card":
        camera.insert_card(CardStatus.NONE)
        run.troubles.append(Trouble(camera.sn, ("card-none",), now))
    elif what == "clock":
        camera.fail("clock", 7200)
        run.troubles.append(Trouble(camera.sn, ("clock",), now))
    elif what == "move":
        camera.move()
        run.troubles.append(Trouble(camera.sn, ("unreachable", "behind"), now, now, must=False))


def mend(camera: VirtualCamera, run: Run) -> None:
    """Put a card back, and the clock right."""
    now = time.time()
    for trouble in run.troubles:
        if trouble.sn == camera.sn and not trouble.ended:
            if trouble.codes == ("card-none",):
                camera.insert_card(CardStatus.NORMAL)
            else:
                camera.fail("clock", 0)
            trouble.ended = now


def over_by(trouble: Trouble, run: Run) -> float:
    """When it must be told that a trouble is over: while its camera is away, nobody can see that."""
    limit = trouble.ended + WITHIN_S
    for other in sorted(run.troubles, key=lambda t: t.began):
        away = other.sn == trouble.sn and other.codes[0] == "unreachable" and other is not trouble
        if away and trouble.ended - 3 <= other.began <= limit:
            limit = max(limit, other.ended + WITHIN_S)
    return limit


def judge(store: Store, run: Run, started: float) -> list[str]:
    """What was told wrongly, late, or without a cause."""
    wrong = []
    told = store.read("SELECT sn, code, since, until FROM reasons WHERE sn != ''")
    pauses = [*((k - 1, k + WITHIN_S) for k in run.kills), *((a, b + WITHIN_S) for a, b in run.blackouts)]
    late = lambda t: any(a <= t <= b for a, b in pauses)  # noqa: E731
    for trouble in run.troubles:
        hits = [r for r in told if r[0] == trouble.sn and r[1] in trouble.codes
                and r[2] <= trouble.began + WITHIN_S and (r[3] or 9e9) >= trouble.began]  # fmt: skip
        disturbed = any(a <= trouble.ended + WITHIN_S and trouble.began <= b for a, b in pauses)
        if not hits and trouble.must and not disturbed:
            wrong.append(
                f"{trouble.sn}: {trouble.codes[0]} at {trouble.began - started:.0f} s was never told"
            )
        for _, code, _, until in hits:
            limit = over_by(trouble, run)
            disturbed = any(a <= limit and trouble.began <= b for a, b in pauses)
            if (until or 9e9) > limit and not disturbed and not any(
                other is not trouble and other.sn == trouble.sn and other.codes == trouble.codes
                and other.began <= limit and other.ended > trouble.ended for other in run.troubles
            ):  # fmt: skip
                late_by = (until or time.time()) - limit
                wrong.append(
                    f"{trouble.sn}: {code} at {trouble.began - started:.0f} s was over {late_by:.0f} s too late"
                )
    for sn, code, since, _ in told:
        if sn.startswith("@"):
            continue
        caused = any(
            t.sn == sn and code in t.codes and t.began - 3 <= since <= t.ended + WITHIN_S
            for t in run.troubles
        )
        if not caused and not late(since):
            wrong.append(f"{sn}: {code} at {since - started:.0f} s had no cause")
    return wrong


def people(store: Store, cameras: list[VirtualCamera], run: Run) -> tuple[list[str], Counter[str]]:
    """Where counts differ from the camera's own, and how many windows are whole, partial and gaps."""
    wrong, states = [], Counter[str]()
    for camera in cameras:
        with connect(camera) as client:
            for began, arrivals, state in store.read(
                "SELECT start, arrivals, state FROM counts WHERE sn = ? ORDER BY start", (camera.sn,)
            ):
                states[state] += 1
                clock = any(t.sn == camera.sn and t.codes == ("clock",) and t.began - 90 <= began + 60
                            and began <= (t.ended or 9e9) + 90 for t in run.troubles)  # fmt: skip
                if clock:
                    continue  # its own record of that time is by the wrong clock
                first, last = (datetime.fromtimestamp(t, UTC) for t in (began, began + WINDOW_S))
                own = client.people_flow.arrivals(first, last).total
                if own != arrivals:
                    wrong.append(f"{camera.sn}: {arrivals} people kept of {own} at {began}")
                blind = any(t.sn == camera.sn and t.codes == ("card-none",) and t.began <= began
                            and began + WINDOW_S <= t.ended for t in run.troubles)  # fmt: skip
                if blind and state == "counted":
                    wrong.append(f"{camera.sn}: {began} is told as whole, and had no card")
    return wrong, states


def main() -> int:
    """Run it; 0 where all holds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--cameras", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--network", action="store_true", help="take the loopback interface down and up; only in a namespace"
    )
    given = parser.parse_args()
    die, run = random.Random(given.seed), Run()
    flow.HOURS = (240,) * 24  # type: ignore[assignment]
    with tempfile.TemporaryDirectory() as name, Vendor() as vendor:
        folder = Path(name)
        os.environ |= {
            "SUNMI_IPC_CONFIG_DIR": str(folder / "config"),
            "SUNMI_IPC_INTERFACE": "lo",
            **vendor.environment(),
        }
        cameras = start_cameras(vendor, given.cameras, port=0, state="ready", seed=given.seed)
        site = [f'[[cameras]]\nsn = "{camera.sn}"\n' for camera in cameras]
        (folder / "site.toml").write_text("\n".join(site))
        (folder / "station.toml").write_text(FILE.format(interval=INTERVAL_S, minutes=int(given.minutes) + 5))
        station, started = start(folder), time.time()
        end = started + given.minutes * 60
        kills = sorted(die.uniform(started + 30, end - 60) for _ in range(given.kills))
        blackout = started + given.minutes * 30 if given.network else end
        busy: dict[str, float] = {}
        time.sleep(15)
        while time.time() < end - 2 * WITHIN_S:
            now = time.time()
            if kills and now >= kills[0]:
                run.kills.append(kills.pop(0))
                station.send_signal(signal.SIGKILL)
                station.wait()
                time.sleep(3)
                station = start(folder)
            if now >= blackout:
                subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
                time.sleep(12)
                subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
                run.blackouts.append((now, time.time()))
                blackout = end
            for camera in cameras:
                if busy.get(camera.sn, 0.0) <= now:
                    mend(camera, run)
                    seconds = die.uniform(14, 40)
                    if die.random() < 0.5:
                        disturb(camera, die.choice(("restart", "card", "clock", "move")), seconds, run)
                    busy[camera.sn] = (
                        now + seconds + 2 * WITHIN_S
                        if run.troubles
                        and run.troubles[-1].sn == camera.sn
                        and run.troubles[-1].codes[0] == "unreachable"
                        else now + seconds
                    )
            time.sleep(1)
        for camera in cameras:
            mend(camera, run)
        time.sleep(max(0.0, end - time.time()) + WINDOW_S + 10)
        station.terminate()
        station.wait(20)
        with Store(folder / "data" / STORE, read_only=True) as store:
            wrong = judge(store, run, started)
            differing, states = people(store, cameras, run)
        for camera in cameras:
            camera.close()
    print(f"{given.cameras} cameras, {given.minutes:.0f} min, {len(run.troubles)} troubles, {len(run.kills)} SIGKILLs, "
          f"{len(run.blackouts)} network losses")  # fmt: skip
    print(f"windows: {dict(states)}")
    for line in [*wrong, *differing]:
        print("WRONG", line)
    print(
        "all as it should be"
        if not wrong and not differing
        else f"{len(wrong) + len(differing)} things are wrong"
    )
    return 1 if wrong or differing else 0


if __name__ == "__main__":
    sys.exit(main())
