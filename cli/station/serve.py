"""``ipc serve``: the station, for months."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from sunmi_ipc import errors
from sunmi_ipc.i18n import language, tr

from ..forward.run import until_signal
from ..screen.lengths import Length, length
from ..screen.options import SiteFileOption
from ..screen.output import confirm, note, print_json, print_json_line, say, waiting
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.station import Loaded, Station

_DEFAULT = Path("station.toml")


class FileOrCommand(typer.core.TyperGroup):
    """``ipc serve FILE`` runs the file; everything else is a command below it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the hidden command's name before a file's."""
        first = next((arg for arg in args if not arg.startswith("-")), None)
        if args and first not in self.commands and not {"-h", "--help"} & {*args}:
            args = ["run", *args]
        return list(super().parse_args(ctx, args))


app = typer.Typer(
    cls=FileOrCommand,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    subcommand_metavar="STATION.toml [--check] | COMMAND [ARGS]...",
    help=tr(
        "The station: cameras watched, people counted, events kept, an API. 'ipc serve STATION.toml' runs it."
    ),
)
StationFile = Annotated[Path, typer.Argument(metavar="STATION.toml", help=tr("The station file."))]


@app.callback()
def _group() -> None:
    pass


def load_file(state: State, path: Path, *, resolve: bool = True) -> Loaded:
    """The station file; everything that is wrong with it is told."""
    from sunmi_ipc.station import load

    try:
        return load(path, resolve=resolve)
    except errors.SiteError as error:
        for other in error.others:
            message, _ = other.localized(language())
            note(state, "{line}", line=message)
        raise


def open_settings(state: State, loaded: Loaded) -> Any:
    """The credentials: of the command's profile, else of the file's."""
    if state.profile or not loaded.file.station.profile:
        return state.settings
    from sunmi_ipc.settings import Settings

    return Settings.load(loaded.file.station.profile, insecure=state.insecure or None, tls=state.tls)


@app.command(hidden=True)
def run(
    ctx: typer.Context,
    file: StationFile,
    check: Annotated[bool, typer.Option("--check", help=tr("Check the file, and end."))] = False,
) -> None:
    """Run the station until Ctrl-C or SIGTERM."""
    state = State.of(ctx)
    loaded = load_file(state, file)
    if check:
        if state.json:
            print_json({"file": str(file), "site": loaded.file.station.site, "data": str(loaded.data)})
        say(state, "{path} is in order: site {site}, data in {data}", path=str(file), site=loaded.file.station.site, data=str(loaded.data))  # fmt: skip
        return
    from sunmi_ipc.station import Station
    from sunmi_ipc.station.service import Notifier

    with until_signal() as stop, Station(loaded, open_settings(state, loaded)) as station:
        with _faces(station) as urls, _bridge(station), Notifier(station) as notifier:
            _ready(state, station, urls)
            notifier.ready()
            stop.wait()
            notifier.stopping()
        note(state, "The station ends.")


class _faces:
    """What the station shows to the outside: one port with the API, the console, metrics and health."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._server: Any = None

    def __enter__(self) -> dict[str, str | None]:
        http = self._station.file.http
        if http is None:
            return {"api": None, "console": None, "metrics": None}
        from sunmi_ipc.station.http import HttpServer

        console: Any = None
        if self._station.file.console.enabled:
            from sunmi_ipc.console.attached import mount

            console = mount

        self._server = HttpServer(self._station, console)
        base = self._server.start()
        pages = f"{base}/" if self._station.file.console.enabled else None
        return {"api": f"{base}/api/v1", "console": pages, "metrics": f"{base}/metrics"}

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()


def _bridge(station: Station) -> Any:
    """The way to the broker, where the file names one."""
    from contextlib import nullcontext

    if station.file.broker is None:
        return nullcontext()
    from sunmi_ipc.station.bridge import Bridge

    return Bridge(station)


def _ready(state: State, station: Station, urls: dict[str, str | None]) -> None:
    if state.json:
        print_json_line({"ready": True, "site": station.site, **urls})
        return
    say(state, "Site {site}: {count} cameras known; data in {path}.", site=station.site, count=len(station.roster.members()), path=str(station.loaded.data))  # fmt: skip
    for name, url in urls.items():
        if url:
            say(state, "  {name}: {url}", name=name, url=url)
    say(state, "Ctrl-C ends it.")


@app.command()
def init(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=tr("Where to write it."))] = _DEFAULT,
    name: Annotated[str, typer.Option(help=tr("The site's name; default: this computer's."))] = "",
    site_file: SiteFileOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Overwrite without asking."))] = False,
) -> None:
    """Write a first station file, with the cameras that a scan finds."""
    import platform

    from sunmi_ipc import discovery
    from sunmi_ipc.atomic import whole
    from sunmi_ipc.station.draft import draft, this_zone
    from sunmi_ipc.station.file_schema import FILE

    state = State.of(ctx)
    if os.path.exists(file):
        confirm(tr("{path} is overwritten.", path=str(file)), yes)
    with waiting(state, "Looking for cameras …"):
        found = list(discovery.discover(interfaces=state.settings.interfaces()))
    name = name or state.site or platform.node().partition(".")[0] or "shop"
    text = draft(
        site=name,
        name=name,
        timezone=this_zone(),
        cameras=str(site_file) if site_file else "discover",
        schema=str(FILE),
    )
    try:
        with whole(file) as written:
            written.write(text.encode())
    except OSError as error:
        raise errors.cannot_write(file, error) from None
    if state.json:
        print_json(
            {"file": str(file), "cameras": [{"sn": c.sn, "ip": c.ip, "model": c.model} for c in found]}
        )
    say(state, "{path} is written; {count} cameras answer now.", path=str(file), count=len(found))
    say(state, "Next: ipc serve {path} --check, then ipc serve {path}", path=str(file))


@app.command()
def schema(ctx: typer.Context) -> None:
    """Print the station file's JSON Schema."""
    from sunmi_ipc.station.file_schema import shipped

    sys.stdout.write(shipped())


@app.command(name="test-alert")
def test_alert(ctx: typer.Context, file: StationFile) -> None:
    """Send a message to everybody who is told of trouble, to see that it arrives."""
    from sunmi_ipc.station.alerts import send_test
    from sunmi_ipc.station.channels import open_channel

    from ..state import Exit

    state = State.of(ctx)
    loaded = load_file(state, file)
    if not loaded.file.watch.notify:
        raise errors.ConfigError(
            "the station file names nobody to tell", hint="Write notify = [...] under [watch]."
        )
    secret = loaded.secret(loaded.file.events.webhook_secret) if loaded.file.events.webhook_secret else ""
    shop = loaded.file.station
    channels = [
        open_channel(loaded.secret(url), site=shop.site, webhook_secret=secret)
        for url in loaded.file.watch.notify
    ]
    with waiting(state, "Sending …"):
        found = send_test(channels, name=shop.name or shop.site, site=shop.site)
    if state.json:
        print_json(
            {"sent": [{"channel": name, "problem": problem or None} for name, problem in found.items()]}
        )
    for name, problem in found.items():
        if problem:
            say(state, "{name}: {problem}", name=name, problem=problem)
        else:
            say(state, "{name}: sent", name=name)
    if any(found.values()):
        raise typer.Exit(Exit.SOME_FAILED)


@app.command()
def install(
    ctx: typer.Context,
    file: StationFile,
    user: Annotated[
        bool, typer.Option("--user", help=tr("For this user alone, not for the whole computer."))
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help=tr("Write the unit here instead of where systemd looks.")
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Overwrite without asking."))] = False,
) -> None:
    """Write a hardened systemd unit that runs the station; says how to start it."""
    from sunmi_ipc.atomic import whole
    from sunmi_ipc.station.unit import place, unit

    state = State.of(ctx)
    loaded = load_file(state, file, resolve=False)
    path = output or place(loaded.file.station.site, user=user)
    text = unit(loaded, user=user)
    if os.path.exists(path):
        confirm(tr("{path} is overwritten.", path=str(path)), yes)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as written:
            written.write(text.encode())
        path.chmod(0o644)
    except OSError as error:
        raise errors.ConfigError(
            "{path} cannot be written: {reason}",
            hint="Run it with sudo, or say --user.",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    if state.json:
        print_json({"unit": str(path), "user": user})
    control = "systemctl --user" if user else "systemctl"
    say(state, "{path} is written.", path=str(path))
    say(
        state,
        "Next: {control} daemon-reload && {control} enable --now {name}",
        control=control,
        name=path.name,
    )
    if loaded.file.tokens or loaded.file.watch.notify:
        say(
            state,
            "Secrets that the file takes from the environment belong into {path} (mode 600).",
            path=f"{file.resolve()}.env",
        )


@app.command()
def mute(
    ctx: typer.Context,
    file: StationFile,
    sn: Annotated[str, typer.Argument(help=tr("The camera's serial number."))],
    for_: Annotated[float, length("--for", tr("So long, such as 2h; 0 ends it."), never=True)] = Length("2h"),
    reason: Annotated[str, typer.Option(help=tr("Why, for those who look."))] = "",
) -> None:
    """Tell nobody of a camera for a while: it is under repair."""
    import getpass
    import time

    from sunmi_ipc.station.audit import Audit
    from sunmi_ipc.station.mutes import Mutes
    from sunmi_ipc.station.store import FILE, Store

    state = State.of(ctx)
    loaded = load_file(state, file, resolve=False)
    until = time.time() + for_ if for_ else 0.0
    with Store(loaded.data / FILE) as store:
        if not store.read("SELECT 1 FROM cameras WHERE sn = ?", (sn,)):
            raise errors.CameraNotFound(
                "the station has no camera {sn}", hint="'ipc watch' lists those that it has.", sn=sn
            )
        mutes = Mutes(store)
        if until:
            mutes.set(sn, until, reason=reason, who=getpass.getuser())
        else:
            mutes.end(sn)
        Audit(store).record(
            "mute", who=getpass.getuser(), origin="cli", sn=sn, details={"until": until, "reason": reason}
        )
    if state.json:
        print_json({"sn": sn, "muted_until": until or None})
    elif until:
        say(
            state,
            "{sn} is muted until {when}",
            sn=sn,
            when=time.strftime("%Y-%m-%d %H:%M", time.localtime(until)),
        )
    else:
        say(state, "{sn} is told of again", sn=sn)


def print_lines(lines: Sequence[dict[str, Any]]) -> None:
    """JSON lines."""
    for line in lines:
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


__all__ = ["app", "load_file", "open_settings", "print_lines"]
