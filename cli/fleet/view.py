"""A fleet at work, for people: a line per camera and a total, live on a terminal, plain elsewhere."""

from __future__ import annotations

import logging
import sys
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

from sunmi_ipc import words
from sunmi_ipc.i18n import language, tr
from sunmi_ipc.redact import printable, redact_text

from ..screen.lines import fitted
from ..screen.output import advised, columns, progress_wanted, width
from ..screen.tables import fitting, window
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.fleet.outcome import Outcome

_STYLES = {"ok": "green", "differs": "yellow", "refused": "yellow", "failed": "red", "absent": "red"}


def first_problem(outcome: Outcome) -> str:
    """The first problem, in the user's language; empty where there is none."""
    if not outcome.problems:
        return ""
    problem, lang = outcome.problems[0], language()
    where = problem.setting or problem.step
    return redact_text(printable(tr("{name}: {text}", name=tr(where), text=problem.message(lang))))


class View:
    """Shows a run; use it as a context manager.

    Args:
        state: How the command was called.
        total: How many cameras there are.

    """

    def __init__(self, state: State, total: int) -> None:
        self._state, self._total = state, total
        self._active: dict[str, tuple[Outcome, str, float]] = {}
        self._finished: list[Outcome] = []
        self._lock = threading.Lock()
        self._stack = ExitStack()
        self._live: Any = None
        self._console: Any = None

    def __enter__(self) -> Self:
        if progress_wanted(self._state):
            from rich.live import Live

            from ..screen.progress import above, console

            self._console = console()
            self._live = self._stack.enter_context(
                Live(
                    console=self._console,
                    get_renderable=self._table,
                    refresh_per_second=6,
                    transient=True,
                    redirect_stdout=above(),
                )
            )
            # Warnings go above the table, not through it.
            for handler in logging.getLogger("sunmi_ipc").handlers:
                if isinstance(handler, logging.StreamHandler):
                    before = handler.setStream(sys.stderr)
                    self._stack.callback(handler.setStream, before)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back."""
        self._stack.close()

    def tell(self, outcome: Outcome, step: str) -> None:
        """A camera begins a step."""
        with self._lock:
            _, _, since = self._active.get(outcome.key, (outcome, step, time.monotonic()))
            self._active[outcome.key] = (outcome, step, since)

    def done(self, outcome: Outcome) -> None:
        """A camera is done."""
        with self._lock:
            self._active.pop(outcome.key, None)
            self._finished.append(outcome)
            count = len(self._finished)
        if self._live is None and not self._state.quiet:
            what = first_problem(outcome) or tr(", ").join(tr(s) for s in outcome.done or outcome.planned)
            line = (
                f"[{count}/{self._total}] {outcome.key}  {tr(str(outcome.standing))}  {outcome.seconds:.1f} s"
            )
            sys.stderr.write(f"{line}  {what}".rstrip() + "\n")
            sys.stderr.flush()

    def _table(self) -> Any:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        with self._lock:
            active, finished = list(self._active.values()), list(self._finished)
        room = max(3, self._console.size.height - 4)
        table = Table(box=None, pad_edge=False, show_header=False)
        now = time.monotonic()
        for outcome, step, since in active[:room]:
            table.add_row(
                outcome.sn or outcome.key, outcome.address, f"{now - since:.0f} s", Text(tr(step), "cyan")
            )
        for outcome in reversed(finished[-max(0, room - len(active)) :] if room > len(active) else []):
            table.add_row(
                outcome.sn or outcome.key,
                outcome.address,
                f"{outcome.seconds:.0f} s",
                Text(tr(str(outcome.standing)), _STYLES.get(str(outcome.standing), "")),
                Text(first_problem(outcome), "dim", no_wrap=True, overflow="ellipsis"),
            )
        total = Table.grid(padding=(0, 1))
        bad = sum(not outcome.ok for outcome in finished)
        total.add_row(
            ProgressBar(total=self._total, completed=len(finished), width=30),
            f"{len(finished)}/{self._total}",
            Text(tr("{count} not as wanted", count=bad), "yellow") if bad else "",
            Text(tr("{count} more under way", count=len(active) - room), "dim") if len(active) > room else "",
        )
        return Group(table, total)


def age(seconds: float) -> str:
    """How long ago, in one number."""
    for unit, length in (("{count} d", 86_400), ("{count} h", 3600), ("{count} min", 60)):
        if seconds >= length:
            return tr(unit, count=int(seconds // length))
    return tr("{count} s", count=max(0, int(seconds)))


def summary(outcomes: list[Outcome]) -> dict[str, int]:
    """How many cameras of each standing, the zeros left out."""
    counts: dict[str, int] = {"cameras": len(outcomes)}
    for outcome in outcomes:
        counts[str(outcome.standing)] = counts.get(str(outcome.standing), 0) + 1
    return counts


def print_outcomes(outcomes: list[Outcome]) -> None:
    """Camera by camera what differs, what was or would be done, and what failed; the sum at the end.

    Cameras of which the same is to be said stand together.
    """
    names = ("camera", "address", "model", "name", "standing")
    cells = [
        (o.sn or o.key, o.address, o.model, o.name, tr(str(o.standing)))
        for o in sorted(outcomes, key=lambda o: o.key)
    ]
    title = tuple(tr(name).upper() for name in names)
    needed = [max(width(printable(line[i])) for line in [title, *cells]) for i in range(len(names))]
    kept = [names.index(n) for n in fitting(names, needed, ("model", "address", "name"), window())]
    widths = [needed[i] for i in kept]
    head, *rows = ([line[i] for i in kept] for line in [title, *cells])
    out = sys.stdout
    out.write(columns(head, widths) + "\n")
    ordered = sorted(outcomes, key=lambda o: o.key)
    told: dict[tuple[str, ...], list[int]] = {}
    for place, outcome in enumerate(ordered):
        told.setdefault(_details(outcome, alike=True), []).append(place)
    for details, places in told.items():  # what is the same of many is said once
        if len(places) == 1:
            details = _details(ordered[places[0]], alike=False)
        for place in places:
            out.write(columns([printable(cell) for cell in rows[place]], widths) + "\n")
        if len(places) > 1 and details:
            out.write("    " + tr("all {count} of these:", count=len(places)) + "\n")
        for line in details:
            out.write(fitted(line, out) + "\n")
    counts = summary(outcomes)
    every = counts.pop("cameras")
    total = tr("1 camera") if every == 1 else f"{every} {tr('cameras')}"
    if counts:
        parts = tr(", ").join(
            tr("{count} {standing}", count=count, standing=tr(standing)) for standing, count in counts.items()
        )
        total = tr("{cameras}, {parts}", cameras=total, parts=parts)
    out.write(total + "\n")


#: Days as a site file has them, in words.
DAYS = {"everyday": words.EVERY_DAY, "always": words.ALL_DAY} | {
    str(day.name)[:3].lower(): said for day, said in words.DAYS.items()
}
_SWITCHED = {"auto": "automatic", "on": "on", "off": "off"}


def in_words(field: str, text: str | None) -> str:
    """A value of a difference; in Chinese in words, in English as the file has it, as its key is the file's, too."""
    if text in (None, ""):
        return "-"
    if language() != "zh":
        return str(text)
    if field == "weekday":
        return tr(", ").join(tr(DAYS.get(day, day)) for day in str(text).split(","))
    return tr(_SWITCHED[text]) if field in ("irmode", "led_switch") and text in _SWITCHED else str(text)


def _details(outcome: Outcome, *, alike: bool) -> tuple[str, ...]:
    """What differs, was done, or failed, line by line; *alike*: without what is each camera's own."""
    from sunmi_ipc.fleet.report import difference_label

    lang = language()
    lines = [
        (
            # English has the file's own keys; half of one in Chinese would be neither.
            difference_label(d, lang)
            if lang == "zh"
            else d.setting + (f".{d.field}" if d.field != d.setting else ""),
            f"{'…' if alike and d.setting == 'name' else in_words(d.field, d.now)} → {in_words(d.field, d.wanted)}",
        )
        for d in outcome.differences
    ]
    shown = {d.setting for d in outcome.differences}
    if planned := [tr(step) for step in outcome.planned if step not in shown]:
        lines.append((tr("to do"), tr(", ").join(planned)))
    if done := [tr(step) for step in outcome.done if step not in shown]:
        lines.append((tr("done"), tr(", ").join(done)))
    if outcome.notes:
        lines.append((tr("not on this model"), tr(", ").join(map(tr, outcome.notes))))
    for problem in outcome.problems:
        hint = problem.hint(lang)
        lines.append((f"! {tr(problem.setting or problem.step)}", advised(problem.message(lang), hint)))
    told = [
        redact_text(printable("    " + tr("{name}: {text}", name=name, text=text))) for name, text in lines
    ]
    return tuple(line.replace(outcome.sn, "{sn}") if alike and outcome.sn else line for line in told)
