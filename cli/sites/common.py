"""What the commands of ``ipc sites`` share: the folder, its shops, the table, the report."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.i18n import language, tr
from sunmi_ipc.redact import printable, redact_text

from ..screen.output import note, say
from ..screen.paths import typed_path
from ..screen.tables import table
from ..state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.fleet.report import Row
    from sunmi_ipc.fleet.sites import Shop, ShopResult, Shops

Folder = Annotated[
    Path,
    typer.Argument(metavar="[DIR]", help=tr("The folder with a site file for each shop; default: here.")),
]
HERE = Path()
Only = Annotated[
    list[str] | None,
    typer.Option(
        "--only", metavar="SITE", help=tr("Only this shop; * stands for anything; may be repeated.")
    ),
]
AtOnce = Annotated[
    int,
    typer.Option(
        "--at-once", metavar="N", min=1, max=256, help=tr("Shops worked on at the same time at most.")
    ),
]
Html = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help=tr("Write one HTML file, to hand over.")),
]
#: What needs somebody comes first.
_ORDER = ("failed", "stopped", "differs", "not begun", "ok", "done before")


def shops_of(
    state: State,
    folder: Path,
    only: list[str] | None,
    *,
    inline: bool = False,
    resolve: bool = True,
    as_is: bool = False,
) -> Shops:
    """The folder's shops; every fault in a file is told."""
    from sunmi_ipc.fleet.sites import read

    if not os.path.exists(folder):
        folder = typed_path(str(folder))
    found = read(folder, only=only or (), inline_secrets=inline, resolve=resolve, as_is=as_is)
    for path in found.copies:
        note(
            state, "{path}: left out, as its name says that it is a copy of a file beside it", path=str(path)
        )
    faults: dict[str, list[str]] = {}
    for shop in found.shops:
        if shop.error is not None:
            for error in (shop.error, *getattr(shop.error, "others", ())):
                message, hint = error.localized(language())
                faults.setdefault(message + (f" ({hint})" if hint else ""), []).append(shop.id)
    for reason, ids in faults.items():  # a fault of a shared part is told once
        if len(ids) == 1:
            note(state, "{camera}: {reason}", camera=ids[0], reason=reason)
        else:
            note(
                state,
                "{site} and {count} more: {reason}",
                site=ids[0],
                count=len(ids) - 1,
                reason=reason,
            )
    return found


def fault(error: SunmiIpcError) -> str:
    """An error in the user's language, on one line."""
    return redact_text(printable(error.localized(language())[0]))


def in_order(results: Iterable[ShopResult]) -> list[ShopResult]:
    """Results with those first that need somebody."""
    return sorted(results, key=lambda one: (_ORDER.index(str(one.verdict)), one.shop.id))


def print_results(results: Sequence[ShopResult]) -> None:
    """One table, a line a shop."""
    from sunmi_ipc.fleet.sites.results import summary

    rows = []
    for result in in_order(results):
        counts = result.counts()
        cameras = len(result.shop.loaded.slots) if result.shop.loaded else 0
        rows.append(
            {
                "site": result.shop.id,
                "verdict": tr(str(result.verdict)),
                "as wanted": f"{counts.get('ok', 0)}/{cameras}"
                if counts
                else f"-/{cameras}"
                if cameras
                else "",
                "name": result.shop.name if result.shop.name != result.shop.id else "",
                "details": what(result),
            }
        )
    table(
        rows,
        ["site", "verdict", "as wanted", "name", "details"],
        least=("name", "as wanted"),
    )
    told = summary(results)
    parts = [f"{count} {tr(verdict)}" for verdict, count in told["by_verdict"].items()]
    total = sum(told["cameras"].values())
    line = tr(
        "{count} shops: {parts}; {cameras} cameras",
        count=told["sites"],
        parts=tr(", ").join(parts),
        cameras=total,
    )
    typer.echo(line)


def what(result: ShopResult) -> str:
    """The first thing that somebody has to look at; else what differs, counted."""
    from sunmi_ipc.fleet.report import label

    problem = result.problem()
    if problem is not None:
        step = label(problem.setting or problem.step, language())
        text = tr("{name}: {text}", name=step, text=problem.message(language()))
        who = next((o.sn or o.key for o in result.outcomes if o.problems), "")
        return redact_text(printable(f"{who} {text}".strip()))
    steps = Counter(step for outcome in result.outcomes for step in outcome.planned)
    lang = language()
    return tr(", ").join(f"{count} × {label(step, lang)}" for step, count in steps.most_common())


def finish(results: Iterable[ShopResult], *fine: str) -> None:
    """Exit 7 where a shop is not what it should be."""
    if any(str(result.verdict) not in fine for result in results):
        raise typer.Exit(Exit.SOME_FAILED)


def rows_of(shops: Iterable[Shop]) -> list[tuple[Shop, list[Row]]]:
    """What the shops' journals know of each camera; those without one know nothing."""
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.report import collect

    made = []
    for shop in shops:
        if shop.loaded is None:
            continue
        with Journal(shop.journal if shop.journal.exists() else None, write=False) as book:
            made.append((shop, collect(shop.loaded.slots, book)))
    return made


def write_report(state: State, shops: Shops, html: Path | None, csv: Path | None) -> list[str]:
    """One report of all shops out of their journals; the files that were written."""
    from sunmi_ipc import csvfile
    from sunmi_ipc.fleet.report import COLUMNS, cells
    from sunmi_ipc.fleet.report_html import write_html
    from sunmi_ipc.i18n import translate
    from sunmi_ipc.video.partial import cannot_write

    if html is None and csv is None:
        return []
    lang, every = language(), rows_of(shops.shops)
    written: list[str] = []
    if csv is not None:
        names = ("site", *COLUMNS)
        lines = [{"site": shop.id, **cells(row, lang)} for shop, rows in every for row in rows]
        try:
            csvfile.write(csv, lines, names, title={name: translate(name, lang, {}) for name in names})
        except OSError as error:
            if str(csv) == csvfile.STDOUT:
                raise
            raise cannot_write(csv, error) from None
        written += [str(csv)] if str(csv) != csvfile.STDOUT else []
    if html is not None:
        try:
            write_html(
                html,
                shops.folder.resolve().name,
                [_named(shop, row) for shop, rows in every for row in rows],
                lang,
            )
        except OSError as error:
            raise cannot_write(html, error) from None
        written.append(str(html))
    if not state.json:
        for path in written:
            say(state, "Written: {path}", path=path)
    return written


def _named(shop: Shop, row: Row) -> Row:
    """A row under its shop's name: ``any:FM020#1`` is the first of every shop."""
    outcome = replace(row.outcome, name=f"{shop.name} · {row.outcome.name}".rstrip(" ·"))
    return replace(row, slot=replace(row.slot, key=f"{shop.id}:{row.slot.key}"), outcome=outcome)


def counted(values: dict[str, Any]) -> str:
    """Counts in words: ``3 as wanted, 1 absent``."""
    return tr(", ").join(f"{count} {tr(name)}" for name, count in values.items() if count)
