"""``ipc support``: one archive for a bug report."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ParameterError, SunmiIpcError, cannot_write
from sunmi_ipc.i18n import language, tr

from ..screen.output import agreed_to_write, is_terminal, note, print_json, say, table, waiting
from ..state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.support import Bundle

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def support(
    ctx: typer.Context,
    output: Annotated[
        str, typer.Option("-o", "--output", metavar="FILE", help=tr("Where to write it."))
    ] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
    show: Annotated[
        bool, typer.Option("--show", help=tr("Print all that would be in it, and write nothing."))
    ] = False,
    site: Annotated[
        list[Path] | None,
        typer.Option("--fleet", metavar="FILE", help=tr("A site file whose journal belongs to the problem.")),
    ] = None,
    station: Annotated[
        list[Path] | None,
        typer.Option(
            "--station", metavar="FILE", help=tr("A station file whose audit belongs to the problem.")
        ),
    ] = None,
    doctor: Annotated[
        bool, typer.Option("--doctor/--no-doctor", help=tr("Look at this computer and the cameras in reach."))
    ] = True,
) -> None:
    """Make one archive for a bug report: versions, settings, checks, logs; no secrets, nobody's names.

    It is shown before it is written, and sent to nobody. Cameras that -c names are asked what they really say.
    """
    state = State.of(ctx)
    path = Path(output or f"sunmi-ipc-support-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    if not (yes or show or state.json or is_terminal()):
        raise ParameterError(
            "{name}: nobody is here to look at it before it is written",
            name="--yes",
            hint="Say --yes to write it unseen, or --show to print it.",
        )
    bundle = _gathered(state, site or [], station or [], doctor)
    if show:
        _print(bundle)
        return
    if not state.json:
        _summary(state, bundle)
        if not yes and not agreed_to_write(path, lambda: _print(bundle)):
            sys.stderr.write(tr("Nothing was written.") + "\n")
            raise typer.Exit(Exit.UNEXPECTED)
    _write(path, bundle.data())
    if state.json:
        parts = [
            {"name": p.name, "bytes": len(p.text.encode("utf-8", "backslashreplace"))} for p in bundle.parts
        ]
        print_json({"file": str(path), "parts": parts, "replaced": bundle.replaced})
    say(state, "{path} is written. Look through it before you send it to anybody.", path=str(path))


def _gathered(state: State, sites: list[Path], stations: list[Path], doctor: bool) -> Bundle:
    from sunmi_ipc.settings import Settings
    from sunmi_ipc.support import collect

    problems: list[str] = []
    try:
        settings = state.settings
    except SunmiIpcError as error:  # what is to be reported may be this
        problems.append(f"settings: {error}")
        settings = Settings()
        state.__dict__["settings"] = settings
    checks: dict[str, Any] | None = None
    if doctor:
        from .doctor import look

        results, examined = look(state)
        checks = {"checks": results, "cameras": [camera.as_dict() for camera in examined]}
    dumps = _dumps(state, problems) if state.cameras else []
    return collect(
        settings,
        profile=state.profile or "default",
        doctor=checks,
        dumps=dumps,
        sites=sites or sorted(Path().glob("*.toml")),
        stations=_stations(stations, problems),
        problems=problems,
    )


def _dumps(state: State, problems: list[str]) -> list[dict[str, Any]]:
    """Of each camera that was named; one that cannot be asked does not keep the others out."""
    from copy import copy

    from sunmi_ipc.survey.anonymise import Leak
    from sunmi_ipc.survey.dump import dump

    from ..many import resolve
    from ..target import open_camera

    made = []
    for number, target in enumerate(resolve(state), 1):
        own = copy(state)
        own.camera, own.found = target.label, target.found
        try:
            with open_camera(own) as camera, waiting(state, "Asking camera {number} …", number=number):
                made.append(dump(camera, video=False))
        except SunmiIpcError as error:
            problems.append(f"dump {number}: {error}")
            note(state, "{reason}", reason=error.localized(language())[0])
        except Leak:
            problems.append(f"dump {number}: something that identifies the camera could not be replaced")
    return made


def _stations(files: list[Path], problems: list[str]) -> list[Path]:
    """The folders of the stations that are named, else of those of this computer."""
    from sunmi_ipc.settings import state_dir
    from sunmi_ipc.station.loading import load

    found = []
    for file in files:
        try:
            found.append(load(file).data)
        except SunmiIpcError as error:
            problems.append(f"station: {error}")
    if not files:
        found = sorted({path.parent for path in state_dir().glob("**/station.sqlite3")})[:8]
    return found


def _summary(state: State, bundle: Bundle) -> None:
    rows = [
        {
            "file": part.name,
            "bytes": f"{len(part.text.encode('utf-8', 'backslashreplace')):,}",
            "what it is": tr(part.about),
        }
        for part in bundle.parts
    ]
    if not state.quiet:
        table(rows, ["file", "bytes", "what it is"])
    replaced = tr(", ").join(f"{tr(kind)} × {count}" for kind, count in sorted(bundle.replaced.items()))
    note(state, "replaced: {what}", what=replaced or "0")


def _print(bundle: Bundle) -> None:
    from sunmi_ipc.redact import printable

    for part in bundle.parts:
        sys.stdout.write(f"== {part.name}: {tr(part.about)}\n")
        sys.stdout.writelines(printable(line) + "\n" for line in part.text.splitlines())
    sys.stdout.flush()


def _write(path: Path, data: bytes) -> None:
    from sunmi_ipc.atomic import whole

    try:
        with whole(path) as file:
            file.write(data)
    except OSError as error:
        raise cannot_write(path, error) from None
