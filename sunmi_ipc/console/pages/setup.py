"""Set-up, step by step: one thing on the screen, one button that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from nicegui import ui
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from ...errors import DeviceError, SunmiIpcError
from ...protocol.serial import spelt
from ...values import CardStatus
from ..doorline import Draft, Ends
from ..head import named
from ..identify import blink
from ..roles import Role
from ..setup import Setup, Stage, Standing
from ..state import current
from .picture import Picture
from .visit import Visit, button, facts, heading, page, progress, text


def words(visit: Visit) -> dict[Stage, str]:
    """What the steps are called."""
    tr = visit.tr
    return {
        Stage.FOUND: tr("Found"),
        Stage.WIFI: tr("Wi-Fi"),
        Stage.ACTIVATE: tr("Activate"),
        Stage.CARD: tr("SD card"),
        Stage.NAME: tr("Name"),
        Stage.PICTURE: tr("Picture"),
        Stage.LINE: tr("Door line"),
        Stage.WALK: tr("Test walk"),
        Stage.REPORT: tr("Hand over"),
    }


class Wizard:
    """The page of one set-up.

    Args:
        visit: Whose.
        setup: Which; what it does is all there.

    """

    visit: Visit
    setup: Setup
    told: Any

    def __init__(self, visit: Visit, setup: Setup) -> None:
        self.visit, self.setup, self.tr = visit, setup, visit.tr
        self.stage: Stage = setup.current
        self.busy: bool = False

    def build(self) -> None:
        """The frame of all steps."""
        with ui.element("div").classes("stack"):
            self.bar = ui.element("ol").classes("steps")
            self.bar._props["aria-label"] = self.tr("Steps")
            self.place = ui.element("section").classes("stack")

    async def begin(self, stage: Stage | None = None) -> None:
        """Ask the camera how far it is, and show a step; default: the first that is open."""
        self.place.clear()
        with self.place:
            progress(self.tr("One moment …"))
        try:
            await self.visit.try_(self.setup.look)
        except DeviceError:
            pass  # the step says it
        except SunmiIpcError as error:
            self.place.clear()
            with self.place:
                text("div", self.visit.words(error), "note bad")
                button(self.tr("Try again"), lambda: self.begin(stage), kind="act").classes("wide")
            return
        if self.setup.name:
            self.visit.retitle(self.tr("Set up {name}", name=self.setup.name))
        await self.show(stage)

    async def show(self, stage: Stage | None = None) -> None:
        """Show a step; default: the first that is open."""
        self.stage = stage or self.setup.current
        names = words(self.visit)
        self.bar.clear()
        with self.bar:
            for one in self.setup.stages:
                now = " now" if one is self.stage else ""
                item = text("li", "", f"{self.setup.standing[one]}{now}")
                item._props["title"] = item._props["aria-label"] = names[one]
        self.place.clear()
        with self.place:
            number = self.setup.stages.index(self.stage) + 1
            text(
                "div",
                self.tr("Step {number} of {count}", number=number, count=len(self.setup.stages)),
                "soft small",
            )
            heading(names[self.stage])
            try:
                await getattr(self, f"_{self.stage}")()
            except SunmiIpcError as error:
                with self.place:
                    text("div", self.visit.words(error), "note bad")
                    button(self.tr("Try again"), lambda: self.show(self.stage))
                    self._skip()

    async def run(self, work: Callable[[], Any], after: Stage | None = None) -> Any:
        """Do blocking work with a bar that moves, say what went wrong in the step, go on where it went well."""
        if self.busy:
            return None
        self.busy = True
        self.told.classes(replace="note")
        self._tell(self.tr("One moment …"))
        with self.place:
            wait = progress(self.tr("One moment …"))
        try:
            result = await self.visit.try_(work)
        except SunmiIpcError as error:
            self.told.classes(replace="note bad")
            self._tell(self.visit.words(error))
            return None
        finally:
            self.busy = False
            wait.delete()
        await self.show(after)
        return result if result is not None else True

    def _tell(self, words: str) -> None:
        self.told._text = words
        self.told.set_visibility(bool(words))
        self.told.update()

    def _saying(self) -> None:
        self.told = text("div", "", "note")
        self.told._props["role"] = "status"
        self.told.set_visibility(False)

    def teller(self) -> Callable[[str], None]:
        """What a step calls with its progress, from its thread."""
        loop = asyncio.get_running_loop()

        def tell(template: str) -> None:
            loop.call_soon_threadsafe(self._tell, self.tr(template))

        return tell

    def _skip(self, label: str = "") -> None:
        async def skip() -> None:
            self.setup.mark(self.stage, Standing.SKIPPED)
            await self.show()

        button(label or self.tr("Leave this step out"), skip).classes("wide")

    # -- the steps -------------------------------------------------------------------------------

    async def _found(self) -> None:
        await self.show()

    async def _wifi(self) -> None:
        tr = self.tr
        networks = await self.visit.try_(self.setup.networks)
        text("p", tr("Which network should the camera join? It sees these (2.4 GHz only):"), "soft")
        chosen: dict[str, Any] = {}
        choices: list[Any] = []

        def pick(_: Any, ssid: str, open_: bool, choice: Any) -> None:
            chosen.update(ssid=ssid, open=open_)
            for other in choices:
                other._props["aria-pressed"] = "true" if other is choice else "false"
                other.update()
            name.set_visibility(not ssid)
            password.set_visibility(not open_)
            go.enable()

        with ui.element("div").classes("stack").style("gap: 8px"):
            for point in filter(lambda seen: seen.ssid, networks.ap_list):
                open_ = point.key_mgmt.upper() in ("NONE", "")
                with ui.element("button").classes("choice") as choice:
                    choice._props["type"] = "button"
                    choice._props["aria-pressed"] = "false"
                    ui.icon("wifi" if open_ else "wifi_password", size="24px")
                    text("span", point.ssid, "grow break")
                    text("span", tr("open") if open_ else "", "soft small")

                choice.on("click", partial(pick, ssid=point.ssid, open_=open_, choice=choice))
                choices.append(choice)
            with ui.element("button").classes("choice") as unseen:
                unseen._props["type"] = "button"
                unseen._props["aria-pressed"] = "false"
                ui.icon("visibility_off", size="24px")
                text("span", tr("A network that hides its name"), "grow break")
            unseen.on("click", partial(pick, ssid="", open_=False, choice=unseen))
            choices.append(unseen)
        if not networks.ap_list:
            text("div", tr("The camera sees no network. Bring it nearer to the router."), "note warn")
        name = (
            ui.input(tr("Name of the network"))
            .props("outlined autocomplete=off autocapitalize=off maxlength=32")
            .classes("wide")
        )
        name.set_visibility(False)
        password = (
            ui.input(tr("Password of the network"), password=True, password_toggle_button=True)
            .props("outlined autocomplete=off maxlength=64")
            .classes("wide")
        )
        password.set_visibility(False)
        self._saying()

        async def join() -> None:
            secret = "" if chosen["open"] else str(password.value or "")
            hidden, tell = not chosen["ssid"], self.teller()
            ssid = str(name.value or "") if hidden else chosen["ssid"]
            await self.run(lambda: self.setup.join(ssid, secret, tell, hidden=hidden))

        go = button(tr("Join this network"), join, kind="act", icon="wifi").classes("wide")
        go.disable()
        button(tr("Look again"), lambda: self.show(self.stage)).classes("wide")
        self._skip(tr("It is on the network already"))

    async def _activate(self) -> None:
        tr, sn = self.tr, self.setup.sn
        text(
            "p",
            tr("Activation ties the camera to your app. It needs internet, and counts against your quota."),
            "soft",
        )
        text(
            "div",
            tr(
                "It deletes every face group on the camera's SD card, with all faces, and makes the groups anew."
            ),
            "note warn",
        )
        self._saying()

        async def activate() -> None:
            sure = await self.visit.sure(
                tr("Activate {sn}?", sn=sn),
                tr("Every face group on its SD card is deleted, with all faces."),
                typed=sn[-4:],
                yes=tr("Activate"),
            )
            if sure:
                tell = self.teller()
                await self.run(lambda: self.setup.activate(tell))
                if self.setup.standing[Stage.WIFI] is Standing.FAILED:
                    with self.place:
                        button(
                            tr("Choose the network again"), lambda: self.show(Stage.WIFI), kind="act"
                        ).classes("wide")

        button(tr("Activate"), activate, kind="act", icon="key").classes("wide")

    async def _card(self) -> None:
        tr = self.tr
        status = await self.visit.try_(self.setup.look_at_card)
        if status is CardStatus.NORMAL:
            await self.show()
            return
        told = {
            CardStatus.NONE: tr(
                "There is no SD card in the camera. Insert one: without it nothing is recorded or counted."
            ),
            CardStatus.BLANK: tr("The SD card is blank. It must be formatted before the camera can use it."),
            CardStatus.BROKEN: tr(
                "The SD card is not recognised. Take it out and put it back, or replace it."
            ),
        }
        text("div", told.get(status, tr("The SD card has to be inserted again.")), "note warn")
        self._saying()

        async def wipe() -> None:
            if await self.visit.sure(
                tr("Format the SD card?"),
                tr("Everything on it is deleted: recordings and faces."),
                typed=self.setup.sn[-4:],
                yes=tr("Format"),
            ):
                tell = self.teller()
                await self.run(lambda: self.setup.format(tell))

        if status is CardStatus.BLANK:
            button(tr("Format the SD card"), wipe, kind="act", icon="sd_card").classes("wide")
        button(tr("Look again"), lambda: self.show(self.stage)).classes("wide")
        self._skip()

    async def _name(self) -> None:
        tr, camera = self.tr, self.setup.camera
        text("p", tr("A name that everybody in the shop understands, such as “Front door”."), "soft")
        field = ui.input(tr("Name"), value=self.setup.name).props("outlined maxlength=32").classes("wide")
        self._saying()
        button(
            tr("Save the name"),
            lambda: self.run(lambda: self.setup.rename(str(field.value))),
            kind="act",
            icon="check",
        ).classes("wide")
        button(
            tr("Which one is it?"), lambda: self.visit.do(lambda: blink(camera.image)), icon="lightbulb"
        ).classes("wide")
        self._skip()

    async def _picture(self) -> None:
        tr, setup = self.tr, self.setup
        self.visit.console.warm(setup.sn)
        with ui.element("div").classes("sheet flush"):
            picture = Picture(self.visit, setup.sn, square=Stage.LINE not in setup.stages)
        camera = setup.camera
        self._saying()
        if Stage.LINE in setup.stages:
            text(
                "p",
                tr("The whole door should be in the picture, and heads sharp. Tap where to focus."),
                "soft",
            )
            point = [50, 50]
            picture.show("focus", point=point, measure=True)

            async def tapped(x: int, y: int) -> None:
                point[:] = [x, y]
                picture.show("focus", point=point, measure=True)
                await self.visit.do(lambda: camera.lens.autofocus(x, y))

            picture.hear_tap(tapped)
            with ui.element("div").classes("row keep"):
                for label, step in ((tr("Wider"), "-"), (tr("Nearer"), "+")):

                    async def zoom(step: str = step) -> None:
                        def work() -> None:
                            lens = camera.lens.show()
                            camera.lens.zoom(f"{step}{max(1, lens.max_zoom // 10)}")
                            camera.lens.wait_until_rest()

                        await self.visit.do(work)

                    button(label, zoom, icon="zoom_out" if step == "-" else "zoom_in").classes("grow")
        else:
            text("p", tr("Turn the lens by hand until the bar is longest."), "soft")
            picture.show("view", measure=True)
        self._done(tr("The picture is right"))

    def _done(self, label: str) -> None:
        async def done() -> None:
            self.setup.mark(self.stage, Standing.DONE)
            await self.show()

        button(label, done, kind="act", icon="check").classes("wide")

    async def _line(self) -> None:
        tr, setup = self.tr, self.setup
        await self.visit.try_(setup.look)
        with ui.element("div").classes("sheet flush"):
            picture = Picture(self.visit, setup.sn)
        draft = Draft(setup.line)
        text(
            "p",
            tr("Drag the line to where people cross when they enter; the arrow points into the shop."),
            "soft",
        )
        self._saying()
        flow = setup.camera.people_flow

        def show() -> None:
            picture.show("line", line=draft.ends)
            undo.set_enabled(draft.can_undo)
            go.set_enabled(draft.error is None)
            if draft.error is not None:
                self.told.classes(replace="note bad")
            self._tell(self.visit.words(draft.error) if draft.error is not None else "")

        def moved(ends: Ends) -> None:
            draft.move(ends)
            show()

        def back() -> None:
            draft.undo()
            show()

        async def save() -> None:
            def work() -> None:
                setup.line = draft.save(flow)
                setup.mark(Stage.LINE, Standing.DONE)

            await self.run(work)

        picture.hear_line(moved)
        go = button(tr("Save the line"), save, kind="act", icon="check").classes("wide")
        undo = button(tr("Undo"), back, icon="undo").classes("wide")
        self._skip()
        show()

    async def _walk(self) -> None:
        tr, setup = self.tr, self.setup
        text(
            "p",
            tr("Let somebody walk through the door, in and out. What the camera counts appears here."),
            "soft",
        )
        with ui.element("div").classes("sheet flush"):
            Picture(self.visit, setup.sn).show("view", line=setup.line)
        tiles: dict[str, tuple[Any, Any]] = {}
        with ui.element("div").classes("ways"):
            for way, label in (("in", tr("in")), ("out", tr("out"))):
                with ui.element("div").classes("way") as tile:
                    tile._props["role"] = "status"
                    count = text("div", "0", "big")
                    text("div", label)
                tiles[way] = tile, count
        self._saying()
        await self.visit.try_(setup.begin_walk)

        async def look() -> None:
            if self.stage is not Stage.WALK or setup.walk is None:
                return
            try:
                passed = await self.visit.try_(setup.look_at_walk)
            except SunmiIpcError as error:
                self._tell(self.visit.words(error))
                return
            for way, (tile, count) in tiles.items():
                seen = setup.walk.seen[way]  # type: ignore[index]
                count._text = str(seen)
                count.update()
                if seen:
                    tile.classes(add="seen")
            if passed:
                self.told.classes(replace="note good")
                self._tell(tr("In and out were each counted. It works."))
            elif setup.walk.seen["passing"]:
                self.told.classes(replace="note warn")
                self._tell(tr("Somebody passed by without crossing the line. Is the line where people walk?"))

        ui.timer(1.5, look)
        self._done_walk()

    def _done_walk(self) -> None:
        async def on() -> None:
            assert self.setup.walk is not None
            if not self.setup.walk.passed:
                self.setup.mark(Stage.WALK, Standing.SKIPPED)
            await self.show(Stage.REPORT)

        button(self.tr("Go on"), on, kind="act").classes("wide")

    async def _report(self) -> None:
        tr, setup = self.tr, self.setup
        names = words(self.visit)
        stands = {
            Standing.DONE: tr("done"),
            Standing.SKIPPED: tr("left out"),
            Standing.FAILED: tr("failed"),
            Standing.TODO: tr("not done yet"),
        }
        with ui.element("div").classes("sheet"):
            facts({names[s]: stands[setup.standing[s]] for s in setup.stages if s is not Stage.REPORT})
        open_ = [s for s in setup.stages if setup.standing[s] in (Standing.TODO, Standing.FAILED, Standing.SKIPPED)
                 and s is not Stage.REPORT]  # fmt: skip
        for stage in open_:
            button(tr("Do it now: {step}", step=names[stage]), partial(self.show, stage)).classes("wide")
        if setup.walk is not None and setup.walk.passed:
            text("div", tr("The first people were counted. The camera is ready."), "note good")
        link = text("a", tr("Hand-over report"), "go second")
        link._props["href"], link._props["target"] = f"/report/{setup.sn}", "_blank"
        waiting = [c for c in self.visit.console.desk.cards() if c.state == "setup" and c.sn != setup.sn]
        if waiting:
            on = text("a", tr("Set up the next one"), "go")
            on._props["href"] = f"/setup/{waiting[0].sn}"
        home = text("a", tr("To the cameras"), "go second" if waiting else "go")
        home._props["href"] = "/"
        setup.mark(Stage.REPORT, Standing.DONE)


@page("/setup/{sn}")
async def set_up(request: Request, sn: str, step: str = "") -> None:
    """The set-up of one camera."""
    sn = spelt(sn)
    visit = Visit(current(), request)
    tr = visit.tr
    if not visit.may(Role.ADMIN):
        visit.sorry(sn, tr("This needs the role 'everything'."))
        return
    try:
        setup = visit.console.setup(sn, visit.session)
    except SunmiIpcError as error:
        visit.sorry(sn, visit.words(error))
        return
    wizard = Wizard(visit, setup)
    with visit.frame(tr("Set up {name}", name=setup.name or sn), back="/", narrow=True):
        text("div", f"{setup.model} · {sn} · {visit.console.desk.found(sn).ip}", "soft small num break")
        wizard.build()
    wanted = next((s for s in setup.stages if s == step), None)
    ui.timer(0.01, lambda: wizard.begin(wanted), once=True)


@page("/report/{sn}")
async def report(request: Request, sn: str) -> Response:
    """The hand-over report."""
    sn = spelt(sn)
    visit = Visit(current(), request)
    try:
        setup = visit.console.setup(sn, visit.session)
        html = await visit.try_(lambda: setup.report(visit.lang))
    except SunmiIpcError as error:
        return HTMLResponse(visit.words(error), 404, media_type="text/plain")
    return HTMLResponse(html, headers=named("inline", f"{sn}.html"))
