"""``ipc firmware``: the card that brings a camera's firmware back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import (
    CardError,
    ParameterError,
)
from sunmi_ipc.i18n import language, tr
from sunmi_ipc.redact import printable

from ..screen.lengths import Length, length
from ..screen.output import confirm, error_document, note, print_json, progress_wanted, say, waiting
from ..state import Exit, State
from ..target import is_address, locate, open_camera

if TYPE_CHECKING:
    from sunmi_ipc.firmware import Image, Volume
    from sunmi_ipc.firmware.copying import Progress

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Recover a camera's firmware from an SD card."),
)
Mountpoint = Annotated[
    str,
    typer.Argument(
        metavar="MOUNTPOINT", help=tr("Where the card is: /media/you/SUNMI-XXXX, E:, or its device.")
    ),
]
Mac = Annotated[
    str,
    typer.Option(
        "--mac", metavar="MAC", help=tr("The camera's MAC, from its label; or name the camera with -c.")
    ),
]


@app.command()
def prepare(
    ctx: typer.Context,
    mountpoint: Mountpoint,
    image: Annotated[
        Path, typer.Option(metavar="FILE", help=tr("The vendor's image, or the zip or tar that it came in."))
    ],
    mac: Mac = "",
    model: Annotated[str, typer.Option(help=tr("FM010 or FM020, where -c does not tell."))] = "",
    format_: Annotated[
        bool, typer.Option("--format", help=tr("Format the card first; everything on it is lost (Linux)."))
    ] = False,
    as_is: Annotated[
        bool, typer.Option("--as-is", help=tr("Copy the file as it is, even if it looks like an archive."))
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Put the vendor's image on a card for one camera, as up.bin, and read it back."""
    from sunmi_ipc import firmware

    state = State.of(ctx)
    _known_model(model)
    read = firmware.read_image(image, as_is=as_is)
    label, model = _label_and_model(state, mac, model)
    if not label:
        raise ParameterError(
            "{name}: which camera is the card for?", name="--mac", hint="Give --mac MAC, or -c CAMERA."
        )
    read.require_model(model)
    if read.models and not model:
        note(
            state,
            "The image is for the {models} by its name; make sure that the camera is one.",
            models=", ".join(sorted(read.models)),
        )
    if read.member:
        note(state, "{member} is taken from {archive}.", member=printable(read.member), archive=image.name)
    volume = firmware.inspect(mountpoint)
    if format_:
        _survives_formatting(read, volume)
    with _card(state, volume, label, format_, yes) as card:
        firmware.require(card, label)
        with _bar(state) as progress:
            # The image may have been long in coming: the card that was looked at must still be there.
            firmware.require_same(card, firmware.inspect(card.mountpoint))
            done = firmware.install(read, card, on_progress=progress)
    if state.json:
        print_json(
            {
                "device": volume.device,
                "label": label,
                "path": str(done.path),
                "bytes": done.size,
                "sha256": done.sha256,
                "read_back": done.read_back,
                "source": str(image),
                "member": read.member or None,
                "model": model or None,
                "formatted": format_,
            }
        )
    say(
        state,
        "{path}: {size} written and read back, SHA-256 {digest}.",
        path=str(done.path),
        size=_size(done.size),
        digest=done.sha256,
    )
    if done.read_back == "maybe cache":
        say(
            state,
            "This system may have read it from memory: take the card out, put it in, and run 'ipc firmware "
            "check --image FILE'.",
        )
    say(state, "Eject the card before you pull it out. 'ipc firmware guide' tells how to go on.")


@app.command()
def check(
    ctx: typer.Context,
    mountpoint: Mountpoint,
    mac: Mac = "",
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tr("Compare up.bin with this image."))
    ] = None,
    as_is: Annotated[
        bool,
        typer.Option("--as-is", help=tr("Compare with the file as it is, even if it looks like an archive.")),
    ] = False,
) -> None:
    """Check a card: file system, label, up.bin. Changes nothing."""
    from sunmi_ipc import firmware
    from sunmi_ipc.firmware.card import up_bin

    state = State.of(ctx)
    read = firmware.read_image(image, as_is=as_is) if image else None
    label, model = _label_and_model(state, mac, "")
    if read:
        read.require_model(model)
    volume = firmware.inspect(mountpoint)
    problems = firmware.examine(volume, label)
    found: dict[str, Any] | None = None
    if volume.mountpoint and volume.removable and (path := up_bin(volume)) is not None:
        with _bar(state) as progress:
            digest, source = firmware.digest(path, volume, on_progress=lambda d, t: progress("verify", d, t))
        found = {"path": str(path), "bytes": path.stat().st_size, "sha256": digest, "read_back": source}
        if read and digest != _image_digest(read.chunks()):
            problems.append(
                CardError(
                    "{path} is not this image", path=str(path), hint="Write it again: 'ipc firmware prepare'."
                )
            )
    elif read and not problems:
        problems.append(CardError("there is no up.bin on the card", hint="'ipc firmware prepare' writes it."))
    if state.json:
        listed = [error_document(p)["error"] for p in problems]
        keep = ("message", "hint")
        print_json(
            {
                "ok": not problems,
                "volume": volume.as_dict(),
                "label": label or None,
                "up_bin": found,
                "problems": [{k: p[k] for k in keep} for p in listed],
            }
        )
    _tell(state, volume, found)
    for problem in problems:
        message, hint = problem.localized(language())
        say(state, "✗ {message}", message=message)
        if hint:
            say(state, "    → {hint}", hint=hint)
    if problems:
        raise typer.Exit(Exit.UNEXPECTED)
    say(
        state,
        "✓ the card is right, and will start an update: remove up.bin with 'ipc firmware clean' afterwards"
        if found
        else "✓ the card is right; it holds no up.bin",
    )


@app.command()
def clean(
    ctx: typer.Context,
    mountpoint: Mountpoint,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Remove up.bin from a card, or the camera would update again."""
    from sunmi_ipc import firmware
    from sunmi_ipc.firmware.card import find_images
    from sunmi_ipc.firmware.label import problem

    state = State.of(ctx)
    volume = firmware.inspect(mountpoint)
    if volume.removable and volume.mountpoint and problem(volume.label) and find_images(volume):
        # Not labelled as a card of ours: somebody else's up.bin, perhaps.
        confirm(
            tr("up.bin on {device} (label {label}) is removed.", device=volume.device, label=volume.label),
            yes,
        )
        # While the question stood there, another card may have come.
        firmware.require_same(volume, firmware.inspect(mountpoint))
    removed = firmware.clean(volume)
    if state.json:
        print_json({"removed": removed})
    if removed:
        say(state, "removed: {names}", names=", ".join(removed))
    else:
        say(state, "There was no up.bin on the card.")


@app.command()
def guide(
    ctx: typer.Context,
    mac: Mac = "",
    timeout: Annotated[float, length("--timeout", tr("How long to wait."), least=1, most=3600)] = Length(
        "12m"
    ),
    gone_timeout: Annotated[
        float,
        length(
            "--gone-timeout", tr("How long to wait until the camera is switched off."), least=1, most=3600
        ),
    ] = Length("10m"),
    settle: Annotated[
        float, length("--settle", tr("How long it must go on answering once it is back."), most=600)
    ] = Length("5s"),
) -> None:
    """Walk through the recovery, step by step; a camera named with -c is followed through it."""
    from .guide import walk

    state = State.of(ctx)
    walk(state, _label_and_model(state, mac, "")[0] if mac else "", timeout, gone_timeout, settle)


def _known_model(model: str) -> None:
    from sunmi_ipc.protocol.spec import Model

    if model and Model.read(model) is None:
        raise ParameterError(
            "{name}: there is no model {model}", name="--model", model=model, hint="FM010 or FM020."
        )


def _label_and_model(state: State, mac: str, model: str) -> tuple[str, str]:
    """The card's label and the camera's model, as far as they are known.

    A camera that needs this may not answer any more: what the last scan remembers of it will do.
    """
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.firmware import label_for
    from sunmi_ipc.settings import config_dir

    if mac:
        label = label_for(mac)
        digits = [c for c in mac.upper() if c.isalnum()]
        seen = (c for c in memory.last(config_dir()) if [d for d in c.mac if d.isalnum()] == digits)
        return label, model or next((c.model for c in seen), "")
    if not state.camera:
        return "", model
    known: Any = memory.recall(state.camera, config_dir())
    if known is None or not known.mac:
        known = _ask(state)
    return label_for(known.mac), model or known.model


def _ask(state: State) -> Any:
    """Something with the MAC and model of the camera that ``-c`` names: discovery says them unsigned."""
    if not is_address(state.camera):
        found = locate(state, state.camera)
        if found.mac:
            return found
    with open_camera(state) as camera:
        info = camera.device.info()
    if not info.mac:
        raise ParameterError(
            "{name}: the camera does not say its MAC", name="--mac", hint="Read it off the camera's label."
        )
    return info


def _survives_formatting(image: Image, volume: Volume) -> None:
    """Refuse to wipe a card for nothing.

    Raises:
        CardError: The image is on the card itself, or larger than it.

    """
    if volume.mountpoint and image.path.stat().st_dev == Path(volume.mountpoint).stat().st_dev:
        raise CardError(
            "{path} is on the card that would be formatted",
            hint="Copy it to this computer first.",
            path=str(image.path),
        )
    if image.size > volume.size:
        raise CardError("the card is smaller than the image", hint="Use a larger card.")


@contextlib.contextmanager
def _card(state: State, volume: Volume, label: str, format_: bool, yes: bool) -> Iterator[Volume]:
    from sunmi_ipc import firmware
    from sunmi_ipc.firmware import formatting

    if not format_:
        yield volume
        return
    formatting.check(volume, label)
    confirm(
        tr(
            "Formatting destroys everything on {device} ({model}, {size}, label {label}).",
            device=volume.device,
            model=printable(volume.model) or "?",
            size=_size(volume.size),
            label=printable(volume.label) or "-",
        ),
        yes,
    )
    with contextlib.ExitStack() as stack:
        with waiting(state, "Formatting {device} …", device=volume.device):
            card = stack.enter_context(firmware.formatted(volume, label, inspect=firmware.inspect))
        yield card


def _size(count: int) -> str:
    """Bytes for people, in the units that cards are sold in."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _image_digest(chunks: Iterator[bytes]) -> str:
    import hashlib

    made = hashlib.sha256()
    for piece in chunks:
        made.update(piece)
    return made.hexdigest()


def _tell(state: State, volume: Volume, found: dict[str, Any] | None) -> None:
    say(
        state,
        "{device}: {filesystem}, label {label}, {size}, {free} free",
        device=volume.device,
        filesystem=volume.filesystem or "?",
        label=volume.label or "-",
        size=_size(volume.size),
        free=_size(volume.free),
    )
    if found:
        say(
            state,
            "{path}: {size}, SHA-256 {digest}",
            path=found["path"],
            size=_size(found["bytes"]),
            digest=found["sha256"],
        )


@contextlib.contextmanager
def _bar(state: State) -> Iterator[Progress]:
    """A progress bar in bytes, for copying and for reading back, on a terminal."""
    if not progress_wanted(state):
        yield lambda phase, done, total: None
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from ..screen.progress import progress as display

    texts = {"copy": tr("copying"), "verify": tr("reading back")}
    with display(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    ) as bar:
        tasks: dict[str, Any] = {}

        def progress(phase: str, done: int, total: int) -> None:
            if phase not in tasks:
                tasks[phase] = bar.add_task(texts[phase], total=total)
            bar.update(tasks[phase], completed=done)

        yield progress
