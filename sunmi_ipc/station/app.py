"""The station's web application: health without a token, everything else by role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI, Response

from .. import __version__

if TYPE_CHECKING:
    from .station import Station


def create_app(station: Station) -> FastAPI:
    """The application of a station."""
    app = FastAPI(title="sunmi-ipc station", version=__version__, docs_url=None, redoc_url=None)

    @app.get("/healthz", tags=["health"], summary="Whether the station is alive")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", tags=["health"], summary="Whether every part is at work")
    def readyz(response: Response) -> dict[str, str]:
        problem = station.store.problem
        response.status_code = 503 if problem else 200
        return {"status": "database" if problem else "ok"}

    return app
