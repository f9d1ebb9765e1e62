"""``ipc trust``: cameras known by their certificate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.camera import split_address
from sunmi_ipc.errors import ParameterError, TlsError
from sunmi_ipc.i18n import tr

from ..screen.output import confirm, note, print_json, say, show, waiting
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.link.trust import KnownCameras

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("Cameras known by their certificate."),
)
Name = Annotated[str, typer.Argument(help=tr("Serial number, or the address where that is all we knew."))]


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the pinned certificates."""
    state = State.of(ctx)
    pins = [
        {
            "name": name,
            "fingerprint": pin.fingerprint,
            "first_seen": pin.first_seen,
            "last_seen": pin.last_seen,
        }
        for name, pin in state.known_cameras().items()
    ]
    show(state, {"cameras": pins}, rows="cameras", nothing="No camera's certificate is kept yet.")


@app.command()
def forget(ctx: typer.Context, name: Name) -> None:
    """Remove a pin; the next contact pins anew."""
    state = State.of(ctx)
    if not state.known_cameras().forget(name):
        raise ParameterError("{name}: not known", name=name, hint="'ipc trust list' shows the known cameras.")
    show(
        state, None, done="The certificate of {name} is forgotten; the next contact pins it anew.", about={"name": name}
    )  # fmt: skip


@app.command()
def accept(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(metavar="[SN]", help=tr("Serial number, or the address where that is all we knew.")),
    ] = "",
    all_of: Annotated[
        Path | None,
        typer.Option(
            "--all-of",
            metavar="FILE",
            help=tr("Every camera of this site file whose certificate has changed."),
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Accept the certificate that a camera shows now, after it was replaced or reset."""
    from functools import partial

    from sunmi_ipc.discovery.claims import Claims
    from sunmi_ipc.link.tls import ClientCertificate, fingerprint, shown_certificate

    from ..target import open_camera

    state = State.of(ctx)
    if all_of is not None:
        if name:
            raise ParameterError("{name}: not with a serial number", name="--all-of")
        _accept_all(state, all_of, yes)
        return
    if not name:
        raise ParameterError(
            "{name}: missing", name="SN", hint="Name a camera, or a site file with --all-of."
        )
    given = state.settings
    # Whom we do not trust yet is looked at as at a first contact; two that claim to be the camera are told apart by nobody.
    unknown = partial(Claims, connect=given.with_options(ca="").connect, proven=False)
    with (
        open_camera(state, state.camera or name, judge=unknown) as camera,
        waiting(state, "Looking at the certificate …"),
    ):
        certificate = ClientCertificate.load(given.p12, given.p12_password) if given.p12 else None
        der = shown_certificate(
            camera.host, camera.port, certificate, timeout=camera.timeout, legacy=given.tls == "legacy"
        )
        name, by_address = camera.sn or name, not camera.sn
    pins = state.known_cameras()
    before = pins.known(name)
    now = fingerprint(der)
    confirm(
        tr(
            "{name}: known {known}, now {now}.",
            name=name,
            known=before.fingerprint if before else "-",
            now=now,
        ),
        yes,
    )
    pins.replace(name, der)
    if state.json:
        print_json({"name": name, "fingerprint": now})
    say(state, "{name} is trusted with its new certificate.", name=name)
    if by_address and given.ca:
        note(state, "Where a CA is given, this counts only by serial number: 'ipc trust accept SN'.")


def _accept_all(state: State, site: Path, yes: bool) -> None:
    """Look at every camera of a site file, ask once, and pin what has changed."""
    from concurrent.futures import ThreadPoolExecutor

    from sunmi_ipc import discovery
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.sitefile import load
    from sunmi_ipc.link.tls import ClientCertificate, fingerprint, shown_certificate

    loaded = load(site, inline_secrets=True, resolve=False)
    journal = loaded.path.with_suffix(".journal")
    bound: dict[str, str] = {}
    if journal.exists():
        with Journal(journal, write=False) as book:
            bound = book.bindings()
    places = {sn: slot.address for slot in loaded.slots if (sn := slot.sn or bound.get(slot.key, ""))}
    with waiting(state, "Looking for cameras …"):
        found = {one.sn: one for one in discovery.discover(interfaces=state.settings.interfaces())}
    given = state.settings
    certificate = ClientCertificate.load(given.p12, given.p12_password) if given.p12 else None
    pins, missing = state.known_cameras(), list[str]()
    unsure = [sn for sn in places if sn in found and not discovery.UNSURE.isdisjoint(found[sn].flags)]

    def look(sn: str) -> bytes:
        address = places[sn] or (found[sn].address if sn in found and sn not in unsure else "")
        if not address:
            missing.append(sn)
            return b""
        host, port = split_address(address)
        try:
            return shown_certificate(
                host, port, certificate, timeout=given.timeout, legacy=given.tls == "legacy"
            )
        except TlsError:
            missing.append(sn)
            return b""

    with (
        waiting(state, "Looking at {count} certificates …", count=len(places)),
        ThreadPoolExecutor(16) as pool,
    ):
        shown = dict(zip(places, pool.map(look, places), strict=True))
    changed = {
        sn: der
        for sn, der in shown.items()
        if der and (pin := pins.known(sn)) is not None and pin.fingerprint != fingerprint(der)
    }
    for sn in changed:
        note(
            state,
            "{name}: known {known}, now {now}.",
            name=sn,
            known=_known(pins, sn),
            now=fingerprint(changed[sn]),
        )
    if changed:
        confirm(tr("The certificates of {count} cameras have changed.", count=len(changed)), yes)
        for sn, der in changed.items():
            pins.replace(sn, der)
    if state.json:
        print_json({"accepted": sorted(changed), "missing": sorted(missing)})
    if missing:
        note(state, "Not reached: {cameras}.", cameras=", ".join(sorted(missing)))
    say(state, "{count} cameras are trusted with their new certificates.", count=len(changed))


def _known(pins: KnownCameras, sn: str) -> str:
    pin = pins.known(sn)
    return pin.fingerprint if pin is not None else "-"
