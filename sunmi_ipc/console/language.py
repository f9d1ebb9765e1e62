"""Which language a browser asks for."""

from __future__ import annotations

from ..i18n import Language


def preferred(header: str) -> Language:
    """Chinese where the browser asks for it before English (``Accept-Language``)."""
    wishes = []
    for place, part in enumerate(header.split(",")[:20]):
        name, _, rest = part.strip().partition(";")
        try:
            weight = float(rest.partition("q=")[2] or 1)
        except ValueError:
            weight = 0.0
        wishes.append((-weight, place, name.lower()))
    for _, _, name in sorted(wishes):
        if name.startswith("zh"):
            return "zh"
        if name.startswith("en"):
            return "en"
    return "en"
