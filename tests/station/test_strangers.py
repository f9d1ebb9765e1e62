"""Made-up cameras by the hundred keep nobody from the real ones."""

from __future__ import annotations

import threading
from collections import Counter

from sunmi_ipc.station.roster import Member
from sunmi_ipc.station.scheduler import STRANGER, Scheduler
from tests.patience import eventually


def test_strangers_share_a_thread_an_address_and_half_of_all() -> None:
    running, most, done = Counter[str](), Counter[str](), Counter[str]()
    lock, end = threading.Lock(), threading.Event()
    scheduler = Scheduler(4)

    def job(who: str) -> None:
        with lock:
            running[who] += 1
            running["all"] += 1
            most[who] = max(most[who], running[who])
            most["all"] = max(most["all"], running["all"])
        end.wait(60)  # as one who takes a connection and says nothing
        with lock:
            running[who] -= 1
            running["all"] -= 1
            done[who] += 1

    try:
        for number in range(300):
            who = f"{STRANGER}10.0.0.{number % 3}"
            scheduler.add(f"look {number}", lambda who=who: job(who), owner=who)  # type: ignore[misc]
        assert eventually(lambda: running["all"] == 2)
        seen: list[str] = []
        for name in ("a", "b", "c"):
            scheduler.add(name, lambda name=name: seen.append(name), owner=lambda name=name: name)  # type: ignore[misc]
        assert eventually(lambda: sorted(seen) == ["a", "b", "c"])  # beside them, at once
        assert most["all"] == 2
        end.set()
        assert eventually(lambda: sum(done.values()) == 300)
        assert max(n for who, n in most.items() if who != "all") == 1
        assert most["all"] <= 2
    finally:
        end.set()
        scheduler.close()


def test_who_has_proved_himself_is_no_stranger() -> None:
    one = Member("FS1", "FS1", address="10.0.0.5:8443")
    assert one.owner() == f"{STRANGER}10.0.0.5"
    assert Member("FS2", "FS2", address="10.0.0.5").owner() == one.owner()
    one.good = one.address
    assert one.owner() == "FS1"
