"""Results of the ``wifi`` group."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from ..redact import printable
from ..untrusted import Changed, text_of
from .base import Listed, Reply


class WifiConfiguration(Reply):
    """The network that the camera joins. ``password`` is a secret: ``repr`` does not show it."""

    ssid: str = ""
    password: str = Field("", repr=False)


def _heard(name: Any) -> Any:
    """A network's name for people; the bytes that were heard stay with it, to be sent back when it is joined."""
    if not isinstance(name, Changed):
        return name
    return Changed(printable(text_of(name.raw)), name.raw)


def _named(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    heard = _heard(value)
    text = handler(heard)
    return heard if isinstance(heard, Changed) else text


class AccessPoint(Reply):
    """A network that the camera can see. ``key_mgmt`` is ``WPA-PSK``, ``NONE`` and so on.

    Names are bytes: ``ssid`` shows those that are no UTF-8 as GB18030, and what is not printable escaped; it is
    given to ``wifi.join`` as it stands.
    """

    ssid: Annotated[str, WrapValidator(_named)]
    key_mgmt: str = ""


class AccessPoints(Reply):
    """The networks that the camera can see (SDK: ``ScanResultCollection``)."""

    num: int = 0
    ap_list: Annotated[tuple[AccessPoint, ...], Listed] = ()
