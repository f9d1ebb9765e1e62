"""Keep secrets out of everything that is shown, logged or saved.

One rule for all: a value is masked by the name it stands under, and every secret that this
process has been given is masked wherever its text turns up.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"

#: Wire and Python names whose values are never shown.
SECRET_NAMES = frozenset(
    {
        "activation_code",
        "http_callback_secret",
        "p12_password",
        "password",
        "rtsp_password",
        "secret",
        "secret_key",
        "sign",
    }
)
_URL_USER = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/@\s]*@")
_PAIR = re.compile(r"(?P<name>[A-Za-z_]*(?:password|secret|sign|code)[A-Za-z_]*)=(?P<value>[^&\s]+)")


class Secret(str):
    """Text that does not show itself: ``repr`` and formatting give ``***``.

    ``str`` operations that the standard library does in C (encoding, joining) still see the
    text, so it can be handed to any function that takes a string.
    """

    __slots__ = ()

    def __new__(cls, text: str = "") -> Secret:
        """Wrap *text*; a Secret stays what it is (``str`` would copy its mask)."""
        return text if isinstance(text, Secret) else super().__new__(cls, text)

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
    return name.lower() in SECRET_NAMES


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
    """*text* with user and password in URLs, and ``password=…`` pairs, masked."""
    text = _URL_USER.sub(rf"\g<scheme>{MASK}@", text)
    return _PAIR.sub(lambda m: f"{m['name']}={MASK}" if is_secret(m["name"]) else m[0], text)


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
    """Mask secrets in log records; put it on a handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record's message; every record passes."""
        record.msg, record.args = redact_text(record.getMessage()), ()
        return True
