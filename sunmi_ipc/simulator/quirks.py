"""What real firmware may do otherwise than the protocol sheet has it, on order and for good.

Faults (:mod:`.faults`) spoil single answers; a quirk is how this camera is.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from ..errors import ParameterError

Quirk = Literal[
    "short-pages",  # at most 7 rows a page, whatever is asked for
    "no-total",  # lists without their total; beyond the last page they are empty
    "repeated-pages",  # beyond the last page comes the last again
    "neighbours",  # networks whose names are GBK, hold a tab, or are hidden
    "unknown-fields",  # settings with fields that nothing documents; a write without them resets them
    "missing-fields",  # answers without their last optional field
    "flv",  # recordings and clips are FLV, whatever their addresses end in
    "any-parameters",  # parameters that it does not know are passed over, not refused
    "slow-format",  # the answer to formatting comes when it is over
]
QUIRKS: tuple[str, ...] = get_args(Quirk)

#: A GBK name as it stands in an answer that is not UTF-8: "邻居的网络".
GBK_NAME = "邻居的网络".encode("gbk").decode("utf-8", "surrogateescape")
#: Networks that neighbours have: a name in GBK, one with a tab that JSON does not allow as it is, and hidden ones.
NEIGHBOURS: tuple[tuple[str | None, str, str], ...] = (
    (GBK_NAME, "WPA-PSK", "linju-2020"),
    ("Tab\tnet", "WPA-PSK", "tabulator"),
    (None, "WPA-PSK", ""),
    ("", "NONE", ""),
)
#: By document, what newer firmware may have beside the documented fields (names invented).
UNKNOWN_FIELDS: dict[str, dict[str, int | str]] = {
    "motion": {"people_detect_status": 1},
    "ai_face": {"liveness": 1},
    "people_flow": {"staff_filter": 1},
    "ip": {"mtu": 1500},
    "ir": {"wdr_mode": 1},
}


def parse_quirks(names: Iterable[str]) -> frozenset[str]:
    """Check names of quirks.

    Raises:
        ParameterError: One is none.

    """
    chosen = frozenset(names)
    if not chosen <= set(QUIRKS):
        raise ParameterError("{name}: unknown", name="quirk", hint="One of {kinds}.", kinds=", ".join(QUIRKS))
    return chosen


__all__ = ["GBK_NAME", "NEIGHBOURS", "QUIRKS", "UNKNOWN_FIELDS", "Quirk", "parse_quirks"]
