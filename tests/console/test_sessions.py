"""Codes that let one in, once; sessions and their end; what the gate lets through."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from sunmi_ipc.console.door import page
from sunmi_ipc.console.gate import Gate
from sunmi_ipc.console.language import preferred
from sunmi_ipc.console.roles import Role
from sunmi_ipc.console.sessions import (
    AGE_S,
    FEW,
    IDLE_S,
    MAX_CODES,
    TRIES,
    CodeError,
    Sessions,
    TooManyError,
    spoken,
)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_code_lets_one_in_once() -> None:
    sessions = Sessions()
    code = sessions.code(Role.TUNE)
    secret, session = sessions.enter(f" {spoken(code).lower()} ", origin="10.0.0.5", agent="Phone")
    assert (session.role, session.origin) == (Role.TUNE, "10.0.0.5")
    assert sessions.get(secret) is session
    with pytest.raises(CodeError):
        sessions.enter(code, origin="10.0.0.5")


def test_a_code_is_good_for_ten_minutes() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    code = sessions.code(Role.VIEW)
    clock.now += 601
    with pytest.raises(CodeError):
        sessions.enter(code, origin="a")


def test_wrong_codes_are_looked_at_so_often_and_no_more() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    code = sessions.code(Role.ADMIN)
    for _ in range(TRIES):
        with pytest.raises(CodeError):
            sessions.enter("AAAAAAAA", origin="10.0.0.66")
    with pytest.raises(CodeError, match="too many"):
        sessions.enter(code, origin="10.0.0.66")  # even the right one
    sessions.enter(code, origin="10.0.0.5")  # others are let in
    clock.now += 61
    again = sessions.code(Role.ADMIN)
    sessions.enter(again, origin="10.0.0.66")


def test_a_clock_that_is_set_ends_no_session_and_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions, real = Sessions(), time.time
    secret, session = sessions.enter(sessions.code(Role.ADMIN), origin="a")
    code = sessions.code(Role.VIEW)
    for ahead in (30 * 86_400, -30 * 86_400, 0):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        for _ in range(TRIES):
            with pytest.raises(CodeError):
                sessions.enter("AAAAAAAA", origin=f"b{ahead}")
        assert sessions.get(secret) is session
        assert sessions.alive(session)
    assert sessions.enter(code, origin="c")[1].role is Role.VIEW


def test_many_addresses_together_are_left_few_tries_each_and_lock_nobody_out() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    for number in range(100):
        with pytest.raises(CodeError, match="nobody in"):
            sessions.enter("AAAAAAAA", origin=f"10.0.0.{number}")
    assert sessions.under_fire
    for _ in range(FEW - 1):
        with pytest.raises(CodeError, match="nobody in"):
            sessions.enter("AAAAAAAA", origin="10.0.0.1")
    with pytest.raises(TooManyError):
        sessions.enter("AAAAAAAA", origin="10.0.0.1")
    # Somebody who has mistyped it once is let in, from an address of his own.
    with pytest.raises(CodeError, match="nobody in"):
        sessions.enter("AAAAAAAB", origin="10.9.9.9")
    sessions.enter(sessions.code(Role.VIEW), origin="10.9.9.9")
    clock.now += 61
    assert not sessions.under_fire
    assert not sessions._by_origin


def test_a_link_lets_in_from_the_very_address_that_others_guess_from() -> None:
    sessions = Sessions(Clock())
    for _ in range(TRIES):
        with pytest.raises(CodeError):
            sessions.enter("AAAAAAAA", origin="127.0.0.1")
    code, link = sessions.codes(Role.ADMIN)
    with pytest.raises(TooManyError):
        sessions.enter(code, origin="127.0.0.1")
    with pytest.raises(TooManyError):
        sessions.enter("A" * len(link), origin="127.0.0.1")
    assert sessions.enter(link, origin="127.0.0.1")[1].role is Role.ADMIN
    # Code and link are one invitation.
    for again in (link, code):
        with pytest.raises(CodeError):
            sessions.enter(again, origin="10.0.0.5")
    code, link = sessions.codes(Role.VIEW)
    sessions.enter(code, origin="10.0.0.5")
    with pytest.raises(CodeError):
        sessions.enter(link, origin="10.0.0.5")


def test_a_flood_of_codes_leaves_few_that_are_alive() -> None:
    sessions = Sessions(Clock())
    made = [sessions.codes(Role.VIEW) for _ in range(MAX_CODES + 1)]
    with pytest.raises(CodeError):
        sessions.enter(made[0][1], origin="a")
    for _, link in made[1:]:
        sessions.enter(link, origin="a")


def test_sessions_end_by_age_by_idleness_and_on_demand() -> None:
    clock = Clock()
    sessions = Sessions(clock)
    secret, session = sessions.enter(sessions.code(Role.VIEW), origin="a")
    clock.now += IDLE_S - 1
    assert sessions.get(secret) is session
    clock.now += IDLE_S + 1
    assert sessions.get(secret) is None
    assert session.ended
    secret, session = sessions.enter(sessions.code(Role.VIEW), origin="a")
    for _ in range(int(AGE_S // IDLE_S) + 2):
        clock.now += IDLE_S - 1
        sessions.get(secret)
    assert sessions.get(secret) is None
    secret, session = sessions.enter(sessions.code(Role.VIEW), origin="a")
    assert sessions.end(session.id)
    assert sessions.get(secret) is None
    assert not sessions.alive(session)
    assert not sessions.end("nobody")


def test_secrets_are_kept_as_digests() -> None:
    sessions = Sessions()
    code = sessions.code(Role.ADMIN)
    assert code not in repr(sessions)
    secret, _ = sessions.enter(code, origin="a")
    assert secret not in repr(sessions)


# -- the gate ---------------------------------------------------------------------------------------


def asked(
    *,
    kind: str = "http",
    method: str = "GET",
    path: str = "/",
    secure: bool = False,
    session: bool = True,
    headers: dict[str, str] | None = None,
) -> tuple[bool, int, dict[str, str]]:
    """Whether the application was asked, the status, and the headers of the answer."""
    sessions = Sessions()
    secret, _ = sessions.enter(sessions.code(Role.VIEW), origin="a")
    reached: list[bool] = []
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reached.append(True)
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    given = {"host": "127.0.0.1:8500"} | (headers or {})
    if session:
        given["cookie"] = f"other=1; ipc_session={secret}"
    scope = {
        "type": kind,
        "method": method,
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in given.items() if v],
    }
    gate = Gate(app, sessions, ["127.0.0.1:8500"], secure=secure)
    asyncio.run(gate(scope, receive, send))
    status = next((m["status"] for m in sent if m["type"] == "http.response.start"), 0)
    found = next((m["headers"] for m in sent if m["type"] == "http.response.start"), [])
    return bool(reached), status, {k.decode(): v.decode() for k, v in found}


OWN = {"origin": "http://127.0.0.1:8500"}


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8500", "127.0.0.1", "127.0.0.1:80", "", "127.0.0.1:8500.evil"]
)
def test_another_host_is_refused(host: str) -> None:
    assert asked(headers={"host": host})[:2] == (False, 421)
    assert not asked(kind="websocket", headers={"host": host} | OWN)[0]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:8500", "http://127.0.0.1:8501"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_origin_is_refused(origin: str, method: str) -> None:
    assert asked(method=method, headers={"origin": origin})[:2] == (False, 403)
    assert not asked(kind="websocket", headers={"origin": origin})[0]


def test_a_websocket_needs_an_origin_and_a_session() -> None:
    assert asked(kind="websocket", path="/live/SN/hd", headers=OWN)[0]
    assert not asked(kind="websocket", path="/live/SN/hd")[0]
    assert not asked(kind="websocket", path="/live/SN/hd", headers=OWN, session=False)[0]
    assert not asked(kind="websocket", path="/_nicegui_ws/socket.io/", headers=OWN, session=False)[0]


def test_a_request_from_another_site_is_refused_by_what_the_browser_says() -> None:
    assert asked(method="POST", headers={"sec-fetch-site": "cross-site"})[:2] == (False, 403)
    assert asked(method="POST", headers=OWN)[0]


@pytest.mark.parametrize("path", ["/", "/camera/X", "/picture/X.jpg", "/footage/x.mp4", "/face/X/1", "/event/X/1",
                                  "/_nicegui/auto/static/x", "/fleet", "/sessions", "/report/X", "/ENTER", "/nothing"])  # fmt: skip
def test_without_a_session_there_is_the_door_alone(path: str) -> None:
    assert asked(path=path, session=False)[:2] == (False, 401)
    reached, status, headers = asked(path=path, session=False, headers={"accept": "text/html"})
    assert (reached, status, headers["location"]) == (False, 303, "/enter")
    assert asked(path="/enter", session=False)[0]


def test_headers_shut_the_page_off() -> None:
    for found in (asked()[2], asked(session=False)[2]):
        assert "default-src 'self'" in found["content-security-policy"]
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        assert found["x-content-type-options"] == "nosniff"
        assert found["cache-control"] == "no-store"
    assert "strict-transport-security" not in asked()[2]
    secure = asked(secure=True, headers={"origin": "https://127.0.0.1:8500"})
    assert secure[2]["strict-transport-security"]


# -- the door ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(("path", "size"), [("/enter", 17_000), ("/_nicegui/client/x/upload/1", 40_000_000)])
def test_what_is_too_large_is_not_read(path: str, size: int, told: bool) -> None:
    """By its own word, or without one: at most a piece more than the bound is taken, and nothing is kept."""
    sessions = Sessions()
    secret, _ = sessions.enter(sessions.code(Role.VIEW), origin="a")
    sent: list[dict[str, Any]] = []
    piece, given = b"x" * 65_536, 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        kept = bytearray()
        while (message := await receive())["type"] == "http.request":
            kept += message["body"]
        assert len(kept) <= 33_000_000
        raise RuntimeError("the browser has gone")  # as Starlette does

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += len(piece)
        return {"type": "http.request", "body": piece, "more_body": given < size}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = {"host": "127.0.0.1:1", "cookie": f"ipc_session={secret}", "origin": "http://127.0.0.1:1"}
    if told:
        headers["content-length"] = str(size)
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }
    asyncio.run(Gate(app, sessions, ["127.0.0.1:1"], secure=False)(scope, receive, send))
    assert sent[0]["status"] == 413
    assert given <= (0 if told else 33_000_000)


def test_the_door_speaks_the_browsers_language_and_shows_a_code_as_text() -> None:
    assert '<html lang="zh-CN">' in page("zh")
    assert "验证码" in page("zh")
    made = page("en", '"><script>alert(1)</script>')
    assert "<script>alert" not in made


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("en;q=0.2, zh-TW;q=0.7", "zh"),
        ("de-DE,de;q=0.9", "en"),
        ("", "en"),
        ("zh;q=abc", "zh"),
        (",;q=,," * 50, "en"),
    ],
)
def test_which_language_a_browser_asks_for(header: str, lang: str) -> None:
    assert preferred(header) == lang


@pytest.mark.parametrize(
    "path",
    ["/enter/../sessions", "/enterprise", "/healthz/x", "/readyz\x1b[2J", "/favicon.ico/", "/static/console"],
)
def test_what_begins_as_the_door_does_is_not_the_door(path: str) -> None:
    assert asked(path=path, session=False)[:2] == (False, 401)
    assert asked(path="/static/console/console.css", session=False)[0]


def test_what_looks_after_itself_is_named_and_no_more() -> None:
    from sunmi_ipc.console.gate import _among

    assert [_among(path, ("/api/", "/metrics")) for path in ("/api/v1/x", "/metrics")] == [True, True]
    assert [_among(path, ("/api/", "/metrics")) for path in ("/api", "/metrics2", "/metrics/x")] == [
        False
    ] * 3
