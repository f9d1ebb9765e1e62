"""``ipc sim``: virtual cameras."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.installation import advice

from ..screen.lengths import Length, length
from ..screen.output import note, print_json_line, table
from ..state import State
from .cloud import cloud
from .sites import sites

if TYPE_CHECKING:
    from sunmi_ipc.simulator import Vendor, VirtualCamera

#: How often what is kept is written, for the case that nobody says goodbye; rows of the table.
_SAVE_S, _SHOWN = 10.0, 40

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Virtual cameras on this machine."),
)


@app.callback()
def _group() -> None:
    pass


app.command()(cloud)
app.command()(sites)


@app.command()
def start(
    ctx: typer.Context,
    count: Annotated[int, typer.Option(min=1, max=1000, help=tr("How many cameras."))] = 1,
    model: Annotated[
        str, typer.Option(help=tr("FM010 or FM020, or by their older names SS1 and FS1."))
    ] = "FM020",
    state: Annotated[
        str,
        typer.Option(
            help=tr(
                "'factory' (out of the box; where nothing is said), 'wired' (out of the box, on a cable) or "
                "'ready' (set up; where nothing is said with --from)."
            )
        ),
    ] = "",
    seed: Annotated[
        int | None, typer.Option(help=tr("The same number gives the same serial numbers; default: random."))
    ] = None,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help=tr("HTTPS port of all; 0 takes free ones."))
    ] = 8443,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND[=VALUE][@PATH][xTIMES]",
            help=tr("Play a fault, e.g. delay=2 or code=3@device/getInfo."),
        ),
    ] = None,
    quirk: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND",
            help=tr(
                "What it does otherwise than documented: short-pages, no-total, repeated-pages, neighbours, "
                "unknown-fields, missing-fields, flv, any-parameters, slow-format."
            ),
        ),
    ] = None,
    state_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=tr("Keep secrets, certificates, cards and settings there, over restarts."),
        ),
    ] = None,
    save_profile: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            show_default=False,
            help=tr(
                "Write a profile for them, so that 'ipc -p NAME …' works; 'sim' on a terminal, '' for none."
            ),
        ),
    ] = "?",
    dump: Annotated[
        Path | None,
        typer.Option("--from", metavar="DUMP", help=tr("Answer as a camera did: a file of 'ipc dump'.")),
    ] = None,
    wire_seed: Annotated[
        int | None,
        typer.Option(metavar="N", help=tr("Other undocumented paths and names, drawn from this number.")),
    ] = None,
    ip: Annotated[str, typer.Option(help=tr("Address of a single camera."))] = "",
    expose: Annotated[
        bool, typer.Option("--expose", help=tr("Allow an address beyond this machine."))
    ] = False,
    events: Annotated[
        str,
        typer.Option(
            metavar="RATE[,KEY=VALUE]...",
            help=tr(
                "Post events to whoever has subscribed: so many a second from each camera, e.g. 0.5 or "
                "5,burst=10,repeat=0.1,reorder=0.1,bad=0.1,unreachable=0.1,layout=json."
            ),
        ),
    ] = "",
    format_time: Annotated[
        float, length("--format-time", tr("How long formatting takes."), most=120)
    ] = Length("2s"),
    env_file: Annotated[
        Path | None, typer.Option(help=tr("Write the environment variables to this file."))
    ] = None,
) -> None:
    """Start virtual cameras; stop them with Ctrl-C. Prints a table, or one JSON line where it is piped."""
    from sunmi_ipc.errors import ParameterError, cannot_write
    from sunmi_ipc.settings import profile_path
    from sunmi_ipc.simulator import (
        Feed,
        Vendor,
        VirtualCamera,
        keeping,
        parse_fault,
        parse_play,
        start_cameras,
    )
    from sunmi_ipc.simulator.quirks import parse_quirks

    run = State.of(ctx)
    people = sys.stdout.isatty() and not run.json
    profile = ("sim" if people else "") if save_profile == "?" else save_profile
    quirks = parse_quirks(quirk or ())
    seed = _seed(state_dir, seed)
    faults = [parse_fault(text) for text in fault or ()]
    play = parse_play(events) if events else None
    if ip and count > 1:
        raise ParameterError("{name}: one address is for one camera", name="--ip", hint="Leave --count out.")
    if dump is not None and (count > 1 or wire_seed is not None):
        other = "--count" if count > 1 else "--wire-seed"
        raise ParameterError("{name}: not together with {other}", name="--from", other=other)
    document = None
    if dump is not None:
        from sunmi_ipc.survey.model import read

        document = read(dump)
    # An Event would not do: a second signal that interrupts its set() waits for the first for ever.
    stop: SimpleQueue[bool] = SimpleQueue()
    previous = {s: signal.signal(s, lambda *_: stop.put(True)) for s in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: [signal.signal(s, handler) for s, handler in previous.items()])
        vendor = stack.enter_context(Vendor() if state_dir is None else Vendor.kept(state_dir / "vendor"))
        if ip:
            single = VirtualCamera(
                vendor,
                ip=ip,
                port=port,
                model=model,
                state=state,
                seed=seed,
                expose=expose,
                quirks=quirks,
                dump=document,
                wire_seed=wire_seed,
            )
            cameras = [single.start()]
        else:
            cameras = start_cameras(
                vendor,
                count,
                port=port,
                model=model,
                state=state,
                seed=seed,
                quirks=quirks,
                dump=document,
                wire_seed=wire_seed,
            )
        for camera in cameras:
            stack.callback(camera.close)
            if state_dir is not None:
                keeping.load(state_dir, camera.state)
                stack.callback(keeping.save, state_dir, camera.state)
            camera.state.format_s = format_time
            for f in faults:
                camera.fail(f.kind, f.value, path=f.path, times=f.times, probability=f.probability)
        if play is not None:
            stack.enter_context(Feed(cameras, play, seed=seed))
        environment = vendor.environment()
        if env_file is not None:
            try:
                _write_private(
                    env_file, "".join(f"export {k}={shlex.quote(v)}\n" for k, v in environment.items())
                )
            except OSError as error:
                raise cannot_write(env_file, error) from None
        if profile:
            _save_profile(profile, vendor)
            if state_dir is None:  # what it names goes with us
                stack.callback(profile_path(profile).unlink, missing_ok=True)
        if people:
            _show(run, cameras, profile)
        else:
            print_json_line(
                {
                    "ready": True,
                    "cameras": [
                        {
                            "sn": c.sn,
                            "ip": c.ip,
                            "port": c.port,
                            "mac": c.state.mac,
                            "model": str(c.state.model),
                            "state": state,
                            "hd_live_url": c.live_url("hd"),
                            "fhd_live_url": c.live_url("fhd"),
                        }
                        for c in cameras
                    ],
                    "app_id": vendor.app_id,
                    "secret_key": vendor.secret_key.reveal(),
                    "activation_code": vendor.activation_code.reveal(),
                    "p12": str(vendor.p12),
                    "p12_password": vendor.p12_password.reveal(),
                    "ca": str(vendor.ca),
                    "env": environment,
                }
            )
        if not all(c.live_url() for c in cameras):
            note(run, "These cameras have no picture.")
            how = advice("video")
            note(run, how["hint"], install=how["install"])
        while True:
            with contextlib.suppress(Empty):
                stop.get(timeout=_SAVE_S if state_dir is not None else None)
                return
            for camera in cameras:
                if state_dir is not None:
                    keeping.save(state_dir, camera.state)


def _seed(folder: Path | None, given: int | None) -> int:
    """The seed: as given, as kept, or new; it makes the serial numbers, so it is kept with what belongs to them."""
    from sunmi_ipc.errors import ConfigError, cannot_write

    path = folder / "seed" if folder is not None else None
    try:
        if given is None and path is not None and os.path.exists(path):
            return int(path.read_text("ascii"))
        seed = secrets.randbelow(2**32) if given is None else given
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(f"{seed}\n", "ascii")
    except ValueError:
        raise ConfigError(
            "{path} is not what a virtual camera keeps",
            hint="Remove it, or name another --state-dir.",
            path=str(path),
        ) from None
    except OSError as error:
        raise cannot_write(path, error) from None
    return seed


def _save_profile(name: str, vendor: Vendor) -> None:
    from sunmi_ipc.settings import ENVIRONMENT, write_profile

    values = {ENVIRONMENT[key]: value for key, value in vendor.environment().items()}
    write_profile(name, values, use_keyring=False)


def _show(state: State, cameras: list[VirtualCamera], profile: str) -> None:
    """What runs, and how to speak to it."""
    rows = [
        {
            "sn": c.sn,
            "address": c.address,
            "mac": c.state.mac,
            "model": c.state.model_word,
        }
        for c in cameras[:_SHOWN]
    ]
    table(rows, ("sn", "address", "mac", "model"), least=("mac", "model"))
    sys.stdout.flush()
    if len(cameras) > _SHOWN:
        note(state, "… and {count} more", count=len(cameras) - _SHOWN)
    if profile:
        note(
            state,
            "{count} virtual cameras are running. In another terminal try: ipc -p {profile} scan. Ctrl-C stops them.",
            count=len(cameras),
            profile=profile,
        )
    else:
        note(state, "{count} virtual cameras are running. Ctrl-C stops them.", count=len(cameras))


def _write_private(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.chmod(path, 0o600)
        file.write(text)
