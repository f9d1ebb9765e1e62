"""``ipc sites``: a folder of site files, one for each shop."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import language, later, tr

from ..screen.csvfile import Csv
from ..screen.ending import interruptible, leave
from ..screen.options import AsIs, Inline, Jobs, Jsonl, Yes
from ..screen.output import confirm, note, print_json, print_json_line, say
from ..screen.tables import table
from ..state import State
from .common import (
    HERE,
    AtOnce,
    Folder,
    Html,
    Only,
    counted,
    fault,
    finish,
    print_results,
    rows_of,
    shops_of,
    write_report,
)
from .counts import counts
from .told import asked_there, list_told, status_told

if TYPE_CHECKING:
    from sunmi_ipc.fleet.sites import RolloutState, Shop, ShopResult, Verdict, Wave

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=later("Many shops from a folder of site files."),
)
_AT_ONCE = 8


@app.command("list")
def list_(ctx: typer.Context, folder: Folder = HERE, only: Only = None, csv: Csv = None) -> None:
    """List the shops of a folder, their cameras, and faults in their files; with --via and no folder, the broker's.

    No camera is asked.
    """
    from ..screen.csvfile import write_csv

    state = State.of(ctx)
    if asked_there(ctx):
        list_told(state, only, csv)
        return
    found = shops_of(state, folder, only, resolve=False)
    rows = [
        {
            "site": shop.id,
            "name": shop.loaded.site.name if shop.loaded else "",
            "camera count": len(shop.loaded.slots) if shop.loaded else "",
            "file": str(shop.path),
            "parts": tr(", ").join(part.name for part in shop.loaded.parts) if shop.loaded else "",
            "problem": fault(shop.error) if shop.error else "",
        }
        for shop in found.shops
    ]
    names = ["site", "name", "camera count", "file", "parts", "problem"]
    if csv is not None:
        write_csv(csv, rows, names)
    if state.json:
        print_json(
            {
                "sites": [
                    {
                        "site": shop.id,
                        "name": shop.name,
                        "file": str(shop.path),
                        "cameras": [slot.key for slot in shop.loaded.slots] if shop.loaded else [],
                        "parts": [str(part) for part in shop.loaded.parts] if shop.loaded else [],
                        "error": fault(shop.error) if shop.error else None,
                    }
                    for shop in found.shops
                ],
                "left_out": [str(path) for path in found.left_out],
                "copies": [str(path) for path in found.copies],
            }
        )
    elif not state.quiet and (csv is None or str(csv) != "-"):
        table(rows, names, least=("parts", "file", "name"))
        say(state, "{count} shops", count=len(rows))
        used = {part for shop in found.shops if shop.loaded for part in shop.loaded.parts}
        idle = [str(path) for path in found.left_out if path.resolve() not in used]
        if idle and not any(shop.error for shop in found.shops):  # what cannot be read may include them
            note(state, "No site files, and included by none: {paths}", paths=", ".join(idle))
    if any(shop.error is not None for shop in found.shops):
        raise typer.Exit(7)


@app.command()
def status(
    ctx: typer.Context, folder: Folder = HERE, only: Only = None, csv: Csv = None, html: Html = None
) -> None:
    """Show what the journals know of each shop; with --via and no folder, how its station says that it is.

    No camera is asked.
    """
    from sunmi_ipc.fleet.report import counts as standings

    state = State.of(ctx)
    if asked_there(ctx):
        status_told(state, only, csv)
        return
    found = shops_of(state, folder, only, resolve=False)
    now, shown, documents = time.time(), [], []
    known = {shop.id: rows for shop, rows in rows_of(found.shops)}
    for shop in found.shops:
        rows = known.get(shop.id, [])
        stood = standings(rows)
        updated = [row.updated for row in rows if row.updated]
        documents.append(
            {
                "site": shop.id,
                "name": shop.name,
                "file": str(shop.path),
                "cameras": len(rows),
                "by_standing": stood,
                "updated": max(updated, default=None),
                "age_s": round(now - max(updated), 1) if updated else None,
                "error": fault(shop.error) if shop.error else None,
            }
        )
        shown.append(
            {
                "site": shop.id,
                "name": shop.name if shop.name != shop.id else "",
                "camera count": len(rows),
                "standing": counted(stood),
                "when": time.strftime("%Y-%m-%d %H:%M", time.localtime(max(updated))) if updated else "",
                "problem": fault(shop.error) if shop.error else "",
            }
        )
    written = write_report(state, found, html, csv)
    if state.json:
        print_json({"sites": documents, "written": written})
    elif not state.quiet and (csv is None or str(csv) != "-"):
        table(
            shown,
            ["site", "name", "camera count", "standing", "when", "problem"],
            least=("when", "name", "camera count"),
        )
        note(state, "This is what the last runs found. 'ipc sites verify' looks now.")
    bad = any(set(document["by_standing"]) - {"ok"} or document["error"] for document in documents)  # type: ignore[call-overload]
    if bad:
        raise typer.Exit(7)


class _Run:
    """One run over shops: what they are brought to, and how it is shown."""

    def __init__(
        self, state: State, shops: Sequence[Shop], *, apply: bool, record: bool, jobs: int | None, jsonl: bool
    ) -> None:
        from sunmi_ipc.corrections import read
        from sunmi_ipc.settings import config_dir

        from .view import View

        self._state, self._apply, self._record, self._jobs, self._jsonl = state, apply, record, jobs, jsonl
        self._shops = list(shops)
        self._stop = threading.Event()
        # Once for all cameras: the file is read once, and pins are written under one lock.
        pins, overrides = state.known_cameras(), read(config_dir())
        self._shared: dict[str, Any] = {"known_cameras": pins, "overrides": overrides}
        self._looked: dict[str, Any] = {"known_cameras": pins.copy(), "overrides": overrides}
        self.agreed: dict[str, frozenset[tuple[str, str]]] | None = None
        cameras = sum(len(shop.loaded.slots) for shop in shops if shop.loaded)
        self._view = View(state, len(self._shops), cameras)

    def _work(self, shop: Shop) -> ShopResult:
        from sunmi_ipc.fleet.finder import Finder
        from sunmi_ipc.fleet.journal import Journal
        from sunmi_ipc.fleet.run import run
        from sunmi_ipc.fleet.sites import ShopResult

        assert shop.loaded is not None
        made = ShopResult(shop)
        # Behind a broker a shop's cameras are those of the site that is called as its file is.
        settings = self._state.settings
        settings = settings.with_options(site=shop.id) if settings.via else settings
        finder = Finder(scan=lambda **_: settings.discover()) if settings.via else None
        with Journal(shop.journal, write=self._apply or self._record) as book:
            outcomes = run(
                shop.loaded, partial(settings.connect, **self._shared), book, apply=self._apply, record=self._record, jobs=self._jobs,
                agreed=None if self.agreed is None else self.agreed.get(shop.id, frozenset()),
                interfaces=settings.interfaces(), stop=self._stop, look=partial(settings.connect, **self._looked), finder=finder,
            )  # fmt: skip
            with closing(outcomes):
                for outcome in outcomes:
                    made.outcomes.append(outcome)
                    self._view.camera(outcome)
        made.outcomes.sort(key=lambda outcome: outcome.key)
        return made

    def results(
        self,
        *,
        steps: Sequence[Wave],
        at_once: int,
        keep_going: bool,
        fine: frozenset[Verdict],
        progress: RolloutState | None = None,
    ) -> list[ShopResult]:
        """Run it; what became of every shop. Ctrl-C ends it and says how far it came."""
        from sunmi_ipc.fleet.sites import rollout

        def begin(number: int, of: Sequence[Shop]) -> None:
            if len(steps) > 1:
                note(self._state, "Wave {number}: {count} shops", number=number, count=len(of))

        done: list[ShopResult] = []
        ended: list[int] = []
        with self._view as view, interruptible(self._state, self._stop, view.close, ended):
            run = rollout(
                self._shops, self._work, steps=steps, at_once=at_once, stop=self._stop, keep_going=keep_going,
                fine=fine, begin=begin,
            )  # fmt: skip
            for result in run:
                done.append(result)
                if progress is not None:
                    progress.keep(result)
                if self._jsonl:
                    print_json_line(result.as_dict(language()))
                if str(result.verdict) != "not begun":
                    view.shop(result)
        if self._stop.is_set():
            note(
                self._state,
                "{done} of {total} shops were done. 'ipc sites apply' goes on where this ended.",
                done=sum(str(one.verdict) not in ("not begun", "stopped") for one in done),
                total=len(self._shops),
            )
            leave(ended)
        return done


def _show(
    state: State, results: Sequence[ShopResult], jsonl: bool, written: Sequence[str], csv: Path | None
) -> None:
    from sunmi_ipc.fleet.sites.results import summary

    if state.json:
        lang = language()
        ordered = sorted(results, key=lambda one: one.shop.id)
        print_json(
            {
                "sites": [result.as_dict(lang) for result in ordered],
                "summary": summary(results),
                "written": list(written),
            }
        )
    elif not jsonl and not state.quiet and (csv is None or str(csv) != "-"):
        print_results(results)


def _looked(
    ctx: typer.Context,
    folder: Path,
    only: list[str] | None,
    at_once: int,
    jobs: int | None,
    inline: bool,
    as_is: bool,
    jsonl: bool,
    csv: Path | None,
    html: Path | None,
    *,
    record: bool,
) -> list[ShopResult]:
    """A look at every shop; one that is not well does not keep the others from being looked at."""
    from sunmi_ipc.fleet.sites import Verdict, waves

    state = State.of(ctx)
    _one_form(state, jsonl)
    found = shops_of(state, folder, only, inline=inline, as_is=as_is)
    run = _Run(state, found.shops, apply=False, record=record, jobs=jobs, jsonl=jsonl)
    done = run.results(steps=waves("", ()), at_once=at_once, keep_going=True, fine=frozenset(Verdict))
    written = write_report(state, found, html, csv) if record else []
    _show(state, done, jsonl, written, csv)
    return done


def _one_form(state: State, jsonl: bool) -> None:
    from sunmi_ipc.errors import ParameterError

    if jsonl and state.json:
        raise ParameterError("{name}: not together with {other}", name="--jsonl", other="--json")


@app.command()
def plan(
    ctx: typer.Context,
    folder: Folder = HERE,
    only: Only = None,
    at_once: AtOnce = _AT_ONCE,
    jobs: Jobs = None,
    inline: Inline = False,
    as_is: AsIs = False,
    jsonl: Jsonl = False,
) -> None:
    """Show what differs in every shop and what would be done. Changes nothing."""
    done = _looked(ctx, folder, only, at_once, jobs, inline, as_is, jsonl, None, None, record=False)
    finish(done, "ok", "differs")


@app.command()
def verify(
    ctx: typer.Context,
    folder: Folder = HERE,
    only: Only = None,
    at_once: AtOnce = _AT_ONCE,
    jobs: Jobs = None,
    inline: Inline = False,
    as_is: AsIs = False,
    jsonl: Jsonl = False,
    csv: Csv = None,
    html: Html = None,
) -> None:
    """Read every camera of every shop, and prove that all is as wanted; exit code 7 if anything differs."""
    done = _looked(ctx, folder, only, at_once, jobs, inline, as_is, jsonl, csv, html, record=True)
    finish(done, "ok")


@app.command("apply")
def apply_(
    ctx: typer.Context,
    folder: Folder = HERE,
    only: Only = None,
    canary: Annotated[
        str,
        typer.Option(
            "--canary", metavar="N|N%|all", help=tr("So many shops first, and no other before they are well.")
        ),
    ] = "",
    then: Annotated[
        list[str] | None,
        typer.Option(
            "--then",
            metavar="N|N%|all",
            help=tr("So many next, each time after all before are well; may be repeated."),
        ),
    ] = None,
    at_once: AtOnce = _AT_ONCE,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help=tr("Go on with other shops where one fails."))
    ] = False,
    again: Annotated[
        bool,
        typer.Option("--again", help=tr("Also the shops that an earlier apply brought to what is wanted.")),
    ] = False,
    yes: Yes = False,
    jobs: Jobs = None,
    inline: Inline = False,
    as_is: AsIs = False,
    jsonl: Jsonl = False,
    csv: Csv = None,
    html: Html = None,
) -> None:
    """Bring every shop to what its file wants, in waves; stops where one fails, goes on where it ended."""
    from sunmi_ipc.fleet.sites import RolloutState, ShopResult, Verdict, waves

    state = State.of(ctx)
    _one_form(state, jsonl)
    steps = waves(canary, then or ())
    found = shops_of(state, folder, only, inline=inline, as_is=as_is)
    with ExitStack() as stack:
        progress = stack.enter_context(RolloutState(found.folder))
        before = [shop for shop in found.shops if not again and progress.is_done(shop)]
        turn = progress.in_turn([shop for shop in found.shops if shop not in before])
        done = [ShopResult(shop, skipped=Verdict.DONE_BEFORE) for shop in before]
        if before:
            note(
                state,
                "{count} shops were brought to what is wanted before, and are left alone; --again takes them too.",
                count=len(before),
            )
        run = _Run(state, turn, apply=True, record=True, jobs=jobs, jsonl=jsonl)
        if not yes and turn:
            run.agreed = _ask(state, turn, at_once, jobs)
        if turn:
            fine = frozenset({Verdict.OK})
            done += run.results(
                steps=steps, at_once=at_once, keep_going=keep_going, fine=fine, progress=progress
            )
    written = write_report(state, found, html, csv)
    _show(state, done, jsonl, written, csv)
    if left := sum(str(one.verdict) == "not begun" for one in done):
        note(
            state,
            "{count} shops were not begun: 'ipc sites apply' goes on with those that failed.",
            count=left,
        )
    finish(done, "ok", "done before")


def _ask(
    state: State, shops: Sequence[Shop], at_once: int, jobs: int | None
) -> dict[str, frozenset[tuple[str, str]]]:
    """Look first; ask where something would be destroyed. What was agreed to, by shop."""
    from sunmi_ipc.fleet.sites import Verdict, waves

    quiet = _Run(state, shops, apply=False, record=False, jobs=jobs, jsonl=False)
    looked = quiet.results(steps=waves("", ()), at_once=at_once, keep_going=True, fine=frozenset(Verdict))
    agreed: dict[str, frozenset[tuple[str, str]]] = {}
    for result in looked:
        found = {
            (outcome.key, what)
            for outcome in result.outcomes
            for what in ("activate", "format")
            if any(step.partition(" ")[0] == what for step in outcome.planned)
        }
        if found:
            agreed[result.shop.id] = frozenset(found)
    if not agreed:
        return agreed
    every = [what for found in agreed.values() for _, what in found]
    if not state.json and not state.quiet:
        print_results(looked)
    confirm(
        tr(
            "In {shops} shops, {activate} cameras would be activated (which deletes every face group on their SD "
            "cards), and {cards} blank SD cards formatted.",
            shops=len(agreed),
            activate=every.count("activate"),
            cards=every.count("format"),
        ),
        yes=False,
    )
    return agreed


app.command()(counts)
