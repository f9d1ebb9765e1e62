"""The form of a dump: what ``ipc dump --check`` holds a file to, and its JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import ConfigError, SunmiIpcError
from ..protocol import overrides as corrections
from ..redact import printable
from ..untrusted import Refused, load_json

FILE = Path(__file__).with_name("dump.schema.json")
#: A dump of every read takes some ten kilobytes; what is larger than this is none.
MAX_BYTES = 16 * 1024 * 1024


class _Part(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)


Hex = Annotated[str, Field(pattern=r"^([0-9a-f]{2})*$", max_length=200_000)]
#: A header's value, or another text of one line.
Line = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=4096)]
#: Longest file that a virtual camera plays from a dump: the first bytes, zeros after them.
MAX_FILE = 1 << 40


class Call(_Part):
    """One call: what was sent and what came. Secrets are replaced."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z]+/[A-Za-z0-9_]+$")]
    sent: dict[str, str]
    signed: Literal["yes", "no", "wrongly"] = "yes"
    status: int = Field(ge=0, le=599, description="HTTP status; 0 where no answer came")
    headers: dict[Line, Line]
    body: str
    ms: float = Field(ge=0)


class Discovery(_Part):
    """The answer to a discovery request."""

    answered: bool = False
    # A field called "json" would hide a method of the model's.
    told: dict[str, str] = Field(default={}, alias="json")
    datagram: Hex = ""


class File(_Part):
    """The first bytes of a file, or why there are none."""

    type: Line = ""
    bytes: Annotated[int, Field(ge=0, le=MAX_FILE)] | None = None
    head: Annotated[Hex, Field(max_length=1024)] = ""


class Stream(_Part):
    """What a stream's address said to DESCRIBE, and the size of its pictures; or why nothing came."""

    sdp: Annotated[str, Field(max_length=65_536)] = ""
    picture: Line = ""


class Video(_Part):
    """What was seen of streams and files; absent where the camera named none."""

    hd_live_url: Stream | None = None
    fhd_live_url: Stream | None = None
    snapshot: File | None = None
    recording: File | None = None
    clip: File | None = None


class Pushed(_Part):
    """A pushed event as it came, and how it was read."""

    event_type: Line
    status: Annotated[int, Field(ge=0, le=599)]
    content_type: Line = ""
    form: Literal["form", "json", "unreadable"]
    place: Line = ""
    signature: Line = ""
    fields: str = ""
    body: str


class FindingRow(_Part):
    """One inferred fact, and what this camera says of it."""

    path: str
    fact: str
    evidence: str
    verdict: Literal["proven", "refuted", "corrected", "open"]
    detail: str


class Dump(_Part):
    """What one camera really says; secrets and identities are replaced by fakes of the same form."""

    format: Literal["sunmi-ipc-dump"]
    version: Literal[1]
    tool: str
    model: Line
    firmware: Line
    note: str = ""
    discovery: Discovery
    tls: dict[str, Any]
    clock: dict[str, Any] = {}
    calls: list[Call]
    video: Video
    overrides: str = ""
    events: list[Pushed] = []
    findings: list[FindingRow]
    replaced: dict[str, int] = {}


def read(path: Path) -> dict[str, Any]:
    """The dump in a file, checked.

    Raises:
        ConfigError: It cannot be read, or is no dump; the message names the place.

    """
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise _bad(path, error.strerror or type(error).__name__) from None
    if len(raw) > MAX_BYTES:
        raise _bad(path, "it is too large for a dump")
    try:
        document = load_json(raw, max_cost=20 * MAX_BYTES)
    except Refused as error:
        raise _bad(path, error.template) from None
    if trouble := wrong(document):
        raise _bad(path, trouble)
    return dict(document)


_WORDS = {
    "missing": "{place} is missing",
    "greater_than_equal": "{place} is too small",
    "less_than_equal": "{place} is too large",
    "string_too_long": "{place} is too long",
}


def wrong(document: Any) -> SunmiIpcError | None:
    """Why *document* is no dump that can be used, with the place; None for a good one."""
    try:
        Dump.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(printable(str(part), 64) for part in first["loc"]) or "the document"
        return ConfigError(_WORDS.get(first["type"], "{place} is not what it is in a dump"), place=place)
    try:
        corrections.parse(document.get("overrides", ""), "overrides")
    except SunmiIpcError as error:
        return error
    return None


def _bad(path: Path, reason: str | SunmiIpcError) -> ConfigError:
    return ConfigError(
        "{path} is no dump: {reason}",
        hint="'ipc dump -o FILE' writes one.",
        path=str(path),
        reason=reason,
    )


def schema() -> str:
    """The JSON Schema as text."""
    return json.dumps(Dump.model_json_schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(schema(), "utf-8")
