"""People flow as a picture; needs the extra ``chart``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import ConfigError, ParameterError

KINDS = ("png", "svg")
_COLOURS = ("#9bb7d4", "#2f6db3", "#f0a830", "#6aa56a")
#: More labels than these would run into each other.
_MOST_LABELS = 16


def draw(
    path: str | os.PathLike[str],
    labels: Sequence[str],
    series: Mapping[str, Sequence[int]],
    *,
    title: str = "",
) -> None:
    """Draw stacked bars, one a label, into a PNG or SVG file.

    Args:
        path: The file; its ending decides what it becomes.
        labels: What stands below the bars.
        series: The parts of the bars by name, each as long as *labels*.
        title: What stands above.

    Raises:
        ParameterError: The file's name ends in neither ``.png`` nor ``.svg``.
        ConfigError: matplotlib is not installed, or the file cannot be written.

    """
    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in KINDS:
        raise ParameterError("{name}: the picture must be a .png or .svg file", name=str(path))
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError(
            "pictures of charts need matplotlib, which is not installed",
            hint="pip install 'sunmi-ipc[chart]'",
        ) from None
    figure: Any = Figure(figsize=(10, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places, below = range(len(labels)), [0] * len(labels)
    for number, (name, values) in enumerate(series.items()):
        axes.bar(
            places,
            values,
            bottom=below,
            label=name,
            width=0.85 if len(labels) < 100 else 1.0,
            color=_COLOURS[number % len(_COLOURS)],
        )
        below = [a + b for a, b in zip(below, values, strict=True)]
    step = max(1, -(-len(labels) // _MOST_LABELS))
    axes.set_xticks(list(places)[::step], list(labels)[::step], rotation=30, ha="right")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_ylabel("people")
    axes.set_title(title, loc="left")
    axes.margins(x=0.01)
    if len(series) > 1:
        figure.legend(loc="outside upper right", frameon=False, ncols=len(series))
    try:
        figure.savefig(path, format=kind, dpi=110)
    except OSError as error:
        raise ConfigError(
            "{path} cannot be written: {reason}", path=str(path), reason=error.strerror or ""
        ) from None
