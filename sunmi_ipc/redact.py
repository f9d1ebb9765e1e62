"""Keep secrets out of everything that is shown, logged or saved.

One rule for all: a value is masked by the name it stands under, and every secret that this
process has been given is masked wherever its text turns up.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "***"

#: Wire and Python names whose values are never shown.
SECRET_NAMES = frozenset(
    {
        "activation_code",
        "http_callback_secret",
        "p12_password",
        "passphrase",
        "passwd",
        "password",
        "psk",
        "pwd",
        "rtsp_password",
        "secret",
        "secret_key",
        "sign",
        "token",
    }
)
_SECRET_ENDINGS = ("_passphrase", "_password", "_secret", "_token")
# A port before a path, where a password could stand.
_PORT = re.compile(r"\d{1,5}/")
_BLANK = re.compile(r"\s")
_PAIR = re.compile(r"\b(?P<name>\w{2,40})=(?P<value>[^&\s]+)")
# In JSON, whole or broken off: a string to its end or to the text's, or a number.
_JSON_PAIR = re.compile(
    r'"(?P<name>\w{2,40})"(?P<colon>\s*:\s*)(?:"(?:[^"\\]|\\.)*(?:"|\\?$)|[^\s",}\]]+)', re.DOTALL
)

#: Shorter texts, and the camera's own default, turn up by chance.
_MIN_KNOWN = 6
_COMMON = frozenset({"admin", "password", "123456"})
_MAX_KNOWN = 4096


class _Known:
    """The texts of secrets that this process has been given, in the spellings in which they travel."""

    def __init__(self) -> None:
        self._spellings: dict[str, None] = {}
        self._lock = threading.Lock()
        self._pattern: re.Pattern[str] | None = None

    def add(self, text: str) -> None:
        if len(text) < _MIN_KNOWN or text in _COMMON or text in self._spellings:
            return
        with self._lock:
            while len(self._spellings) > _MAX_KNOWN:
                del self._spellings[next(iter(self._spellings))]
            for spelling in (text, quote(text, safe=""), quote_plus(text), repr(text)[1:-1]):
                self._spellings[spelling] = None
            self._pattern = None

    def mask(self, text: str) -> str:
        with self._lock:
            if not self._spellings:
                return text
            if self._pattern is None:
                # The longest first: one secret may begin another.
                longest = sorted(self._spellings, key=len, reverse=True)
                self._pattern = re.compile("|".join(map(re.escape, longest)))
            pattern = self._pattern
        return pattern.sub(MASK, text)


_known = _Known()


class Secret(str):
    """Text that does not show itself: ``repr`` and formatting give ``***``.

    ``str`` operations that the standard library does in C (encoding, joining) still see the
    text, so it can be handed to any function that takes a string.
    """

    __slots__ = ()

    def __new__(cls, text: str = "", *, remember: bool = True) -> Secret:
        """Wrap *text*; a Secret stays what it is (``str`` would copy its mask).

        Args:
            text: The secret.
            remember: Mask it in logs, errors and traces wherever it turns up (:func:`scrub`).

        """
        if isinstance(text, Secret):
            return text
        made = super().__new__(cls, text)
        if remember:
            _known.add("".join(made))
        return made

    def __repr__(self) -> str:
        return MASK if self else "''"

    def __str__(self) -> str:
        return MASK if self else ""

    def __format__(self, spec: str) -> str:
        return format(MASK if self else "", spec)

    def reveal(self) -> str:
        """The text itself."""
        return "".join(self)


def is_secret(name: str) -> bool:
    """Whether a value of this name is never shown."""
    name = name.lower()
    return name in SECRET_NAMES or name.endswith(_SECRET_ENDINGS)


def redact(value: Any, *, names: Iterable[str] = ()) -> Any:
    """A copy of *value* with the values of secret keys and credentials in URLs masked.

    Args:
        value: Anything made of mappings, lists and scalars.
        names: Further names to mask.

    """
    more = {name.lower() for name in names}
    if isinstance(value, Mapping):
        return {
            k: (MASK if v else v) if is_secret(str(k)) or str(k).lower() in more else redact(v, names=more)
            for k, v in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(v, names=more) for v in value]
    if isinstance(value, Secret):
        return str(value)
    if isinstance(value, str):
        return redact_text(value)
    return value


def redact_text(text: str) -> str:
    """*text* with user and password in URLs, and ``password=…`` pairs (of JSON, too), masked."""
    text = _mask_urls(text)
    text = _PAIR.sub(lambda m: f"{m['name']}={MASK}" if is_secret(m["name"]) else m[0], text)
    return _JSON_PAIR.sub(
        lambda m: f'"{m["name"]}"{m["colon"]}"{MASK}"' if is_secret(m["name"]) else m[0], text
    )


def _mask_urls(text: str) -> str:
    """*text* with user and password in URLs masked; in one pass, as no pattern of ``re`` does it.

    A password may hold a slash that was not quoted; but a port before a path is none.
    """
    if "://" not in text or "@" not in text:
        return text
    pieces = text.split("@")
    for i, piece in enumerate(pieces[:-1]):
        blanks = [m.end() for m in _BLANK.finditer(piece)]
        start = piece.find("://", blanks[-1] if blanks else 0)
        quote, slash = piece.rfind('"'), -1
        while start >= 0:
            end = start + 3
            if start and (piece[start - 1].isalnum() or piece[start - 1] in "+.-"):
                colon = piece.find(":", end)
                slash = piece.find("/", end) if slash < end else slash
                password = colon >= 0 and not 0 <= slash < colon and quote < colon
                if slash < 0 or (password and not _PORT.match(piece, colon + 1)):
                    pieces[i] = piece[:end] + MASK
                    break
            start = piece.find("://", end)
    return "@".join(pieces)


def scrub(text: str) -> str:
    """:func:`redact_text`, and every secret that this process has been given masked wherever it stands.

    For logs, errors and traces, where text comes from anywhere.
    """
    return _known.mask(redact_text(text))


def printable(text: str, limit: int | None = None) -> str:
    """*text* with control characters, terminal escapes and bidirectional marks shown, never obeyed.

    Args:
        text: From a camera, or from whoever answers in its name.
        limit: Characters of *text* that are shown; a longer one ends in an ellipsis.

    """
    shown = text if limit is None or len(text) <= limit else text[: limit - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in shown
    )


class RedactingFilter(logging.Filter):
    """Mask secrets in log records, and show what a terminal would obey; put it on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message; every record passes."""
        # A line break would make a second record of what a stranger says.
        record.msg, record.args = printable(scrub(record.getMessage())), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = "\n".join(map(printable, scrub(record.exc_text).split("\n")))
        return True
