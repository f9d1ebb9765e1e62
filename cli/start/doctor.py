"""``ipc doctor``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.i18n import language, tr

from ..screen.output import print_json, say, table, waiting
from ..screen.tables import width
from ..state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera, Reason

    from .examine import Examined

app = typer.Typer(rich_markup_mode=None, add_completion=False)
#: Nobody ran this before then: an earlier date means a clock that is off.
_NOT_BEFORE = datetime(2026, 1, 1, tzinfo=UTC)


#: Columns of several cameras that go first where the terminal is narrow; a cell's most columns.
_LEAST = ("subscriptions", "certificate", "Wi-Fi", "firmware", "clock", "door line", "SD card", "activated")
_CELL = 26


class _Failed(Exception):
    def __init__(self, message: str, hint: str = "", reasons: Sequence[Reason] = ()) -> None:
        super().__init__(message)
        self.message, self.hint, self.reasons = message, hint, reasons


@app.command()
def doctor(ctx: typer.Context) -> None:
    """Check this computer and every camera in reach: credentials, network, card, door line, clock, Wi-Fi."""
    state = State.of(ctx)
    results, examined = look(state)
    _show_cameras(state, examined)
    good = all(r["ok"] for r in results) and all(camera.ok for camera in examined)
    if state.json:
        cameras = [camera.as_dict() for camera in examined]
        print_json({"ok": good, "checks": results, "cameras": cameras})
    if not good:
        raise typer.Exit(Exit.UNEXPECTED)


def look(state: State) -> tuple[list[dict[str, Any]], list[Examined]]:
    """Carry out every check, telling each as it ends. Returns: the checks as ``--json`` has them, and the cameras."""
    found: list[DiscoveredCamera] = []
    examined: list[Examined] = []
    checks: list[tuple[str, Callable[[State], str]]] = [
        ("settings", _settings),
        ("interfaces", _interfaces),
        ("clock", _clock),
        ("client certificate", _p12),
        ("CA", _ca),
        ("discovery", lambda state: _discovery(state, found)),
        ("signed call", lambda state: _cameras(state, found, examined)),
    ]
    results: list[dict[str, Any]] = []
    for name, check in checks:
        result: dict[str, Any] = {"check": name, "ok": True, "message": "", "hint": None}
        try:
            result["message"] = check(state)
        except _Failed as failed:
            result |= {"ok": False, "message": failed.message, "hint": failed.hint or None}
            if failed.reasons:
                told = [reason.localized() for reason in failed.reasons]
                result["reasons"] = [{"message": text, "hint": hint or None} for text, hint in told]
        except SunmiIpcError as error:
            message, hint = error.localized(language())
            result |= {"ok": False, "message": message, "hint": hint or None}
        results.append(result)
        mark = "✓" if result["ok"] else "✗"
        say(state, "{mark} {name}: {message}", mark=mark, name=tr(name), message=result["message"])
        if result["hint"]:
            say(state, "    → {hint}", hint=result["hint"])
        for reason in result.get("reasons", ()):
            say(state, "    - {message}", message=reason["message"])
            if reason["hint"]:
                say(state, "      → {hint}", hint=reason["hint"])
    return results, examined


def _settings(state: State) -> str:
    from .questions import NAMES

    settings = state.settings
    missing = [tr(NAMES[name]) for name in ("app_id", "secret_key") if not getattr(settings, name)]
    if missing:
        raise _Failed(tr("not configured: {names}", names=tr(", ").join(missing)), tr("Run 'ipc configure'."))
    return tr("app_id and secret key are configured")


def _interfaces(state: State) -> str:
    from sunmi_ipc.discovery.interfaces import chosen, interfaces

    up = sorted(f"{one.name} {one.ip}" for one in chosen(state.settings.interfaces(), interfaces()))
    if not up:
        raise _Failed(
            tr("no network interface with an IPv4 address"),
            tr("Plug in the cable or join the Wi-Fi; for virtual cameras set SUNMI_IPC_INTERFACE=lo."),
        )
    from sunmi_ipc.discovery.diagnosis import surroundings

    return tr("; ").join([tr(", ").join(up), *(reason.localized()[0] for reason in surroundings())])


def _clock(state: State) -> str:
    now = datetime.now(UTC)
    if now < _NOT_BEFORE:
        raise _Failed(
            tr("this computer's clock says {date}", date=f"{now:%Y-%m-%d}"),
            tr("Set the clock: calls are signed with the time."),
        )
    return f"{now.astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _p12(state: State) -> str:
    from sunmi_ipc.errors import TlsError
    from sunmi_ipc.link.tls import ClientCertificate

    from .questions import NAMES, wrong_password

    if not state.settings.p12:
        raise _Failed(
            tr("no client certificate is configured"),
            tr("Get openapi.p12 from the vendor, then 'ipc configure'."),
        )
    try:
        certificate = ClientCertificate.load(state.settings.p12, state.settings.p12_password)
    except TlsError as error:
        if state.settings.p12_password or not wrong_password(error):
            raise
        raise _Failed(
            tr("not configured: {names}", names=tr(NAMES["p12_password"])), tr("Run 'ipc configure'.")
        ) from None
    return tr(
        "{subject}, valid until {date}", subject=certificate.subject, date=f"{certificate.not_after:%Y-%m-%d}"
    )


def _ca(state: State) -> str:
    from sunmi_ipc.link.tls import client_context, read_ca

    if state.settings.insecure:
        raise _Failed(
            tr("cameras are not checked (insecure)"), tr("Take --insecure and SUNMI_IPC_INSECURE away.")
        )
    if not state.settings.ca:
        return tr("none given: each camera is pinned at the first contact")
    client_context(None, read_ca(state.settings.ca))
    return state.settings.ca


def _discovery(state: State, cameras: list[DiscoveredCamera]) -> str:
    from sunmi_ipc import discovery
    from sunmi_ipc.discovery.diagnosis import elsewhere, on_access_point

    interfaces = state.settings.interfaces()
    report = discovery.ScanReport()
    with waiting(state, "Looking for cameras …"):
        found = list(discovery.discover(interfaces=interfaces, access_point=on_access_point(), report=report))
    if not found:
        reasons = discovery.explain(report, interfaces=interfaces, thorough=True)
        raise _Failed(tr("no camera answered"), reasons=reasons)
    cameras += found
    routes = {str(r): r for c in found if (r := elsewhere(c.ip, c.interface_ip)) is not None}
    if routes:
        raise _Failed(tr("a camera was found, but calls to it go another way"), reasons=list(routes.values()))
    text = tr("{count} found in {seconds:.1f} s", count=len(found), seconds=report.elapsed_s)
    return "; ".join([text, *(note.localized()[0] for note in report.notes)])


def _cameras(state: State, found: list[DiscoveredCamera], examined: list[Examined]) -> str:
    """Look at the camera that was named, else at every one that was found."""
    from ..target import is_address, open_camera
    from .examine import Examined, examine, several

    if state.camera:
        seen = next((c for c in found if state.camera in (c.sn, c.ip, c.address, c.name)), None)
        if seen is None:
            with open_camera(state) as camera, waiting(state, "Looking at the camera …"):
                known = Examined("" if is_address(state.camera) else state.camera, camera.address)
                examined.append(examine(state, camera, known))
        else:
            found = [seen]
    if not examined:
        if not found:
            raise _Failed(tr("no camera to look at"), tr("Name one with -c to try a signed call."))
        with waiting(state, "Looking at {count} cameras …", count=len(found)):
            examined += several(state, found)
    answering = [camera for camera in examined if any(f.check == "activated" for f in camera.findings)]
    silent = [camera for camera in examined if camera not in answering]
    if silent:
        finding = silent[0].findings[0]
        raise _Failed(
            tr("{sn}: {message}", sn=silent[0].sn or silent[0].ip, message=finding.message), finding.hint
        )
    if len(answering) > 1:
        return tr("{count} cameras answer", count=len(answering))
    return tr("{sn} answers", sn=answering[0].sn or answering[0].ip)


def _show_cameras(state: State, examined: list[Examined]) -> None:
    """One camera as lines, several as a row each, with what is wrong below."""
    for camera in examined if len(examined) == 1 else ():
        for finding in camera.findings:
            mark = {True: "✓", False: "✗", None: "·"}[finding.ok]
            name = tr(finding.check)
            say(state, "{mark} {name}: {message}", mark=mark, name=name, message=finding.message)
            if finding.hint:
                say(state, "    → {hint}", hint=finding.hint)
    if len(examined) < 2 or state.quiet or state.json:
        return
    columns = list(dict.fromkeys(finding.check for camera in examined for finding in camera.findings))
    rows = []
    for camera in examined:
        row = {"camera": camera.sn or camera.ip}
        for finding in camera.findings:
            mark = {True: "", False: "✗ ", None: ""}[finding.ok]
            told = f"{mark}{finding.message}"
            # What is wrong stands below, in whole words.
            row[finding.check] = (
                told if width(told) <= _CELL or finding.ok is not False else f"✗ {tr('see below')}"
            )
        rows.append(row)
    last = [name for name in _LEAST if name in columns]
    table(rows, ["camera", *columns], least=last)
    for camera in examined:
        for finding in camera.findings:
            if finding.ok is False:
                where = f"{camera.sn or camera.ip}"
                say(
                    state,
                    "✗ {name}: {message}",
                    name=f"{where}, {tr(finding.check)}",
                    message=finding.message,
                )
                if finding.hint:
                    say(state, "    → {hint}", hint=finding.hint)
