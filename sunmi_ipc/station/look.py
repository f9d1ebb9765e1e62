"""One look at a camera: whether it is there, is the one, and does its work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ..errors import (
    AuthenticationError,
    CameraNotFound,
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    NotSupportedError,
    ReplyError,
    SunmiIpcError,
    TlsError,
    UnsupportedError,
)
from ..protocol.values import CardStatus
from .roster import Member, Roster, WrongCamera
from .spans import ABLE, CARD
from .verdict import CARD as CARD_CODES
from .verdict import REACH

if TYPE_CHECKING:
    from ..camera import Camera

#: Return codes that say "nothing was recorded".
_NO_RECORDS = frozenset({121, 122, 231, 234, 235})
_NO_CARD = 220
_REMOVED = 4  # seen in the older protocol alone
_CARD_CODE = {
    CardStatus.NONE: "card-none",
    CardStatus.BLANK: "card-blank",
    CardStatus.BROKEN: "card-broken",
}


@dataclass(slots=True)
class Look:
    """What a look found.

    Attributes:
        at: When it began, Unix seconds.
        found: Details by the code of what is the matter.
        checked: Every code that this look could see.
        state: What it says of counting, see :mod:`.spans`.
        facts: Figures: ``answer_ms``, ``clock_s``, ``card``, ``recorded``.
        silent: Whether nobody answered.

    """

    at: float
    found: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    checked: set[str] = field(default_factory=set)
    state: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    silent: bool = False


def look(roster: Roster, member: Member, *, clock: float, recording: float) -> Look:
    """Look at a camera; never raises for what is the matter with it.

    Args:
        roster: Whose it is.
        member: The camera.
        clock: Seconds that its clock may be off.
        recording: Seconds within which something must have been recorded; 0: not asked for.

    """
    made = Look(time.time())
    try:
        client = roster.client(member)
        began = time.perf_counter()
        roster.verify(member, client)
    except SunmiIpcError as error:
        _not_there(made, member, error)
        return made
    made.facts["answer_ms"] = round((time.perf_counter() - began) * 1000, 1)
    made.checked |= REACH | {"duplicate"}
    if "duplicate-sn" in member.flags:
        made.found["duplicate"] = {}
    try:
        _clock(made, client, clock)
        _card(made, client)
        if recording and made.facts.get("card") == "normal":
            _recording(made, client, recording)
    except ConnectionFailed as error:  # it went away meanwhile
        made.state = ""
        _not_there(made, member, error)
    except SunmiIpcError as error:
        made.found["refused"] = problem_of(error)
    return made


def problem_of(error: SunmiIpcError) -> dict[str, str]:
    """An error in both languages, as details of a reason."""
    return {"problem": error.message, "problem_zh": error.localized("zh")[0]}


def _not_there(made: Look, member: Member, error: SunmiIpcError) -> None:
    made.checked |= REACH
    problem = {**problem_of(error), "sn": member.sn}
    match error:
        case WrongCamera():
            made.found["wrong-camera"] = {"other": error.values.get("other", "")}
        case CameraNotFound():
            made.found["unreachable" if member.seen else "never-seen"] = problem
        case TlsError():
            made.found["not-trusted"] = problem
        case ConnectionFailed():
            made.found["unreachable" if member.seen or member.online else "never-seen"] = problem
        case NotActivatedError():
            made.found["not-activated"] = problem
        case AuthenticationError():
            made.found["credentials"] = problem
        case ReplyError():
            made.found["not-understood"] = problem
        case _:
            made.found["refused"] = problem
    made.silent = "unreachable" in made.found


def _clock(made: Look, client: Camera, tolerance: float) -> None:
    if client.clock_ahead is None:
        return
    made.checked.add("clock")
    # The header has whole seconds.
    made.facts["clock_s"] = round(client.clock_ahead + 0.5)
    if abs(client.clock_ahead) > tolerance:
        made.found["clock"] = {"seconds": round(client.clock_ahead + 0.5)}


def _card(made: Look, client: Camera) -> None:
    try:
        status = client.sdcard.status().status
    except (NotSupportedError, UnsupportedError, ReplyError):
        return  # an inferred path: what it cannot say is no alarm
    except DeviceError as error:
        if error.code != _NO_CARD:
            return
        status = CardStatus.NONE
    made.checked |= CARD_CODES
    made.facts["card"] = status.name.lower()
    if status is CardStatus.NORMAL:
        made.state = ABLE
        return
    made.state = CARD
    code = _CARD_CODE.get(status) or ("card-removed" if int(status) == _REMOVED else "card-unknown")
    made.found[code] = {"state": int(status)}


def _recording(made: Look, client: Camera, within: float) -> None:
    ahead = client.clock_ahead or 0.0
    now = time.time() + ahead
    start, end = (datetime.fromtimestamp(int(t), UTC) for t in (now - within, now))
    try:
        page = client.video.records_page(start, end, page_size=1)
    except (NotSupportedError, UnsupportedError, ReplyError):
        return
    except DeviceError as error:
        if error.code not in _NO_RECORDS:
            return
        recorded = False
    else:
        recorded = bool(page.total_num or page.record_list)
        if page.total_num > 1:  # the newest is on the last page
            with suppress(DeviceError, ReplyError):
                page = client.video.records_page(start, end, page_num=page.total_num, page_size=1)
        if page.record_list:
            newest = max(record.end_time.timestamp() for record in page.record_list)
            made.facts["newest_recording"] = round(newest - ahead)
    made.checked.add("no-recording")
    made.facts["recorded"] = recorded
    if not recorded:
        made.found["no-recording"] = {"minutes": within / 60}
