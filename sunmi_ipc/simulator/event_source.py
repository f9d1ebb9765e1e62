"""The events of virtual cameras: really posted, to whoever has subscribed, well or badly on demand.

What the protocol sheet leaves open is our guess (section 7):

=============================  ===============================================================
question                       the virtual camera
=============================  ===============================================================
body                           a form with all fields at the top; see ``layout`` for the others
success                        HTTP 200 with ``{"code": 0}``, nothing else
otherwise                      tries again, ``pause`` later, then twice as long each time, to 5 s
connection                     kept open
``pic_url``                    https, served for as long as the camera runs
``video_url``                  the last recording; empty without a card or the extra ``video``
=============================  ===============================================================
"""

from __future__ import annotations

import contextlib
import heapq
import http.client
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from itertools import count
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from ..errors import ParameterError
from ..events.workers import Workers
from ..protocol.spec import Model
from ..protocol.values import CardStatus, EventType
from . import card, faces, jpeg, video
from .camera import VirtualCamera
from .checks import signature
from .files import Content, serves
from .hooks import subscriptions
from .host import Host

LAYOUTS = ("form", "json", "data", "payload")
_BACKLOG = 1000  # events that wait for one callback; beyond, the oldest are forgotten
_PATIENCE_S = 10.0
_NOBODY = 1  # a port where nobody listens


@dataclass(frozen=True, slots=True)
class Play:
    """How events are posted.

    Args:
        rate: Events a second, of each camera; 0: only those asked for (:meth:`Feed.happen`).
        burst: How many come at once; the rate stays.
        repeat: Share that is posted again though it was acknowledged, 0 to 1.
        reorder: Share that comes behind the next one.
        bad: Share before which a forged one is posted, its signature wrong.
        unreachable: Share of attempts that find nobody listening.
        layout: ``form``, ``json``, ``data`` or ``payload``: where the fields sit.
        attempts: How often an event is tried before it is given up.
        pause: Seconds before it is tried again.

    """

    rate: float = 0.0
    burst: int = 1
    repeat: float = 0.0
    reorder: float = 0.0
    bad: float = 0.0
    unreachable: float = 0.0
    layout: str = "form"
    attempts: int = 8
    pause: float = 0.2

    def __post_init__(self) -> None:
        shares = all(0 <= getattr(self, n) <= 1 for n in ("repeat", "reorder", "bad", "unreachable"))
        if not (shares and 0 <= self.rate <= 10_000 and 1 <= self.burst <= 1000):
            raise ParameterError("{name}: out of bounds", name="events")
        if not (self.attempts >= 1 and 0.001 <= self.pause <= 3600):
            raise ParameterError("{name}: out of bounds", name="events")
        if self.layout not in LAYOUTS:
            raise ParameterError(
                "{name}: unknown", name="layout", hint="Allowed: {bounds}.", bounds=", ".join(LAYOUTS)
            )


def parse_play(text: str) -> Play:
    """``RATE[,KEY=VALUE]...``, e.g. ``5`` or ``5,burst=10,repeat=0.1,layout=json``.

    Raises:
        ParameterError: It is not of that form, or a value is out of its bounds.

    """
    rate, *more = text.split(",")
    kinds: dict[str, Any] = {f.name: type(f.default) for f in fields(Play)}
    values: dict[str, Any] = {}
    try:
        for part in [f"rate={rate}", *more]:
            key, _, value = part.strip().partition("=")
            values[key] = kinds[key](value)
    except (KeyError, ValueError):
        raise ParameterError(
            "{name}: not a play of events",
            name="events",
            hint="Use RATE[,KEY=VALUE]..., KEY one of {keys}.",
            keys=", ".join(k for k in kinds if k != "rate"),
        ) from None
    return Play(**values)


@dataclass(eq=False, slots=True)
class _Post:
    body: bytes
    kind: str
    forged: bool = False
    again: bool = False
    attempts: int = 0


@dataclass(eq=False, slots=True)
class _Lane:
    """What one camera has yet to post to one callback, in order."""

    camera: VirtualCamera
    event: str
    url: str
    posts: deque[_Post] = field(default_factory=deque)
    held: list[_Post] = field(default_factory=list)
    queued: bool = False  # in the heap, or in a worker's hands
    connection: http.client.HTTPConnection | None = None

    @property
    def subscribed(self) -> bool:
        return self.url in subscriptions(self.camera.state).get(self.event, ())


#: What ``answered`` is told: the camera, the HTTP status (0: nobody answered), the seconds it took.
Answered = Callable[[VirtualCamera, int, float], None]


class Feed:
    """Posts events, from its making until :meth:`close`; a context manager.

    Args:
        cameras: Whose events.
        play: How they are posted.
        seed: The same number plays the same faults.
        workers: Posts under way at once.
        answered: Called after each post of an event that is neither forged nor a repeat.

    """

    cameras: list[VirtualCamera]
    play: Play

    def __init__(
        self,
        cameras: Iterable[VirtualCamera],
        play: Play = Play(),
        *,
        seed: int = 0,
        workers: int = 16,
        answered: Answered | None = None,
    ) -> None:
        self.cameras, self.play, self._answered = list(cameras), play, answered
        self._die = random.Random(seed)  # noqa: S311 - faults, not secrets
        self._lock = threading.RLock()
        self._ready, self._idle = threading.Condition(self._lock), threading.Condition(self._lock)
        self._lanes: dict[tuple[str, str, str], _Lane] = {}
        self._due: list[tuple[float, int, _Lane]] = []
        self._ticket, self._number = count(), count(1)
        self._run = f"{random.SystemRandom().getrandbits(32):08x}"
        self._counts: Counter[str] = Counter()
        targets = [self._work] * max(1, min(workers, 4 * len(self.cameras)))
        if play.rate > 0 and self.cameras:
            targets.append(self._live)
        self._workers = Workers("virtual-events", targets)
        self._closing = self._workers.stop
        self._workers.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """Events that ``happened`` and were ``given_up``; posts by what became of them.

        Those are ``acknowledged``, ``refused``, ``unanswered``, ``repeated``, ``forged``, ``forged_accepted``.
        """
        names = ("happened", "acknowledged", "refused", "unanswered", "repeated", "forged", "forged_accepted")
        with self._lock:
            return {name: self._counts[name] for name in (*names, "given_up")}

    def happen(self, camera: VirtualCamera, event: str = EventType.FACE_RECOGNITION, **changed: Any) -> str:
        """Let *event* happen at *camera* now; ``changed`` are fields of it. Its ``event_id``.

        Nobody hears of it where nobody has subscribed.
        """
        made = self._event(camera, event) | changed
        with self._lock:
            self._counts["happened"] += 1
            for url in list(subscriptions(camera.state).get(event, ())):
                lane = self._lanes.setdefault((camera.sn, event, url), _Lane(camera, event, url))
                self._put(lane, made)
        return str(made["event_id"])

    def drain(self, timeout: float) -> bool:
        """Wait until nothing is left to post; whether it was in time."""
        with self._lock:
            for lane in self._lanes.values():
                self._release(lane)
            return self._idle.wait_for(
                lambda: not any(lane.posts or lane.queued for lane in self._lanes.values()), timeout
            )

    def close(self) -> None:
        """Stop; what was not posted is not."""
        self._closing.set()
        with self._lock:
            self._ready.notify_all()
            self._idle.notify_all()
        self._workers.join()
        for lane in self._lanes.values():
            if lane.connection is not None:
                lane.connection.close()

    # -- making events ---------------------------------------------------------------------------

    def _live(self) -> None:
        pause = self.play.burst / self.play.rate
        # Spread out: cameras are not in step.
        due = [(time.monotonic() + pause * i / len(self.cameras), i) for i in range(len(self.cameras))]
        heapq.heapify(due)
        while True:
            if self._closing.wait(max(0.0, due[0][0] - time.monotonic())):
                return
            when, index = due[0]
            heapq.heapreplace(due, (max(when + pause, time.monotonic() - 1), index))
            camera = self.cameras[index]
            if camera.away or camera.state.off_network:
                continue
            for _ in range(self.play.burst):
                motion = camera.state.model is Model.FM010 or self._die.random() < 0.3
                self.happen(camera, EventType.MOTION if motion else EventType.FACE_RECOGNITION)

    def _event(self, camera: VirtualCamera, event: str) -> dict[str, Any]:
        state, number = camera.state, next(self._number)
        made = {"event_id": f"{self._run}-{number}", "event_type": event, "sn": state.sn}
        if event != EventType.FACE_RECOGNITION:
            return made | {
                "report_time": int(camera.clock()),
                "detect_type": self._die.choice((1, 1, 2, 3)),
                "video_url": self._clip(camera),
            }
        person = self._die.randrange(30)
        with state.lock:
            if state.card_status is CardStatus.NORMAL and state.model is Model.FM020:
                seen = faces.visit(state, person, camera.clock())
            else:  # without a card it remembers nobody
                seen = {"faceid": f"{person:016x}", "arrive_count": 1, "group_name": "stranger"}
        return made | {
            **{k: str(seen.get(k, "")) for k in ("faceid", "age", "age_range", "gender", "group_name")},
            "cloud_faceid": "",
            "arrive_count": seen["arrive_count"],
            "pic_url": card.file_url(state, f"event/{seen['faceid']}-{number}.jpg"),
            "report_time": str(int(camera.clock())),
        }

    def _clip(self, camera: VirtualCamera) -> str:
        state, now = camera.state, int(camera.clock())
        if state.card_status is not CardStatus.NORMAL or not video.available():
            return ""
        return str(next((r["url"] for r in reversed(card.recordings(state, now - 180, now))), ""))

    def _body(self, camera: VirtualCamera, event: dict[str, Any], *, forged: bool) -> tuple[bytes, str]:
        top: dict[str, Any] = {
            "app_id": camera.vendor.app_id,
            "timestamp": str(int(camera.clock())),
            "random": f"{self._die.randrange(10**6, 10**8)}",
        }
        layout = self.play.layout
        if layout == "data":
            top["data"] = event
        elif layout == "payload":
            top["payload"] = json.dumps(event, ensure_ascii=False)
        else:
            top |= event
        texts = {
            k: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False, separators=(",", ":"))
            for k, v in top.items()
        }
        signed = signature(texts, camera.vendor.secret_key.reveal())
        if forged:
            signed = signed[::-1]
        if layout in ("json", "data"):
            return json.dumps(top | {"sign": signed}, ensure_ascii=False).encode(), "application/json"
        return urlencode(texts | {"sign": signed}).encode(), "application/x-www-form-urlencoded"

    def _put(self, lane: _Lane, event: dict[str, Any]) -> None:
        if self._die.random() < self.play.bad:
            forged = event | {"event_id": f"{event['event_id']}-forged"}
            lane.posts.append(_Post(*self._body(lane.camera, forged, forged=True), forged=True))
        post = _Post(*self._body(lane.camera, event, forged=False))
        if not lane.held and self._die.random() < self.play.reorder:
            lane.held.append(post)
        else:
            lane.posts.append(post)
            self._release(lane)
        while len(lane.posts) > _BACKLOG:
            lane.posts.popleft()
            self._counts["given_up"] += 1
        self._queue(lane)

    def _release(self, lane: _Lane) -> None:
        lane.posts.extend(lane.held)
        lane.held.clear()
        self._queue(lane)

    # -- posting ---------------------------------------------------------------------------------

    def _queue(self, lane: _Lane, pause: float = 0.0) -> None:
        if lane.posts and not lane.queued:
            lane.queued = True
            heapq.heappush(self._due, (time.monotonic() + pause, next(self._ticket), lane))
            self._ready.notify()

    def _work(self) -> None:
        while True:
            with self._lock:
                while not self._closing.is_set() and (not self._due or self._due[0][0] > time.monotonic()):
                    self._ready.wait(self._due[0][0] - time.monotonic() if self._due else None)
                if self._closing.is_set():
                    return
                lane = heapq.heappop(self._due)[2]
                post = lane.posts[0] if lane.subscribed else None
                if post is None:  # unsubscribed: nobody is to be told any more
                    self._drop(lane)
                gone = self._die.random() < self.play.unreachable
            pause = self._deliver(lane, post, gone) if post is not None else 0.0
            with self._lock:
                lane.queued = False
                self._queue(lane, pause)
                if not lane.posts:
                    self._idle.notify_all()

    def _drop(self, lane: _Lane) -> None:
        lane.posts.clear()
        lane.held.clear()
        self._lanes.pop((lane.camera.sn, lane.event, lane.url), None)
        if lane.connection is not None:
            lane.connection.close()

    def _deliver(self, lane: _Lane, post: _Post, gone: bool) -> float:
        """One attempt; the seconds until the lane's next."""
        if lane.camera.away or lane.camera.state.off_network:
            return 0.2
        began = time.perf_counter()
        status = self._post(lane, post, gone)
        took = time.perf_counter() - began
        with self._lock:
            pause = self._judge(lane, post, status)
        if self._answered is not None and not (post.forged or post.again):
            self._answered(lane.camera, status, took)
        return pause

    def _judge(self, lane: _Lane, post: _Post, status: int) -> float:
        post.attempts += 1
        done = status == 200 or post.forged
        if post.forged:
            self._counts["forged"] += status > 0
            self._counts["forged_accepted"] += status == 200
        elif post.again:
            self._counts["repeated"] += status == 200
        else:
            self._counts["acknowledged" if status == 200 else "refused" if status else "unanswered"] += 1
        if not done and post.attempts >= self.play.attempts:
            self._counts["given_up"] += not post.again
            done = True
        if not done:
            return max(self.play.pause, min(5.0, self.play.pause * 2.0 ** min(post.attempts - 1, 20)))
        if lane.posts and lane.posts[0] is post:
            lane.posts.popleft()
        if status == 200 and not post.forged and not post.again and self._die.random() < self.play.repeat:
            lane.posts.append(_Post(post.body, post.kind, again=True))
        return 0.0

    def _post(self, lane: _Lane, post: _Post, gone: bool) -> int:
        """The HTTP status; 0 where nobody answered. A 200 that does not say ``{"code": 0}`` counts as 500."""
        parts = urlsplit(lane.url)
        kept = lane.connection
        if kept is None or gone:
            make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            port = _NOBODY if gone else parts.port
            connection = make(
                parts.hostname or "", port, timeout=_PATIENCE_S, source_address=(lane.camera.ip, 0)
            )
        else:
            connection = kept
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            connection.request("POST", path, post.body, {"Content-Type": post.kind})
            answer = connection.getresponse()
            text = answer.read(4096)
            status = answer.status
            if status == 200:
                with contextlib.suppress(ValueError, AttributeError, RecursionError):
                    status = 200 if json.loads(text).get("code") == 0 else 500
        except (OSError, http.client.HTTPException):
            connection.close()
            status = 0
        if not gone:
            lane.connection = connection if status else None
        else:
            connection.close()
        return status


@serves("event")
def _picture(camera: Host, path: str) -> Content | None:
    faceid, dash, rest = path.partition("-")
    if (
        not dash
        or not faceid.isalnum()
        or not rest.removesuffix(".jpg").isdecimal()
        or not rest.endswith(".jpg")
    ):
        return None
    return Content(jpeg.face(faceid), "image/jpeg")
