"""The last scan, so that a serial number finds its address at once."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..atomic import whole
from ..errors import CameraNotFound, ParameterError
from ..protocol.serial import SerialNumber
from .camera import UNSURE, DiscoveredCamera
from .scan import ScanReport, find, is_sn
from .sightings import near

if TYPE_CHECKING:
    from ..link.tls import ClientCertificate
    from .claims import Claims

__all__ = ["last", "locate", "prove", "proven", "recall", "remember"]

_FILE, _PROVEN = "last_scan.json", "addresses.json"
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?", re.ASCII)
_MOST = 4096  # anybody in the network can make up serial numbers: those not seen longest go


def last(directory: Path) -> list[DiscoveredCamera]:
    """The cameras remembered in *directory*; none where there is nothing usable."""
    try:
        rows = json.loads((directory / _FILE).read_text("utf-8"))
        return [
            DiscoveredCamera(
                **row | {key: tuple(row.get(key, ())) for key in ("addresses", "flags", "far")},
            )
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def recall(sn: str, directory: Path) -> DiscoveredCamera | None:
    """The remembered camera of serial number *sn*."""
    return next((camera for camera in last(directory) if is_sn(camera, sn)), None)


def remember(cameras: Iterable[DiscoveredCamera], directory: Path) -> None:
    """Add *cameras* to those remembered; a disk that cannot be written is no error.

    Those are left out that nothing should connect to: a serial number that several claim, an odd one, an
    address in another network.
    """
    sure = {
        camera.sn: replace(camera, addresses=near(camera) or (camera.ip,), far=())
        for camera in cameras
        if camera.serial_number and UNSURE.isdisjoint(camera.flags)
    }
    known = {camera.sn: camera for camera in last(directory)}
    if not sure or known | sure == known:
        return
    kept = [camera for sn, camera in known.items() if sn not in sure] + list(sure.values())
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        with whole(directory / _FILE) as file:
            file.write(json.dumps([asdict(camera) for camera in kept[-_MOST:]]).encode())


def locate(
    name: str,
    directory: Path,
    *,
    timeout: float | None = None,
    interfaces: Sequence[str] | None = None,
    certificate: ClientCertificate | None = None,
    judge: Callable[[str], Claims[Any]] | None = None,
) -> DiscoveredCamera:
    """The camera of this serial number or name, at the address where it answers now.

    Its last address is asked along with the network, so a camera that has not moved answers at once;
    one that has moved is found and remembered anew. A name that is not remembered takes the whole of
    *timeout*: another camera may bear it too.

    Args:
        name: Serial number, or the name that its owner gave it.
        directory: Where the last scan is kept.
        timeout: Seconds in all; default: 2.4.
        interfaces: As for :func:`~sunmi_ipc.discovery.discover`.
        certificate: Likewise.
        judge: Who judges those that claim a serial number, as :meth:`sunmi_ipc.settings.Settings.claims`.
            Without one, the first that answers is taken.

    Raises:
        CameraNotFound: Nothing of that name answers.
        ParameterError: Several cameras have that name, or claim that serial number.
        TlsError: What answers under that serial number is not the camera.

    """

    def search(sn: str, targets: Sequence[str], report: ScanReport | None = None) -> DiscoveredCamera:
        claims = judge(sn) if judge is not None else None
        good = proven(sn, directory)
        try:
            found = find(
                sn,
                timeout=timeout,
                interfaces=interfaces,
                targets=[*targets, *([good] if good else [])],
                certificate=certificate,
                report=report,
                approve=claims.approve if claims is not None else None,
                linger=claims.linger if claims is not None else 0.0,
            )
        except CameraNotFound:
            # It may be where it was, and answer no search.
            ip, _, port = good.partition(":")
            here = DiscoveredCamera(sn, ip, int(port or 443), source="memory") if good else None
            if claims is None or claims.error is None:
                raise
            if here is None or not claims.approve(here):
                raise claims.error from None
            found = here
        remember([found], directory)
        if claims is not None:
            prove(found, directory)
        return found

    known = recall(name, directory) or _called(name, last(directory))
    if known is not None:
        found = search(known.sn, [f"{address}:{known.port}" for address in known.addresses or (known.ip,)])
        if is_sn(found, name) or found.name in ("", name):
            return found
        # It has been renamed since: the name may be another's now.
    report = ScanReport()
    try:
        return search(name, (), report)
    except CameraNotFound:
        called = _called(name, report.cameras)
        if called is None:
            raise
    remember([called], directory)
    return called


def proven(sn: str, directory: Path) -> str:
    """The address (``ip`` or ``ip:port``) where the camera proved last that it is the one; else empty."""
    address = _proven(directory).get(str(SerialNumber.read(sn)), "")
    return address if _ADDRESS.fullmatch(address) else ""


def prove(camera: DiscoveredCamera, directory: Path) -> None:
    """Keep where *camera* proved that it is the one; a disk that cannot be written is no error."""
    known = _proven(directory)
    sn = str(SerialNumber.read(camera.sn))
    if known.pop(sn, None) == camera.address:
        return
    kept = dict([*known.items(), (sn, camera.address)][-_MOST:])
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True)
        with whole(directory / _PROVEN) as file:
            file.write(json.dumps(kept).encode())


def _proven(directory: Path) -> dict[str, str]:
    try:
        rows = json.loads((directory / _PROVEN).read_text("utf-8"))
        return {sn: address for sn, address in rows.items() if isinstance(address, str)}
    except (OSError, ValueError, AttributeError, RecursionError):
        return {}


def _called(name: str, cameras: Iterable[DiscoveredCamera]) -> DiscoveredCamera | None:
    several = [camera for camera in cameras if camera.name == name]
    if len(several) > 1:
        raise ParameterError(
            "several cameras are called {name}: {cameras}",
            name=name,
            hint="Name one by its serial number.",
            cameras=", ".join(camera.sn for camera in several),
        )
    return several[0] if several else None
