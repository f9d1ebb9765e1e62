"""The site file: its plan as a table of differences, applied with progress, and the report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import events, ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ...errors import SunmiIpcError
from ...fleet.outcome import Outcome
from ...fleet.report import difference_label, label
from ..head import named
from ..roles import Role
from ..rollout import Rollout
from ..siting import MOST, holds_secrets
from ..state import current
from .visit import Visit, button, chooser, heading, page, progress, text


@page("/fleet")
def fleet(request: Request) -> None:
    """The fleet."""
    visit = Visit(current(), request)
    with visit.frame(visit.tr("All cameras by file"), back="/"):
        place = ui.element("div").classes("stack")

    def show() -> None:
        place.clear()
        rollout = visit.console.rollout
        with place:
            if rollout is not None:
                _site(visit, rollout)
            elif not visit.may(Role.ADMIN):
                text(
                    "p",
                    visit.tr("There is no site file yet. Who may everything can have one made here."),
                    "sheet soft",
                )
            if visit.console.own_site and visit.may(Role.ADMIN):
                _file(visit, rollout, show)

    show()


def _file(visit: Visit, rollout: Rollout | None, show: Callable[[], None]) -> None:
    """Have a site file made of how the cameras are, or take one."""
    tr, console = visit.tr, visit.console
    with ui.element("section").classes("sheet stack"):
        heading(tr("Site file"))
        text(
            "p",
            tr(
                "It says what every camera of a shop should be like: name, night mode, door line and all else. "
                "Write down how they are now: later, Compare shows what somebody has changed, and Make it so puts it back."
            ),
            "soft",
        )
        told = text("div", "", "note")
        told._props["role"] = "status"
        told.set_visibility(False)

        def say(words: str, kind: str) -> None:
            told.classes(replace=f"note {kind}")
            told._text = words
            told.set_visibility(True)
            told.update()

        async def draw_up() -> None:
            if rollout is not None and not await visit.sure(
                tr("Write it down anew?"),
                tr("The site file that is there is replaced."),
                yes=tr("Write it down anew"),
            ):
                return
            if not visit.act("fleet.file", details={"what": "drawn up"}):
                return
            say(tr("Asking the cameras …"), "")
            make.disable()
            try:
                missing = await visit.try_(lambda: console.draw_up_site(visit.session))
            except SunmiIpcError as error:
                say(visit.words(error), "bad")
                make.enable()
                return
            show()
            if missing:
                named = ", ".join(console.desk.card(sn).name or sn for sn in missing)
                visit.say(
                    tr("Left out, as they did not tell how they are: {cameras}", cameras=named), bad=True
                )

        async def take(event: events.UploadEventArguments) -> None:
            name = event.file.name[:80]
            if not visit.act("fleet.file", details={"what": "taken", "name": name}):
                return
            raw = await event.file.read()
            try:
                await visit.try_(lambda: console.take_site(raw, name))
            except SunmiIpcError as error:
                others = getattr(error, "others", ())
                say("\n".join(visit.words(one) for one in (error, *others[:9])), "bad")
                return
            show()

        make = button(
            tr("Write down how they are now") if rollout is None else tr("Write it down anew"),
            draw_up,
            kind="act" if rollout is None else "plain",
            icon="edit_note",
        ).classes("wide")
        chooser(visit, tr("Take a file (.toml or .csv)"), take, accept=".toml,.csv", most=MOST)
        if rollout is not None and not holds_secrets(rollout.path):
            link = text("a", tr("Download the file"), "go second")
            link._props["href"], link._props["download"] = "/fleet/file", rollout.path.name


@page("/fleet/file")
def file(request: Request) -> Response:
    """The site file, where it came by a page and holds no secret."""
    visit = Visit(current(), request)
    rollout = visit.console.rollout
    allowed = rollout is not None and visit.console.own_site
    if rollout is None or not allowed or not visit.act("fleet.file", details={"what": "downloaded"}):
        return Response("", 404)
    if holds_secrets(rollout.path):
        return Response("", 404)
    return Response(
        rollout.path.read_bytes(),
        media_type="application/octet-stream",
        headers=named("attachment", rollout.path.name),
    )


def _site(visit: Visit, rollout: Rollout) -> None:
    tr, may = visit.tr, visit.may(Role.ADMIN)
    shown: list[Any] = []
    with ui.element("div").classes("sheet stack"):
        name = text("div", rollout.path.name, "soft small break")
        name._props["title"] = str(rollout.path)
        told = text("div", "", "note")
        told._props["role"] = "status"
        bar = progress(tr("One moment …"), 0)
        with ui.element("div").classes("row"):
            plan = button(tr("Compare"), lambda: start("plan"), icon="checklist").classes("grow")
            apply_ = button(tr("Make it so"), lambda: start("apply"), kind="act", icon="play_arrow").classes(
                "grow"
            )
            stop = button(tr("Stop"), lambda: halt(), icon="stop").classes("grow")
        link = text("a", tr("Hand-over report"), "go second")
        link._props["href"], link._props["target"] = "/fleet/report", "_blank"
    table = ui.element("div").classes("stack")

    async def start(what: Any) -> None:
        agreed: frozenset[tuple[str, str]] | None = None
        if what == "apply" and not may:
            visit.act("fleet.apply")  # written down
            return
        if what == "apply":
            agreed = rollout.destroys
            if agreed:
                activate = sum(w == "activate" for _, w in agreed)
                sure = await visit.sure(
                    tr("Make it so?"),
                    tr(
                        "{activate} cameras would be activated (which deletes every face group on their SD cards), "
                        "and {cards} blank SD cards formatted.",
                        activate=activate,
                        cards=len(agreed) - activate,
                    ),
                    typed=str(len(agreed)),
                )
                if not sure:
                    return
        if not visit.act(f"fleet.{what}", details={"site": str(rollout.path)}):
            return
        rollout.start(what, agreed=agreed)
        show()

    def halt() -> None:
        # Whoever may compare may end that; what changes cameras is ended by those who may begin it.
        if rollout.running == "plan" or visit.act("fleet.stop"):
            rollout.stop()

    def show() -> None:
        outcomes = list(rollout.outcomes.values())
        state = [rollout.running, rollout.error, len(outcomes), dict(rollout.steps)]
        if state == shown:
            return
        shown[:] = state
        running = bool(rollout.running)
        bar.set_visibility(running)
        bar.value = len(outcomes) / rollout.total if rollout.total else 0
        for one in (plan, apply_):
            one.set_enabled(not running and (may or one is plan))
        stop.set_visibility(rollout.running == "plan" or (running and may))
        if rollout.error is not None:
            told.classes(replace="note bad")
            told._text = visit.words(rollout.error)
        elif running:
            told.classes(replace="note")
            told._text = tr("{done} of {total} cameras", done=len(outcomes), total=rollout.total)
        elif outcomes:
            well = sum(o.ok for o in outcomes)
            told.classes(replace="note good" if well == len(outcomes) else "note warn")
            told._text = tr("{well} of {total} cameras are as wanted.", well=well, total=len(outcomes))
        else:
            told.classes(replace="note")
            told._text = tr("Compare shows what differs. Nothing is changed by it.")
        told.update()
        table.clear()
        with table:
            for outcome in sorted(outcomes, key=lambda o: (o.ok, o.key)):
                _outcome(visit, outcome)
            for key, step in rollout.steps.items():
                with ui.element("div").classes("sheet row"):
                    text("div", key, "grow break")
                    text("div", label(step, visit.lang), "soft")

    show()
    ui.timer(0.7, show)


def _outcome(visit: Visit, outcome: Outcome) -> None:
    tr = visit.tr
    kinds = {"ok": "ok", "differs": "warning", "refused": "warning", "failed": "bad", "absent": "bad"}
    with ui.element("div").classes("sheet stack").style("gap: 8px"):
        with ui.element("div").classes("row"):
            text("div", outcome.name or outcome.sn or outcome.key, "grow break").style("font-weight: 650")
            text(
                "span",
                label(str(outcome.standing), visit.lang),
                f"tag {kinds.get(str(outcome.standing), 'warning')}",
            )
        text("div", " · ".join(p for p in (outcome.key, outcome.address) if p), "soft small num break")
        if outcome.differences:
            with ui.element("div").classes("scroll"), ui.element("table").classes("plain small"):
                with ui.element("tr"):
                    for column in (tr("setting"), tr("now"), tr("wanted")):
                        text("th", column)
                for one in outcome.differences:
                    with ui.element("tr"):
                        text("td", difference_label(one, visit.lang), "break")
                        text("td", one.now, "break")
                        text("td", one.wanted, "break")
        for problem in outcome.problems:
            text("div", f"{problem.message(visit.lang)} {problem.hint(visit.lang)}".strip(), "note bad")


@page("/fleet/report")
async def report(request: Request) -> Response:
    """The hand-over report."""
    visit = Visit(current(), request)
    rollout = visit.console.rollout
    if rollout is None:
        return HTMLResponse("", 404)
    try:
        html = await visit.try_(lambda: rollout.report(visit.lang))
    except SunmiIpcError as error:
        return HTMLResponse(visit.words(error), 500, media_type="text/plain")
    return HTMLResponse(html)
