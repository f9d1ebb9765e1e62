"""The table of what the virtual camera does on each call; the modules of the subjects fill it.

A rule answers most: an endpoint with ``document=`` reads or changes that document. The rest registers a
behaviour here. Each gets the camera's state and the checked parameters and returns the answer's
``data``, or raises ``Refused(code)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..protocol.spec import Endpoint, registry
from .checks import Refused
from .state import CameraState

Behaviour = Callable[[CameraState, dict[str, Any]], dict[str, Any] | None]
BEHAVIOURS: dict[str, Behaviour] = {}


def plays(path: str) -> Callable[[Behaviour], Behaviour]:
    """Register the behaviour of *path*."""

    def register(behaviour: Behaviour) -> Behaviour:
        BEHAVIOURS[path] = behaviour
        return behaviour

    return register


def behaviour_of(endpoint: Endpoint[..., Any]) -> Behaviour | None:
    """The behaviour of *endpoint*, its own or the document rule; None where there is neither."""
    if endpoint.path in BEHAVIOURS:
        return BEHAVIOURS[endpoint.path]
    if not endpoint.document:
        return None

    def document(state: CameraState, values: dict[str, Any]) -> dict[str, Any] | None:
        stored = state.documents.setdefault(endpoint.document, {})
        if endpoint.safe:
            return dict(stored)
        stored.update({p.wire: values[p.name] for p in endpoint.parameters if p.name in values})
        return None

    return document


def unplayed() -> list[str]:
    """Endpoints that the virtual camera cannot play; a test holds this empty."""
    return [e.path for e in registry().values() if behaviour_of(e) is None]


def page(
    state: CameraState, entries: list[Any], values: dict[str, Any], field: str, refused: int
) -> dict[str, Any]:
    """One page of *entries*; a page beyond the last is refused, or what the camera's quirks make of it."""
    number, size = values.get("page_num", 1), values.get("page_size", 50)
    if "short-pages" in state.quirks:
        size = min(size, 7)
    if "repeated-pages" in state.quirks:
        number = min(number, max(1, -(-len(entries) // size)))
    part = entries[(number - 1) * size : number * size]
    if "no-total" in state.quirks:
        return {"return_num": len(part), field: part}
    if not part and number > 1:
        raise Refused(refused)
    return {"total_num": len(entries), "return_num": len(part), field: part}
