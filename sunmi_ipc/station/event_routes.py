"""Events over the API: a page at a time, or as they come (server-sent events, resumable)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from ..errors import SpoolError, SunmiIpcError
from ..protocol.values import EventType
from .access import at_least
from .calls import PROBLEMS, SnFilter
from .problems import Refusal
from .roles import Person, allows
from .routes import gone
from .shapes import EventsShape

if TYPE_CHECKING:
    from ..events.consumer import StoredEvent
    from .station import Station

Viewer = Annotated[Person, Depends(at_least("view"))]
Seq = Annotated[int, Query(ge=0, le=2**62, description="events after this one")]
_PAGE = 200
_LOOK_S, BEAT_S = 0.25, 15.0
#: Each holds a connection and a task.
MAX_STREAMS = 50


def router(station: Station) -> APIRouter:
    """The routes of a station's events."""
    made = APIRouter()
    streams = 0

    @made.get("/events", tags=["events"], responses=PROBLEMS, summary="Events that are kept, oldest first")
    def events(
        who: Viewer,
        after: Seq = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        sn: SnFilter = "",
    ) -> EventsShape:
        if station.intake is None:
            raise gone("events")
        found = station.intake.spool.after(after, limit)
        shown = [stored.as_dict() for stored in found if visible(stored, who, sn)]
        return EventsShape(events=shown, last=found[-1].seq if found else after)

    @made.get(
        "/events/stream", tags=["events"], response_class=StreamingResponse, summary="Events as they come",
        responses=PROBLEMS
        | {
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            429: {"description": "Too many streams", "content": PROBLEMS[401]["content"]},
        },
    )  # fmt: skip
    async def stream(
        request: Request,
        who: Viewer,
        after: Annotated[
            int | None, Query(ge=0, le=2**62, description="events after this one; default: those that come")
        ] = None,
        sn: SnFilter = "",
        last_event_id: Annotated[str, Header(max_length=20, description="where the stream broke off")] = "",
    ) -> StreamingResponse:
        nonlocal streams
        if station.intake is None:
            raise gone("events")
        if streams >= MAX_STREAMS:
            raise Refusal(429, SunmiIpcError("too many streams are open"), {"Retry-After": "10"})
        spool = station.intake.spool
        resumed = (
            int(last_event_id)
            if last_event_id.isascii() and last_event_id.isdecimal() and len(last_event_id) < 19
            else after
        )
        at = await run_in_threadpool(spool.newest_seq) if resumed is None else resumed

        async def lines() -> AsyncIterator[str]:
            nonlocal streams, at
            streams += 1
            try:
                oldest = await run_in_threadpool(spool.oldest_seq)
                if resumed is not None and oldest and oldest > at + 1:
                    yield message("gap", {"after": at, "oldest": oldest}, None)
                yield ": connected\n\n"
                seen, quiet = -1, 0.0
                while not await request.is_disconnected() and spool.is_open:
                    if (now := spool.news()) == seen:
                        await asyncio.sleep(_LOOK_S)
                        quiet += _LOOK_S
                        if quiet >= BEAT_S:
                            quiet = 0.0
                            yield ": alive\n\n"
                        continue
                    page = await run_in_threadpool(spool.after, at, _PAGE)
                    if len(page) < _PAGE:
                        seen = now
                    for stored in page:
                        at = stored.seq
                        if visible(stored, who, sn):
                            quiet = 0.0
                            yield message(stored.event.event_type, stored.as_dict(), stored.seq)
            except SpoolError:
                return
            finally:
                streams -= 1

        return StreamingResponse(
            lines(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return made


def visible(stored: StoredEvent, who: Person, sn: str) -> bool:
    """Whether somebody may see an event, and asked for it: faces are personal data."""
    if sn and stored.event.sn != sn:
        return False
    return stored.event.event_type != EventType.FACE_RECOGNITION or allows(who.role, "tune")


def message(kind: str, data: dict[str, Any], seq: int | None) -> str:
    """A server-sent event."""
    name = "".join(c for c in str(kind) if c.isalnum() or c in "_-")
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {name}\ndata: {json.dumps(data, ensure_ascii=True, default=str)}\n\n"
