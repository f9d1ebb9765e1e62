"""Pictures of cameras: single ones, and the live stream over a WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from ..errors import SunmiIpcError, TlsError
from ..i18n import Language
from ..video.fetch import read
from .language import preferred, told
from .roles import Role

if TYPE_CHECKING:
    from fastapi import FastAPI

    from ..station.live.hub import Message, Viewer
    from .state import Console

QUALITIES = ("hd", "fhd")
#: Bytes of pictures that go together.
_AT_ONCE = 32 * 1024
#: A network that held up a piece for so long, within so many seconds, is the slow one.
_BLOCKED_S, _WITHIN_S = 0.5, 15.0


def mount(app: FastAPI, console: Console) -> None:
    """Serve ``/picture/SN.jpg`` and ``/live/SN/QUALITY``."""

    async def picture(sn: str, age: float = 20.0, width: int = 640) -> Response:
        try:
            data = await console.work(
                lambda: console.picture(sn, age=max(1.0, age), width=_width(width)), picture=True
            )
        except SunmiIpcError:
            data = None
        if data is None:
            return Response(status_code=404)
        return Response(data, media_type="image/jpeg", headers={"cache-control": "no-store"})

    app.add_api_route("/picture/{sn}.jpg", picture, methods=["GET"])

    async def face(request: Request, sn: str, faceid: str) -> Response:
        def fetch() -> bytes:
            camera = console.desk.camera(sn, request.scope["session"])
            record = camera.faces.show(faceid)
            return read(console.desk.link(sn), record.pic_url, limit=4_000_000)[0] if record.pic_url else b""

        try:
            data = await console.work(fetch, picture=True)
        except SunmiIpcError:
            data = b""
        return _image(data)

    app.add_api_route("/face/{sn}/{faceid}", face, methods=["GET"])

    async def event(request: Request, sn: str, number: int) -> Response:
        if request.scope["session"].role < Role.TUNE:
            return Response(status_code=403)  # faces are personal data
        path = await console.work(lambda: console.wall.picture(sn, number))
        try:
            data = path.read_bytes() if path is not None else b""
        except OSError:
            data = b""
        return _image(data)

    app.add_api_route("/event/{sn}/{number}", event, methods=["GET"])

    async def footage(name: str, download: bool = False) -> Response:
        try:
            path = console.footage.path(name)
        except SunmiIpcError:
            return Response(status_code=404)
        # Ranges are served, so that a browser plays from any place and goes on with a broken download.
        return FileResponse(path, media_type="video/mp4", filename=name if download else None)

    app.add_api_route("/footage/{name}", footage, methods=["GET"])

    async def live(websocket: WebSocket, sn: str, quality: str) -> None:
        session = websocket.scope["session"]
        try:
            camera = console.desk.link(sn)
        except SunmiIpcError:
            await websocket.close(1008)
            return
        if quality not in QUALITIES:
            await websocket.close(1008)
            return
        await websocket.accept()
        loop, ready = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(ready.set)

        def watch(quality: str) -> Viewer:
            # It waits for nobody: what it does is done by the stream's own thread.
            return console.hub.watch(
                f"{sn}/{quality}", lambda: camera.video.live().best(quality), notify=notify
            )

        viewer, blocked = watch(quality), -_WITHIN_S
        gone = asyncio.create_task(_gone(websocket))
        lang: Language = session.lang or preferred(websocket.headers.get("accept-language", ""))
        try:
            while not gone.done() and console.sessions.alive(session):
                waiting = asyncio.create_task(ready.wait())
                came, _ = await asyncio.wait({waiting, gone}, return_when=asyncio.FIRST_COMPLETED, timeout=2)
                waiting.cancel()
                if not came:
                    await websocket.send_json(
                        {"state": "alive"}
                    )  # where nothing comes, it is not the network
                ready.clear()
                # Pictures that wait together go together: every message costs. But no more than soon gets through.
                while not gone.done() and (messages := viewer.take(_AT_ONCE)):
                    began = loop.time()
                    await _send(websocket, messages, lang)
                    if loop.time() - began > _BLOCKED_S:
                        blocked = loop.time()
                if not viewer.slow or loop.time() - blocked > _WITHIN_S:
                    continue  # where pictures were left out, it was this computer that had no time
                if quality == "fhd":
                    # The way is too narrow for the large picture: the camera's small one from now on.
                    viewer.close()
                    quality = "hd"
                    viewer = watch(quality)
                else:
                    await websocket.send_json({"state": "slow"})
                    return
        except (WebSocketDisconnect, RuntimeError, OSError):
            pass  # it has gone
        finally:
            gone.cancel()
            viewer.close()
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await websocket.close()

    app.add_api_websocket_route("/live/{sn}/{quality}", live)


async def _send(websocket: WebSocket, messages: list[Message], lang: Language) -> None:
    parts = bytearray()

    async def flush() -> None:
        # In pieces, which a browser may have in any size: over a slow network one large one looks like silence.
        for start in range(0, len(parts), _AT_ONCE):
            await websocket.send_bytes(bytes(parts[start : start + _AT_ONCE]))
        parts.clear()

    for message in messages:
        if message.kind == "fragment":
            parts += message.data
            continue
        await flush()
        if message.kind == "init":
            await websocket.send_json({"codecs": message.codecs})
            await websocket.send_bytes(message.data)
        else:
            await websocket.send_json({"state": message.state} | _told(message.error, lang))
    await flush()


def _width(wished: int) -> int:
    """A width that is kept: there are few of them, whatever is wished."""
    return -(-min(max(wished, 160), 1280) // 160) * 160


def _image(data: bytes) -> Response:
    """A picture as what it is: nothing that a camera sends is shown as anything else."""
    for magic, kind in ((b"\xff\xd8\xff", "jpeg"), (b"\x89PNG\r\n\x1a\n", "png")):
        if data.startswith(magic):
            return Response(
                data, media_type=f"image/{kind}", headers={"cache-control": "private, max-age=300"}
            )
    return Response(status_code=404)


async def _gone(websocket: Any) -> None:
    """Returns when the browser has left; what it may send is not looked at."""
    with contextlib.suppress(RuntimeError):
        while (await websocket.receive())["type"] != "websocket.disconnect":
            pass


def _told(error: SunmiIpcError | None, lang: Language) -> dict[str, str]:
    if error is None:
        return {}
    if isinstance(error, TlsError):
        error = TlsError("this camera is not trusted")  # why, and what to do, stands beside the picture
    text = told(error, lang)
    return {"text": text[:1].upper() + text[1:]}
