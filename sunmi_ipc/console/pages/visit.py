"""One page load by one session: its language, its rights, its frame, and how work is done and told."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from nicegui import events, ui
from starlette.requests import Request

from ...errors import SunmiIpcError
from ...i18n import Language, speaking, translate
from ..gate import session_of
from ..head import put
from ..language import hint_of, preferred, told, without_commands
from ..roles import ForbiddenError, Role

if TYPE_CHECKING:
    from ...camera import Camera
    from ..state import Console

T = TypeVar("T")
#: Seconds that a page may take to be made, a report with its pictures too; NiceGUI's own three are a slow camera's.
PATIENCE_S = 60.0


def page(path: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a page, as ``ui.page``: one that waits for slow cameras rather than give up with words of its own."""
    return ui.page(path, response_timeout=PATIENCE_S)


class Visit:
    """What a page knows of whom it is for.

    Args:
        console: What it is a page of.
        request: How it was asked for.

    """

    console: Console

    def __init__(self, console: Console, request: Request) -> None:
        session = session_of(request.scope)
        assert session is not None  # the gate lets nobody else in
        self.console, self.session = console, session
        self.lang: Language = session.lang or preferred(request.headers.get("accept-language", ""))
        self._scope = request.scope
        client = self._client = ui.context.client
        # A page's language and colours are the session's: the page itself is everybody's.
        client.page = copy.copy(client.page)
        client.page.language = "zh-CN" if self.lang == "zh" else "en-US"
        client.page.dark = session.dark
        self._over = 0

    @property
    def connected(self) -> bool:
        """Whether the browser is still there."""
        return self._client.has_socket_connection

    def _still_here(self) -> None:
        """A page whose session has ended says so, goes to the door, and is told nothing more, whatever it does."""
        if self.console.sessions.alive(self.session):
            return
        self._over += 1
        if self._over == 1:
            self.say(
                self.words(ForbiddenError("the session has ended", hint="Ask for a new code.")), bad=True
            )
        elif self._over == 2:
            self._go("/enter")
        else:
            self._client.content.clear()

    def head(self, html: str) -> None:
        """Have the page begin with *html*, before whatever has to be fetched."""
        put(self._scope, html)

    def tr(self, template: str, /, **values: object) -> str:
        """Put *template* into the session's language."""
        return translate(template, self.lang, values)

    def may(self, role: Role) -> bool:
        """Whether the session has this role; the server looks again at every call."""
        return self.session.role >= role

    def camera(self, sn: str) -> Camera:
        """A camera as this session may use it."""
        return self.console.desk.camera(sn, self.session)

    def words(self, error: SunmiIpcError) -> str:
        """An error in the session's language, with what to do next."""
        message, hint = told(error, self.lang), error.localized(self.lang)[1]
        if (own := hint_of(error)) != error.hint_template:
            hint = self.tr(own)
        text, hint = message[:1].upper() + message[1:], without_commands(hint)
        if not hint:
            return text
        return f"{text}。{hint}" if self.lang == "zh" else f"{text}. {hint}"

    async def try_(self, work: Callable[[], T]) -> T:
        """Do blocking *work* in a thread, in the session's language; raises what it raises."""
        if not self.console.sessions.alive(self.session):
            raise ForbiddenError("the session has ended", hint="Ask for a new code.")
        with speaking(self.lang):
            return await self.console.work(work)

    async def do(self, work: Callable[[], T], done: str = "") -> T | None:
        """Do blocking *work* and say what came of it; None where it failed."""
        try:
            result = await self.try_(work)
        except SunmiIpcError as error:
            self.say(self.words(error), bad=True)
            return None
        if done:
            self.say(done)
        return result

    def act(self, action: str, *, sn: str = "", details: Mapping[str, Any] | None = None) -> bool:
        """Before what is no call to a camera: whether the session may; it is written down, and a refusal is said."""
        try:
            self.console.act(self.session, action, sn=sn, details=details)
        except ForbiddenError as error:
            self.say(self.words(error), bad=True)
            return False
        return True

    def say(self, text: str, *, bad: bool = False) -> None:
        """A short message at the foot of the page."""
        # In the page itself: where a button was pressed there may be something else by now.
        with self._client.content:
            ui.notify(
                text,
                type="negative" if bad else "positive",
                position="bottom",
                timeout=9000 if bad else 2500,
                close_button="OK" if bad else False,
                multi_line=True,
            )

    def script(self, code: str) -> None:
        """Have the browser run *code*, wherever on the page that comes from."""
        if self.connected:
            self._client.run_javascript(code)

    # -- the frame -------------------------------------------------------------------------------

    @contextlib.contextmanager
    def frame(self, title: str, *, back: str = "", narrow: bool = False) -> Iterator[None]:
        """The page around its content."""
        tr = self.tr
        ui.page_title(title)
        text("a", tr("To the content"), "vh skip").props('href="#main"')
        with ui.element("header").classes("top"):
            if back:
                with ui.element("a").classes("icon").props(f'href="{back}"') as link:
                    link._props["aria-label"] = tr("Back")
                    ui.icon("arrow_back", size="26px")
            self._title = heading(title, 1)
            if not back and self.may(Role.VIEW):
                self._icon("/fleet", "checklist", tr("All cameras by file"))
            self._menu()
        with ui.element("main").classes("main narrow" if narrow else "main").props('id="main" tabindex="-1"'):
            yield
        # Last: with a timer, NiceGUI hands a page out as soon as its function waits for something.
        ui.timer(2.0, self._still_here)

    def sorry(self, title: str, words: str) -> None:
        """A page that cannot be: why, and the way back."""
        with self.frame(title, back="/", narrow=True), ui.element("div").classes("stack"):
            text("div", words, "note bad")
            text("a", self.tr("To the cameras"), "go second").props('href="/"')

    def retitle(self, title: str) -> None:
        """What the page is about has another name now."""
        ui.page_title(title)
        self._title._text = title
        self._title.update()

    def _icon(self, href: str, icon: str, label: str) -> None:
        with ui.element("a").classes("icon") as link:
            link._props["href"], link._props["aria-label"], link._props["title"] = href, label, label
            ui.icon(icon, size="26px")

    def _menu(self) -> None:
        tr, session = self.tr, self.session
        with ui.button(icon="more_vert", color=None).props("flat dense").classes("icon") as more:
            more._props["aria-label"] = tr("Menu")
            with ui.menu().props("auto-close"):
                other = "English" if self.lang == "zh" else "中文"
                ui.menu_item(other, lambda: self._change(lang="en" if self.lang == "zh" else "zh"))
                ui.menu_item(tr("Light"), lambda: self._change(dark=False))
                ui.menu_item(tr("Dark"), lambda: self._change(dark=True))
                ui.menu_item(tr("As the device"), lambda: self._change(dark=None))
                if self.may(Role.ADMIN):
                    ui.separator()
                    ui.menu_item(tr("Who is here"), lambda: ui.navigate.to("/sessions"))
                ui.separator()
                ui.menu_item(tr("Leave"), self._leave)
                ui.item_label(tr("Role: {role}", role=role_word(self, session.role))).classes(
                    "soft small q-pa-md"
                )

    def _change(self, **wishes: Any) -> None:
        for name, value in wishes.items():
            setattr(self.session, name, value)
        ui.navigate.reload()

    def _leave(self) -> None:
        self.act("leave")
        self.console.sessions.end(self.session.id)
        self._go("/enter")

    def _go(self, path: str) -> None:
        with self._client.content:
            ui.navigate.to(path)

    async def sure(self, title: str, text: str, *, typed: str = "", yes: str = "") -> bool:
        """Ask before something is done that cannot be undone; with *typed* that word has to be typed."""
        tr = self.tr
        with ui.dialog() as dialog, ui.card():
            heading(title, 2)
            ui.label(text).classes("break")
            go = button(yes or title, lambda: dialog.submit(True), kind="danger").classes("wide")
            if typed:
                field = (
                    ui.input(tr("Type {word} to go on", word=typed))
                    .props("outlined autocomplete=off autocapitalize=characters spellcheck=false")
                    .classes("wide")
                )
                go.bind_enabled_from(field, "value", lambda v: str(v or "").strip() == typed)
                field.move(target_index=2)
            button(tr("Cancel"), lambda: dialog.submit(False)).classes("wide")
        answer = await dialog
        dialog.delete()
        return bool(answer)


def role_word(visit: Visit, role: Role) -> str:
    """A role in words."""
    tr = visit.tr
    return {
        Role.VIEW: tr("look only"),
        Role.TUNE: tr("set up picture and counting"),
        Role.ADMIN: tr("everything"),
    }[role]


def heading(text: str, level: int = 2) -> Any:
    """A heading that screen readers find."""
    made = ui.element(f"h{level}")
    made._text = text
    return made


def segments(
    labels: dict[Any, str], value: Any, choose: Callable[[Any], Any], *, label: str, enabled: bool = True
) -> Any:
    """A row of buttons of which one is pressed."""
    row = ui.element("div").classes("seg")
    row._props["role"], row._props["aria-label"] = "group", label
    buttons: dict[Any, Any] = {}

    def press(key: Any) -> None:
        for other, button in buttons.items():
            button._props["aria-pressed"] = "true" if other == key else "false"
            button.update()

    async def chosen(key: Any) -> None:
        made = choose(key)
        kept = await made if asyncio.iscoroutine(made) else made
        if kept is not False:
            press(key)

    with row:
        for key, text in labels.items():
            button = buttons[key] = ui.element("button")
            button._text = text
            button._props["type"] = "button"
            button._props["aria-pressed"] = "true" if key == value else "false"
            if not enabled:
                button._props["disabled"] = True
            button.on("click", lambda key=key: chosen(key))
    return row


def facts(rows: dict[str, str]) -> None:
    """Names and values."""
    with ui.element("dl").classes("facts"):
        for name, value in rows.items():
            text("dt", name)
            text("dd", value)


def button(
    label: str, on_click: Callable[[], Any] | None = None, *, kind: str = "plain", icon: str = ""
) -> Any:
    """A button of ours: ``act`` (what the page is for), ``plain`` or ``danger``."""
    made = ui.button(label, on_click=on_click, icon=icon or None, color=None)
    return made.props("unelevated no-caps").classes(kind)


def progress(label: str, value: float | None = None) -> Any:
    """A bar that runs, or one that shows how far; a screen reader says *label*."""
    made = ui.linear_progress(value=value or 0, show_value=False)
    made._props["aria-label"] = label
    return made if value is not None else made.props("indeterminate")


class Slider(ui.slider):
    """A slider that stands where its hand put it: sent back by the server, a place meets the next key on its way."""

    LOOPBACK = False


class Range(ui.range):
    """Two handles on one bar, which stand where a hand put them."""

    LOOPBACK = False


def text(tag: str, content: str, classes: str = "") -> Any:
    """An element with plain text in it: never HTML."""
    made = ui.element(tag).classes(classes)
    made._text = content
    return made


def chooser(
    visit: Visit,
    label: str,
    take: Callable[[events.UploadEventArguments], Any],
    *,
    accept: str,
    most: int,
    multiple: bool = False,
    icon: str = "upload_file",
    kind: str = "plain",
) -> Any:
    """A button that has the browser ask for files, and hands each to *take*.

    Args:
        visit: Whose page.
        label: What stands on it.
        take: Is called with each file.
        accept: As of an ``input``: endings or kinds.
        most: Bytes that a file may have.
        multiple: Whether several may be chosen at once.
        icon: As of a button.
        kind: As of a button.

    Returns: what the files go through; its ``reset`` lets the same file be chosen again.

    """
    bar = progress(visit.tr("One moment …"))
    bar.set_visibility(False)

    async def taken(event: events.UploadEventArguments) -> None:
        bar.set_visibility(False)
        await _awaited(take(event))

    upload = ui.upload(
        multiple=multiple,
        auto_upload=True,
        max_file_size=most,
        on_begin_upload=lambda: bar.set_visibility(True),
        on_upload=taken,
        on_rejected=lambda: visit.say(
            visit.tr("Not taken: a file of another kind, or of more than {size} MB.", size=most >> 20),
            bad=True,
        ),
    )
    upload.props(f'accept="{accept}"').style("display: none")
    made = button(label, kind=kind, icon=icon).classes("wide")
    # In the browser: one that opens the dialog later than the finger is refused.
    made.on(
        "click",
        js_handler=f"() => {{ runMethod({upload.id}, 'reset', []); runMethod({upload.id}, 'pickFiles', []); }}",
    )
    return upload


async def _awaited(made: Any) -> None:
    if asyncio.iscoroutine(made):
        await made
