"""Picture: zoom, focus, night mode, rotation, light, name."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import Any

from nicegui import ui

from ....errors import DeviceError, SunmiIpcError
from ....models import LensConfiguration
from ....values import Flag01, IrMode
from ...identify import blink
from ...roles import Role
from ..camera import Place
from ..visit import Slider, button, heading, segments, text

#: So long after somebody's last key a slider is left where they put it: what is told earlier meets their next key
#: on its way, and takes it back a step.
QUIET_S = 1.5


async def build(place: Place) -> None:
    """The tab."""
    visit, tr = place.visit, place.visit.tr
    camera, may = visit.camera(place.sn), visit.may(Role.TUNE)
    if place.card.counts:
        try:
            lens = await visit.try_(camera.lens.show)
        except DeviceError as error:  # any other the whole tab has, and says it once
            text("div", visit.words(error), "note warn")
        else:
            _lens(place, lens, may)
    with ui.element("div").classes("sheet stack"):
        heading(tr("Picture"))
        modes = {IrMode.AUTO: tr("automatic"), IrMode.ON: tr("on"), IrMode.OFF: tr("off")}
        ir = await _tried(place, camera.image.ir)
        if ir is not None:
            text("div", tr("Night mode"), "soft small")
            segments(
                modes,
                ir.mode,
                lambda mode: _set(place, lambda: camera.image.set_ir(mode)),
                label=tr("Night mode"),
                enabled=may,
            )
        rotation = await _tried(place, camera.image.rotation)
        angles = await _tried(place, camera.image.rotations)
        if rotation is not None:
            choices = [int(a) for a in angles.angles] if angles is not None else [0, 180]
            text("div", tr("Turn the picture"), "soft small")
            segments(
                {angle: f"{angle}°" for angle in choices},
                rotation.rotation,
                lambda angle: _set(place, lambda: camera.image.set_rotation(angle)),
                label=tr("Turn the picture"),
                enabled=may,
            )
    with ui.element("div").classes("sheet stack"):
        heading(tr("This camera"))
        name = await _tried(place, camera.image.name_)
        field = (
            ui.input(tr("Name"), value=name.name if name is not None else place.card.name)
            .props("outlined maxlength=32")
            .classes("wide")
        )
        with ui.element("div").classes("row"):
            save = button(tr("Save the name"), lambda: _rename(place, str(field.value))).classes("grow")
            which = button(tr("Which one is it?"), icon="lightbulb").classes("grow")

            async def identify() -> None:
                which.disable()
                visit.say(tr("Its light blinks for five seconds."))
                await visit.do(lambda: blink(camera.image))
                which.enable()

            which.on_click(identify)
        led = await _tried(place, camera.image.led)
        if led is not None:
            switch = ui.switch(tr("Status light"), value=led.switch == Flag01.ON)
            switch.on_value_change(
                lambda e: _set(place, lambda: camera.image.set_led(Flag01.ON if e.value else Flag01.OFF))
            )
            if not may:
                switch.disable()
        if not may:
            for one in (field, save, which):
                one.disable()


async def _tried(place: Place, work: Any) -> Any:
    """What a camera says; None where it does not have it."""
    try:
        return await place.visit.try_(work)
    except DeviceError:
        return None


async def _set(place: Place, work: Any) -> bool:
    done = place.visit.tr("Saved")
    try:
        await place.visit.try_(work)
    except SunmiIpcError as error:
        place.visit.say(place.visit.words(error), bad=True)
        return False
    place.visit.say(done)
    return True


async def _rename(place: Place, name: str) -> None:
    visit, camera = place.visit, place.visit.camera(place.sn)

    def work() -> str:
        camera.image.set_name(name)
        return visit.console.desk.card(place.sn, fresh=True).name  # every page has it from now on

    there = await visit.do(work, visit.tr("Saved"))
    if there is not None:
        visit.retitle(there or place.sn)


def _lens(place: Place, lens: LensConfiguration, may: bool) -> None:
    visit, tr, picture = place.visit, place.visit.tr, place.picture
    camera = visit.camera(place.sn)
    point = [50, 50]
    busy = {"on": False}
    waiting: list[Any] = []
    sliders: dict[str, Any] = {}
    numbers: dict[str, Any] = {}
    held: set[str] = set()  # a slider under a finger is left alone
    wished: set[str] = set()  # one that somebody put somewhere; it stays there until they and the motors rest
    touched = {"at": 0.0}
    last = {"seen": lens}

    def tell(now: LensConfiguration) -> None:
        last["seen"] = now
        for name, value, limit in (("zoom", now.zoom, now.max_zoom), ("focus", now.focus, now.max_focus)):
            numbers[name]._text = f"{value} / {limit}"
            numbers[name].update()
            if name not in held and name not in wished:
                sliders[name].value = value

    async def move(work: Any) -> None:
        """Do it, and show the motors until they rest."""
        if busy["on"]:
            waiting[:] = [work]  # the motors run: the last wish is done after that
            return
        busy["on"] = True
        told._text = tr("The motors run …")
        told.update()
        try:
            await visit.try_(work)
            before = None
            for _ in range(80):
                now = await visit.try_(camera.lens.show)
                tell(now)
                if now == before:
                    break
                before = now
                await asyncio.sleep(0.25)
        except SunmiIpcError as error:
            visit.say(visit.words(error), bad=True)
        finally:
            busy["on"] = False
            told._text = ""
            told.update()
        if waiting:
            await move(waiting.pop())
            return
        # Nearly always they stand there already. Not where the camera refused, or stopped elsewhere.
        while wished and not busy["on"] and (left := touched["at"] + QUIET_S - time.monotonic()) > 0:
            await asyncio.sleep(left)
        if not busy["on"] and not held:
            wished.clear()
            tell(last["seen"])

    async def press(name: str, work: Any) -> None:
        """Move a motor by other means than its slider, which follows."""
        wished.discard(name)
        await move(work)

    with ui.element("div").classes("sheet stack"):
        with ui.element("div").classes("row keep"):
            heading(tr("Zoom and focus")).classes("grow")
            told = text("span", "", "soft small")
            told._props["role"] = "status"
        for name, label, value, limit in (
            ("zoom", tr("Zoom"), lens.zoom, lens.max_zoom),
            ("focus", tr("Focus"), lens.focus, lens.max_focus),
        ):
            setter = camera.lens.set_zoom if name == "zoom" else camera.lens.set_focus
            stepper = camera.lens.zoom if name == "zoom" else camera.lens.focus
            # The vendor's app zooms in tenths and focuses by two steps a press (A).
            step = max(1, limit // 10) if name == "zoom" else 2
            # By keys the whole way is no more than fifty presses; the focus is found by single steps.
            key = max(1, limit // 50) if name == "zoom" else 2
            with ui.element("div").classes("row keep"):
                text("span", label, "grow")
                numbers[name] = text("span", f"{value} / {limit}", "soft num")
            with ui.element("div").classes("row keep"):
                minus = button("−", partial(press, name, partial(stepper, f"-{step}")))
                minus._props["aria-label"] = tr("{what}: less", what=label)
                slider = Slider(min=0, max=limit, step=key, value=value).classes("grow")
                slider._props["aria-label"] = label
                plus = button("+", partial(press, name, partial(stepper, f"+{step}")))
                plus._props["aria-label"] = tr("{what}: more", what=label)
            sliders[name] = slider

            def touch(name: str, _: Any) -> None:
                held.add(name)
                touched["at"] = time.monotonic()

            def hold(event: Any, name: str = name) -> None:
                if event.args == "start":
                    held.add(name)
                else:
                    held.discard(name)

            async def let_go(event: Any, name: str = name, setter: Any = setter) -> None:
                held.discard(name)
                # What the event says: the slider's own value comes later, where somebody is quick.
                said = event.args if isinstance(event.args, int | float) else sliders[name].value
                wished.add(name)
                touched["at"] = time.monotonic()
                await move(partial(setter, int(said)))

            slider.on("pan", hold)
            # By keys, too, until they are let go: else what was told in between would take it back a step.
            slider.on("update:model-value", partial(touch, name))
            slider.on("change", let_go)
            if not may:
                for one in (minus, slider, plus):
                    one.disable()
        auto = button(tr("Focus by itself"), kind="act", icon="center_focus_strong").classes("wide")
        auto.on_click(lambda: press("focus", lambda: camera.lens.autofocus(*point)))
        text(
            "p",
            tr(
                "Tap on the picture to focus there. The bar under it is longest where the picture is sharpest."
            ),
            "soft small",
        )
        if not may:
            auto.disable()
    if picture is not None:
        picture.show("focus" if may else "view", point=point, measure=True)

        async def tapped(x: int, y: int) -> None:
            point[:] = [x, y]
            picture.show("focus", point=point, measure=True)
            await press("focus", lambda: camera.lens.autofocus(x, y))

        if may:
            picture.hear_tap(tapped)
