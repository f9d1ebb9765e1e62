"""The last scan, so that a serial number finds its address at once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ..atomic import whole
from ..errors import CameraNotFound, ParameterError
from .camera import DUPLICATE_SN, DiscoveredCamera
from .scan import ScanReport, find, is_sn

if TYPE_CHECKING:
    from ..link.tls import ClientCertificate

__all__ = ["last", "locate", "recall", "remember"]

_FILE = "last_scan.json"
_MOST = 4096  # anybody in the network can make up serial numbers: those not seen longest go


def last(directory: Path) -> list[DiscoveredCamera]:
    """The cameras remembered in *directory*; none where there is nothing usable."""
    try:
        rows = json.loads((directory / _FILE).read_text("utf-8"))
        return [
            DiscoveredCamera(**row | {"addresses": tuple(row["addresses"]), "flags": tuple(row["flags"])})
            for row in rows
        ]
    except (OSError, ValueError, TypeError, KeyError):
        return []


def recall(sn: str, directory: Path) -> DiscoveredCamera | None:
    """The remembered camera of serial number *sn*."""
    return next((camera for camera in last(directory) if is_sn(camera, sn)), None)


def remember(cameras: Iterable[DiscoveredCamera], directory: Path) -> None:
    """Add *cameras* to those remembered; a disk that cannot be written is no error.

    A serial number that several cameras claim finds none of them surely, so it is left out.
    """
    sure = {camera.sn: camera for camera in cameras if camera.sn and DUPLICATE_SN not in camera.flags}
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

    Raises:
        CameraNotFound: Nothing of that name answers.
        ParameterError: Several cameras have that name.

    """
    known = recall(name, directory) or _called(name, last(directory))
    if known is not None:
        found = find(
            known.sn,
            timeout=timeout,
            interfaces=interfaces,
            targets=[f"{address}:{known.port}" for address in known.addresses or (known.ip,)],
            certificate=certificate,
        )
        remember([found], directory)
        if is_sn(found, name) or found.name in ("", name):
            return found
        # It has been renamed since: the name may be another's now.
    report = ScanReport()
    try:
        found = find(name, timeout=timeout, interfaces=interfaces, certificate=certificate, report=report)
    except CameraNotFound:
        called = _called(name, report.cameras)
        if called is None:
            raise
        found = called
    remember([found], directory)
    return found


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
