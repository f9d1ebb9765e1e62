"""The door: what cameras, neighbours, events, the cloud and files from elsewhere say is made harmless here.

Nobody parses a stranger's JSON or TOML, or takes a stranger's text, but through these functions:

``load_json(body)``
    Bytes or text to values: bounded in cost (estimated before it is parsed), depth and size of numbers;
    bytes that are not UTF-8 and control characters in strings do not cost the whole document.
``load_toml(text)``
    The same for TOML.
``tidy(value)``
    A copy of parsed values in which every text is bounded by its field and holds no control character and
    no lone surrogate. What had to be changed is a :class:`Changed`, which keeps what came.
``clean(text, limit)``
    One text.
``check(value)``
    Depth and numbers of what another reader has parsed already.

What is refused is a :class:`Refused` with a template of ours; each caller makes its own error of it::

    try:
        fields = untrusted.tidy(untrusted.load_json(body))
    except untrusted.Refused as error:
        raise BadEvent(error.template) from None

A signature covers what came: check it between ``load_json`` and ``tidy``, and keep what ``tidy`` gives.
"""

from __future__ import annotations

import codecs
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

__all__ = [
    "Changed",
    "Refused",
    "Why",
    "check",
    "clean",
    "cost",
    "load_json",
    "load_toml",
    "text_of",
    "tidy",
    "toml_problem",
]

#: Levels of lists and objects; answers of cameras have four.
MAX_DEPTH = 32
#: How much of a broken document is looked at, to say why.
_BEGINNING = 100_000
#: Bytes of memory that reading a document may take; see :func:`cost`. About 5,000 entries of a list.
MAX_COST = 16_000_000
#: Digits of a whole number. None of ours has more than 20; converting very long ones takes for ever.
MAX_DIGITS = 64
_LARGEST = 10**MAX_DIGITS
#: Characters of a text, where its field has no bound of its own.
MAX_TEXT = 65_536
MAX_KEY = 128

_SHORT, _LINK = 256, 8192
#: Characters of a text by its field, lower case; pictures in text have the whole document's bound.
LIMITS: Mapping[str, int | None] = {
    **dict.fromkeys(
        (
            "name", "old_name", "group_name", "sn", "deviceid", "model", "model_name", "type", "firmware",
            "software_version", "hardware_version", "ip", "mac", "network", "networkrol", "factory", "ssid",
            "key_mgmt", "faceid", "cloud_faceid", "event_id", "event_type", "event", "gender", "age",
            "age_range", "app_id", "timestamp", "random", "sign",
        ),
        _SHORT,
    ),
    **dict.fromkeys(
        ("url", "pic_url", "video_url", "snapshot_url", "playback_url", "hd_live_url", "fhd_live_url", "http_callback"),
        _LINK,
    ),
    **dict.fromkeys(("pic", "picture", "image", "img", "photo"), None),
}  # fmt: skip

_CONTINUATION = bytes(range(0x80, 0xC0))
_FOUR = re.compile(rb"[\xf0-\xff]|\\u[dD][89abAB]")
_TWO = re.compile(rb"[\xc4-\xef]|\\u(?!00)")
# Everything that is obeyed rather than shown: control characters, lone surrogates, line and paragraph
# separators, marks that turn the direction of writing.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Bytes that were not UTF-8, kept aside.
_BYTES = re.compile("[\udc00-\udcff]")
_RUNS = re.compile("[\udc00-\udcff]+|[^\udc00-\udcff]+")
#: Beyond so many bytes, what is not UTF-8 is not looked at in pairs: that takes a call each.
_MAX_PAIRS = 262_144


class Why(StrEnum):
    """Why a document is not read."""

    COST = "cost"
    DEPTH = "depth"
    NUMBER = "number"
    FORM = "form"
    ZERO = "zero"


_TEMPLATES = {
    Why.COST: "it holds too much to be read at once",
    Why.DEPTH: "it is nested too deeply",
    Why.NUMBER: "it holds a number that cannot be used",
    Why.FORM: "it is not JSON",
    Why.ZERO: "it holds a text with the character U+0000, which no name, path or password has",
}


class Refused(ValueError):
    """What came is not read: ``why``, and ``template``, which says it in words that have a Chinese.

    ``keys`` leads to the value that is meant, where it is one and known.
    """

    why: Why
    template: str
    keys: tuple[str | int, ...]

    def __init__(self, why: Why, keys: tuple[str | int, ...] = ()) -> None:
        super().__init__(_TEMPLATES[why])
        self.why, self.template, self.keys = why, _TEMPLATES[why], keys


class Changed(str):
    """A text that was made harmless, and ``raw``, the bytes that came: to be sent back as they were."""

    __slots__ = ("raw",)
    raw: bytes

    def __new__(cls, text: str, raw: bytes) -> Changed:
        """*text* for people and keys, *raw* for the one who sent it."""
        made = super().__new__(cls, text)
        made.raw = raw
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return (Changed, ("".join(self), self.raw))


def cost(body: bytes) -> int:
    r"""Bytes of memory that parsing *body* as JSON takes, roughly and rather too high; found without parsing.

    4 MB of ``[[],[],[]…`` would become 90 MB of lists, one emoji makes every character of its text four
    bytes wide, written out as ``\ud83d\ude00`` too, and a small field is a key, a value and a place.
    """
    width = 4 if _FOUR.search(body) else 2 if _TWO.search(body) else 1
    characters = len(body) if body.isascii() else len(body.translate(None, _CONTINUATION))
    structure = (
        1000 * body.count(b"{") + 70 * body.count(b"[") + 60 * body.count(b",") + 120 * body.count(b":")
    )
    return 2 * len(body) + width * characters + structure


def load_json(
    document: bytes | str,
    *,
    max_cost: int = MAX_COST,
    max_depth: int = MAX_DEPTH,
    trailing: bool = False,
    pairs: Callable[[list[tuple[str, Any]]], Any] | None = None,
) -> Any:
    """The values of a JSON *document*; texts in it are as they came, so :func:`tidy` them before use.

    Args:
        document: Bytes, which should be UTF-8; other bytes stay in the texts as lone surrogates
            (``surrogateescape``), so that one neighbour's name in GBK does not cost the document.
        max_cost: As :func:`cost` counts.
        max_depth: Levels of lists and objects.
        trailing: Whether anything may follow the document.
        pairs: Makes an object of its fields; default: a dict, of a field given twice the last.

    Raises:
        Refused: It holds too much, is nested too deeply, or is no JSON.

    """
    body = document if isinstance(document, bytes) else document.encode("utf-8", "surrogatepass")
    if cost(body) > max_cost:
        raise Refused(Why.COST)
    texts = [document] if isinstance(document, str) else _readings(document)
    decoder = json.JSONDecoder(
        strict=False,
        object_pairs_hook=pairs,
        parse_int=_whole,
        parse_float=_finite,
        parse_constant=_no_constant,
    )
    for text in texts:
        text = text.removeprefix("\ufeff").lstrip(" \t\r\n")
        try:
            value, end = decoder.raw_decode(text)
        except RecursionError:
            raise Refused(Why.DEPTH) from None
        except Refused:
            raise
        except ValueError:
            continue
        if not trailing and text[end:].strip(" \t\r\n\0"):
            continue
        _check_depth(value, max_depth)
        return value
    # Newer Pythons parse further before they give up: what is broken and too deep is too deep on all of them.
    raise Refused(Why.DEPTH if _begins_deep(texts[0][:_BEGINNING], max_depth) else Why.FORM)


def _begins_deep(text: str, limit: int) -> bool:
    """Whether more than *limit* levels are open at once; brackets in texts do not count."""
    depth, inside, escaped = 0, False, False
    for char in text:
        if inside:
            inside, escaped = escaped or char != '"', not escaped and char == "\\"
        elif char == '"':
            inside = True
        elif char in "{[":
            depth += 1
            if depth > limit:
                return True
        elif char in "}]":
            depth -= 1
    return False


def load_toml(text: str, *, max_depth: int = MAX_DEPTH) -> dict[str, Any]:
    """The values of a TOML document.

    Raises:
        Refused: It is nested too deeply, or holds a number that nobody can use, or a text with a NUL: as a path that is
            no missing file but a ``ValueError``.
        tomllib.TOMLDecodeError: It is no TOML; the message names the line.

    """
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise Refused(Why.DEPTH) from None
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, OverflowError):  # Python's own bound on digits; a date that there is not
        raise Refused(Why.NUMBER) from None
    _check_depth(document, max_depth)
    if "0000" in text:  # as an escape: TOML has no bare ones
        _check_zero(document)
    return document


#: What Python's TOML reader says, by how it begins, and what a person reads.
_TOML = {
    "Invalid statement": "the line is neither KEY = VALUE nor [TABLE]",
    "Expected newline": "something stands behind the value; one entry a line",
    "Expected ']": "a table's name does not end in its bracket",
    "Expected '='": "there is no = after the key",
    "Expected": "a text has no quotation mark at its end",
    "Unterminated string": "a text has no quotation mark at its end",
    "Invalid initial character": "a key is made of A-Z, a-z, 0-9, - and _, or stands in quotation marks",
    "Unclosed array": "a list has no ] at its end",
    "Unclosed inline table": "a table in braces is not closed",
    "Unescaped": "a backslash in a text is written twice, or the text stands in single quotation marks",
    "Invalid hex": "a character's number is not hexadecimal",
    "Escaped character": "there is no character with that number",
    "Invalid date": "there is no such date or time",
    "Invalid value": "the value is none; a text stands in quotation marks",
    "Cannot": "a key or a table stands there twice",
    "Duplicate": "a key or a table stands there twice",
    "Illegal character": "a character that may not stand there",
    "Found invalid character": "a character that may not stand there",
}


def toml_problem(error: tomllib.TOMLDecodeError) -> tuple[int | None, str]:
    """Where and why a document is no TOML: the line (None: its end), and a template of ours."""
    said = str(error)
    line = re.search(r"\(at line (\d+)", said)
    reason = next(
        (ours for start, ours in _TOML.items() if said.startswith(start)), "it cannot be read as TOML"
    )
    return int(line[1]) if line else None, reason


def clean(text: str, limit: int | None = MAX_TEXT) -> str:
    """*text*, at most *limit* characters, controls and lone surrogates replaced; a :class:`Changed` where it differs.

    Bytes that were not UTF-8 (see :func:`load_json`) are read as GB18030 where they are that.
    """
    if (limit is None or len(text) <= limit) and not _HARMFUL.search(text):
        return text
    cut = text if limit is None else text[:limit]
    shown = _HARMFUL.sub(_REPLACEMENT, text_of(_raw(cut)) if _BYTES.search(cut) else cut)
    return Changed(shown, _raw(text if len(text) <= MAX_TEXT else cut))


def tidy(value: Any, *, limits: Mapping[str, int | None] = LIMITS) -> Any:
    """A copy of *value* with every text in it, keys included, as :func:`clean` has it.

    Args:
        value: What :func:`load_json` or a form gave.
        limits: Characters by field, lower case; None is no bound. Others have :data:`MAX_TEXT`.

    """
    return _tidy(value, MAX_TEXT, limits)


def _tidy(value: Any, limit: int | None, limits: Mapping[str, int | None]) -> Any:
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, Mapping):
        if _is_plain(value):
            return dict(value)
        return {
            (key := clean(str(k), MAX_KEY)): _tidy(v, limits.get(key.lower(), MAX_TEXT), limits)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [_tidy(v, limit, limits) for v in value]
    return value


def _is_plain(fields: Mapping[Any, Any]) -> bool:
    """Whether *fields* are texts below every bound without a character that harms: one look instead of many."""
    texts = (*fields, *fields.values())
    return (
        set(map(type, texts)) <= {str}
        and max(map(len, texts), default=0) <= MAX_KEY
        and not _HARMFUL.search("".join(texts))
    )


def check(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Hold parsed values to the bounds of :func:`load_json`, where another reader has parsed them.

    Raises:
        Refused: They are nested too deeply, or hold a number that cannot be used.

    """
    _check_depth(value, max_depth)
    level = [value]
    while level:
        deeper: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                deeper += one.values()
            elif isinstance(one, list):
                deeper += one
            elif (isinstance(one, float) and not math.isfinite(one)) or (
                isinstance(one, int) and not -_LARGEST < one < _LARGEST
            ):
                raise Refused(Why.NUMBER)
        level = deeper


def text_of(raw: bytes) -> str:
    """*raw* as text for people: UTF-8, else GB18030 (usual in China), else with replacements."""
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("utf-8", "replace")


def _raw(text: str) -> bytes:
    """The bytes that *text* came as."""
    if not _BYTES.search(text):
        return text.encode("utf-8", "surrogatepass")
    return b"".join(
        bytes(ord(c) - 0xDC00 for c in run) if _BYTES.match(run) else run.encode("utf-8", "surrogatepass")
        for run in _RUNS.findall(text)
    )


def _readings(body: bytes) -> list[str]:
    """*body* as text: UTF-8, else with the other bytes kept aside, in pairs as GBK has them, else one by one."""
    try:
        return [body.decode("utf-8")]
    except UnicodeDecodeError:
        single = body.decode("utf-8", "surrogateescape")
        return [single] if len(body) > _MAX_PAIRS else [body.decode("utf-8", "sunmi_ipc.pairs"), single]


def _pairs(error: UnicodeError) -> tuple[str, int]:
    # GBK's second bytes may be a backslash or a brace, which must not be taken for JSON's.
    assert isinstance(error, UnicodeDecodeError)
    start, data = error.start, error.object
    second = data[start + 1] if start + 1 < len(data) else 0
    double = 0x81 <= data[start] <= 0xFE and 0x40 <= second <= 0xFE and second != 0x7F
    end = start + 2 if double else start + 1
    return "".join(chr(0xDC00 + byte) for byte in data[start:end]), end


codecs.register_error("sunmi_ipc.pairs", _pairs)


def _check_depth(value: Any, limit: int) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(limit):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise Refused(Why.DEPTH)


def _check_zero(value: Any) -> None:
    left: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while left:
        keys, one = left.pop()
        if isinstance(one, dict):
            left += [(keys, key) for key in one] + [((*keys, key), inner) for key, inner in one.items()]
        elif isinstance(one, list):
            left += [((*keys, number), inner) for number, inner in enumerate(one)]
        elif isinstance(one, str) and "\0" in one:
            raise Refused(Why.ZERO, keys)


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise Refused(Why.NUMBER)
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise Refused(Why.NUMBER)
    return number


def _no_constant(name: str) -> Any:
    raise Refused(Why.FORM)
