"""How a pushed event lies in its POST, and how its signature is checked.

**Everything in this file is inferred** (protocol.md, section 7). Documented are only that the
camera POSTs and that the POST is signed by the rule of every call. Whether the body is a form or
JSON, where the event's fields sit and how JSON values are signed is not known, so each layout that
section 7 names is taken; a correction belongs here and nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from .. import untrusted
from ..errors import BadEvent
from ..protocol.wire import sign

#: Under one of these the event's fields may sit, as an object or as its JSON text.
NESTS = ("data", "payload")
#: The envelope's own fields: part of the signature, not of the event.
PUBLIC = frozenset({"app_id", "timestamp", "random", "sign"})
_MAX_FIELDS = 500
#: Field names that events and envelopes are known to have.
KNOWN = PUBLIC | {
    "event_type", "sn", "event_id", "report_time", "faceid", "cloud_faceid", "group_name", "age", "age_range",
    "gender", "arrive_count", "pic_url", "detect_type", "video_url", *NESTS,
}  # fmt: skip
#: What could be another field's beginning inside a value, once all are joined for the signature.
_FIELD_WITHIN = re.compile(r"&([A-Za-z0-9_.-]{1,64})=")
# What follows the name, in a form and in JSON; what stands before it is looked at by itself, as a literal
# beginning is found ten times as fast.
_APP = re.compile(rb'app_id(?:(?==([^&\s]{0,200}))|(?="\s{0,20}:\s{0,20}"([^"]{0,200})"))')
_BEFORE_FORM, _BEFORE_JSON = b"&\r\n\t ", b'"'

#: The secret key of an app_id, None for an app_id that is not ours.
Secrets = Mapping[str, str] | Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Posted:
    """A POST's fields as they came (``top``) and those of its event, ``nested`` ones unfolded."""

    top: dict[str, Any] = field(repr=False)
    event: dict[str, Any] = field(repr=False)
    nested: bool = False

    @property
    def seal(self) -> str:
        """What makes this signed envelope itself: the same time, random text and signature again is a repeat."""
        parts = [str(self.top.get(name) or "") for name in ("app_id", "timestamp", "random", "sign")]
        parts[-1] = parts[-1].upper()
        return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:32]


def _bad(template: str) -> BadEvent:
    return BadEvent(template, hint="'-vv' shows which camera sent it.")


def read(body: bytes, content_type: str = "") -> Posted:
    """The fields of a POST's *body*.

    Args:
        body: The body, UTF-8.
        content_type: The Content-Type header. Only a hint: a body that begins with ``{`` is JSON
            under any name, as cameras' clients label JSON as a form.

    Raises:
        BadEvent: Not UTF-8, neither a form nor a JSON object, a field given twice.

    """
    try:
        text = body.decode("utf-8-sig").strip(" \t\r\n\0")
    except UnicodeDecodeError:
        raise _bad("the event is not UTF-8") from None
    if not text:
        raise _bad("the event is empty")
    is_json = text.startswith("{") or "json" in content_type.lower()
    top = _object(text) if is_json else _form(text)
    event, nested = dict(top), False
    for name in NESTS:
        inner = top.get(name)
        if isinstance(inner, str) and inner.lstrip().startswith("{"):
            inner = _object(inner)
        if isinstance(inner, dict):
            event.pop(name)
            event |= inner
            nested = True
    # No signature covers an empty value, so anybody could add some: they say nothing, and are not kept.
    event = {k: v for k, v in event.items() if k not in PUBLIC and (k in KNOWN or _text(v) != "")}
    return Posted(top, event, nested)


_REFUSED = {
    untrusted.Why.COST: "the event holds too much to be read at once",
    untrusted.Why.DEPTH: "the event is nested too deeply",
    untrusted.Why.NUMBER: "the event holds a number that cannot be used",
    untrusted.Why.FORM: "the event is not JSON",
}


class _Limits(dict[str, int | None]):
    """The bounds of known fields. An unknown one may be a picture: the body's own bound is enough."""

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key)


_LIMITS = _Limits(untrusted.LIMITS)


def harmless(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of an event, after its signature was checked: no text in it can steer or break anything."""
    return dict(untrusted.tidy(fields, limits=_LIMITS))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        # Which of the two was signed and which is meant would be anybody's guess.
        raise _bad("the event has a field twice")
    return fields


def _object(text: str) -> dict[str, Any]:
    try:
        value = untrusted.load_json(text, pairs=_once)
    except untrusted.Refused as refused:
        raise _bad(_REFUSED[refused.why]) from None
    if not isinstance(value, dict):
        raise _bad("the event is JSON, but not an object")
    return value


def _form(text: str) -> dict[str, Any]:
    pieces = text.strip("&").split("&")
    if len(pieces) > _MAX_FIELDS:
        raise _bad("the event is neither a form nor JSON")
    pairs: list[tuple[str, Any]] = []
    try:
        for piece in pieces:
            name, equals, value = piece.partition("=")
            if not equals:
                raise ValueError
            if "+" in piece:
                name, value = name.replace("+", " "), value.replace("+", " ")
            if "%" in piece:
                name, value = unquote(name, errors="strict"), unquote(value, errors="strict")
            pairs.append((name, value))
    except ValueError:
        raise _bad("the event is neither a form nor JSON") from None
    return _once(pairs)


def _text(value: Any) -> str:
    """A JSON value as the text that a signature covers: strings as they are, others as JSON text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _texts(fields: Mapping[str, Any]) -> dict[str, str]:
    return {k: v if type(v) is str else _text(v) for k, v in fields.items()}


def content(fields: Mapping[str, Any]) -> str:
    """A digest of what an event says: the same for a repeat, whether numbers come as numbers or as text."""
    said = sorted([(k, text) for k, text in _texts(fields).items() if text != ""])
    return hashlib.sha256(json.dumps(said).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def app_ids(body: bytes, content_type: str = "") -> list[str]:
    """What the app_id of *body* may be, found without reading it: whether a look at the rest is worth its cost."""
    found: set[bytes] = set()
    for one in _APP.finditer(body):
        start, form = one.start(), one[1]
        if form is None:
            if start and body[start - 1] in _BEFORE_JSON:
                found.add(one[2])
        elif not start or body[start - 1] in _BEFORE_FORM:
            found.add(form)
    return sorted({unquote_to_bytes(one.replace(b"+", b" ")).decode("utf-8", "replace") for one in found})


def _check_seams(reading: Mapping[str, str]) -> None:
    """Refuse a value that could be two fields: "3&event_id=17" is signed like "3" and an event_id of 17.

    A link may have such a query. There it is refused only where the sorted fields could really be cut so:
    a field that events have, in its place in the order.
    """
    if not any("&" in value for value in reading.values()):
        return
    names = sorted(reading)
    for place, name in enumerate(names):
        value = reading[name]
        if "&" not in value:
            continue
        within = _FIELD_WITHIN.findall(value)
        if within and value[:1] in "{[" and _is_json(value):
            continue  # cut in two it would be no JSON, and so no event of a camera's
        if value.startswith(("http://", "https://")):
            after = names[place + 1] if place + 1 < len(names) else ""
            within = [n for n in within if n in KNOWN and name < n and (not after or n < after)]
        if within:
            raise _bad("the event has a value that could be read as two fields")


def _is_json(text: str) -> bool:
    try:
        untrusted.load_json(text)
    except untrusted.Refused:
        return False
    return True


def _readings(posted: Posted) -> Iterator[dict[str, str]]:
    """What may have been signed. Each reading covers every field, so none leaves one open to change."""
    yield _texts(posted.top)
    if posted.nested:
        yield _texts(posted.event | {k: v for k, v in posted.top.items() if k in PUBLIC})


def _signed(reading: Mapping[str, str], key: str) -> bytes:
    try:
        return sign(reading, key).encode()
    except UnicodeEncodeError:  # a lone surrogate: what bytes it was signed as, nobody knows
        return b""


def has_signature(posted: Posted) -> bool:
    """Whether there is a signature to check."""
    return bool(posted.top.get("sign"))


def verify(posted: Posted, secrets: Secrets) -> bool:
    """Whether the signature is that of an app we know; compared in constant time.

    There is no limit on the signature's age: a camera without internet may be years off. A repeat is
    recognised by its envelope (:attr:`Posted.seal`) and by what it says.

    Raises:
        BadEvent: It fits, but a value could be read as two fields, so that it would fit another event as well.

    """
    given, app_id = posted.top.get("sign"), posted.top.get("app_id")
    if not isinstance(given, str) or not isinstance(app_id, str):
        return False
    key = secrets(app_id) if callable(secrets) else secrets.get(app_id)
    if not key:
        return False
    candidate = given.upper().encode("utf-8", "replace")
    readings = list(_readings(posted))
    matches = [hmac.compare_digest(_signed(reading, key), candidate) for reading in readings]
    for reading, fits in zip(readings, matches, strict=True):
        if fits:
            _check_seams(reading)
    return any(matches)
