"""The virtual cloud's own checks of what every call has in common, written from the vendor's page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...protocol.spec import Endpoint
from ..checks import Refused, check_private, parse_form, parse_multipart, signature
from .state import Shop

#: The page's 1 M as the virtual cloud takes it.
MOST_BYTES = 1_000_000


class Unauthorized(Exception):
    """Answer HTTP 401."""


def read_body(body: bytes, kind: str) -> tuple[dict[str, str], dict[str, bytes]]:
    """Fields and files of a form; refused with 5020 where it is none."""
    try:
        if kind.startswith("multipart/"):
            return parse_multipart(body, kind)
        return parse_form(body), {}
    except Refused:
        raise Refused(5020) from None


def check_public(form: Mapping[str, str], app_id: str, key: str, *, clock: float, tolerance: float) -> None:
    """Who calls, and when.

    Raises:
        Unauthorized: The app or the signature is wrong.
        Refused: 5091 for the time, 5092 for the random text.

    """
    if form.get("app_id") != app_id or form.get("sign") != signature(form, key):
        raise Unauthorized
    stamp = form.get("timestamp", "")
    if not re.fullmatch(r"[0-9]{10}", stamp) or abs(int(stamp) - clock) > tolerance:
        raise Refused(5091)
    if not re.fullmatch(r"[0-9A-Za-z]{6,10}", form.get("random", "")):
        raise Refused(5092)


def find_shop(form: dict[str, str], shops: Mapping[str, Shop]) -> Shop:
    """The shop that the call names, its fields taken out; 5041 without, 5013 for one that is not ours."""
    no, own_id = form.pop("sunmi_shop_no", ""), form.pop("shop_id", "")
    if not (no or own_id):
        raise Refused(5041)
    shop = shops.get(no) if no else next((s for s in shops.values() if s.shop_id == own_id), None)
    if shop is None or (own_id and shop.shop_id != own_id):
        raise Refused(5013)
    return shop


def private(
    endpoint: Endpoint[..., Any], form: Mapping[str, str], files: Mapping[str, bytes]
) -> dict[str, Any]:
    """The private parameters by Python name; refused with 5020, the size of a picture as well."""
    try:
        values = check_private(endpoint, form, files, None)
    except Refused:
        raise Refused(5020) from None
    for name, value in values.items():
        if isinstance(value, bytes) and not 0 < len(value) < MOST_BYTES:
            raise Refused(5020)
        if isinstance(value, str) and name in ("ipc_id", "company_no") and not value.isdecimal():
            raise Refused(5020)
    return values
