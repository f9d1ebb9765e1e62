"""Errors as RFC 9457 problem documents, with code, name and hint, in the asker's language."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from ..errors import (
    CameraNotFound,
    ConnectionFailed,
    DeviceError,
    ParameterError,
    ReplyError,
    SpoolError,
    SunmiIpcError,
)
from ..i18n import Language, known
from ..redact import printable, scrub
from .store import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: An answer of more values than the client reads at once.
TOO_MUCH = "the answer holds too much to be read at once"
MEDIA = "application/problem+json"
#: The first class that fits decides. What a camera says no to is no fault of the station's.
_STATUS: tuple[tuple[type[SunmiIpcError], int], ...] = (
    (CameraNotFound, 404),
    (ParameterError, 422),
    (DeviceError, 409),
    (StoreError, 503),
    (SpoolError, 503),
    (ConnectionFailed, 502),
    (ReplyError, 502),
    (SunmiIpcError, 500),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "A problem, RFC 9457.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "the kind of error"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "what happened"},
        "code": {"type": ["integer", "null"], "description": "the camera's return code"},
        "name": {"type": ["string", "null"], "description": "the code's name, or the parameter's"},
        "hint": {"type": ["string", "null"], "description": "the next step"},
        "camera": {"type": ["string", "null"]},
    },
}


class Refusal(Exception):
    """Answer with a problem of ours.

    Args:
        status: HTTP's.
        error: What is wrong.

    """

    status: int
    error: SunmiIpcError
    headers: dict[str, str]

    def __init__(self, status: int, error: SunmiIpcError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status, self.error, self.headers = status, error, dict(headers or {})


def language_of(request: Request) -> Language:
    """The language that the asker prefers, English unless it is Chinese."""
    first = request.headers.get("accept-language", "").partition(",")[0].partition(";")[0]
    return known(first) or "en"


def status_of(error: SunmiIpcError) -> int:
    """HTTP's status for *error*."""
    if error.template == TOO_MUCH:
        return 422  # who asked for a year by the hour asks for less
    return next(status for kind, status in _STATUS if isinstance(error, kind))


def document(error: SunmiIpcError, status: int, lang: Language) -> dict[str, Any]:
    """*error* as a problem document."""
    message, hint = error.localized(lang)
    code = getattr(error, "code", None)
    name = getattr(error, "code_name", "") or getattr(error, "name", "")
    return {
        "type": f"urn:sunmi-ipc:error:{type(error).__name__}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": scrub(printable(message)),
        "code": int(code) if isinstance(code, int) else None,
        "name": str(name) or None,
        "hint": scrub(printable(hint)) or None,
        "camera": error.camera,
    }


def answer(
    request: Request, error: SunmiIpcError, status: int = 0, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """The answer for *error*."""
    status = status or status_of(error)
    body = document(error, status, language_of(request))
    return JSONResponse(body, status, dict(headers or {}), MEDIA)


def install(app: FastAPI) -> None:
    """Have every error of *app* answered as a problem document."""

    @app.exception_handler(SunmiIpcError)
    def _ours(request: Request, error: SunmiIpcError) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(Refusal)
    def _refused(request: Request, refusal: Refusal) -> JSONResponse:
        return answer(request, refusal.error, refusal.status, refusal.headers)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return answer(request, ParameterError("{name}: not allowed", name=name), 422)

    @app.exception_handler(HTTPException)
    def _plain(request: Request, error: HTTPException) -> JSONResponse:
        told = SunmiIpcError(
            "{status} {phrase}", status=error.status_code, phrase=HTTPStatus(error.status_code).phrase
        )
        return answer(request, told, error.status_code, error.headers)
