"""What the API answers, as models: checked, and described in its OpenAPI."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReasonShape(_Shape):
    """Something that is the matter."""

    code: str
    level: str = Field(description="ok, warning, unknown, bad")
    text: str
    hint: str | None
    since: float = Field(description="Unix seconds")


class CameraShape(_Shape):
    """How a camera is."""

    sn: str
    name: str
    address: str
    model: str
    firmware: str
    verdict: str = Field(description="ok, warning, unknown, bad")
    reasons: list[ReasonShape]
    muted_until: float | None
    seen: float | None = Field(description="when it last answered, Unix seconds")
    facts: dict[str, Any] = Field(description="answer time (ms), clock (s), card, newest recording")


class StationShape(_Shape):
    """How the shop is."""

    site: str
    verdict: str
    reasons: list[ReasonShape]
    cameras: list[CameraShape]


class HistoryShape(_Shape):
    """Something that was the matter."""

    sn: str
    code: str
    level: str
    text: str
    since: float
    until: float | None


class MuteShape(_Shape):
    """Tell nobody of a camera for a while."""

    seconds: float = Field(gt=0, le=31_536_000, description="for so long from now")
    reason: str = Field(default="", max_length=200)


class MutedShape(_Shape):
    """Until when a camera is muted."""

    sn: str
    muted_until: float | None


class CountShape(_Shape):
    """People within an hour or a day; null where nothing is known, which is no zero."""

    start: float
    end: float
    label: str
    who: str
    name: str
    arrivals: int | None
    leaving: int | None
    passing: int | None
    completeness: float = Field(ge=0, le=1)
    gap: bool


class CountsShape(_Shape):
    """People of a period."""

    site: str
    timezone: str
    by: str
    per: str
    rows: list[CountShape]


class EventsShape(_Shape):
    """Events, oldest first; ask again with *after* = the last one's seq."""

    events: list[dict[str, Any]]
    last: int


class AuditShape(_Shape):
    """Something that was done."""

    id: int
    at: float
    who: str
    origin: str
    sn: str
    action: str
    details: dict[str, Any]
    result: str


class EndpointShape(_Shape):
    """A declared endpoint."""

    key: str
    path: str
    summary: str
    evidence: str
    parameters_evidence: str
    models: list[str]
    codes: list[int]
    destroys: str
    role: str


class HealthShape(_Shape):
    """Health."""

    status: str
