"""From what a person has set (``--via``, ``--site``, the environment, a profile) to a remote camera."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ..discovery import DiscoveredCamera
from ..errors import ConfigError
from .channel import Channel, shared
from .connection import Broker
from .contract import PREFIX
from .keys import KeyStore, SigningKey
from .site import RemoteSite
from .stations import KnownStations

if TYPE_CHECKING:
    from ..camera import Camera
    from ..link.exchange import CameraOptions


class Wishes(Protocol):
    """What is needed of the settings; ``Settings`` is one."""

    @property
    def via(self) -> str: ...  # noqa: D102

    @property
    def site(self) -> str: ...  # noqa: D102

    @property
    def key(self) -> str: ...  # noqa: D102

    @property
    def via_user(self) -> str: ...  # noqa: D102

    @property
    def via_password(self) -> str: ...  # noqa: D102

    @property
    def via_ca(self) -> str: ...  # noqa: D102

    @property
    def via_certificate(self) -> str: ...  # noqa: D102

    @property
    def via_certificate_key(self) -> str: ...  # noqa: D102

    @property
    def via_prefix(self) -> str: ...  # noqa: D102


def folder() -> Path:
    """Where keys and known stations are kept: the config directory."""
    if given := os.environ.get("SUNMI_IPC_CONFIG_DIR"):
        return Path(given)
    import typer

    return Path(typer.get_app_dir("sunmi-ipc"))


def key_store() -> KeyStore:
    """The keys of whoever runs us."""
    return KeyStore(folder() / "keys")


def known_stations() -> KnownStations:
    """The stations' keys that were seen before."""
    return KnownStations(folder() / "known_stations.json")


def broker_of(settings: Wishes) -> Broker:
    """The broker that is meant; raises ConfigError."""
    return Broker.of(
        settings.via,
        user=settings.via_user,
        password=settings.via_password,
        ca=settings.via_ca,
        certificate=settings.via_certificate,
        key=settings.via_certificate_key,
    )


def channel_of(settings: Wishes, *, signing: bool = True) -> Channel:
    """The connection to the broker that is meant, one a process.

    Args:
        settings: What is meant.
        signing: Whether calls are to be signed; else only what stations tell is read.

    Raises:
        ConfigError: No such URL, no key, or the extra ``mqtt`` is not installed.

    """

    def key() -> SigningKey | None:
        return key_store().load(settings.key) if signing else None

    return shared(
        broker_of(settings),
        key,
        site=settings.site,
        stations=known_stations(),
        prefix=settings.via_prefix or PREFIX,
        signing=signing,
    )


def site_of(settings: Wishes) -> RemoteSite:
    """The shop that is meant; raises ConfigError where none is named."""
    if not settings.site:
        raise ConfigError(
            "through a broker, the shop has to be named",
            hint="Use --site SITE or $SUNMI_IPC_SITE, with --via.",
        )
    return channel_of(settings).site(settings.site)


def every_site(settings: Wishes) -> dict[str, RemoteSite]:
    """Every shop that the broker knows of; looking needs no key. Raises BrokerError."""
    return channel_of(settings, signing=False).everyone()


def remote_camera(settings: Wishes, address: str, options: CameraOptions) -> Camera:
    """A camera of the site; commands and the fleet use it like a ``Camera``, of which they need the calls alone."""
    camera = site_of(settings).camera(
        options.get("sn") or address.partition(".")[0],
        model=options.get("model", ""),
        timeout=float(options.get("timeout", getattr(settings, "timeout", 10.0))),
        retries=options.get("retries", 2),
    )
    # Whatever needs more of a camera than calls is refused by RemoteCamera with the reason.
    return cast("Camera", camera)


def remote_cameras(settings: Wishes) -> Iterator[DiscoveredCamera]:
    """The cameras of the site, as its station tells of them."""
    site = site_of(settings)
    site.approve()
    for sn, camera in sorted(site.cameras().items()):
        yield DiscoveredCamera(
            sn,
            f"{sn}.{site.name}.via",
            mac=camera.mac,
            model=camera.model,
            name=camera.name,
            firmware=camera.firmware,
            source="broker",
        )
