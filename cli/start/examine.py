"""What ``ipc doctor`` looks at on a camera: what keeps it from its work.

Only reads; what a model does not have is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sunmi_ipc.errors import (
    DeviceError,
    NotActivatedError,
    SunmiIpcError,
    UnsupportedError,
)
from sunmi_ipc.i18n import language, tr

from ..screen import words
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.camera import Camera
    from sunmi_ipc.discovery import DiscoveredCamera

#: Signed calls were refused beyond some difference that nobody documents; below this, nobody needs to care.
_CLOCK_S = 60.0
#: A certificate that ends sooner is worth a word.
_SOON = timedelta(days=30)
#: Cameras looked at side by side.
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. *ok* is None where it is only worth knowing."""

    check: str
    ok: bool | None
    message: str
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"check": self.check, "ok": self.ok, "message": self.message, "hint": self.hint or None}


@dataclass(slots=True)
class Examined:
    """A camera and what was found."""

    sn: str
    ip: str
    model: str = ""
    name: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing stands in the way."""
        return all(finding.ok is not False for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        head = {"sn": self.sn, "ip": self.ip, "model": self.model, "name": self.name, "ok": self.ok}
        return head | {"checks": [finding.as_dict() for finding in self.findings]}


def examine(state: State, camera: Camera, known: Examined) -> Examined:
    """Look at one camera; an error of the way there is a finding, too."""
    try:
        info = camera.device.info()
    except NotActivatedError as error:
        message, hint = _told(error, known.sn)
        known.findings.append(Finding("activated", False, message, hint))
        known.findings += _each(camera, known, (("clock", _clock), ("certificate", _certificate(state))))
        return known
    except SunmiIpcError as error:
        known.findings.append(Finding("signed call", False, *_told(error, known.sn)))
        return known
    known.sn = info.sn or known.sn
    known.model, known.name = info.model or known.model, info.name or known.name
    known.findings.append(Finding("activated", True, tr("yes")))
    known.findings += _each(
        camera,
        known,
        (
            ("SD card", _card),
            ("door line", _door_line),
            ("clock", _clock),
            ("Wi-Fi", _wifi),
            ("certificate", _certificate(state)),
            ("subscriptions", _subscriptions),
        ),
    )
    known.findings.append(Finding("firmware", None, words.told(info.software_version)))
    return known


def several(state: State, found: Sequence[DiscoveredCamera]) -> list[Examined]:
    """Look at many cameras at once, in the order found."""
    from concurrent.futures import ThreadPoolExecutor

    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    from ..target import open_camera

    # Each is looked for where it was just seen; who claims another's serial number is judged there.
    memory.remember(found, config_dir())
    silent = replace(state, quiet=True)  # one line says that all are looked at

    def one(seen: DiscoveredCamera) -> Examined:
        known = Examined(str(seen.sn), seen.address, str(seen.model or ""), seen.name or "")
        try:
            with open_camera(silent, seen.sn or seen.address) as camera:
                return examine(state, camera, known)
        except SunmiIpcError as error:
            known.findings.append(Finding("signed call", False, *_told(error, known.sn)))
            return known

    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        return list(pool.map(one, found))


def _told(error: SunmiIpcError, sn: str) -> tuple[str, str]:
    if sn and "sn" in error.values:
        error.values = {**error.values, "sn": sn}
    message, hint = error.localized(language())
    if isinstance(error, DeviceError):
        message += tr(" (code {code})", code=f"{int(error.code)} {error.code_name}".rstrip())
    return message, hint


def _each(
    camera: Camera, known: Examined, checks: Sequence[tuple[str, Callable[[Camera, Examined], Finding]]]
) -> list[Finding]:
    made = []
    for name, check in checks:
        try:
            made.append(check(camera, known))
        except UnsupportedError:
            continue  # this model does not have it
        except SunmiIpcError as error:
            made.append(Finding(name, False, *_told(error, known.sn)))
    return made


def _card(camera: Camera, known: Examined) -> Finding:
    from sunmi_ipc.api.sdcard import NEXT
    from sunmi_ipc.protocol.spec import Model

    card = camera.sdcard.status()
    if card.ready:
        return Finding("SD card", True, words.told(card.status))
    hint = tr(NEXT[card.status]) if card.status in NEXT else ""
    if Model.may_be(known.model, Model.FM020):
        hint = f"{hint} {tr('People flow and faces need the card.')}".strip()
    return Finding("SD card", False, words.told(card.status), hint)


def _door_line(camera: Camera, known: Examined) -> Finding:
    line = camera.people_flow.door_line()
    told = dict(words.record(line))
    if not line.end_x:
        hint = tr("Without it people are not counted: 'ipc doorline set X1 Y1 X2 Y2'.")
        return Finding("door line", False, tr("not set"), hint)
    ends = [f"({a}, {b})" for a, b in ((line.start_x, line.start_y), (line.end_x, line.end_y))]
    return Finding("door line", True, " – ".join(ends) if told else "")


def _clock(camera: Camera, known: Examined) -> Finding:
    ahead = camera.clock_ahead
    if ahead is None:
        return Finding("clock", None, tr("the camera does not tell its time"))
    if abs(ahead) <= _CLOCK_S:
        return Finding("clock", True, tr("right"))
    when = words.moment(datetime.fromtimestamp(datetime.now(UTC).timestamp() + ahead, UTC))
    return Finding(
        "clock",
        False,
        tr("{offset:+.0f} s off, the camera says {when}", offset=ahead, when=when),
        tr("A camera takes its time from the internet: does it have a way there?"),
    )


def _wifi(camera: Camera, known: Examined) -> Finding:
    ssid = camera.wifi.show().ssid
    return Finding("Wi-Fi", None, ssid or tr("none set (cable)"))


def _certificate(state: State) -> Callable[[Camera, Examined], Finding]:
    def check(camera: Camera, known: Examined) -> Finding:
        from cryptography import x509

        from sunmi_ipc.link.tls import ClientCertificate, shown_certificate

        given = state.settings
        own = ClientCertificate.load(given.p12, given.p12_password) if given.p12 else None
        legacy = given.tls == "legacy"
        der = shown_certificate(camera.host, camera.port, own, timeout=camera.timeout, legacy=legacy)
        try:
            ends = x509.load_der_x509_certificate(der).not_valid_after_utc
        except ValueError:
            return Finding("certificate", False, tr("cannot be read"))
        message = tr("valid until {date}", date=f"{ends:%Y-%m-%d}")
        if ends < datetime.now(UTC):
            hint = tr("Leave the CA out (SUNMI_IPC_CA): the certificate is then pinned instead.")
            return Finding("certificate", False, tr("expired on {date}", date=f"{ends:%Y-%m-%d}"), hint)
        return Finding("certificate", None if ends < datetime.now(UTC) + _SOON else True, message)

    return check


def _subscriptions(camera: Camera, known: Examined) -> Finding:
    found = [sub for sub in camera.events.list().sub_event if sub.http_callback]
    if not found:
        return Finding("subscriptions", None, words.told(()))
    told = [f"{_event(sub.event)} → {', '.join(sub.http_callback)}" for sub in found]
    return Finding("subscriptions", True, "; ".join(told))


def _event(name: str) -> str:
    from sunmi_ipc.protocol.values import EventType

    return words.told(EventType(name)) if name in list(EventType) else name
