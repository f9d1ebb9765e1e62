"""A report as CSV or as a workbook, with charts that leave gaps open."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import csvfile
from ..atomic import whole
from ..errors import ExtraMissingError, cannot_write
from ..i18n import tr
from .report import Line

COLUMNS = ("start", "camera", "name", "arrivals", "leaving", "passing", "completeness", "gap")


def _row(line: Line) -> dict[str, Any]:
    gap = tr("gap") if line.gap else ""
    numbers = (line.arrivals, line.leaving, line.passing)
    return dict(
        zip(
            COLUMNS,
            (line.label, line.who, line.name, *numbers, round(line.completeness, 4), gap),
            strict=True,
        )
    )


def csv_text(lines: Sequence[Line]) -> str:
    """The report as CSV, for spreadsheets: with a byte order mark, texts guarded, nothing known left empty."""
    file = io.StringIO(newline="")
    rows = csvfile.Rows(file, COLUMNS)
    for line in lines:
        rows.add(_row(line))
    return "\ufeff" + file.getvalue()


def write_csv(path: Path, lines: Sequence[Line]) -> None:
    """Write the CSV whole, or to standard output for ``-``; raises ConfigError."""
    try:
        csvfile.write(path, map(_row, lines), COLUMNS)
    except OSError as error:
        if str(path) == csvfile.STDOUT:
            raise
        raise cannot_write(path, error) from None


def write_xlsx(path: Path, lines: Sequence[Line], *, title: str) -> None:
    """Write a workbook: the rows, and a chart for each camera, door or site, open where there are gaps.

    Raises:
        ExtraMissingError: XlsxWriter is not installed.
        ConfigError: The file cannot be written.

    """
    try:
        import xlsxwriter
    except ImportError:
        raise ExtraMissingError("workbooks need XlsxWriter, which is not installed", extra="excel") from None
    made = io.BytesIO()
    # Texts stay texts: a camera's name is no formula and no link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(made, options)
    sheet = book.add_worksheet(tr("people"))
    bold, percent, weak = (
        book.add_format(f) for f in ({"bold": True}, {"num_format": "0.0%"}, {"bg_color": "#F4D9C6"})
    )
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, tr(name), bold)
    groups: dict[str, list[int]] = {}
    for number, line in enumerate(lines, 1):
        groups.setdefault(line.who, []).append(number)
        sheet.write_string(number, 0, line.label, weak if line.gap else None)
        sheet.write_string(number, 1, line.who)
        sheet.write_string(number, 2, line.name)
        for column, value in enumerate((line.arrivals, line.leaving, line.passing), 3):
            # An hour without an answer has no number: the line of the chart is open there.
            if value is not None:
                sheet.write_number(number, column, value)
        sheet.write_number(number, 6, line.completeness, percent)
        sheet.write_string(number, 7, tr("gap") if line.gap else "")
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(1, len(lines)), len(COLUMNS) - 1)
    sheet.set_column(0, 2, 20)
    charts = book.add_worksheet(tr("charts"))
    for place, (who, rows) in enumerate(groups.items()):
        chart = book.add_chart({"type": "line"})
        for column in (3, 4, 5):
            span = [sheet.name, rows[0], column, rows[-1], column]
            labels = [sheet.name, rows[0], 0, rows[-1], 0]
            chart.add_series({"name": tr(COLUMNS[column]), "categories": labels, "values": span})
        chart.show_blanks_as("gap")
        # XlsxWriter takes a title like "Wow!A1" for a reference.
        chart.set_title({"name": re.sub(r"!(?=[$A-Z])", "! ", f"{title} {who}".strip())})
        chart.set_size({"width": 900, "height": 300})
        charts.insert_chart(place * 16, 0, chart)
    book.close()
    _write(path, made.getvalue())


def _write(path: Path, data: bytes) -> None:
    try:
        with whole(path) as file:
            file.write(data)
    except OSError as error:
        raise cannot_write(path, error) from None
