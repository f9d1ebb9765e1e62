"""Simulated shops say what shops would say: days with their hours, trouble that begins and ends, the same for a seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from sunmi_ipc.broker import contract
from sunmi_ipc.simulator.shops import Saying, VirtualShop

DAY = 86_400
MONDAY = int(datetime(2026, 11, 23, tzinfo=UTC).timestamp())


def said(shop: VirtualShop, days: float, start: int = MONDAY) -> list[Saying]:
    return list(takewhile(lambda saying: saying.at < start + days * DAY, shop.sayings(start)))


def counts(sayings: list[Saying]) -> dict[str, contract.Counts]:
    """Each window by its newest revision."""
    found: dict[str, contract.Counts] = {}
    for saying in sayings:
        if not isinstance(payload := saying.payload, contract.Counts):
            continue
        if payload.key not in found or payload.revision > found[payload.key].revision:
            found[payload.key] = payload
    return found


def test_a_seed_says_the_same_again_and_another_something_else() -> None:
    def texts(seed: int) -> list[str]:
        return [repr(one) for one in said(VirtualShop(1, cameras=3, seed=seed), 0.5)]

    assert texts(7) == texts(7)
    assert texts(7) != texts(8)


def test_a_day_has_its_hours_and_a_week_its_days() -> None:
    hours, days = Counter[int](), Counter[int]()
    for number in range(1, 5):
        shop = VirtualShop(number, cameras=2, troubles=False)
        zone = ZoneInfo(shop.timezone)
        for window in counts(said(shop, 7)).values():
            local = datetime.fromtimestamp(window.start, zone)
            hours[local.hour] += window.arrivals or 0
            days[local.weekday()] += window.arrivals or 0
    assert all(hours[night] == 0 for night in (0, 3, 6))
    assert hours[18] > 2 * hours[9] > 0
    assert days[5] > 1.3 * days[1] > 0


def test_every_window_is_said_and_what_is_the_matter_begins_and_ends() -> None:
    gaps, alerts, states = 0, defaultdict(list), Counter[str]()
    for number in range(1, 13):
        shop = VirtualShop(number, cameras=5)
        sayings = said(shop, 2)
        assert [one.at for one in sayings] == sorted(one.at for one in sayings)
        windows = counts(sayings)
        last = MONDAY + 2 * DAY - 1800
        wanted = {
            contract.counts_key(shop.site, camera.sn, start)
            for camera in shop.cameras
            for start in range(MONDAY, last, 900)
        }
        assert wanted <= set(windows)
        gaps += sum(window.arrivals is None for window in windows.values())
        for saying in sayings:
            if isinstance(saying.payload, contract.Alert):
                alerts[saying.payload.key].append(saying.payload.state)
            if isinstance(saying.payload, contract.CameraState):
                states[saying.payload.verdict] += 1
    assert gaps > 0
    assert alerts
    assert {tuple(one) for one in alerts.values()} == {("open", "closed")}
    assert states["ok"] == states["bad"] + states["warning"] > 0


def test_lines_break_and_stations_are_restarted_now_and_then_and_never_in_calm_shops() -> None:
    happened = Counter[str]()
    for number in range(1, 41):
        for saying in said(VirtualShop(number, cameras=1), 2):
            happened[saying.what] += 1
            if saying.what == "outage":
                assert 300 <= saying.until - saying.at <= 4 * 3600
    # Of 80 days of shops: a line breaks on one in twenty, a station is restarted on one in ten.
    assert 1 <= happened["outage"] <= 14
    assert 2 <= happened["restart"] <= 22
    calm = VirtualShop(1, cameras=1, troubles=False)
    assert all(one.what not in ("outage", "restart") for one in said(calm, 10))
