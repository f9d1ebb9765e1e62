"""``ipc flow report``: people by hour or day, from the station's store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import tr

from ..screen.csvfile import Csv
from ..screen.output import note, print_json, say, table
from ..screen.times import From, To, Tz, parse_period, zone
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.station.report import Line

_FILE = "station.sqlite3"


def report(
    ctx: typer.Context,
    from_: From = "",
    to: To = "",
    by: Annotated[
        str, typer.Option(metavar="hour|day", help=tr("One row an hour or a day, of the shop's clock."))
    ] = "hour",
    per: Annotated[
        str,
        typer.Option(
            metavar="camera|door|site", help=tr("One row each camera, door (cameras of one name) or site.")
        ),
    ] = "camera",
    tz: Tz = "",
    open_: Annotated[bool, typer.Option("--opening-hours", help=tr("Count opening hours alone."))] = False,
    csv: Csv = None,
    xlsx: Annotated[
        Path | None,
        typer.Option("--xlsx", metavar="FILE", help=tr("Write a workbook with charts (extra 'excel').")),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|STATION.toml", help=tr("The station's folder or file; default: the only one here.")
        ),
    ] = None,
) -> None:
    """Show people by hour or day, gaps marked, from what the station has counted."""
    from sunmi_ipc.station.report import read_meta
    from sunmi_ipc.station.report import report as make
    from sunmi_ipc.station.sheet import write_csv, write_xlsx
    from sunmi_ipc.station.store import Store

    state = State.of(ctx)
    for name, value, allowed in (("--by", by, ("hour", "day")), ("--per", per, ("camera", "door", "site"))):
        if value not in allowed:
            raise errors.ParameterError(
                "{name}: unknown", name=name, hint="Allowed: {bounds}.", bounds=", ".join(allowed)
            )
    with Store(_store(data), read_only=True) as store:
        meta = read_meta(store)
        where = zone(tz) if tz else meta.zone
        start, end = parse_period(from_, to, tz=where)
        lines = make(
            store, start.timestamp(), end.timestamp(), by=by, per=per, zone=where,  # type: ignore[arg-type]
            sns=[state.camera] if state.camera else [], hours=meta.hours if open_ else None,
            window=meta.window, site=meta.site,
        )  # fmt: skip
    if csv is not None:
        write_csv(csv, lines)
        if str(csv) == "-":
            return
    if xlsx is not None:
        write_xlsx(xlsx, lines, title=meta.name or meta.site)
    if state.json:
        print_json({"site": meta.site, "by": by, "per": per, "rows": [line.as_dict() for line in lines]})
    elif csv or xlsx:
        say(state, "{count} rows written", count=len(lines))
    elif not state.quiet:
        _show(state, lines)


def _show(state: State, lines: list[Line]) -> None:
    if not lines:
        say(state, "nothing was counted in this time")
        return
    rows = [
        {
            "start": line.label[:16].replace("T", " "),
            "camera": line.who,
            "name": line.name,
            **{
                k: "?" if v is None else v
                for k, v in (
                    ("arrivals", line.arrivals),
                    ("leaving", line.leaving),
                    ("passing", line.passing),
                )
            },
            "completeness": f"{line.completeness:.0%}" if line.completeness < 0.995 else "100%",
            "gap": tr("gap") if line.gap else "",
        }
        for line in lines
    ]
    table(
        rows,
        ["start", "camera", "name", "arrivals", "leaving", "passing", "completeness", "gap"],
        least=("name",),
    )
    if any(line.gap for line in lines):
        note(state, "A gap is time of which nobody knows; '?' is no zero.")


def _store(given: Path | None) -> Path:
    """The database: of the station named, else of the only one of this computer."""
    from sunmi_ipc.settings import state_dir
    from sunmi_ipc.station import load

    if given is not None and os.path.isfile(given):
        return given if given.suffix == ".sqlite3" else load(given, resolve=False).data / _FILE
    folders = [given] if given is not None else sorted(p.parent for p in state_dir().glob(f"*/{_FILE}"))
    if len(folders) != 1:
        listed = ", ".join(str(folder) for folder in folders)
        raise errors.ParameterError(
            "{name}: several stations were here: {folders}" if folders else "{name}: no station has counted on this computer",
            name="--data", folders=listed,
            hint="Name one of them." if folders else "'ipc serve' counts; name its folder or file if it is elsewhere.",
        )  # fmt: skip
    return folders[0] / _FILE
