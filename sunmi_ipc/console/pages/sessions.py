"""Who is here: sessions, codes for others, and what was done."""

from __future__ import annotations

import io
import re
from datetime import datetime
from functools import cache, partial

from nicegui import ui
from starlette.requests import Request

from ...protocol.spec import registry
from ..roles import Role
from ..sessions import spoken
from ..state import current
from .visit import Visit, button, heading, page, role_word, text


@page("/sessions")
def sessions(request: Request) -> None:
    """Sessions and codes; for those who may everything."""
    visit = Visit(current(), request)
    tr = visit.tr
    if not visit.may(Role.ADMIN):
        visit.sorry(tr("Who is here"), tr("This needs the role 'everything'."))
        return
    with visit.frame(tr("Who is here"), back="/", narrow=True), ui.element("div").classes("stack"):
        with ui.element("section").classes("sheet stack"):
            heading(tr("Let somebody in"))
            place = ui.element("div").classes("stack")
            codes = ui.element("div").classes("stack").style("gap: 8px")

        def code(role: Role) -> None:
            if not visit.act("code", details={"role": role.name.lower()}):
                return
            made, link = visit.console.invitation(role)
            place.clear()
            with place:
                with ui.element("div").classes("qr"):
                    ui.html(_qr(link), sanitize=False)
                text("div", spoken(made), "code")
                text(
                    "p",
                    tr("Works once and for ten minutes. It lets in: {role}.", role=role_word(visit, role)),
                    "soft",
                )

        with codes:
            for role in (Role.VIEW, Role.TUNE, Role.ADMIN):
                button(tr("Code for: {role}", role=role_word(visit, role)), partial(code, role)).classes(
                    "wide"
                )
        with ui.element("section").classes("sheet stack"):
            heading(tr("Sessions"))
            rows = ui.element("div").classes("stack")

        def show() -> None:
            rows.clear()
            with rows:
                for one in visit.console.sessions.list():
                    with ui.element("div").classes("row keep"):
                        with ui.element("div").classes("grow"):
                            mine = f" ({tr('this one')})" if one.id == visit.session.id else ""
                            text("div", f"{role_word(visit, one.role)}{mine}", "break")
                            since = datetime.fromtimestamp(one.since).astimezone()
                            text(
                                "div",
                                " · ".join(
                                    p for p in (one.origin, f"{since:%m-%d %H:%M}", device(one.agent)) if p
                                ),
                                "soft small break",
                            )
                        if one.id != visit.session.id:
                            button(tr("End"), partial(end, one.id), kind="danger")

        def end(id: str) -> None:
            if visit.act("end", details={"session": id}):
                visit.console.sessions.end(id)
                show()

        show()
        entries = getattr(visit.console.audit, "entries", None)
        if entries is not None:
            with ui.element("section").classes("sheet stack"):
                heading(tr("What was done"))
                for entry in list(entries())[:100]:
                    at = datetime.fromtimestamp(entry.at).astimezone()
                    with ui.element("div").classes("entry"):
                        text("div", f"{done(visit, entry.action)} {entry.sn}".strip(), "break")
                        result = "" if entry.result == "ok" else entry.result
                        said = (f"{at:%m-%d %H:%M:%S}", result, who(visit, entry.who), entry.origin)
                        text("div", " · ".join(part for part in said if part), "soft small break num")


#: Words of a browser's own long description, the first that is there.
_BROWSERS = {"MicroMessenger": "WeChat", "Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox",
             "Chrome": "Chrome", "CriOS": "Chrome", "Safari": "Safari"}  # fmt: skip
_SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows", "Mac OS X": "macOS",
            "CrOS": "ChromeOS", "Linux": "Linux"}  # fmt: skip


def device(agent: str) -> str:
    """A browser and its system as people call them; the first word of what it says where it is none of those."""
    browser = next((name for word, name in _BROWSERS.items() if word in agent), "")
    system = next((name for word, name in _SYSTEMS.items() if word in agent), "")
    return ", ".join(p for p in (browser, system) if p) or agent.split("/")[0][:30]


def done(visit: Visit, action: str) -> str:
    """What was done, in words; a call to a camera as its declaration says it."""
    tr = visit.tr
    words = {
        "enter": tr("signed in"),
        "code": tr("let somebody in"),
        "end": tr("ended a session"),
        "leave": tr("signed out"),
        "mute": tr("muted"),
        "fleet.plan": tr("compared all cameras"),
        "fleet.apply": tr("set all cameras up by the file"),
        "fleet.file": tr("handled the site file"),
        "fleet.stop": tr("stopped the set-up of all cameras"),
        "events.listen": tr("listened to events"),
        "events.stop": tr("stopped listening to events"),
        "trust.accept": tr("trusted a camera's certificate"),
        "trust.forget": tr("forgot whom a camera was"),
    }
    if action not in words and (summary := _summaries().get(action)):
        return _FIRST.split(tr(summary), maxsplit=1)[0].rstrip(".。")
    return words.get(action, action)


#: Where the first part of a declaration's sentence ends.
_FIRST = re.compile(r"[;:；：。]|\. ")


@cache
def _summaries() -> dict[str, str]:
    return {endpoint.key: endpoint.summary for endpoint in registry().values()}


def who(visit: Visit, name: str) -> str:
    """Who did it: a session by its role and the beginning of its name."""
    place, _, rest = name.partition(":")
    session, _, role = rest.partition(":")
    if place != "console" or role.upper() not in Role.__members__:
        return name
    return f"{role_word(visit, Role[role.upper()])} ({session[:4]})"


def _qr(link: str) -> str:
    import segno

    made = io.BytesIO()
    segno.make(link, error="m").save(made, kind="svg", scale=6, border=2, xmldecl=False, svgns=True)
    return made.getvalue().decode()
