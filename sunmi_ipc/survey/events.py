"""What a pushed event looks like: the first of each type, as it came, redacted, and how it was read.

The layout of a pushed event is not documented (protocol.md, section 7). Whoever has a camera can show it with this.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..atomic import whole
from ..errors import BadEvent, cannot_write
from ..events import decoding
from ..events import model as event_model
from ..events.model import FaceRecognitionEvent, MotionDetectEvent
from ..protocol.serial import SerialNumber
from ..redact import printable
from .anonymise import Anonymiser
from .findings import Finding, finding, shape
from .model import read as read_dump
from .model import wrong

__all__ = ["Learner", "add_to_dump"]

_log = logging.getLogger("sunmi_ipc.events")
#: Anybody can post anything: so many kinds are shown, and no more.
_MOST = 16
#: Characters of a body that are shown; a firmware may put a picture into its event.
_LONGEST = 8192
_MODELS: Mapping[str, type] = {
    "face_recog_event": FaceRecognitionEvent,
    "dynamic_detect_event": MotionDetectEvent,
}
Learnt = dict[str, Any]


class Learner:
    """Looks at every POST, and tells the first of each type; give :meth:`take` to a receiver as ``heard``.

    One that was refused is told, too; a later one of its type that was taken replaces it.

    Args:
        secrets: Secret keys by app_id, to see what the signature covers. Never told.
        told: Called with each new one.

    """

    def __init__(self, secrets: Mapping[str, str], told: Callable[[Learnt], None]) -> None:
        self._secrets, self._told = dict(secrets), told
        self._lock = threading.Lock()
        self._learnt: dict[str, Learnt] = {}

    @property
    def learnt(self) -> list[Learnt]:
        """What was learnt so far."""
        with self._lock:
            return list(self._learnt.values())

    def take(self, body: bytes, content_type: str, source: str, status: int) -> None:
        """Look at one POST.

        Args:
            body: As it came.
            content_type: The header.
            source: Who sent it.
            status: What it was answered.

        """
        with self._lock:
            if len(self._learnt) >= _MOST and all(one["status"] == 200 for one in self._learnt.values()):
                return
            found = look(body, content_type, source, status, self._secrets)
            before = self._learnt.get(found["event_type"])
            if before is not None and (before["status"] == 200 or status != 200):
                return
            if before is None and len(self._learnt) >= _MOST:
                return
            self._learnt[found["event_type"]] = found
        self._told(found)


def look(body: bytes, content_type: str, source: str, status: int, secrets: Mapping[str, str]) -> Learnt:
    """One POST, redacted, and how it is read."""
    text = body.decode("utf-8", "replace")
    form = (
        "json" if text.lstrip("\ufeff \t\r\n").startswith("{") or "json" in content_type.lower() else "form"
    )
    told: Learnt = {"event_type": "", "status": status, "content_type": "", "form": form, "place": "",
                    "signature": "", "fields": "", "body": ""}  # fmt: skip
    hidden = [*secrets, *secrets.values()]
    try:
        posted = event_model.read(body, content_type)
    except BadEvent as error:
        anonymiser = Anonymiser(hidden, host=source)
        anonymiser.learn(text)
        told |= {"form": "unreadable", "fields": error.message}
    else:
        sn = SerialNumber.read(posted.event.get("sn")) or ""
        anonymiser = Anonymiser(hidden, host=source, sn=sn)
        anonymiser.learn(dict(posted.top))
        anonymiser.learn(dict(posted.event))
        try:
            kind = event_model.of(decoding.harmless(posted.event)).event_type
        except BadEvent:
            kind = ""
        told["event_type"] = kind if kind in _MODELS else printable(anonymiser.text(kind), 64)
        told["place"] = _place(posted)
        told["signature"] = _signature(posted, secrets)
        if (model := _MODELS.get(kind)) is not None:
            told["fields"] = anonymiser.text(shape(model, posted.event)[1])
    anonymiser.patterns(content_type)
    told["content_type"] = printable(anonymiser.text(content_type), 200)
    told["body"] = anonymiser.text(text)[:_LONGEST]
    return told


def _place(posted: decoding.Posted) -> str:
    for name in decoding.NESTS:
        inner = posted.top.get(name)
        if posted.nested and inner is not None:
            return f"under {name}, as text" if isinstance(inner, str) else f"under {name}"
    return "at the top"


def _signature(posted: decoding.Posted, secrets: Mapping[str, str]) -> str:
    """What the signature covers, of what may be signed."""
    if not decoding.has_signature(posted):
        return "none"
    if str(posted.top.get("app_id", "")) not in secrets:
        return "of another app_id"
    flat = decoding.Posted(posted.top, posted.event)
    try:
        if decoding.verify(flat, secrets):
            return "over the fields as they came"
        if posted.nested and decoding.verify(posted, secrets):
            return "over the event's own fields, unfolded"
    except BadEvent:
        return "over a value that could be read as two fields"
    return "fits nothing that was tried"


def findings(learnt: Learnt) -> list[Finding]:
    """What one event proves or refutes of what was inferred."""
    kind = learnt["event_type"] or "event"
    if learnt["form"] == "unreadable":
        return [finding(kind, "layout", "inferred", "refuted", learnt["fields"])]
    taken = "proven" if learnt["status"] == 200 else "open"
    rows = [
        finding(kind, "layout", "inferred", taken, f"{learnt['form']}, {learnt['place']}"),
        finding(
            kind, "signature", "inferred", "proven" if learnt["signature"].startswith("over the") else "open",
            learnt["signature"],
        ),
    ]  # fmt: skip
    if learnt["fields"]:
        rows.append(finding(kind, "fields", "inferred", taken, learnt["fields"]))
    return rows


def add_to_dump(path: Path, learnt: list[Learnt]) -> None:
    """Put what was learnt of events into the dump in *path*; of a type that it has already the new one counts.

    Raises:
        ConfigError: There is no dump, or it cannot be written.

    """
    document = read_dump(path)
    kinds = {one["event_type"] for one in learnt}
    document["events"] = [
        one for one in document.get("events", []) if one["event_type"] not in kinds
    ] + learnt
    of_events = {"layout", "signature"}
    document["findings"] = [
        row for row in document["findings"]
        if not (row["path"] in {kind or "event" for kind in kinds} and row["fact"] in of_events | {"fields"})
    ] + [row for one in learnt for row in findings(one)]  # fmt: skip
    assert not wrong(document)
    try:
        with whole(path, mode=0o644) as file:
            file.write((json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise cannot_write(path, error) from None
