"""A year of daily people flow (13 calls) from a virtual cloud 100 ms away: in parallel beside one after the other."""

from __future__ import annotations

import statistics
import time
from datetime import datetime, timedelta

from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.simulator.cloud import VirtualCloud, connect

ROUNDS, LATENCY_S = 7, 0.1


def _year(cloud: Cloud) -> tuple[float, int]:
    """Seconds for a year, and the people in it. A cloud of its own each time: handshakes count too."""
    last = datetime.now().astimezone().date() - timedelta(days=1)
    started = time.perf_counter()
    trend = cloud.flow.by_day(last - timedelta(days=364), last)
    taken = time.perf_counter() - started
    assert len({p.time for p in trend.count_list}) == len(trend.count_list) == 365
    return taken, sum(p.total_count for p in trend.count_list)


def main() -> None:
    """Take turns, and print medians and the ratio."""
    with VirtualCloud(latency_s=LATENCY_S) as virtual:
        times: dict[int, list[float]] = {1: [], 8: [], 13: []}
        people = set()
        for _ in range(ROUNDS):
            for parallel, taken in times.items():
                with connect(virtual, parallel=parallel) as cloud:
                    seconds, total = _year(cloud)
                taken.append(seconds)
                people.add(total)
        assert len(people) == 1
        calls = virtual.counts["passengerFlow/stat/history/getTrendByDay"] // (3 * ROUNDS)
    one = statistics.median(times[1])
    print(f"{calls} calls, {LATENCY_S * 1000:.0f} ms each way and back; medians of {ROUNDS} rounds")
    for parallel, taken in times.items():
        median = statistics.median(taken)
        note = "" if parallel == 1 else f"  {one / median:5.1f} times as fast (wanted: at least 3)"
        print(f"{parallel:3} at once   {median * 1000:7.0f} ms{note}")


if __name__ == "__main__":
    main()
