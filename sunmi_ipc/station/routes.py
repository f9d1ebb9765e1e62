"""What the API tells of cameras, people and doings."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from ..errors import ParameterError, SunmiIpcError
from ..protocol.spec import registry
from .access import at_least
from .calls import FROM_CAMERA, PROBLEMS, SN
from .problems import Refusal, language_of
from .report import report
from .roles import Person, summary
from .shapes import (
    AuditShape,
    CameraShape,
    CountsShape,
    EndpointShape,
    HistoryShape,
    MutedShape,
    MuteShape,
    StationShape,
)

if TYPE_CHECKING:
    from .station import Station

Viewer = Annotated[Person, Depends(at_least("view"))]
Tuner = Annotated[Person, Depends(at_least("tune"))]
Admin = Annotated[Person, Depends(at_least("admin"))]
Limit = Annotated[int, Query(ge=1, le=1000)]
#: A report of a year by the hour is long enough for one answer.
_LONGEST_S = 400 * 86_400
_JPEG: dict[int | str, dict[str, Any]] = {
    200: {"content": {f"image/{kind}": {"schema": {"type": "string"}} for kind in ("jpeg", "png")}}
}


def router(station: Station) -> APIRouter:
    """The routes of a station."""
    made = APIRouter()

    @made.get("/station", tags=["station"], responses=PROBLEMS, summary="How the shop is")
    def shop(request: Request, who: Viewer) -> StationShape:
        return StationShape.model_validate(station.status().as_dict(language_of(request)))

    @made.get("/cameras", tags=["cameras"], responses=PROBLEMS, summary="How every camera is")
    def cameras(request: Request, who: Viewer) -> list[CameraShape]:
        lang = language_of(request)
        return [CameraShape.model_validate(camera.as_dict(lang)) for camera in station.status().cameras]

    @made.get("/cameras/{sn}", tags=["cameras"], responses=PROBLEMS, summary="How a camera is")
    def camera(request: Request, sn: SN, who: Viewer) -> CameraShape:
        return CameraShape.model_validate(station.camera_status(sn).as_dict(language_of(request)))

    @made.get(
        "/cameras/{sn}/history", tags=["cameras"], responses=PROBLEMS, summary="What was the matter with it"
    )
    def history(sn: SN, who: Viewer, limit: Limit = 100) -> list[HistoryShape]:
        station.roster.member(sn)
        return [HistoryShape.model_validate(e) for e in station.watch.judge.history(sn, limit=limit)]

    @made.get(
        "/cameras/{sn}/snapshot", tags=["cameras"], response_class=Response, responses=FROM_CAMERA | _JPEG,
        summary="A picture, taken now",
    )  # fmt: skip
    def snapshot(sn: SN, who: Viewer) -> Response:
        taken = station.camera(sn).video.snapshot()
        return Response(taken.data, media_type=f"image/{taken.kind}", headers={"Cache-Control": "no-store"})

    @made.put(
        "/cameras/{sn}/mute", tags=["cameras"], responses=PROBLEMS, summary="Tell nobody of it for a while"
    )
    def mute(request: Request, sn: SN, who: Tuner, wish: MuteShape) -> MutedShape:
        until = time.time() + wish.seconds
        station.mute(sn, until, reason=wish.reason, who=who.name, origin=_origin(request))
        return MutedShape(sn=sn, muted_until=until)

    @made.delete("/cameras/{sn}/mute", tags=["cameras"], responses=PROBLEMS, summary="Tell of it again")
    def unmute(request: Request, sn: SN, who: Tuner) -> MutedShape:
        station.mute(sn, 0, who=who.name, origin=_origin(request))
        return MutedShape(sn=sn, muted_until=None)

    @made.get("/counts", tags=["people"], responses=PROBLEMS, summary="People by hour or day, gaps marked")
    def counts(
        who: Viewer,
        start: Annotated[
            float, Query(ge=0, le=4102444800, description="Unix seconds; default: a day ago")
        ] = 0,
        end: Annotated[float, Query(ge=0, le=4102444800, description="Unix seconds; default: now")] = 0,
        by: Literal["hour", "day"] = "hour",
        per: Literal["camera", "door", "site"] = "camera",
        sn: Annotated[list[str] | None, Query(max_length=500)] = None,
        opening_hours: Annotated[bool, Query(description="count opening hours alone")] = False,
    ) -> CountsShape:
        last = end or time.time()
        first = start or last - 86_400
        if first >= last or last - first > _LONGEST_S:
            raise ParameterError(
                "{name}: the period ends before it starts, or is longer than 400 days", name="end"
            )
        shop = station.file.station
        lines = report(
            station.store, first, last, by=by, per=per, zone=station.loaded.zone, sns=sn or [],
            hours=shop.hours if opening_hours else None, window=station.file.counts.window, site=shop.site,
        )  # fmt: skip
        rows = [line.as_dict() for line in lines]
        return CountsShape.model_validate(
            {"site": shop.site, "timezone": shop.timezone, "by": by, "per": per, "rows": rows}
        )

    @made.get("/audit", tags=["station"], responses=PROBLEMS, summary="Who did what to which camera")
    def audit(
        who: Admin, sn: Annotated[str, Query(max_length=64)] = "", limit: Limit = 100,
        before: Annotated[int, Query(ge=0, le=2**62, description="older than this entry, to page")] = 0,
    ) -> list[AuditShape]:  # fmt: skip
        entries = station.audit.entries(sn=sn, limit=limit, before=before)
        return [AuditShape.model_validate(entry.as_dict()) for entry in entries]

    @made.get("/endpoints", tags=["station"], responses=PROBLEMS, summary="Every call that is declared")
    def endpoints(who: Viewer) -> list[EndpointShape]:
        return [EndpointShape.model_validate(summary(endpoint)) for endpoint in registry().values()]

    return made


def _origin(request: Request) -> str:
    return request.client.host if request.client else ""


def gone(what: str) -> Refusal:
    """The station file has switched it off."""
    return Refusal(
        404,
        SunmiIpcError("this station has no {what}", what=what, hint="Its station file switches them off."),
    )
