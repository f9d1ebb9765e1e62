"""Discovery and events under asyncio: found, tracked, subscribed, received in the server's own loop."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from sunmi_ipc import discover as blocking_discover
from sunmi_ipc import errors
from sunmi_ipc import find as blocking_find
from sunmi_ipc.aio import AsyncTracker, EventReceiver, discover, find
from sunmi_ipc.discovery import ChangeKind, Tracker
from sunmi_ipc.events import Receiver, Spool
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.values import EventType
from sunmi_ipc.simulator import Feed, VirtualCamera, connect_async

APP, SECRET = "app", "secret"
FACE, MOTION = EventType
Start = Callable[..., VirtualCamera]


def test_cameras_as_they_answer(virtual: Start) -> None:
    cameras = [virtual(udp=True), virtual(udp=True)]

    async def look() -> None:
        ours = {camera.sn for camera in cameras}
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0)
                ticks += 1

        ticking = asyncio.ensure_future(tick())
        found = set()
        async with aclosing(discover(timeout=5, mdns=False)) as answers:
            async for camera in answers:
                found.add(camera.sn)
                if ours <= found:
                    break
        assert ours <= found
        assert (await find(cameras[0].sn, mdns=False)).ip == cameras[0].address.partition(":")[0]
        assert ticks  # the loop goes on meanwhile
        ticking.cancel()
        with pytest.raises(errors.ParameterError):
            async for _ in discover(expect=0):
                pass

    asyncio.run(look())


async def rest(tracker: AsyncTracker) -> list[str]:
    return [change.camera.sn async for change in tracker]


def test_a_tracker_tells_who_comes_and_goes(virtual: Start) -> None:
    async def track() -> None:
        heard: list[str] = []
        one = virtual(udp=True)
        async with AsyncTracker(
            interval=0.2, missed=2, on_change=lambda change: heard.append(change.camera.sn)
        ) as tracker:
            async with asyncio.timeout(15):
                async for change in tracker:
                    if change.camera.sn == one.sn and change.kind is ChangeKind.ONLINE:
                        assert one.sn in {camera.sn for camera in tracker.cameras}
                        await asyncio.to_thread(one.close)
                    if change.camera.sn == one.sn and change.kind is ChangeKind.OFFLINE:
                        break
            assert one.sn in heard
            waiting = asyncio.ensure_future(rest(tracker))
            await asyncio.sleep(0.01)
            await tracker.close()
            await waiting  # an iteration ends with it

    asyncio.run(track())


def test_twins_take_the_same_arguments() -> None:
    import inspect

    for one, other in ((blocking_discover, discover), (blocking_find, find), (Tracker, AsyncTracker)):
        assert [*inspect.signature(one).parameters] == [*inspect.signature(other).parameters]
    same = {*inspect.signature(Receiver).parameters} - {"host", "port", "max_connections"}
    assert {*inspect.signature(EventReceiver).parameters} - {"max_requests"} == same == {"spool", "rules"}


def test_a_stream_subscribes_gives_events_and_unsubscribes(ready: VirtualCamera) -> None:
    async def listen() -> None:
        async with connect_async(ready) as camera:
            async with camera.events.stream(FACE) as stream:
                assert (await camera.events.list()).num == 1
                made = [await asyncio.to_thread(feed.happen, ready, FACE) for _ in range(2)]
                async with asyncio.timeout(20):
                    async for event in stream:
                        assert event.event_id == made[0]
                        break
                    # Left before the next was asked for: it comes again.
                    seen: list[str] = []
                    async for stored in stream.stored():
                        seen.append(str(stored.event.event_id))
                        if len(seen) == 2:
                            break
                assert seen == made
                again = [one async for one in stream.stored(timeout=0.1)]
                assert [one.event.event_id for one in again] == made[1:]
                waiting = asyncio.ensure_future(anext(stream.stored()))
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
            assert (await camera.events.list()).num == 0

    with Feed([ready]) as feed:
        asyncio.run(listen())


# -- the receiver, as an ASGI server calls it --


def posted(**fields: Any) -> bytes:
    form = {
        "event_type": "dynamic_detect_event", "event_id": "1", "detect_type": "1", "sn": "FS101D8BS00106",
        "report_time": str(int(time.time())), "app_id": APP, "random": "1234567890", **fields,
    }  # fmt: skip
    form["sign"] = wire.sign(form, SECRET)
    return urlencode(form).encode()


async def ask(
    receiver: EventReceiver, body: bytes, *, slow: float = 0.0, gone: bool = False, **scope: Any
) -> tuple[int, dict[str, Any], dict[bytes, bytes]]:
    """One request, as an ASGI server hands it over; status 0: no answer."""
    chunks = [body[i : i + 1000] for i in range(0, len(body), 1000)] or [b""]
    headers = scope.pop("headers", [(b"content-length", str(len(body)).encode())])
    given = {
        "type": "http", "method": "POST", "path": "/", "client": ("127.0.0.9", 5),
        "headers": [(b"content-type", b"application/x-www-form-urlencoded"), *headers], **scope,
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(slow)
        if gone:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    await receiver(given, receive, send)
    if not sent:
        return 0, {}, {}
    return sent[0]["status"], json.loads(sent[1]["body"]), dict(sent[0]["headers"])


@pytest.fixture
def spool(tmp_path: Path) -> Any:
    with Spool(tmp_path / "spool") as made:
        yield made


def test_the_receiver_judges_as_the_threaded_one(spool: Spool) -> None:
    async def judge() -> None:
        receiver = EventReceiver(spool, secrets={APP: SECRET}, read_timeout=0.3)
        good = posted()  # one for all: in another second it would be another event
        assert await ask(receiver, good) == (
            200, {"code": 0}, {b"content-type": b"application/json", b"content-length": b"10"},
        )  # fmt: skip
        assert len(spool.after(0, 10)) == 1  # on the disk before the answer
        assert (await ask(receiver, good))[0] == 200
        forged = good[:-1] + (b"1" if good.endswith(b"0") else b"0")
        assert (await ask(receiver, forged))[:2] == (401, {"code": 2})
        assert (await ask(receiver, b"nothing"))[0] in (400, 401)
        assert (await ask(receiver, posted(), method="GET"))[0] == 405
        assert (await ask(receiver, posted(), method="GET"))[2][b"allow"] == b"POST"
        assert (await ask(receiver, b"", headers=[(b"content-encoding", b"gzip")]))[0] == 415
        assert (await ask(receiver, posted(), headers=[]))[0] == 400
        twice = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
        assert (await ask(receiver, posted(), headers=twice))[0] == 400
        assert (await ask(receiver, posted(event_id="2"), headers=[(b"transfer-encoding", b"chunked")]))[
            0
        ] == 200
        assert (await ask(receiver, posted(), headers=[(b"content-length", b"99999999")]))[0] == 413
        # More than a stranger may send, and more than was announced.
        big = posted(pad="x" * 70_000)
        assert (await ask(receiver, big, client=("127.0.0.8", 1)))[0] == 413
        assert (await ask(receiver, posted(event_id="3"), headers=[(b"content-length", b"5")]))[0] == 400
        # An address that an event with a good signature has come from may send more.
        assert (await ask(receiver, posted(event_id="4", pad="x" * 70_000)))[0] == 200
        assert (await ask(receiver, posted(), slow=0.5))[0] == 408
        assert (await ask(receiver, posted(), gone=True))[0] == 0
        elsewhere = EventReceiver(spool, secrets={APP: SECRET}, path="/events")
        assert (await ask(elsewhere, posted()))[0] == 404
        assert receiver.counts["stored"] == 3
        assert receiver.counts["repeated"] == 1
        assert receiver.counts["unsigned"] >= 1
        assert receiver.counts["timed_out"] == receiver.counts["aborted"] == 1
        assert len(spool.after(0, 10)) == 3
        receiver.close()
        elsewhere.close()

    asyncio.run(judge())


def test_requests_at_once_are_bounded(spool: Spool) -> None:
    async def crowd() -> None:
        receiver = EventReceiver(spool, secrets={APP: SECRET}, read_timeout=0.3, max_requests=2)
        slow = [asyncio.ensure_future(ask(receiver, posted(event_id=str(i)), slow=5)) for i in range(2)]
        await asyncio.sleep(0.01)
        status, _, headers = await ask(receiver, posted(event_id="9"))
        assert status in (200, 503)
        assert [(await task)[0] for task in slow] == [408, 408]
        if status == 503:
            assert headers[b"retry-after"] == b"5"
        assert (await ask(receiver, posted(event_id="10")))[0] == 200
        receiver.close()

    asyncio.run(crowd())


def test_a_camera_gets_through_beside_a_neighbour_who_takes_every_place(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sunmi_ipc.events.places.UNFINISHED_S", 0.05)

    async def crowd() -> None:
        receiver = EventReceiver(spool, secrets={APP: SECRET}, read_timeout=30.0, max_requests=8)
        neighbour = [
            asyncio.ensure_future(ask(receiver, posted(event_id=str(i)), slow=60, client=("127.0.0.66", i)))
            for i in range(100)
        ]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        for number in range(3):  # another camera each: none of them waits for the neighbour's time to be over
            camera = (f"127.0.0.{20 + number}", 1)
            assert (await ask(receiver, posted(event_id=f"c{number}"), client=camera))[0] == 200
        assert time.monotonic() - began < 25
        for task in neighbour:
            task.cancel()
        await asyncio.gather(*neighbour, return_exceptions=True)
        assert receiver._places._held.total() == 0
        assert not receiver._places._waiting
        assert (await ask(receiver, posted(event_id="last"), client=("127.0.0.66", 1)))[0] == 200
        receiver.close()

    asyncio.run(crowd())


def test_a_closed_spool_asks_the_camera_to_come_again(tmp_path: Path) -> None:
    async def closed() -> None:
        with Spool(tmp_path / "spool") as spool:
            receiver = EventReceiver(spool, secrets={APP: SECRET})
        status, body, headers = await ask(receiver, posted())
        assert (status, body, headers[b"retry-after"]) == (503, {"code": 3}, b"5")
        receiver.close()

    asyncio.run(closed())


def test_nobody_can_be_trusted_without_a_secret(spool: Spool) -> None:
    with pytest.raises(errors.ConfigError):
        EventReceiver(spool)
