"""Errors as they travel: told by the station, raised again by the caller as what they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .. import errors
from ..errors import DeviceError, ShopUnreachable, SunmiIpcError
from ..redact import scrub
from .contract import Failure

#: What a request is refused with by the clock; whoever asked may ask again by the station's.
CLOCK = {
    "expired": "the request has expired by the station's clock",
    "from the future": "the request is from the future by the station's clock",
    "valid for too long": "the request is valid for longer than the station allows",
}


#: A field as our templates have them. str.format knows more: widths that fill the memory, attributes, keys.
_FIELD = re.compile(r"\{[a-z_]{1,40}(?::(?:g|,|[+]?\.[0-9][a-z]))?\}")
_BRACES = re.compile(r"[{}]")


def told(error: SunmiIpcError) -> Failure:
    """*error*, ready to travel; secrets have no place in its templates and values."""
    code = getattr(error, "code", None)
    values: dict[str, Any] = {}
    for name, value in list(error.values.items())[:30]:
        if isinstance(value, SunmiIpcError):
            value = value.message
        values[name] = value if isinstance(value, int | float) else scrub(str(value))[:500]
    kind = next(
        (c.__name__ for c in type(error).__mro__ if getattr(errors, c.__name__, None) is c), "SunmiIpcError"
    )
    return Failure(
        type=kind,
        code=int(code) if isinstance(code, int) else None,
        name=error.endpoint if isinstance(error, DeviceError) else "",
        template=error.template[:1000],
        values=values,
        hint=error.hint_template[:1000],
        sent=error.sent,
    )


def raised(failure: Failure, camera: str) -> SunmiIpcError:
    """The error that a station has told of."""
    if failure.code is not None and issubclass(getattr(errors, failure.type, SunmiIpcError), DeviceError):
        device = DeviceError.of(failure.code, endpoint=failure.name, camera=camera, hint=failure.hint)
        device.hint_template = _harmless(device.hint_template, device.values)
        device.sent = True
        return device
    kind = getattr(errors, failure.type, None)
    if not (isinstance(kind, type) and issubclass(kind, SunmiIpcError)) or issubclass(
        kind,
        errors.CloudError | DeviceError,  # without a code it is none
    ):
        kind = SunmiIpcError
    # Not by its own initialiser: each class has another.
    made: SunmiIpcError = kind.__new__(kind)
    SunmiIpcError.__init__(
        made, _harmless(failure.template, failure.values), hint=_harmless(failure.hint, failure.values)
    )
    made.values = dict(failure.values)
    if not isinstance(made, errors.ParameterError):
        made.camera = camera
    made.sent = failure.sent
    return made


def _harmless(template: str, values: Mapping[str, object]) -> str:
    """*template*, where it is one of ours that these *values* fill; else the same text, in which nothing is filled in."""
    if not values:
        return template
    if not _BRACES.search(_FIELD.sub("", template)):
        try:
            template.format(**values)
        except (LookupError, ValueError, TypeError):
            pass
        else:
            return template
    return _BRACES.sub(lambda brace: brace[0] * 2, template)


class Interrupted(ShopUnreachable):
    """The connection to the broker broke during a call, and is there again: an answer may have come meanwhile."""


def lost(
    template: str,
    site: str,
    *,
    sent: bool = True,
    hint: str = "",
    kind: type[ShopUnreachable] = ShopUnreachable,
    **values: object,
) -> ShopUnreachable:
    """No answer came from a station; *sent*: it may have had the request."""
    error = kind(template, hint=hint or "Is the shop's connection slow? Try again in a moment.", site=site)
    error.values |= values
    error.sent = sent
    return error
