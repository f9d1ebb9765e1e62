"""The envelope: build and sign a request, open an answer. Pure functions, no I/O.

Clock and random come from the caller, so that vectors are exact (protocol.md, section 3).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, Protocol, Self, TypeVar, cast
from urllib.parse import urlencode

from .. import untrusted
from ..errors import ConfigError, DeviceError, ParameterError, ReplyError
from ..redact import Secret, is_secret
from ..untrusted import Changed, Refused, Why
from .spec import DOC, REST, Endpoint, Parameter, Sign

R = TypeVar("R")
_OVERRIDE_HINT = (
    "The path {path} is inferred, not documented: 'ipc protocol probe' finds out what this camera calls it, "
    "'ipc protocol import-postman FILE' reads the vendor's Postman collection."
)
_NAMES_HINT = (
    "Check the values, and the camera's clock. How this call's parameters are named is inferred, not documented: "
    "'ipc protocol probe' finds out."
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signs calls. ``secret_key`` for most, ``activation_code`` for ``device/activate``."""

    app_id: str = ""
    secret_key: str = field(default="", repr=False)
    activation_code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Override:
    """A correction of one endpoint, made in the field (protocol.md, section 11).

    Args:
        path: The real path, where it differs.
        names: The real wire names by ours.
        fields: The real names of the answer's fields by ours, wherever in it they stand.
        encoding: By our wire name, how a value travels: ``json``, ``csv``, ``base64`` or ``file``.

    """

    path: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    encoding: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request, ready to send. ``fields`` are in sending order; secrets among them are ``Secret``."""

    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    files: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)
    safe: bool = False

    @property
    def url_path(self) -> str:
        """The path as sent, ``/openapi/…``."""
        return f"/openapi/{self.path}"

    @property
    def body(self) -> bytes:
        """The form, percent-encoded in UTF-8."""
        # surrogateescape: a neighbour's network name goes back byte by byte, whatever its encoding.
        return urlencode(self.revealed, errors="surrogateescape").encode("ascii")

    @property
    def revealed(self) -> list[tuple[str, str]]:
        """The fields as they are sent, secrets in the clear."""
        return [(name, "".join(value)) for name, value in self.fields]


@dataclass(frozen=True, slots=True)
class Incoming:
    """An answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def date(self) -> float | None:
        """The camera's clock from the ``Date`` header, Unix seconds; None without a good one."""
        try:
            return parsedate_to_datetime(self.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError, OverflowError):
            return None


def sign(fields: Mapping[str, str], key: str) -> str:
    """The signature of *fields* (D): sorted, joined, the key appended, MD5, upper-case hex.

    Empty values and ``sign`` itself are left out. The text is that before percent-encoding, in UTF-8 (I).
    """
    # A Secret does not show itself; its letters do.
    text = "&".join(
        [
            f"{k}={v if type(v := fields[k]) is str else ''.join(v)}"
            for k in sorted(fields)
            if fields[k] and k != "sign"
        ]
    )
    return (
        hashlib.md5(f"{text}&key={''.join(key)}".encode("utf-8", "surrogateescape"), usedforsecurity=False)
        .hexdigest()
        .upper()
    )


def nonce() -> str:
    """A fresh ``random``: ten digits, which every page of the documentation allows."""
    return f"{secrets.randbelow(10**10):010d}"


def encode(value: Any, how: str = "") -> str:
    """One value as the text that is signed and sent.

    Booleans and enumerations become numbers, aware datetimes Unix seconds, times of day minutes,
    lists JSON text without blanks (D for the JSON). *how* overrides: ``json``, ``csv``, ``base64``.
    """
    if how == "csv" and isinstance(value, list | tuple):
        return ",".join(encode(v) for v in value)
    if how == "base64" and isinstance(value, bytes):
        from base64 import b64encode

        return b64encode(value).decode("ascii")
    if isinstance(value, Secret):
        return value
    if isinstance(value, Changed):
        return value.raw.decode("utf-8", "surrogateescape")
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool):
        value = int(value)
    elif isinstance(value, datetime):
        value = int(value.timestamp())
    elif isinstance(value, time):
        # time has no 24:00; its last moment stands for it.
        value = 1440 if value == time.max else value.hour * 60 + value.minute
    if isinstance(value, list | tuple | dict) or how == "json":
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    raise TypeError(type(value).__name__)


def _check_time(parameter: Parameter, value: Any) -> None:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ParameterError(
            "{name}: the time has no time zone",
            name=parameter.name,
            hint="Use an aware datetime, e.g. datetime.now().astimezone().",
        )


def build(
    endpoint: Endpoint[..., Any],
    values: Mapping[str, Any],
    credentials: Credentials,
    *,
    now: float,
    random: str,
    override: Override | None = None,
) -> Outgoing:
    """Build and sign the request for *values*, which ``endpoint.check`` has let through.

    Raises:
        ConfigError: The app_id, the secret key or the activation code is missing.
        ParameterError: A time without a time zone.

    """
    override = override or Override()
    private: dict[str, str] = {}
    files: list[tuple[str, bytes]] = []
    for parameter in endpoint.parameters:
        if parameter.name not in values:
            continue
        value = values[parameter.name]
        _check_time(parameter, value)
        name = override.names.get(parameter.wire, parameter.wire)
        how = override.encoding.get(parameter.wire, "")
        if isinstance(value, bytes) and how != "base64":
            files.append((name, value))
        else:
            private[name] = Secret(encode(value, how)) if parameter.secret else encode(value, how)
    for name, value in values.get(REST, {}).items():
        if value is not None and name not in private:
            private[name] = Secret(encode(value)) if is_secret(name) else encode(value)
    path = override.path or endpoint.path
    fields = _signed(private, endpoint.sign, credentials, now=now, random=random)
    return Outgoing(path, fields, tuple(files), endpoint.safe)


def build_raw(
    path: str, values: Mapping[str, Any], credentials: Credentials, *, now: float, random: str, how: Sign
) -> Outgoing:
    """Build a request to any path, with wire names and any values."""
    private = {
        k: Secret(encode(v)) if is_secret(k) else encode(v) for k, v in values.items() if v is not None
    }
    safe = path.rpartition("/")[2].startswith("get")
    return Outgoing(path, _signed(private, how, credentials, now=now, random=random), safe=safe)


def _signed(
    private: dict[str, str], how: Sign, credentials: Credentials, *, now: float, random: str
) -> tuple[tuple[str, str], ...]:
    if how is Sign.NONE:
        return tuple(private.items())
    key = credentials.activation_code if how is Sign.ACTIVATION else credentials.secret_key
    if not credentials.app_id:
        raise ConfigError("no app_id is configured", hint="Set SUNMI_IPC_APP_ID, or run 'ipc configure'.")
    if not key and how is Sign.ACTIVATION:
        raise ConfigError(
            "no activation code is configured",
            hint="Set SUNMI_IPC_ACTIVATION_CODE, or give --code - to be asked.",
        )
    if not key:
        raise ConfigError(
            "no secret key is configured", hint="Set SUNMI_IPC_SECRET_KEY, or run 'ipc configure'."
        )
    fields = {"app_id": credentials.app_id, "timestamp": str(int(now)), "random": random, **private}
    return (*fields.items(), ("sign", Secret(sign(fields, key), remember=False)))


def open_json(incoming: Incoming, *, path: str, inferred: bool = False, named: bool = True) -> dict[str, Any]:
    """The answer's fields, success only: ``data`` where it is, else the top level (I).

    Raises:
        ReplyError: Not HTTP 200, empty, no JSON, no object, no ``code``.
        DeviceError: The camera answered with an error code.

    """
    if incoming.status != 200:
        hint = (
            _OVERRIDE_HINT
            if incoming.status == 404 and inferred
            else "Is this address a SUNMI camera? 'ipc scan' lists them."
        )
        raise ReplyError(
            "HTTP status {status} instead of an answer", hint=hint, status=incoming.status, path=path
        )
    payload = _json(incoming.body)
    if not isinstance(payload, dict):
        raise _not_understood("the answer is JSON, but not an object")
    code = payload.get("code")
    if isinstance(code, str) and code.strip().lstrip("-").isdecimal() and len(code) < 10:
        code = int(code)
    if isinstance(code, float) and code.is_integer():
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        raise _not_understood("the answer has no return code")
    if code != 0:
        hint = _OVERRIDE_HINT if code == 6 and inferred else _NAMES_HINT if code == 2 and not named else ""
        raise DeviceError.of(code, endpoint=path, hint=hint)
    data = payload.get("data")
    if isinstance(data, dict):
        return data
    if data not in (None, "", []):
        # Not the sheet's shape; keep it, so that a list or a text is not lost to the caller.
        return {"data": data}
    return {k: v for k, v in payload.items() if k not in ("code", "data", "msg")}


class Result(Protocol):
    """What an answer becomes: every model of :mod:`sunmi_ipc.models` is one."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        """The result in *data*; raises ReplyError that names the field."""


def open_reply(
    endpoint: Endpoint[..., R], incoming: Incoming, *, path: str = "", fields: Mapping[str, str] | None = None
) -> R:
    """The typed result of *endpoint*; raises as :func:`open_json`, and ReplyError for a wrong shape.

    *path* is the one that was sent, where a correction has another than the endpoint's; *fields* are its names of
    the answer's fields by ours.
    """
    data = open_json(
        incoming, path=path or endpoint.path, inferred=endpoint.evidence is not DOC,
        named=endpoint.params_evidence is DOC or not endpoint.parameters,
    )  # fmt: skip
    if endpoint.result is None:
        return cast(R, None)
    if fields:
        data = _in_our_words(data, {theirs: ours for ours, theirs in fields.items()})
    return cast(R, cast("type[Result]", endpoint.result).read(data))


def _in_our_words(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(k, k): _in_our_words(v, names) for k, v in value.items()}
    if isinstance(value, list):
        return [_in_our_words(inner, names) for inner in value]
    return value


_REFUSED = {
    Why.DEPTH: "the answer is nested too deeply",
    Why.NUMBER: "the answer holds a number that cannot be used",
    Why.FORM: "the answer is not JSON",
}


def _json(body: bytes) -> Any:
    if not body.strip():
        raise _not_understood("the answer is empty")
    try:
        # Bytes after the object are tolerated.
        return untrusted.tidy(untrusted.load_json(body, trailing=True))
    except Refused as error:
        if error.why is Why.COST:
            raise ReplyError(
                "the answer holds too much to be read at once",
                hint="If you asked for many entries or a long time, ask for less.",
            ) from None
        if error.why is Why.FORM and not _is_utf8(body):
            raise _not_understood("the answer is not UTF-8") from None
        raise _not_understood(_REFUSED[error.why]) from None


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _not_understood(template: str) -> ReplyError:
    return ReplyError(
        template, hint="Is this address a SUNMI camera? 'ipc scan' lists them; '-vv' shows what came."
    )
