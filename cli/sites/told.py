"""``ipc sites`` with ``--via`` and without a folder: the shops as their stations tell of them at the broker."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable

from ..screen.csvfile import write_csv
from ..screen.output import note, print_json, say, waiting
from ..screen.tables import table
from ..state import Exit, State
from .common import counted

if TYPE_CHECKING:
    from sunmi_ipc.broker.contract import CameraState, StationState

#: The worst first.
_VERDICTS = ("bad", "unknown", "warning", "ok")


@dataclass(frozen=True, slots=True)
class Told:
    """A shop, as the broker has it."""

    site: str
    station: StationState | None
    cameras: Mapping[str, CameraState]

    @property
    def name(self) -> str:
        """What people call it."""
        return printable(self.station.name) if self.station else ""

    @property
    def state(self) -> str:
        """Whether its station is connected."""
        return self.station.state if self.station else "offline"

    def document(self) -> dict[str, Any]:
        """What is the same in all answers, ready for JSON."""
        said = self.station
        return {
            "site": self.site,
            "name": self.name,
            "state": self.state,
            "since": said.since if said else None,
            "version": said.version if said else "",
            "timezone": said.timezone if said else "",
        }


def asked_there(ctx: typer.Context) -> bool:
    """Whether the broker is meant: ``--via``, and no folder named."""
    source = ctx.get_parameter_source("folder")
    return bool(State.of(ctx).settings.via) and (source is None or source.name == "DEFAULT")


def told(state: State, only: list[str] | None) -> list[Told]:
    """Every shop that the broker knows of, in order; raises BrokerError, ParameterError."""
    from sunmi_ipc.broker.access import every_site

    with waiting(state, "Asking the broker …"):
        found = every_site(state.settings)
    shops = [Told(name, site.told, site.cameras_told()) for name, site in sorted(found.items())]
    for pattern in only or ():
        if not any(fnmatchcase(shop.site, pattern) for shop in shops):
            raise ParameterError(
                "{name}: the broker knows no such shop",
                name=pattern,
                hint="'ipc sites list' with --via lists them; may our name read their topics?",
            )
    return [shop for shop in shops if not only or any(fnmatchcase(shop.site, one) for one in only)]


def list_told(state: State, only: list[str] | None, csv: Path | None) -> None:
    """The shops and their cameras."""
    shops = told(state, only)
    documents = [
        shop.document()
        | {"cameras": sorted({*(shop.station.cameras if shop.station else ()), *shop.cameras})}
        for shop in shops
    ]
    rows = [
        {
            "site": shop.site,
            "name": shop.name if shop.name != shop.site else "",
            "state": tr(shop.state),
            "camera count": len(document["cameras"]),
            "when": _when(document["since"]),
        }
        for shop, document in zip(shops, documents, strict=True)
    ]
    _show(state, documents, rows, ["site", "name", "state", "camera count", "when"], csv)


def status_told(state: State, only: list[str] | None, csv: Path | None) -> None:
    """How the shops are; exit code 7 where one is not well."""
    documents, rows = [], []
    for shop in told(state, only):
        verdicts = Counter[str](camera.verdict for camera in shop.cameras.values())
        by_verdict = {verdict: verdicts[verdict] for verdict in _VERDICTS if verdicts[verdict]}
        wrong = [
            {"sn": sn, "verdict": camera.verdict, "reasons": [reason.code for reason in camera.reasons]}
            for sn, camera in sorted(
                shop.cameras.items(), key=lambda item: (_VERDICTS.index(item[1].verdict), item[0])
            )
            if camera.verdict != "ok"
        ]
        own = [reason.code for reason in shop.station.reasons] if shop.station else []
        documents.append(
            shop.document()
            | {"cameras": len(shop.cameras), "by_verdict": by_verdict, "wrong": wrong, "reasons": own}
        )
        first = ", ".join(own) or next((f"{one['sn']} {', '.join(one['reasons'])}" for one in wrong), "")
        rows.append(
            {
                "site": shop.site,
                "state": tr(shop.state),
                "camera count": len(shop.cameras),
                "verdict": counted(by_verdict),
                "name": shop.name if shop.name != shop.site else "",
                "problem": first,
            }
        )
    _show(state, documents, rows, ["site", "state", "camera count", "verdict", "name", "problem"], csv)
    if any(one["state"] != "online" or one["wrong"] or one["reasons"] for one in documents):
        raise typer.Exit(Exit.SOME_FAILED)


def counts_told(state: State, only: list[str] | None, csv: Path | None, period: bool) -> None:
    """Today's people by shop; exit code 7 where a shop or a camera tells none.

    Args:
        state: How the command was called.
        only: Which shops.
        csv: Where to write a file.
        period: Whether another period than today was asked for.

    """
    if period:
        raise ParameterError(
            "{name}: stations tell the people of today alone",
            name="--from",
            hint="Name the folder of site files as well, and the cameras are asked; the hub's database knows all.",
        )
    documents, rows, complete = [], [], True
    for shop in told(state, only):
        people = Counter[str]()
        answered = [camera for camera in shop.cameras.values() if camera.people]
        for camera in answered:
            people.update(camera.people)
        complete = complete and bool(answered) and shop.state == "online"
        documents.append(shop.document() | {"came_in": people["arrivals"], "left": people["leaving"], "passed": people["passing"], "answered": len(answered)})  # fmt: skip
        rows.append(
            {
                "site": shop.site,
                "name": shop.name if shop.name != shop.site else "",
                "came in": people["arrivals"] if answered else "",
                "left": people["leaving"] if answered else "",
                "passed by": people["passing"] if answered else "",
                "state": tr(shop.state),
            }
        )
    _show(state, documents, rows, ["site", "name", "came in", "left", "passed by", "state"], csv)
    if not complete:
        if not state.json:
            note(state, "What did not answer is missing here, and is not zero.")
        raise typer.Exit(Exit.SOME_FAILED)


def _show(
    state: State,
    documents: list[dict[str, Any]],
    rows: list[dict[str, Any]],
    names: list[str],
    csv: Path | None,
) -> None:
    if csv is not None:
        write_csv(csv, rows, names)
    if state.json:
        print_json({"sites": documents})
    elif not state.quiet and (csv is None or str(csv) != "-"):
        if not rows:
            note(
                state,
                "No station has said anything there yet, or our name may not read what they say (see the broker's ACL).",
            )
            return
        table(rows, names, least=("name", "when", "problem"))
        say(state, "{count} shops", count=len(rows))


def _when(since: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(since)) if since else ""
