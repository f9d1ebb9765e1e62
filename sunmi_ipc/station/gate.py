"""Calls that come through the broker: who may is decided here, whatever the broker does.

A call is carried out if a key of the station file has signed it, for this shop, not yet expired and not seen
before, and if that key may. Everything else is counted and told in the audit, in few entries however much comes.
A nonce is on the disk before the call begins, so that neither a replay nor a restart carries it out twice.
"""

from __future__ import annotations

import base64
import contextlib
import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from ..broker import contract, keys
from ..broker.contract import Answer, BadMessage, Chunk, Envelope, Request, RequestKind
from ..broker.failures import CLOCK, told
from ..errors import ForbiddenError, ParameterError, SunmiIpcError, UnsupportedError
from ..models.base import Settings as WholeSettings
from ..protocol.spec import Endpoint, registry
from ..redact import redact
from .execute import carry_out, confirmed, values_of
from .roles import allows, needed
from .store import StoreError

if TYPE_CHECKING:
    from .file import BrokerKey, BrokerTable, Role
    from .station import Station

_log = logging.getLogger("sunmi_ipc")
#: No request is good for longer; so long, and twice the clock's tolerance, its nonce is kept.
LONGEST_S = 600.0
#: Answers to what changes something are kept for who lost them.
KEPT_S = 3600.0
#: Messages, and bytes of them, that wait to be looked at; what is more is dropped and counted.
_WAITING, _WAITING_BYTES = 256, 8 << 20
_WORKERS, _UNDER_WAY, _PER_CAMERA = 32, 128, 8
#: Nonces of one key that are kept at most: nobody who keeps to his limits gets there.
_NONCES = 100_000
#: A nonce is kept for so long after nobody can use it by a right clock: a clock that is set back makes what was
#: overheard weeks ago timely again.
_SWINGS_S = 40 * 86_400.0
#: What was refused is told in the audit at once, and then so often at most.
_TELL_S = 60.0
#: So often at most a key's call of quite another time is answered.
_FAR_S = 1.0
#: Pictures are no larger, in bytes, and travel in pieces.
MAX_PICTURE, CHUNK = 4 << 20, 96 << 10
Reply = Callable[[str, Envelope], None]


@cache
def _by_key() -> dict[str, Endpoint[..., Any]]:
    return {endpoint.key: endpoint for endpoint in registry().values()}


class _SureClock:
    """The time that nothing is forgotten before: a clock that leaps forward is believed once it stayed there.

    Args:
        seconds: For so long, counted while this runs.

    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ahead: deque[tuple[float, float]] = (
            deque()
        )  # when, and how far the clock was ahead of the count

    def now(self) -> float:
        """Unix seconds, by the slowest that the clock was of late; called every now and then."""
        counted = time.monotonic()
        self._ahead.append((counted, time.time() - counted))
        while self._ahead[0][0] < counted - self._seconds:
            self._ahead.popleft()
        return counted + min(ahead for _, ahead in self._ahead)


def _changes(request: Request) -> bool:
    """Whether it may change something, so that it must be known what became of it."""
    endpoint = _by_key().get(request.endpoint)
    return request.kind is RequestKind.CALL and endpoint is not None and not endpoint.safe


class Gate:
    """Takes calls from the broker until :meth:`close`.

    Args:
        station: Whose cameras are called.
        table: ``[broker]`` of the station file.
        key: The station's own, which signs answers.
        reply: Sends an answer to a client.

    Attributes:
        counts: Calls by what became of them: ``done``, ``failed``, ``refused``, and reasons of refusals.

    """

    def __init__(self, station: Station, table: BrokerTable, key: keys.SigningKey, reply: Reply) -> None:
        self._station, self._table, self._key, self._reply = station, table, key, reply
        self._known: dict[str, BrokerKey] = {entry.name: entry for entry in table.keys}
        self.counts: Counter[str] = Counter()
        self._lock = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._busy: Counter[str] = Counter()
        self._nonces: Counter[str] = Counter()
        #: When a key has called of late, and when it has asked what became of calls: each has a number a minute.
        self._recent: dict[str, deque[float]] = {name: deque() for name in self._known}
        self._recalled: dict[str, deque[float]] = {name: deque() for name in self._known}
        self._refused: Counter[tuple[str, str]] = Counter()
        self._told: dict[tuple[str, str], float] = {}
        self._far: dict[str, float] = {}
        self._closing = False
        # What a killed process had begun: nobody will ever know here.
        station.store.later(("UPDATE requests SET state = 'lost' WHERE state = 'running'", ()))
        self._sure = _SureClock(LONGEST_S + 4 * table.clock + 120.0)
        self._count_nonces()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="broker-call")
        self._thread = threading.Thread(target=self._run, name="broker-gate", daemon=True)
        self._thread.start()
        station.scheduler.add("broker gate", self._tidy, delay=_TELL_S / 4)

    def close(self) -> None:
        """Take no more; what is under way ends."""
        self._station.scheduler.drop("broker gate")
        with self._lock:
            self._closing = True
            self._lock.notify_all()
        self._thread.join()
        self._pool.shutdown(wait=True)
        self._tell(everything=True)

    @property
    def callers(self) -> list[str]:
        """Whose calls are taken: the fingerprints of their keys."""
        return sorted(keys.fingerprint(entry.public) for entry in self._known.values())

    def take(self, payload: bytes) -> None:
        """Look at a message soon; never waits."""
        with self._lock:
            if len(payload) > contract.MAX_CALL:
                reason = "too long"
            elif len(self._waiting) >= _WAITING or self._bytes + len(payload) > _WAITING_BYTES:
                reason = "flood"
            else:
                self._waiting.append(payload)
                self._bytes += len(payload)
                self._lock.notify()
                return
        self._refuse(reason)

    def turn_away(self, reason: str) -> None:
        """Carry out nothing of a message that came, and have the audit say why."""
        self._refuse(reason)

    def _run(self) -> None:
        while True:
            with self._lock:
                while not self._waiting and not self._closing:
                    self._lock.wait()
                if self._closing:
                    return
                payload = self._waiting.popleft()
                self._bytes -= len(payload)
            try:
                self._look(payload)
            except Exception:  # one bad message blocks nothing
                _log.exception("a call through the broker could not be dealt with")

    # -- who asks, and whether anew --------------------------------------------------------------------

    def _look(self, payload: bytes) -> None:
        try:
            envelope: Envelope = contract.decode(Envelope, payload, limit=contract.MAX_CALL)
        except BadMessage:
            self._refuse("not a message")
            return
        entry = self._known.get(envelope.key)
        if entry is None:
            self._refuse("unknown key")
            return
        try:
            text = keys.verify(envelope, keys.CALL, entry.public)
        except keys.BadSignature:
            self._refuse("bad signature", entry.name)
            return
        try:
            request: Request = contract.decode(Request, text, limit=contract.MAX_CALL)
        except BadMessage:
            self._refuse("not a request", entry.name)
            return
        if request.site != self._station.site:
            self._refuse("another site", entry.name)
            return
        if problem := self._untimely(request):
            self._refuse(problem, entry.name)
            self._never(request, entry.name)
            if self._worth_telling(request, entry.name):
                self._deny(
                    request,
                    ForbiddenError(
                        CLOCK[problem],
                        hint="Look at the clocks: the station's says {time}.",
                        time=time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
                    ),
                )
            return
        try:
            if not self._first(request, entry.name):
                self._refuse("repeated", entry.name)
                return
        except StoreError as error:  # without a memory nothing is carried out
            self._deny(request, error)
            return
        if refusal := self._forbidden(entry, request):
            self._refuse("not allowed", entry.name)
            self._finish(
                request,
                Answer(
                    site=request.site,
                    nonce=request.nonce,
                    state="refused",
                    at=time.time(),
                    error=told(refusal),
                ),
            )
            return
        if request.kind is RequestKind.RECALL:
            self._recall(request, entry.name)
            return
        with self._lock:
            if sum(self._busy.values()) >= _UNDER_WAY or self._busy[request.sn] >= _PER_CAMERA:
                busy = True
            else:
                busy = False
                self._busy[request.sn] += 1
        if busy:
            self._refuse("busy", entry.name)
            full = SunmiIpcError("the station has too many calls under way", hint="Try again in a moment.")
            self._finish(
                request,
                Answer(
                    site=request.site, nonce=request.nonce, state="refused", at=time.time(), error=told(full)
                ),
            )
            return
        self._pool.submit(self._work, entry, request)

    def _untimely(self, request: Request) -> str:
        now, slack = time.time(), self._table.clock
        if request.expires - request.issued > LONGEST_S or request.expires < request.issued:
            return "valid for too long"
        if now > request.expires + slack:
            return "expired"
        if now < request.issued - slack:
            return "from the future"
        return ""

    def _worth_telling(self, request: Request, who: str) -> bool:
        """Whether an untimely request is answered.

        It may be a replay of long ago; or our own clock, or the caller's, may be a year off, and then the answer is
        the only thing that says so.
        """
        if abs(time.time() - request.issued) < LONGEST_S + 2 * self._table.clock:
            return True
        now = time.monotonic()
        if now - self._far.get(who, -_FAR_S) < _FAR_S:
            return False
        self._far[who] = now
        return True

    def _forget_at(self, request: Request) -> float:
        """When nobody can send this request any more, by a right clock."""
        return request.expires + 2 * self._table.clock + 60.0

    def _never(self, request: Request, who: str) -> None:
        """What is refused as of the future will be timely one day: then it must not be carried out either."""
        if request.issued > time.time():
            self._station.store.later(
                (
                    "INSERT OR IGNORE INTO requests (nonce, who, forget, state, answer) VALUES (?, ?, ?, 'never', '')",
                    (request.nonce, who, self._forget_at(request)),
                )
            )

    def _first(self, request: Request, who: str) -> bool:
        """Whether the nonce is new; it is on the disk then."""
        if self._nonces[who] >= _NONCES:
            return False
        # Nobody asks what became of a question: the next thing that is known of it is that it is over.
        state = "running" if _changes(request) else "done"
        try:
            self._station.store.write_new(
                "INSERT INTO requests (nonce, who, forget, state, answer) VALUES (?, ?, ?, ?, '')",
                (request.nonce, who, self._forget_at(request), state),
            )
        except sqlite3.IntegrityError:
            return False
        self._nonces[who] += 1
        return True

    def _count_nonces(self) -> None:
        """Not at every call: there may be very many."""
        with contextlib.suppress(SunmiIpcError):
            self._nonces = Counter(
                dict(self._station.store.read("SELECT who, count(*) FROM requests GROUP BY who"))
            )

    # -- who may --------------------------------------------------------------------------------------

    def _forbidden(self, entry: BrokerKey, request: Request) -> SunmiIpcError | None:
        recall = request.kind is RequestKind.RECALL
        if self._too_often(entry, recall):
            return ForbiddenError(
                "the key {name} has used up its {count} calls a minute", name=entry.name, count=entry.calls_per_minute,
                hint="Wait a minute; 'calls_per_minute' stands in the station file.",
            )  # fmt: skip
        if recall:  # at any time of day: the call itself was allowed
            return None
        if entry.hours is not None and not entry.hours.open_at(time.time(), self._station.loaded.zone):
            return ForbiddenError(
                "the key {name} may not call at this time of day", name=entry.name,
                hint="'hours' stands in the station file.",
            )  # fmt: skip
        if entry.cameras and request.sn not in entry.cameras:
            return ForbiddenError(
                "the key {name} may not call this camera", name=entry.name,
                hint="'cameras' stands in the station file.",
            )  # fmt: skip
        role: Role = "view"
        word = "video.snapshot_url"
        if request.kind is RequestKind.LINK:
            role, word = "tune", "faces.list"
        if request.kind is RequestKind.CALL:
            endpoint = _by_key().get(request.endpoint)
            if endpoint is None:
                return ParameterError(
                    "{name}: the station does not know this call", name=request.endpoint[:64] or "endpoint",
                    hint="Is the station's version older? 'ipc protocol list' shows what there is.",
                )  # fmt: skip
            role, word = needed(endpoint), endpoint.key
        elif not self._table.pictures:
            return ForbiddenError(
                "pictures stay in this shop",
                hint="Its station file says so: pictures = true under [broker] lets them out.",
            )
        if entry.endpoints and not any(fnmatchcase(word, pattern) for pattern in entry.endpoints):
            return ForbiddenError(
                "the key {name} may not call {endpoint}", name=entry.name, endpoint=word,
                hint="'endpoints' stands in the station file.",
            )  # fmt: skip
        if not allows(entry.role, role):
            return ForbiddenError(
                "this needs the role {role}", hint="{name} has the role {own}; roles stand in the station file.",
                role=role, name=entry.name, own=entry.role,
            )  # fmt: skip
        return None

    def _too_often(self, entry: BrokerKey, recall: bool) -> bool:
        recent, now = (self._recalled if recall else self._recent)[entry.name], time.monotonic()
        while recent and recent[0] < now - 60.0:
            recent.popleft()
        if len(recent) >= entry.calls_per_minute:
            return True
        recent.append(now)
        return False

    # -- doing it -------------------------------------------------------------------------------------

    def _work(self, entry: BrokerKey, request: Request) -> None:
        try:
            answers = self._carried_out(entry, request)
        finally:
            with self._lock:
                self._busy[request.sn] -= 1
                if not self._busy[request.sn]:
                    del self._busy[request.sn]
        self.counts[answers[-1].state] += 1
        self._finish(request, *answers, keep=_changes(request))

    def _carried_out(self, entry: BrokerKey, request: Request) -> list[Answer]:
        common: dict[str, Any] = {"site": request.site, "nonce": request.nonce}
        try:
            if request.kind is RequestKind.CALL:
                result = self._call(entry, request)
                return [Answer(**common, state="done", at=time.time(), result=result)]
            data, media = self._picture(request)
            self._station.audit.record(
                str(request.kind),
                who=entry.name,
                origin="broker",
                sn=request.sn,
                details={"bytes": len(data)},
            )
            pieces = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)] or [b""]
            return [
                Answer(
                    **common,
                    state="done",
                    at=time.time(),
                    chunk=Chunk(
                        part=number, parts=len(pieces), size=len(data), media=media,
                        data=base64.b64encode(piece).decode(),
                    ),
                )
                for number, piece in enumerate(pieces)
            ]  # fmt: skip
        except SunmiIpcError as error:
            return [Answer(**common, state="failed", at=time.time(), error=told(error))]
        except Exception as error:  # whoever waits for an answer is told
            _log.exception("a call through the broker failed: %s", request.endpoint)
            unexpected = SunmiIpcError("unexpected failure: {kind}", kind=type(error).__name__)
            unexpected.sent = True
            return [Answer(**common, state="failed", at=time.time(), error=told(unexpected))]

    def _call(self, entry: BrokerKey, request: Request) -> dict[str, Any]:
        endpoint = _by_key()[request.endpoint]
        values = endpoint.check(values_of(endpoint, request.values))
        confirmed(endpoint, request.confirm, request.sn)
        answer = carry_out(
            self._station, endpoint, values, sn=request.sn, who=entry.name, origin="broker", reads=True
        )
        if answer is None:
            return {}
        if isinstance(answer, WholeSettings):
            # Read, changed and written back whole, with what this version does not know of; never a mask.
            masked = redact(answer.came)
            return {name: value for name, value in answer.came.items() if masked[name] == value}
        return dict(answer.as_dict())

    def _picture(self, request: Request) -> tuple[bytes, str]:
        camera = self._station.camera(request.sn)
        if request.kind is RequestKind.SNAPSHOT:
            taken = camera.video.snapshot()
            data, media = taken.data, f"image/{taken.kind}"
        else:
            from ..video.fetch import read

            data = read(camera, request.link, limit=MAX_PICTURE)[0]
            media = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
            if not data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n")):
                raise UnsupportedError(
                    "{feature} does not go through a broker", name="link", feature="anything but pictures",
                    hint="Run it on a computer in the camera's own network.",
                )  # fmt: skip
        if len(data) > MAX_PICTURE:
            raise SunmiIpcError("the picture is larger than {count} bytes", count=MAX_PICTURE)
        return data, media

    def _recall(self, request: Request, who: str) -> None:
        """Tell what became of another request; one that has not come will not be taken from now on."""
        store = self._station.store
        answer = Answer(site=request.site, nonce=request.nonce, state="unknown", at=time.time())
        if request.of:
            try:
                rows = store.read("SELECT state, answer, who FROM requests WHERE nonce = ?", (request.of,))
                if not rows:
                    forget = time.time() + LONGEST_S + 2 * self._table.clock + 60.0
                    store.write(
                        (
                            "INSERT OR IGNORE INTO requests (nonce, who, forget, state, answer) VALUES (?, ?, ?, 'never', '')",
                            (request.of, who, forget),
                        )
                    )
                elif rows[0][2] == who:
                    state, text, _ = rows[0]
                    if text:
                        kept: Answer = contract.decode(Answer, text, limit=contract.MAX_CALL)
                        answer = kept.model_copy(update={"nonce": request.nonce, "at": time.time()})
                    elif state != "never":
                        answer = answer.model_copy(
                            update={"state": "running" if state == "running" else "lost"}
                        )
            except SunmiIpcError as error:
                # Nothing is known of the call by that: whoever asks asks again.
                _log.warning("what became of a call cannot be looked up: %s", error)
                answer = answer.model_copy(update={"state": "running"})
        self._finish(request, answer)

    # -- answering ------------------------------------------------------------------------------------

    def _deny(self, request: Request, error: SunmiIpcError) -> None:
        answer = Answer(
            site=request.site, nonce=request.nonce, state="refused", at=time.time(), error=told(error)
        )
        self._send(request.client, answer)

    def _finish(self, request: Request, *answers: Answer, keep: bool = False) -> None:
        """Remember how it ended, then say it."""
        if _changes(request):
            kept = answers[-1].encode().decode() if keep else ""
            # Refused is not carried out, and never will be: whoever lost the answer may say it again.
            state = "never" if answers[-1].state == "refused" else "done"
            forget = max(self._forget_at(request), time.time() + (KEPT_S if keep else 0.0))
            self._station.store.later(
                (
                    "UPDATE requests SET state = ?, answer = ?, forget = ? WHERE nonce = ?",
                    (state, kept, forget, request.nonce),
                )
            )
        for answer in answers:
            self._send(request.client, answer)

    def _send(self, client: str, answer: Answer) -> None:
        try:
            self._reply(client, self._key.sign(keys.ANSWER, answer))
        except SunmiIpcError as error:  # who asked asks again for what became of it
            _log.info("an answer could not be sent: %s", error)

    # -- what is told of refusals ---------------------------------------------------------------------

    def _refuse(self, reason: str, who: str = "") -> None:
        self.counts["refused"] += 1
        self.counts[reason] += 1
        with self._lock:
            self._refused[reason, who] += 1
            first = time.monotonic() - self._told.get((reason, who), -_TELL_S) >= _TELL_S
        if first:
            self._tell()

    def _tell(self, *, everything: bool = False) -> None:
        now, due = time.monotonic(), []
        with self._lock:
            for key, count in list(self._refused.items()):
                if everything or now - self._told.get(key, -_TELL_S) >= _TELL_S:
                    due.append((key, count))
                    del self._refused[key]
                    self._told[key] = now
        for (reason, who), count in due:
            _log.warning("broker: %d calls refused: %s%s", count, reason, f" ({who})" if who else "")
            self._station.audit.record(
                "call refused", who=who or "unknown", origin="broker", details={"reason": reason, "count": count},
                result="refused",
            )  # fmt: skip

    def _tidy(self) -> float:
        self._tell()
        now = self._sure.now()
        self._station.store.tidy(
            [
                # Late enough, an answer is of no use to anybody; the nonce is kept on: see _SWINGS_S.
                ("UPDATE requests SET answer = '' WHERE forget < ? AND answer != ''", (now,)),
                ("DELETE FROM requests WHERE forget < ?", (now - _SWINGS_S,)),
                *(
                    (
                        "DELETE FROM requests WHERE nonce IN (SELECT nonce FROM requests WHERE who = ? AND forget < ?"
                        " ORDER BY forget DESC LIMIT -1 OFFSET ?)",
                        (name, now, _NONCES // 2),
                    )
                    for name in self._known
                ),
            ]
        )
        self._count_nonces()
        return _TELL_S / 4
