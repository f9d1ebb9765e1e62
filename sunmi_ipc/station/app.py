"""The station's web application: health without a token, everything else by role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi

from .. import __version__
from . import access, calls, event_routes, problems, routes, verdict_routes
from .metrics import Metrics
from .roles import Person
from .shapes import HealthShape

if TYPE_CHECKING:
    from .station import Station

PREFIX = "/api/v1"
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_ABOUT = (
    "A shop's cameras: how they are, people, events, and every call that is declared. "
    "Errors are problem documents (RFC 9457) with the camera's code, its name and the next step."
)
_PLAIN: dict[int | str, dict[str, Any]] = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


def create_app(station: Station) -> FastAPI:
    """The application of a station."""
    app = FastAPI(
        title="sunmi-ipc station",
        description=_ABOUT,
        version=__version__,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    problems.install(app)
    access.install(app, station)
    app.state.station = station
    called, schemas = calls.router()
    for router in (
        routes.router(station),
        event_routes.router(station),
        verdict_routes.router(station),
        called,
    ):
        app.include_router(router, prefix=PREFIX)
    _health(app, station)
    _metrics(app, station)
    _describe(app, schemas)
    return app


def _health(app: FastAPI, station: Station) -> None:
    only_421: dict[int | str, dict[str, Any]] = {421: calls.PROBLEMS[421]}

    @app.get("/healthz", tags=["health"], summary="Whether the station is alive", responses=only_421)
    def healthz() -> HealthShape:
        return HealthShape(status="ok")

    unready: dict[int | str, dict[str, Any]] = {
        503: {"description": "Not every part is at work", "model": HealthShape}
    }

    @app.get(
        "/readyz", tags=["health"], summary="Whether every part is at work", responses=only_421 | unready
    )
    def readyz(response: Response) -> HealthShape:
        problem = station.problem()
        response.status_code = 503 if problem else 200
        return HealthShape(status=problem or "ok")


def _metrics(app: FastAPI, station: Station) -> None:
    figures = Metrics(station)
    http = station.file.http
    closed = http is not None and http.metrics == "token"

    def whoever() -> Person | None:
        return None

    guard: Any = Depends(access.at_least("view") if closed else whoever)

    @app.get(
        "/metrics", tags=["health"], summary="Figures for Prometheus", response_class=Response,
        responses=_PLAIN | {421: calls.PROBLEMS[421]} | ({401: calls.PROBLEMS[401]} if closed else {}),
    )  # fmt: skip
    def metrics(request: Request, who: Person | None = guard) -> Response:
        return Response(figures.text(), media_type=_TEXT)


def _describe(app: FastAPI, schemas: dict[str, Any]) -> None:
    """Have the OpenAPI document name the schemas that the declarations bring."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            made.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            for path in made["paths"].values():
                for operation in path.values():
                    # FastAPI's own form of a refusal is not ours.
                    refused = operation.get("responses", {}).get("422")
                    if refused is not None:
                        refused["content"] = calls.PROBLEMS[422]["content"]
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
