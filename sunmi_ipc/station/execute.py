"""Carrying out a declared call for somebody: parameters from JSON, the confirmation, the call, the audit.

The HTTP API and the broker come here alike.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, NotActivatedError, ParameterError, SunmiIpcError
from ..protocol.serial import spelt
from ..protocol.spec import REST, Endpoint, Parameter, Sign
from .roles import needed

if TYPE_CHECKING:
    from ..camera import Camera
    from .station import Station

#: base64 characters: a picture of a megabyte.
HEAVY = 1_400_000


def values_of(endpoint: Endpoint[..., Any], given: Any) -> dict[str, Any]:
    """JSON's values as Python's; raises ParameterError, and leaves the bounds to the declaration."""
    if not isinstance(given, Mapping):
        raise ParameterError("{name}: a JSON object is needed", name="body")
    known = {parameter.name: parameter for parameter in endpoint.parameters}
    made = {}
    for name, value in given.items():
        if name == REST and endpoint.keeps:
            made[name] = _rest(value)
            continue
        if name not in known:
            raise ParameterError("{name}: there is no such parameter", name=str(name)[:64])
        if value is not None:
            made[name] = _value(known[name], value)
    return endpoint.seal(made)


def _rest(value: Any) -> Any:
    """What a camera told besides our fields, and is sent back as it came."""
    if not isinstance(value, Mapping):
        raise ParameterError("{name}: not allowed", name=REST)
    return value


def _value(parameter: Parameter, value: Any) -> Any:
    base = parameter.base
    try:
        if parameter.kind == "file":
            if not isinstance(value, str) or len(value) > HEAVY:
                raise ValueError
            return base64.b64decode(value.encode("ascii"), validate=True)
        if issubclass(base, datetime):
            if isinstance(value, int) and not isinstance(value, bool):
                return datetime.fromtimestamp(value, UTC)
            made = datetime.fromisoformat(value)
            if made.tzinfo is None:
                raise ValueError
            return made
        if issubclass(base, time):
            if value == "24:00":
                return time.max
            return time.fromisoformat(value)
        if issubclass(base, enum.IntFlag):
            if isinstance(value, bool) or not 0 <= int(value) <= 255:
                raise ValueError
            return base(int(value))
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error):
        raise ParameterError("{name}: not allowed", name=parameter.name) from None
    if isinstance(value, float) and value.is_integer() and issubclass(base, int):
        return int(value)  # JSON has one kind of number
    return value


def confirmed(endpoint: Endpoint[..., Any], confirm: str, sn: str) -> None:
    """Raises ParameterError where the call destroys something and nobody has said the camera's number once more."""
    if endpoint.destroys and spelt(confirm) != spelt(sn):
        raise ParameterError(
            "{name}: this destroys {what}",
            name="confirm",
            what=endpoint.destroys,
            hint="Say confirm={sn} to go on.",
            sn=sn,
        )


def carry_out(
    station: Station,
    endpoint: Endpoint[..., Any],
    values: Mapping[str, Any],
    *,
    sn: str,
    who: str,
    origin: str,
    reads: bool = False,
) -> Any:
    """Call a camera for somebody, and write down what only reading does not need.

    Args:
        station: Whose camera it is.
        endpoint: What is called.
        values: Its parameters, checked.
        sn: The camera.
        who: Who asks, for the audit.
        origin: From where, for the audit.
        reads: Write down what only reads, too.

    Returns: the endpoint's result.

    Raises:
        SunmiIpcError: As :meth:`sunmi_ipc.camera.Camera.call`.

    """
    result = "ok"
    try:
        answer = _client(station, endpoint, sn).call(endpoint, values)
    except DeviceError as error:
        result = f"{type(error).__name__} {int(error.code)}"
        raise
    except SunmiIpcError as error:
        result = type(error).__name__
        raise
    finally:
        if reads or not endpoint.safe or needed(endpoint) != "view":
            station.audit.record(endpoint.key, who=who, origin=origin, sn=sn, details=values, result=result)
    return answer


def _client(station: Station, endpoint: Endpoint[..., Any], sn: str) -> Camera:
    """The camera's client; what comes before activation needs no camera that is activated.

    One that is not can prove who it is by its certificate alone, which every connection looks at.
    """
    try:
        return station.camera(sn)
    except NotActivatedError:
        if endpoint.sign is Sign.SECRET and endpoint.key != "device.info":
            raise
        return station.roster.client(station.roster.member(sn))
