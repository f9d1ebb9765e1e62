"""People flow as a picture; needs the extra ``chart``.

All text is the caller's, in the caller's language; a font that has Chinese is found where one is installed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from .errors import ExtraMissingError, ParameterError, cannot_write

KINDS = ("png", "svg")
_COLOURS = ("#9bb7d4", "#2f6db3", "#f0a830", "#6aa56a")
#: More labels than these would run into each other.
_MOST_LABELS = 16
#: Fonts with Chinese, of Windows, macOS and Linux, the first that is there.
_CHINESE_FONTS = (
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "Heiti SC",
    "Noto Sans CJK JP",
    "Arial Unicode MS",
)


def check(path: str | os.PathLike[str]) -> None:
    """Refuse a picture that could not be drawn, before anything is asked.

    Raises:
        ParameterError: The file's name ends in neither ``.png`` nor ``.svg``.

    """
    if Path(path).suffix.lower().lstrip(".") not in KINDS:
        raise ParameterError("{name}: the picture must be a .png or .svg file", name=str(path))


def chinese_font() -> str:
    """A font of this computer that has Chinese; empty where there is none.

    Raises:
        ConfigError: matplotlib is not installed.

    """
    _library()
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    return next((name for name in _CHINESE_FONTS if name in there), "")


def _library() -> None:
    try:
        import matplotlib.backends.backend_agg  # noqa: F401
    except ImportError:
        raise ExtraMissingError(
            "pictures of charts need matplotlib, which is not installed", extra="chart"
        ) from None


def draw(
    path: str | os.PathLike[str],
    labels: Sequence[str],
    series: Mapping[str, Sequence[int | None]],
    *,
    title: str = "",
    unit: str = "people",
    parts: Collection[int] = (),
    remark: str = "",
) -> None:
    """Draw stacked bars, one a label, into a PNG or SVG file.

    Args:
        path: The file; its ending decides what it becomes.
        labels: What stands below the bars.
        series: The parts of the bars by name, each as long as *labels*; None leaves a gap.
        title: What stands above.
        unit: What the numbers count.
        parts: The places of bars that the period holds only in part: they are hatched.
        remark: What stands below, such as what the hatching means.

    Raises:
        ParameterError: The file's name ends in neither ``.png`` nor ``.svg``.
        ConfigError: matplotlib is not installed, or the file cannot be written.

    """

    def fill(figure: Any) -> None:
        axes = figure.add_subplot()
        places, below = range(len(labels)), [0] * len(labels)
        for number, (name, values) in enumerate(series.items()):
            bars = axes.bar(
                places,
                [value or 0 for value in values],
                bottom=below,
                label=name,
                width=0.85 if len(labels) < 100 else 1.0,
                color=_COLOURS[number % len(_COLOURS)],
            )
            for place in parts:
                bars[place].set_hatch("///")
                bars[place].set_alpha(0.55)
                bars[place].set_edgecolor("white")
            below = [a + (b or 0) for a, b in zip(below, values, strict=True)]
        gaps = [i for i in places if series and all(values[i] is None for values in series.values())]
        for place in gaps:
            axes.axvspan(place - 0.5, place + 0.5, color="#eeeeee", zorder=0)
        step = max(1, -(-len(labels) // _MOST_LABELS))
        axes.set_xticks(list(places)[::step], list(labels)[::step], rotation=30, ha="right")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel(unit)
        axes.set_title(title, loc="left")
        axes.margins(x=0.01)
        if remark:
            figure.supxlabel(remark, fontsize="small", x=0.01, ha="left")
        if len(series) > 1:
            figure.legend(loc="outside upper right", frameon=False, ncols=len(series))

    _save(path, fill, 4.5)


def draw_map(
    path: str | os.PathLike[str],
    days: Mapping[date, Sequence[int | None]],
    *,
    title: str = "",
    unit: str = "people",
    remark: str = "",
) -> None:
    """Draw hours over many days as a map: a line a day, a field an hour, darker where there were more.

    Args:
        path: The file; its ending decides what it becomes.
        days: 24 numbers a day; None leaves a field empty.
        title: What stands above.
        unit: What the numbers count.
        remark: What stands below.

    Raises:
        ParameterError: The file's name ends in neither ``.png`` nor ``.svg``.
        ConfigError: matplotlib is not installed, or the file cannot be written.

    """
    rows = [[float("nan") if count is None else count for count in hours] for hours in days.values()]
    names = [f"{day:%Y-%m-%d}" for day in days]

    def fill(figure: Any) -> None:
        axes = figure.add_subplot()
        shown = axes.imshow(rows, aspect="auto", cmap="Blues", vmin=0, interpolation="nearest")
        axes.set_facecolor("#d8d8d8")  # what shows through where there are no figures
        axes.set_xticks(range(0, 24, 3), [f"{hour:02}:00" for hour in range(0, 24, 3)])
        step = max(1, -(-len(names) // 30))
        axes.set_yticks(list(range(len(names)))[::step], names[::step], fontsize="small")
        axes.set_title(title, loc="left")
        if remark:
            figure.supxlabel(remark, fontsize="small", x=0.01, ha="left")
        figure.colorbar(shown, ax=axes, label=unit, shrink=0.8)

    _save(path, fill, min(14.0, 3.0 + 0.16 * len(names)))


def _save(path: str | os.PathLike[str], fill: Callable[[Any], None], height: float) -> None:
    path = Path(path)
    check(path)
    _library()
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    fonts = [font for font in (chinese_font(), "DejaVu Sans") if font]
    with mpl.rc_context({"font.family": "sans-serif", "font.sans-serif": fonts, "axes.unicode_minus": False}):
        figure: Any = Figure(figsize=(10, height), layout="constrained")
        FigureCanvasAgg(figure)
        fill(figure)
        try:
            figure.savefig(path, format=path.suffix.lower().lstrip("."), dpi=110)
        except OSError as error:
            raise cannot_write(path, error) from None
