"""Secrets that cannot be mistaken for anything else, and the spellings in which they could leak."""

from __future__ import annotations

import base64
import json
import zlib
from urllib.parse import quote, quote_plus

from sunmi_ipc.simulator import Vendor

#: Characters that quoting changes are among them, so that each spelling is its own.
MARKS = {
    "secret_key": "mKey+7f3a/Q&x9",
    "activation_code": "mCode+81d2/Z&q4",
    "p12_password": "mP12+55c0/W&k7",
    "wifi": "mWifi+93ab/T&r2",
    "rtsp": "mRtsp+27ee/V&n6",
}

_MADE: dict[str, str] = {}


def mark(name: str) -> str:
    """A marked secret for *name*, the same each time; :func:`all_marks` knows it from now on."""
    return _MADE.setdefault(name, f"m{zlib.crc32(name.encode()):08x}+a/Q&z")


def all_marks() -> dict[str, str]:
    """Every marked secret that a test may have handed out."""
    return MARKS | _MADE


def marked_vendor() -> Vendor:
    """A virtual vendor whose secrets are the marked ones."""
    return Vendor(
        secret_key=MARKS["secret_key"],
        activation_code=MARKS["activation_code"],
        p12_password=MARKS["p12_password"],
    )


def spellings(secret: str) -> set[str]:
    """*secret* as it stands in text, URLs, JSON, HTML, base64 at any offset, and hex."""
    raw = secret.encode()
    bases = {base64.b64encode(b"\0" * shift + raw).decode()[4 if shift else 0 : -4] for shift in range(3)}
    return {
        secret, secret[:10], quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1],
        secret.replace("&", "&amp;"), raw.hex(), raw.hex().upper(), *bases,
    }  # fmt: skip
