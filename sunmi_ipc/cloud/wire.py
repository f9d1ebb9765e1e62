"""The cloud's envelope: build and sign a request, open an answer. Pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from urllib3.filepost import encode_multipart_formdata

from .. import untrusted
from ..codes.cloud import UNAUTHORIZED
from ..errors import CloudError, CloudNotOfferedError, CloudSignatureError, ParameterError, ReplyError
from ..protocol import wire
from ..protocol.spec import Sign
from ..protocol.wire import Credentials, Incoming, Outgoing
from .fields import MAX_BODY

if TYPE_CHECKING:
    from ..models.base import Reply
    from .spec import CloudEndpoint

R = TypeVar("R")
_URL_HINT = "Is SUNMI_IPC_CLOUD_URL right? Without it, the production service is asked."
_FORM = "application/x-www-form-urlencoded"
_PICTURES = {b"\x89PNG": ("face.png", "image/png"), b"\xff\xd8\xff": ("face.jpg", "image/jpeg")}


@dataclass(frozen=True, slots=True)
class Request:
    """A request, ready to send; ``fields`` are what is signed, ``body`` is what is sent."""

    path: str
    fields: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    content_type: str = _FORM
    safe: bool = False
    timeout_s: float | None = None


def build(
    endpoint: CloudEndpoint[..., Any],
    values: Mapping[str, Any],
    credentials: Credentials,
    *,
    shop: Mapping[str, str],
    now: float,
    random: str,
    boundary: str | None = None,
) -> Request:
    """Build and sign the request for *values*, which ``endpoint.check`` has let through.

    Arrays are sent and signed as JSON text, a picture goes unsigned (both inferred).

    Raises:
        ConfigError: The app_id or the secret key is missing.
        ParameterError: The body is larger than the service takes.

    """
    texts: dict[str, Any] = dict(shop) if endpoint.shop else {}
    files: dict[str, bytes] = {}
    for parameter in endpoint.parameters:
        value = values.get(parameter.name)
        if isinstance(value, bytes):
            files[parameter.wire] = value
        elif value is not None:
            texts[parameter.wire] = value
    outgoing = wire.build_raw(endpoint.path, texts, credentials, now=now, random=random, how=Sign.SECRET)
    return _request(outgoing, endpoint.safe, endpoint.timeout_s, files, boundary)


def build_raw(
    path: str,
    values: Mapping[str, Any],
    credentials: Credentials,
    *,
    shop: Mapping[str, str],
    now: float,
    random: str,
) -> Request:
    """Build a request to any path, with wire names and any values; bytes are sent as files, unsigned."""
    files = {k: v for k, v in values.items() if isinstance(v, bytes)}
    texts = dict(shop) | {k: v for k, v in values.items() if k not in files}
    outgoing = wire.build_raw(path, texts, credentials, now=now, random=random, how=Sign.SECRET)
    return _request(outgoing, outgoing.safe, None, files, None)


def _request(
    outgoing: Outgoing,
    safe: bool,
    timeout_s: float | None,
    files: Mapping[str, bytes],
    boundary: str | None,
) -> Request:
    body, kind = outgoing.body, _FORM
    if files:
        parts: list[Any] = [*outgoing.fields, *((name, _file(data)) for name, data in files.items())]
        body, kind = encode_multipart_formdata(parts, boundary)
    if len(body) > MAX_BODY:
        raise ParameterError(
            "the request is larger than {most} bytes, which the service does not take",
            name="body",
            most=MAX_BODY,
            hint="Send fewer entries at a time, or a smaller picture.",
        )
    return Request(outgoing.path, outgoing.fields, body, kind, safe, timeout_s)


def _file(data: bytes) -> tuple[str, bytes, str]:
    name, kind = next(
        (v for start, v in _PICTURES.items() if data.startswith(start)), ("face", "application/octet-stream")
    )
    return name, data, kind


#: Lists of the cloud's have more rows than a camera's; the client's own bound on bytes comes first.
_MAX_COST = 64_000_000
_REFUSED = {
    untrusted.Why.COST: "the answer holds too much to be read at once",
    untrusted.Why.DEPTH: "the answer is nested too deeply",
    untrusted.Why.NUMBER: "the answer holds a number that cannot be used",
    untrusted.Why.FORM: "the answer is not JSON",
}


def _json(body: bytes) -> dict[str, Any]:
    try:
        payload = untrusted.tidy(untrusted.load_json(body, max_cost=_MAX_COST))
    except untrusted.Refused as error:
        raise ReplyError(_REFUSED[error.why], hint=_URL_HINT) from None
    if not isinstance(payload, dict):
        raise ReplyError("the answer is JSON, but not an object", hint=_URL_HINT)
    return payload


def open_json(path: str, incoming: Incoming) -> dict[str, Any]:
    """The ``data`` of an answer of any path, success only; raises as :func:`open_reply`."""
    payload, code = _opened(path, incoming)
    if code != 0:
        raise CloudError.of(code, endpoint=path)
    data = payload.get("data")
    return data if isinstance(data, dict) else {"data": data} if data not in (None, "", []) else {}


def _opened(path: str, incoming: Incoming) -> tuple[dict[str, Any], int]:
    """The answer and its code."""
    if incoming.status == UNAUTHORIZED:
        raise CloudSignatureError(UNAUTHORIZED, endpoint=path)
    if incoming.status != 200:
        raise ReplyError("HTTP status {status} instead of an answer", hint=_URL_HINT, status=incoming.status)
    payload = _json(incoming.body)
    code = payload.get("code")
    if isinstance(code, str) and code.strip().isdecimal() and len(code) < 10:
        code = int(code)
    if isinstance(code, bool) or not isinstance(code, int):
        raise ReplyError("the answer has no return code", hint=_URL_HINT)
    return payload, code


def open_reply(endpoint: CloudEndpoint[..., R], incoming: Incoming) -> R:
    """The typed result of *endpoint*.

    Raises:
        CloudSignatureError: HTTP 401, or a code that says so.
        CloudNotOfferedError: The service does not know a call that the vendor marks as in development.
        CloudError: The service answered with another code.
        ReplyError: Anything else that is not an answer of this shape.

    """
    if endpoint.in_development and incoming.status in (404, 405, 501):
        raise CloudNotOfferedError(incoming.status, endpoint=endpoint.path)
    payload, code = _opened(endpoint.path, incoming)
    data = payload.get("data")
    if code != 0 and not _good_after_all(endpoint, code, payload):
        if endpoint.in_development and code not in endpoint.codes:
            raise CloudNotOfferedError(code, endpoint=endpoint.path)
        meaning, hint = endpoint.meanings.get(code, ("", ""))
        raise CloudError.of(
            code,
            endpoint=endpoint.path,
            meaning=meaning,
            hint=hint,
            in_development=endpoint.in_development,
        )
    if endpoint.result is None:
        return cast(R, None)
    return cast(R, _read(endpoint, data if isinstance(data, dict) else {}))


def _read(endpoint: CloudEndpoint[..., Any], data: Mapping[str, Any]) -> Reply:
    try:
        return cast("type[Reply]", endpoint.result).read(data)
    except ReplyError as error:
        error.hint_template = "The service may answer in another shape than its page shows: please report it."
        raise


def _good_after_all(endpoint: CloudEndpoint[..., Any], code: int, payload: Mapping[str, Any]) -> bool:
    """Whether *payload* is a success though it says code 1, as one of the page's examples does.

    Only with an empty ``msg``, and with data that holds the result's own fields: an error has neither.
    """
    data, result = payload.get("data"), endpoint.result
    if code != 1 or payload.get("msg") != "" or not isinstance(data, dict) or result is None:
        return False
    try:
        made = _read(endpoint, data)
    except ReplyError:
        return False
    # What the tolerant model left out does not count as there.
    return any(
        value not in (None, "", [], {}) and getattr(made, name, None) not in (None, "", ())
        for name, value in data.items()
    )
