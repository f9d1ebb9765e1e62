"""Charts as picture files, in the user's language: what ``-o`` of the flow commands draws."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path

from sunmi_ipc.i18n import language, speaking, tr

from ..state import State
from .output import note, say, waiting


def _fitting_language(state: State) -> bool:
    """Whether the picture can be in the user's language: Chinese needs a font that has it."""
    from sunmi_ipc.chart import chinese_font

    if language() != "zh" or chinese_font():
        return True
    note(state, "No font of this computer has Chinese: the picture is in English.")
    return False


def bar_picture(
    state: State,
    path: Path,
    labels: Sequence[str],
    series: Mapping[str, Sequence[int | None]],
    *,
    title: Callable[[], str],
    parts: Collection[int] = (),
) -> None:
    """Draw bars into *path*; *labels* and the names of *series* are English and are put into words.

    *title* is asked for in the picture's language, which is not the screen's where no font has Chinese.
    """
    from sunmi_ipc.chart import draw

    with speaking(None if _fitting_language(state) else "en"), waiting(state, "Drawing …"):
        gaps = bool(series) and any(all(v[i] is None for v in series.values()) for i in range(len(labels)))
        remarks = [tr("hatched: only part of this time is in the period")] if parts else []
        remarks += [tr("grey: no figures for this time, which is not zero")] if gaps else []
        draw(
            path,
            [tr(label) for label in labels],
            {tr(name): values for name, values in series.items()},
            title=title(),
            unit=tr("people"),
            parts=parts,
            remark="; ".join(remarks),
        )
    say(state, "drawn: {path}", path=str(path))


def map_picture(
    state: State, path: Path, days: Mapping[date, Sequence[int | None]], *, title: Callable[[], str]
) -> None:
    """Draw hours over many days into *path*; *title* as with :func:`bar_picture`."""
    from sunmi_ipc.chart import draw_map

    with speaking(None if _fitting_language(state) else "en"), waiting(state, "Drawing …"):
        draw_map(
            path,
            days,
            title=title(),
            unit=tr("people an hour"),
            remark=tr("grey: no figures for this time, which is not zero"),
        )
    say(state, "drawn: {path}", path=str(path))
