"""What browsers say over NiceGUI's socket: form, pace, and whose page it is; with the real servers of both libraries."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import pytest

from sunmi_ipc.console.gate import SOCKETS, Gate
from sunmi_ipc.console.roles import Role
from sunmi_ipc.console.sessions import Session, Sessions
from sunmi_ipc.station.brief import REPEAT_S, Brief

needs_console = pytest.mark.skipif(find_spec("nicegui") is None, reason="the extra console is not installed")


def a_session(role: Role = Role.VIEW) -> Session:
    return Session("abcd", role, "127.0.0.9")


class Line:
    """A browser's connection to a socket.io server, by the server's own ASGI application."""

    def __init__(self, server: Any, session: Session | None, query: str = "") -> None:
        import socketio

        self._app = socketio.ASGIApp(server, socketio_path="/socket.io")
        self.sent: list[str] = []
        self._came: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.scope = {
            "type": "websocket", "path": "/socket.io/", "scheme": "ws", "session": session,
            "headers": [(b"connection", b"Upgrade"), (b"upgrade", b"websocket")],
            "query_string": f"EIO=4&transport=websocket&{query}".encode(), "asgi": {"version": "3.0"},
        }  # fmt: skip
        self._came.put_nowait({"type": "websocket.connect"})
        self.task = asyncio.ensure_future(self._app(self.scope, self._came.get, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message.get("text") or message["type"])

    async def say(self, data: str | bytes) -> None:
        kind = "text" if isinstance(data, str) else "bytes"
        self._came.put_nowait({"type": "websocket.receive", kind: data})
        for _ in range(30):
            await asyncio.sleep(0)

    async def leave(self) -> None:
        self._came.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait({self.task}, timeout=2)

    @property
    def over(self) -> bool:
        return "websocket.close" in self.sent or "1" in self.sent


class Pages:
    """A guarded server, its pages, and what reached it."""

    def __init__(self) -> None:
        import socketio

        from sunmi_ipc.console.said import guard

        self.server = socketio.AsyncServer(async_mode="asgi")
        self.heard: list[tuple[str, Any]] = []
        self.pages: dict[str, Any] = {}
        for name in ("handshake", "event", "javascript_response", "ack", "log"):
            self.server.on(name, lambda _sid, said, name=name: self._hear(name, said))
        self.server.on("connect", self._connect)
        self.server.on("disconnect", lambda _sid: None)
        guard(self.server, self.pages.get)

    async def _connect(self, sid: str, environ: Any, auth: Any = None) -> None:
        pass

    def _hear(self, name: str, said: Any) -> None:
        self.heard.append((name, said))
        if said.get("break"):
            raise KeyError("tab_id")

    def page(self, number: str, session: Session) -> None:
        self.pages[number] = SimpleNamespace(request=SimpleNamespace(scope={"session": session}))


def event(page: str, name: str = "event", more: str = "") -> str:
    return f'42["{name}",{{"client_id":"{page}"{more}}}]'


@needs_console
@pytest.mark.parametrize(
    "said",
    ["4x", "42[", "42{}", "42[]", "45{}", "4", "40", '451-["event",{"_placeholder":true,"num":0}]',
     '459999999999-["event",{}]', "42" + "[" * 5000, event("x" * 300_000), b"\x00" * 10],
)  # fmt: skip
def test_what_is_no_message_of_a_page_ends_the_connection_without_a_word(
    said: str | bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def play() -> None:
        pages = Pages()
        line = Line(pages.server, a_session())
        await line.say("40")
        assert any(s.startswith("40{") for s in line.sent), line.sent
        await line.say(said)
        assert line.over
        assert pages.heard == []
        await line.leave()

    asyncio.run(play())
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert capfd.readouterr() == ("", "")


@needs_console
def test_a_page_is_spoken_for_by_its_own_session_alone() -> None:
    async def play() -> None:
        pages, mine, yours = Pages(), a_session(), a_session(Role.ADMIN)
        pages.page("mine", mine)
        pages.page("yours", yours)
        refused = Line(pages.server, mine, "client_id=yours&implicit_handshake=true")
        await refused.say("40")
        assert any(s.startswith("44") for s in refused.sent), refused.sent
        line = Line(pages.server, mine, "client_id=mine")
        await line.say("40")
        for name in ("event", "ack", "javascript_response", "handshake"):
            await line.say(event("yours", name))
            await line.say(event("mine", name))
        # Neither a browser's words for our log nor what has another form is taken; it ends nothing.
        for odd in (event("mine", "log"), '42["event"]', '42["event",null]', '42["event",1,2]', '42["nope",{}]',
                    '42["event",{"client_id":["mine"]}]', event("mine", more=',"break":1')):  # fmt: skip
            await line.say(odd)
        names = [name for name, said in pages.heard if said["client_id"] == "mine"]
        assert names == ["event", "ack", "javascript_response", "handshake", "event"]
        assert len(names) == len(pages.heard)
        # One who was sent away says nothing more, whatever page stands open.
        mine.ended = True
        await line.say(event("mine"))
        assert len(names) == len(pages.heard)
        late = Line(pages.server, mine)
        await late.say("40")
        assert any(s.startswith("44") for s in late.sent)
        for one in (line, late, refused):
            await one.leave()

    asyncio.run(play())


@needs_console
def test_who_says_too_much_has_to_wait_and_loses_nothing() -> None:
    from sunmi_ipc.console.said import AT_ONCE, COUNTS_AS_ONE, PER_SECOND, Pace

    now = [0.0]
    pace = Pace(lambda: now[0])
    assert not any(pace.wait(0) for _ in range(int(AT_ONCE)))
    assert pace.wait(0) == pytest.approx(1 / PER_SECOND)
    now[0] += 60
    assert pace.wait(0) == 0
    # A finger that drags never waits.
    for _ in range(2000):
        now[0] += 1 / 60
        assert pace.wait(300) == 0
    # A long message is as many.
    waits = [pace.wait(64 * COUNTS_AS_ONE) for _ in range(10)]
    assert waits[-1] > 1


def test_a_session_has_so_many_sockets_and_no_more() -> None:
    async def play() -> None:
        sessions = Sessions()
        secret, session = sessions.enter(sessions.code(Role.VIEW), origin="a")
        go, sent = asyncio.Event(), []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await go.wait()
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "what a browser sent")

        gate = Gate(app, sessions, {"h:1"}, secure=False)
        scope = {
            "type": "websocket", "path": "/live/SN/hd", "method": "GET",
            "headers": [(b"host", b"h:1"), (b"origin", b"http://h:1"), (b"cookie", f"ipc_session={secret}".encode())],
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "websocket.connect"}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        tasks = [asyncio.ensure_future(gate(dict(scope), receive, send)) for _ in range(SOCKETS)]
        await asyncio.sleep(0)
        assert (session.sockets, sent) == (SOCKETS, [])
        await gate(dict(scope), receive, send)
        assert sent == ["websocket.close"]
        go.set()
        await asyncio.gather(*tasks)  # nothing is raised
        assert session.sockets == 0

    asyncio.run(play())


def test_files_are_taken_for_pages_of_the_own_session_and_few_at_once() -> None:
    from sunmi_ipc.console.said import UPLOADS, Uploads

    async def play() -> None:
        mine, yours = a_session(), a_session(Role.ADMIN)
        page = SimpleNamespace(request=SimpleNamespace(scope={"session": yours}))
        go, at_work, sent = asyncio.Event(), [], []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            at_work.append(scope["path"])
            await go.wait()

        async def send(message: Any) -> None:
            sent.append(message.get("status"))

        uploads = Uploads(app, pages={"p": page}.get)
        path = "/_nicegui/client/p/upload/7"

        def ask(path: str, session: Session | None) -> Any:
            return uploads({"type": "http", "path": path, "session": session}, None, send)

        for other in (mine, None):
            await ask(path, other)
        await ask(path.replace("/p/", "/q/"), yours)
        assert (at_work, sent) == ([], [404, None] * 3)
        tasks = [asyncio.ensure_future(ask(path, yours)) for _ in range(50)]
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(at_work) == UPLOADS
        go.set()
        await asyncio.gather(*tasks)
        assert len(at_work) == 50

    asyncio.run(play())


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    now = [0.0]
    logger, filter_ = logging.getLogger("some.library"), Brief(lambda: now[0])
    logger.addFilter(filter_)

    def fail(error: Exception | None, words: str = "broke") -> list[str]:
        caplog.clear()
        logger.error(words, exc_info=error)
        return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]

    yield fail, now
    logger.removeFilter(filter_)


def test_what_a_library_logs_of_a_request_is_a_line_of_ours_once_a_minute(told: Any) -> None:
    fail, now = told

    def raised(value: Any) -> Exception:
        try:
            Brief().filter(value)
        except Exception as error:
            return error
        raise AssertionError

    error = raised(None)
    (line,) = fail(error)
    assert line.startswith("a request failed: AttributeError, station/brief.py line ")
    assert fail(error) == []
    now[0] += REPEAT_S
    assert len(fail(error)) == 1
    # What broke off before anything of ours is what somebody has sent.
    assert fail(UnicodeDecodeError("utf-8", b"\xff", 0, 1, "password=hunter22")) == []
    assert fail(None, "x" * 9999) == ["a request failed: " + "x" * 200]
