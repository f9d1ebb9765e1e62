"""The live picture as an element of a page."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Literal
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element

from .visit import Visit

Mode = Literal["view", "line", "focus"]


def source(sn: str, quality: str = "fhd") -> str:
    """Where a camera's stream is."""
    return f"/live/{quote(sn, safe='')}/{quality}"


def poster(sn: str) -> str:
    """Where the picture is that was seen last."""
    return f"/picture/{quote(sn, safe='')}.jpg?age=600&width=1280"


def begin_early(visit: Visit, sn: str, *, square: bool = False) -> None:
    """Have the page's head open the stream, and show it in its place until the page is there.

    Args:
        visit: Whose page.
        sn: Which camera.
        square: Whether its picture is.

    """
    shape = " lp-square" if square else ""
    ratio = "1 / 1" if square else "16 / 9"
    visit.head(
        f'<link rel="preload" as="image" href="{escape(poster(sn))}">'
        f"<script>LivePicture.begin({_script(source(sn))})</script>"
    )
    # Stands where the page will have it, by the same styles; whoever listens to the page waits for the page.
    ui.add_body_html(
        f'<div id="early" aria-hidden="true"><div class="top"></div><div class="main"><div class="camera"><div class="stick">'
        f'<div class="lp{shape}"><div class="lp-stage" style="aspect-ratio:{ratio}"></div></div></div></div></div></div>'
        f"<script>LivePicture.early({_script(source(sn))}, {_script(poster(sn))}, document.querySelector('#early .lp-stage'))</script>"
    )


def _script(text: str) -> str:
    """A text as a script may have it."""
    return json.dumps(text).replace("<", "\\u003c")


class Picture(Element, component="picture.js"):
    """A camera's live picture.

    Args:
        visit: Whose page.
        sn: Which camera.
        square: Whether its picture is (FM010); the stream's own size wins once it is known.
        quality: ``hd`` or ``fhd``.

    """

    def __init__(self, visit: Visit, sn: str, *, square: bool = False, quality: str = "fhd") -> None:
        super().__init__()
        tr = visit.tr
        self._props["src"] = source(sn, quality)
        self._props["jpeg"] = f"/picture/{sn}.jpg?age=1&width=1280"
        self._props["poster"] = poster(sn)
        self._props["shape"] = "square" if square else "wide"
        self._props["words"] = {
            "picture": tr("Live picture of {sn}", sn=sn),
            "live": tr("live"),
            "connecting": tr("Waiting for the picture …"),
            "reconnecting": tr("The picture broke off. Trying again …"),
            "instead": tr("Single pictures meanwhile."),
            "stop": "。" if visit.lang == "zh" else ". ",
            "slow": tr("The network is too slow for the live picture"),
            "unable": tr("This browser does not play the live picture"),
            "damaged": tr("What the camera sends cannot be played"),
            "inside": tr("in"),
            "outside": tr("out"),
            "left": tr("Left end of the door line"),
            "right": tr("Right end of the door line"),
            "whole": tr("The whole door line"),
            "short": tr("Too short: the ends must be at least 100 pixels apart from left to right."),
            "beyond": tr("Outside the picture."),
            "sharpness": tr("Sharpness"),
            "sound": tr("Sound"),
        }
        self._on_line: Callable[[tuple[int, int, int, int]], Any] | None = None
        self._on_tap: Callable[[int, int], Any] | None = None
        self.on("line", self._line)
        self.on("tap", self._tap)
        self.show("view")

    def show(
        self,
        mode: Mode,
        *,
        line: Sequence[int] | None = None,
        grid: bool = False,
        point: Sequence[int] | None = None,
        measure: bool = False,
    ) -> None:
        """What lies over the picture: a line to look at (``view``) or to drag (``line``), a point (``focus``)."""
        self._props["mode"] = mode
        self._props["line"] = list(line) if line is not None else None
        self._props["grid"] = grid
        self._props["point"] = list(point) if point is not None else None
        self._props["measure"] = measure
        self.update()

    def hear_line(self, hear: Callable[[tuple[int, int, int, int]], Any]) -> None:
        """Call *hear*, and nobody else, with the ends when somebody has drawn the line anew."""
        self._on_line = hear

    def hear_tap(self, hear: Callable[[int, int], Any]) -> None:
        """Call *hear*, and nobody else, with the place, percent, when somebody has tapped on the picture."""
        self._on_tap = hear

    async def _line(self, event: Any) -> None:
        ends = _ends(event.args)
        if self._on_line is not None and ends is not None:
            await _awaited(self._on_line(ends))

    async def _tap(self, event: Any) -> None:
        place = event.args if isinstance(event.args, dict) else {}
        x, y = place.get("x"), place.get("y")
        if self._on_tap is not None and isinstance(x, int) and isinstance(y, int):
            await _awaited(self._on_tap(min(max(x, 0), 100), min(max(y, 0), 100)))


async def _awaited(made: Any) -> None:
    if inspect.isawaitable(made):
        await made


def _ends(args: Any) -> tuple[int, int, int, int] | None:
    """What the browser says, if it is four numbers."""
    line = args.get("line") if isinstance(args, dict) else None
    if not isinstance(line, list) or len(line) != 4 or not all(isinstance(v, int) for v in line):
        return None
    x1, y1, x2, y2 = (min(max(v, -9999), 9999) for v in line)
    return x1, y1, x2, y2
