"""Another sender's messages through the same receiver and spool."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sunmi_ipc.errors import BadEvent
from sunmi_ipc.events import Dialect, Event, RawEvent, Receiver, Spool
from sunmi_ipc.events.model import digest


class Message(Event):
    """A message of a made-up service: a shop, a number, no id."""

    face_id: str = ""


def message(fields: Mapping[str, Any]) -> Message:
    if "shop" not in fields:
        raise BadEvent("the event is empty")
    return Message.read(
        {
            "sn": fields["shop"],
            "event_type": str(fields["event"]),
            "event_id": digest(fields),
            "face_id": fields.get("face_id"),
        }
    )


def test_another_layout(kit: Any, posting: Any, tmp_path: Path) -> None:
    service = Dialect("service", event=message)
    person = {"shop": "S1", "event": 2001, "payload": json.dumps({"face_id": "f1"})}
    with Spool(tmp_path / "spool", dialect=service) as spool:
        with Receiver(spool, host="127.0.0.1", secrets={kit.APP: kit.KEY}) as receiver:
            post = posting(receiver)
            assert post(kit.form(kit.signed(person))) == 200
            assert post(kit.form(kit.signed(person))) == 200
            assert post(kit.form(kit.signed(person | {"event": 2002}))) == 200
            assert post(kit.form(kit.signed(person) | {"shop": "S2"})) == 401
            assert post(kit.form(kit.signed(kit.FACE))) == 400
            assert receiver.counts["repeated"] == 1
        first, second = spool.consumer("c").read()
    assert isinstance(first.event, Message)
    assert (first.event.face_id, first.event.key[:2], second.event.key[:2]) == (
        "f1",
        ("S1", "2001"),
        ("S1", "2002"),
    )
    # Read as another sender's, they are still there and told apart.
    with Spool(tmp_path / "spool", retention=None) as spool:
        events = [stored.event for stored in spool.consumer("d").read()]
    assert [type(event) for event in events] == [RawEvent, RawEvent]
    assert [event.event_type for event in events] == ["2001", "2002"]
