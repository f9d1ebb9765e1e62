"""What receiving events and receiving the cloud's messages share: sinks that deliver until it ends, and the sum."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

from sunmi_ipc.i18n import tr

from ..screen.lengths import length
from ..screen.output import note, print_json
from ..state import State
from .options import Start

if TYPE_CHECKING:
    from sunmi_ipc.events.delivery import Delivery
    from sunmi_ipc.events.receiver import Receiver

DurationOption = Annotated[
    float,
    length("--for", tr("Stop after so long; 0: never."), never=True),
]


@contextlib.contextmanager
def held(sinks: list[Any]) -> Iterator[contextlib.ExitStack]:
    """Lets go of what *sinks* hold whatever follows, until their deliveries do: then empty what is yielded."""
    with contextlib.ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        yield stack


@contextlib.contextmanager
def until_signal() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set; a second one ends the program at once."""
    stop = threading.Event()

    def once(number: int, frame: object) -> None:
        stop.set()
        signal.signal(number, before[number])

    before: dict[int, Any] = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, once)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def deliver(
    stack: contextlib.ExitStack, spool: Any, sinks: list[Any], start: Start = Start.NOW
) -> list[Delivery]:
    """A delivery for each sink; one that has no place in the spool yet begins at *start*."""
    from sunmi_ipc.events.delivery import Delivery

    made = []
    for sink in sinks:
        # People want what comes, not what came while they were away.
        terminal = sink.name == "terminal"
        made.append(stack.enter_context(Delivery(spool, sink, start="anew" if terminal else start.value)))
        if terminal:
            stack.callback(spool.forget, sink.name)
    return made


def wait(
    stop: threading.Event, receiver: Receiver, deliveries: list[Delivery], count: int, duration: float
) -> None:
    """Wait for the end: *stop*, so many events or seconds, or a delivery that has nobody to deliver to."""
    end = time.monotonic() + duration if duration else None
    while not stop.wait(0.1):
        if count and receiver.counts["stored"] >= count:
            return
        if end is not None and time.monotonic() >= end:
            return
        if any(d.ended.is_set() for d in deliveries):  # such as the reader of a pipe, gone
            return


def sum_up(state: State, receiver: Receiver, deliveries: list[Delivery], left: dict[str, int]) -> None:
    """Say what came and what of it went on; raises why a delivery stopped, if not because nobody takes it."""
    counts = receiver.counts
    delivered = {d.name: d.counts | {"left": left.get(d.name, 0)} for d in deliveries if d.name != "terminal"}
    broken = next((d.broken for d in deliveries if d.broken is not None), None)
    if state.json:
        if broken is None:
            print_json({"received": counts, "delivered": delivered})
            return
        raise broken
    refused = sum(counts.values()) - counts["stored"] - counts["repeated"]
    note(
        state,
        "{stored} events kept, {repeated} repeats, {refused} refused.",
        stored=counts["stored"],
        repeated=counts["repeated"],
        refused=refused,
    )
    for name, sent in delivered.items():
        if sent["left"] or sent["given_up"]:
            note(
                state,
                "{name}: {left} not delivered yet, they follow at the next start; {given_up} given up.",
                name=name,
                left=sent["left"],
                given_up=sent["given_up"],
            )
    if broken is not None:
        raise broken
