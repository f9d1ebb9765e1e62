"""RTSP addresses with user and password in them, which do not show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from ..errors import ReplyError
from ..link.guard import addresses, own_url
from ..redact import MASK, Secret

if TYPE_CHECKING:
    from ..link.caller import Link
    from ..models import LiveAddress


@dataclass(frozen=True, slots=True)
class RtspAddress:
    """An RTSP address. ``str`` and ``repr`` mask user and password; :meth:`reveal` gives all of it.

    Attributes:
        bare: As the camera gave it, without user and password.

    """

    bare: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def reveal(self) -> str:
        """With user and password, for a player or a library."""
        if not self.user:
            return self.bare
        parts = urlsplit(self.bare)
        secret = f"{quote(self.user, safe='')}:{quote(Secret(self.password).reveal(), safe='')}"
        return urlunsplit(parts._replace(netloc=f"{secret}@{parts.netloc}"))

    def __str__(self) -> str:
        if not self.user:
            return self.bare
        scheme, _, rest = self.bare.partition("://")
        return f"{scheme}://{MASK}@{rest}"

    def __repr__(self) -> str:
        return f"RtspAddress({str(self)!r})"


@dataclass(frozen=True, slots=True)
class Live:
    """The live picture, "high" (``hd``) and "super" (``fhd``): names, not sizes. None where it is not offered."""

    hd: RtspAddress | None
    fhd: RtspAddress | None

    def best(self, quality: str = "") -> RtspAddress:
        """The address of *quality* (``hd`` or ``fhd``), else of the best there is."""
        wanted = {"hd": self.hd, "fhd": self.fhd}.get(quality) or self.fhd or self.hd
        assert wanted is not None
        return wanted


def rtsp(link: Link, url: str) -> RtspAddress:
    """The address that the camera gave, with its user and password; one that leads elsewhere is refused.

    Raises:
        ReplyError: It does not lead to this camera.

    """
    own_url(url, addresses(link.host), schemes=("rtsp",))
    return RtspAddress(url, link.rtsp_user, link.rtsp_password)


def live(link: Link, given: LiveAddress) -> Live:
    """The addresses of the live picture, as the camera gave them."""
    hd, fhd = (rtsp(link, url) if url else None for url in (given.hd_live_url, given.fhd_live_url))
    if hd is None and fhd is None:
        raise ReplyError("the camera gave no address of its live picture", camera=link.address)
    return Live(hd, fhd)
