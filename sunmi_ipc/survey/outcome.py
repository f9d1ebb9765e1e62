"""What became of one call, as far as it tells something about the protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..protocol.wire import Incoming
from ..untrusted import Refused, load_json

#: Answered where a URL does not exist (section 6); web servers say HTTP 404.
NO_SUCH_URL = 6


@dataclass(frozen=True, slots=True)
class Outcome:
    """A camera's answer, reduced.

    Args:
        kind: ``code`` (a return code came), ``http`` (another status), ``odd`` (no envelope), ``silent``
            (no answer).
        number: The return code or the HTTP status.
        data: The answer's fields, where the call succeeded.
        place: Where they stood: ``data``, ``top``, or empty.

    """

    kind: str
    number: int = 0
    data: Any = None
    place: str = ""

    @property
    def same(self) -> tuple[str, int]:
        """What two answers have in common that mean the same."""
        return self.kind, self.number

    @property
    def done(self) -> bool:
        """Whether the call was carried out."""
        return self.kind == "code" and self.number == 0

    @property
    def missing(self) -> bool:
        """Whether this is how a camera says that there is no such URL."""
        return self.same in (("code", NO_SUCH_URL), ("http", 404))

    def __str__(self) -> str:
        return {"code": f"code {self.number}", "http": f"HTTP {self.number}", "odd": "no envelope"}.get(
            self.kind, "no answer"
        )


SILENT = Outcome("silent")


def read(incoming: Incoming) -> Outcome:
    """What *incoming* says."""
    if incoming.status != 200:
        return Outcome("http", incoming.status)
    try:
        payload = load_json(incoming.body, trailing=True)
    except Refused:
        return Outcome("odd")
    if not isinstance(payload, dict):
        return Outcome("odd")
    try:
        code = int(str(payload.get("code")).strip())
    except ValueError:
        return Outcome("odd")
    if code != 0:
        return Outcome("code", code)
    data = payload.get("data")
    if data not in (None, "", [], {}):
        return Outcome("code", 0, _inner(data), "data")
    top = {k: v for k, v in payload.items() if k not in ("code", "data", "msg")}
    return Outcome("code", 0, top or None, "top" if top else "")


def _inner(data: Any) -> Any:
    """``data``, which some firmware may write as JSON in a text."""
    if isinstance(data, str) and data.lstrip()[:1] in ("{", "["):
        try:
            return load_json(data)
        except Refused:
            return data
    return data
