"""Verdicts over the API as they change: server-sent events that begin with how everything is.

Whoever comes back after a break is told all of it again: nothing needs to be caught up with.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from ..errors import SunmiIpcError
from .access import at_least
from .calls import PROBLEMS, SnFilter
from .event_routes import BEAT_S, MAX_STREAMS, message
from .problems import Refusal, language_of
from .roles import Person
from .verdict import Transition

if TYPE_CHECKING:
    from .station import Station

Viewer = Annotated[Person, Depends(at_least("view"))]
_LOOK_S = 1.0
#: A listener who takes nothing is told how everything is instead of each of so many changes.
_BEHIND = 500


def router(station: Station) -> APIRouter:
    """The routes of a station's verdicts."""
    made = APIRouter()
    streams = 0

    @made.get(
        "/verdicts/stream", tags=["station"], response_class=StreamingResponse,
        summary="How everything is, then what changes",
        description="Event 'station': how everything is. Event 'verdict': what began or ended with a camera "
        "(sn empty: the station), and its verdict since.",
        responses=PROBLEMS
        | {
            200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
            429: {"description": "Too many streams", "content": PROBLEMS[401]["content"]},
        },
    )  # fmt: skip
    async def stream(request: Request, who: Viewer, sn: SnFilter = "") -> StreamingResponse:
        nonlocal streams
        if streams >= MAX_STREAMS:
            raise Refusal(429, SunmiIpcError("too many streams are open"), {"Retry-After": "10"})
        lang = language_of(request)
        loop = asyncio.get_running_loop()

        def everything() -> str:
            if sn:
                return message("camera", station.camera_status(sn).as_dict(lang), None)
            return message("station", station.status().as_dict(lang), None)

        def change(transition: Transition) -> str:
            told = transition.sn
            verdict = station.watch.judge.level(told)
            data: dict[str, Any] = {
                "sn": told,
                "began": transition.began,
                "at": transition.at,
                "verdict": str(verdict),
                "reason": transition.reason.as_dict(lang),
            }
            return message("verdict", data, None)

        if sn:
            await run_in_threadpool(station.camera_status, sn)  # that there is such a camera

        async def lines() -> AsyncIterator[str]:
            nonlocal streams
            waiting: asyncio.Queue[Transition] = asyncio.Queue(_BEHIND)
            lost = False

            def put(transition: Transition) -> None:
                nonlocal lost
                try:
                    waiting.put_nowait(transition)
                except asyncio.QueueFull:
                    lost = True

            def told(transitions: Sequence[Transition]) -> None:
                for transition in transitions:
                    if not sn or transition.sn == sn:
                        with contextlib.suppress(RuntimeError):  # the port is closing
                            loop.call_soon_threadsafe(put, transition)

            streams += 1
            station.watch.subscribe(told)
            try:
                yield await run_in_threadpool(everything)
                quiet = 0.0
                while not await request.is_disconnected():
                    if lost:
                        lost = False
                        while not waiting.empty():
                            waiting.get_nowait()
                        yield await run_in_threadpool(everything)
                    try:
                        transition = await asyncio.wait_for(waiting.get(), _LOOK_S)
                    except TimeoutError:
                        quiet += _LOOK_S
                        if quiet >= BEAT_S:
                            quiet = 0.0
                            yield ": alive\n\n"
                        continue
                    quiet = 0.0
                    yield await run_in_threadpool(change, transition)
            except SunmiIpcError:  # its camera has left the station, or the database has gone
                return
            finally:
                station.watch.unsubscribe(told)
                streams -= 1

        return StreamingResponse(
            lines(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return made
