"""What a page says that is not there, or that could not be made: in words, with the way back."""

from __future__ import annotations

import logging

from fastapi.exception_handlers import http_exception_handler
from nicegui import Client, ui
from nicegui import app as pages
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...i18n import later
from ..gate import session_of
from ..state import current
from .visit import Visit

_log = logging.getLogger("nicegui")


@pages.exception_handler(404)
async def missing(request: Request, exception: Exception) -> Response:
    """An address that nothing is at: an old bookmark, a word too many."""
    endpoint = request.scope.get("endpoint")
    page = endpoint is None or endpoint is pages or bool(request.scope.get("nicegui_page_path"))
    if isinstance(exception, HTTPException) and not page:
        return await http_exception_handler(request, exception)  # no page: a file, a picture
    return _page(request, 404, later("There is nothing at this address."))


@pages.exception_handler(Exception)
async def broken(request: Request, exception: Exception) -> Response:
    """A fault of ours."""
    if not request.scope.get("nicegui_page_path"):
        raise exception
    _log.error("a page could not be made", exc_info=exception)
    return _page(request, 500, later("This page could not be made. Go back, and try it again."))


def _page(request: Request, status: int, words: str) -> Response:
    if session_of(request.scope) is None:
        return Response(status_code=status)
    with Client(ui.page(""), request=request) as client:
        visit = Visit(current(), request)
        visit.sorry(visit.tr("Cameras"), visit.tr(words))
    return client.build_response(request, status)
