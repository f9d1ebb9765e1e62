"""The form of a dump: what ``ipc dump --check`` holds a file to, and its JSON Schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import ConfigError
from ..untrusted import Refused, load_json

FILE = Path(__file__).with_name("dump.schema.json")
#: A dump of every read takes some ten kilobytes; what is larger than this is none.
MAX_BYTES = 16 * 1024 * 1024


class _Part(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)


class Call(_Part):
    """One call: what was sent and what came. Secrets are replaced."""

    path: Annotated[str, Field(pattern=r"^[A-Za-z]+/[A-Za-z0-9_]+$")]
    sent: dict[str, str]
    signed: Literal["yes", "no", "wrongly"] = "yes"
    status: int = Field(ge=0, le=599, description="HTTP status; 0 where no answer came")
    headers: dict[str, str]
    body: str
    ms: float = Field(ge=0)


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
    model: str
    firmware: str
    note: str = ""
    discovery: dict[str, Any]
    tls: dict[str, Any]
    clock: dict[str, Any] = {}
    calls: list[Call]
    video: dict[str, Any]
    overrides: str = ""
    findings: list[FindingRow]
    replaced: dict[str, int] = {}


def read(path: Path) -> dict[str, Any]:
    """The dump in a file, checked.

    Raises:
        ConfigError: It cannot be read, or is no dump; the message names the place.

    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise _bad(path, error.strerror or type(error).__name__) from None
    if len(raw) > MAX_BYTES:
        raise _bad(path, "it is too large for a dump")
    try:
        document = load_json(raw, max_cost=20 * MAX_BYTES)
    except Refused as error:
        raise _bad(path, str(error)) from None
    try:
        Dump.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the document"
        raise _bad(path, f"{place}: {first['msg']}") from None
    return dict(document)


def _bad(path: Path, reason: str) -> ConfigError:
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
