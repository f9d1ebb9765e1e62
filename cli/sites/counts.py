"""``ipc sites counts``: people of every shop, from its cameras."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc.errors import NotSupportedError, ParameterError, SunmiIpcError, UnsupportedError
from sunmi_ipc.i18n import tr

from ..screen.csvfile import Csv, write_csv
from ..screen.options import Jsonl
from ..screen.output import note, print_json, print_json_line, say, waiting
from ..screen.tables import table
from ..screen.times import From, To, Tz, parse_period, zone
from ..state import Exit, State
from .common import HERE, AtOnce, Folder, Only, fault, shops_of
from .told import asked_there, counts_told

if TYPE_CHECKING:
    from sunmi_ipc.fleet.finder import Finder
    from sunmi_ipc.fleet.site import Slot
    from sunmi_ipc.fleet.sites import Shop
    from sunmi_ipc.settings import Settings

#: How long a camera is looked for that is not where it was.
_FIND_S = 3.0
_CAMERAS = 16


@dataclass
class _People:
    """A shop's people; cameras that do not count (FM010) are none of those asked."""

    site: str
    name: str
    came_in: int = 0
    left: int = 0
    passed: int = 0
    asked: int = 0
    answered: int = 0
    problems: list[str] = field(default_factory=list)


def counts(
    ctx: typer.Context,
    folder: Folder = HERE,
    from_: From = "",
    to: To = "",
    tz: Tz = "",
    only: Only = None,
    at_once: AtOnce = 8,
    csv: Csv = None,
    jsonl: Jsonl = False,
) -> None:
    """Count the people of every shop: who came in, left and passed by, and how many cameras told.

    With --via and no folder: today's, as stations tell them.
    """
    state = State.of(ctx)
    if asked_there(ctx):
        counts_told(state, only, csv, bool(from_ or to))
        return
    if jsonl and state.json:
        raise ParameterError("{name}: not together with {other}", name="--jsonl", other="--json")
    period = parse_period(from_, to, tz=zone(tz), whole=True)
    found = shops_of(state, folder, only, resolve=False)
    people: list[_People] = []
    with (
        waiting(state, "{done} of {count} shops …", done=0, count=len(found.shops)) as tell,
        ThreadPoolExecutor(at_once, thread_name_prefix="sites") as pool,
    ):
        for one in pool.map(lambda shop: _of_shop(state, shop, *period), found.shops):
            people.append(one)
            tell(tr("{done} of {count} shops …", done=len(people), count=len(found.shops)))
            if jsonl:
                print_json_line(asdict(one))
    rows = [
        {
            "site": one.site,
            "name": one.name if one.name != one.site else "",
            "came in": one.came_in if one.answered else "",
            "left": one.left if one.answered else "",
            "passed by": one.passed if one.answered else "",
            "answered": f"{one.answered}/{one.asked}",
            "problem": "; ".join(dict.fromkeys(one.problems)),
        }
        for one in people
    ]
    names = ["site", "name", "came in", "left", "passed by", "answered", "problem"]
    if csv is not None:
        write_csv(csv, rows, names)
    if state.json:
        start, end = (moment.isoformat() for moment in period)
        print_json({"from": start, "to": end, "sites": [asdict(one) for one in people]})
    elif not jsonl and not state.quiet and (csv is None or str(csv) != "-"):
        table(rows, names, least=("name", "left", "passed by"))
        told = [one for one in people if one.answered]
        say(
            state,
            "{people} people came into {shops} of {count} shops",
            people=sum(one.came_in for one in told),
            shops=len(told),
            count=len(people),
        )
        if len(told) < len(people) or any(one.answered < one.asked for one in people):
            note(state, "What did not answer is missing here, and is not zero.")
    if any(one.answered < one.asked or one.problems for one in people):
        raise typer.Exit(Exit.SOME_FAILED)


def _of_shop(state: State, shop: Shop, start: datetime, end: datetime) -> _People:
    made = _People(shop.id, shop.name)
    if shop.loaded is None:
        made.problems.append(fault(shop.error) if shop.error else "")
        return made
    from sunmi_ipc.fleet.finder import Finder
    from sunmi_ipc.fleet.journal import Journal

    with Journal(shop.journal if shop.journal.exists() else None, write=False) as book:
        bound = book.bindings()
        last = {key: str(outcome["address"]) for key, (_, outcome) in book.outcomes().items()}
    site, settings = shop.loaded.site, state.settings
    scan: dict[str, Any] = {}
    if settings.via:
        settings = settings.with_options(site=shop.id)
        scan = {"scan": lambda **_: settings.discover()}
        last = {}
    lock = threading.Lock()
    targets = [address for address in last.values() if address]
    with Finder(
        interfaces=site.interfaces or state.settings.interfaces(),
        targets=[*site.targets, *(address.rpartition(":")[0] or address for address in targets)],
        within=() if settings.via else site.targets,
        **scan,
    ) as finder:

        def one(slot: Slot) -> None:
            sn = slot.sn or bound.get(slot.key, "")
            places = [place for place in (slot.address, last.get(slot.key, "")) if place and not settings.via]
            told: tuple[int, ...] | None = None
            reason = tr("not found")
            for address in _places(finder, sn or slot.mac, places):
                try:
                    told = _ask(settings, address, sn, start, end)
                except (NotSupportedError, UnsupportedError):
                    return  # this model does not count
                except SunmiIpcError as error:
                    reason = fault(error)
                    continue
                break
            with lock:
                made.asked += 1
                if told is None:
                    made.problems.append(tr("{name}: {text}", name=sn or slot.key, text=reason))
                    return
                made.answered += 1
                made.came_in, made.left, made.passed = (
                    sum(pair) for pair in zip((made.came_in, made.left, made.passed), told, strict=True)
                )

        with ThreadPoolExecutor(_CAMERAS, thread_name_prefix="counts") as pool:
            list(pool.map(one, shop.loaded.slots))
    return made


def _places(finder: Finder, key: str, known: list[str]) -> Iterator[str]:
    """Where the camera may be: where it was, then where discovery finds it."""
    yield from dict.fromkeys(known)
    if key:
        found = finder.find(
            key, since=0.0, until=time.monotonic() + _FIND_S, stop=threading.Event(), besides=known
        )
        if found is not None:
            yield found.address


def _ask(settings: Settings, address: str, sn: str, start: datetime, end: datetime) -> tuple[int, ...]:
    """How many came in, left and passed by."""
    with settings.connect(address, sn=sn) as camera:
        flow = camera.people_flow
        stats = [ask(start, end) for ask in (flow.arrivals, flow.leaving, flow.passing)]
    return tuple(
        stat.total if stat.total is not None else sum(unit.total or 0 for unit in stat.stat_list)
        for stat in stats
    )
