"""The door: a code lets somebody in, once. Plain HTML, so that it works before anything else does."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ..i18n import Language, translate
from .gate import COOKIE, session_of
from .language import preferred
from .sessions import AGE_S, CodeError, TooManyError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from .state import Console


def mount(app: FastAPI, console: Console) -> None:
    """Serve ``/enter``."""

    async def ask(request: Request) -> Response:
        if session_of(request.scope) is not None and not request.query_params.get("code"):
            return RedirectResponse("/", 303)
        return HTMLResponse(page(_lang(request), request.query_params.get("code", "")[:64]))

    async def enter(request: Request) -> Response:
        body = (await request.body())[:2000].decode("utf-8", "replace")
        code = parse_qs(body).get("code", [""])[0]
        origin = request.client.host if request.client is not None else ""
        try:
            secret, session = console.sessions.enter(
                code, origin=origin, agent=request.headers.get("user-agent", "")
            )
        except CodeError as error:
            # Guesses would fill the disk.
            if not isinstance(error, TooManyError) and not console.sessions.under_fire:
                console.audit.record("enter", who="console", origin=origin, result="refused")
            message, hint = error.localized(_lang(request))
            return HTMLResponse(page(_lang(request), "", f"{message}. {hint}"), 403)
        console.audit.record("enter", who=session.name, origin=origin, result="ok")
        made = RedirectResponse("/", 303)
        made.set_cookie(
            COOKIE,
            secret,
            max_age=int(AGE_S),
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/",
        )
        return made

    app.add_api_route("/enter", ask, methods=["GET"])
    app.add_api_route("/enter", enter, methods=["POST"])


def _lang(request: Request) -> Language:
    return preferred(request.headers.get("accept-language", ""))


def page(lang: Language, code: str = "", problem: str = "") -> str:
    """The page that asks for a code; with one at hand it goes on by itself.

    A link is only carried out by somebody who looks at the page: what previews links runs no script.
    """

    def t(template: str) -> str:
        return escape(translate(template, lang, {}))

    tr = t
    told = f'<p class="note bad" role="alert">{escape(problem)}</p>' if problem else ""
    go = "<script>document.forms[0].requestSubmit()</script>" if code and not problem else ""
    return f"""<!DOCTYPE html>
<html lang="{"zh-CN" if lang == "zh" else "en"}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{tr("Camera console")}</title><link rel="icon" href="/static/console/icon.svg">
<link rel="stylesheet" href="/static/console/console.css">
<script>if (matchMedia("(prefers-color-scheme: dark)").matches) addEventListener("DOMContentLoaded", () => document.body.classList.add("body--dark"))</script></head>
<body><main class="door"><h1>{tr("Camera console")}</h1>{told}
<form class="stack" method="post" action="/enter">
<label for="code">{tr("Code from the terminal, or from somebody who is in already")}</label>
<input id="code" name="code" value="{escape(code, quote=True)}" autocomplete="one-time-code" autocapitalize="characters" spellcheck="false" required autofocus>
<button type="submit">{tr("Enter")}</button></form>
<p class="soft small">{tr("A code works once and for ten minutes.")}</p></main>{go}</body></html>
"""
