"""What became of a damaged spool, said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..screen.output import note
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.events.salvage import Salvaged


def say_salvaged(state: State, saved: Salvaged) -> None:
    """Say what was saved, what may be lost, and where the damaged file is."""
    note(state, "The event spool was damaged: {count} events were saved.", count=saved.events)
    if saved.missing:
        note(
            state,
            "At most {count} events could not be read (numbers {first} to {last}; some of them may have been removed before).",
            count=saved.missing,
            first=saved.first_missing,
            last=saved.last_missing,
        )
    if not saved.complete:
        note(
            state,
            "Part of what else the spool knew is gone: an event may come twice, and readers that are not listed here "
            "begin at the oldest event: {readers}.",
            readers=", ".join(saved.readers) or "-",
        )
    note(state, "The damaged file is kept: {path}", path=str(saved.kept))


__all__ = ["say_salvaged"]
