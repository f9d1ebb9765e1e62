"""What the cameras of one run share."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..camera import Camera
    from .finder import Finder
    from .journal import Journal
    from .outcome import Outcome
    from .secret import Secrets
    from .site import Policy
    from .throttle import Activations
    from .way import Way


@dataclass
class RunContext:
    """What the cameras of a run share.

    Attributes:
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        finder, journal, activations, secrets, policy: See there.
        apply: Whether to change anything.
        record: Whether to keep the outcomes in the journal.
        slots: One for each camera that is talked to.
        way: Whether they are to be reached at all, where a broker and a station are in between.
        stop: Set to end the run.
        tell: Called with the outcome so far and the step that begins.
        agreed: What may be destroyed, see :func:`sunmi_ipc.fleet.run.run`.
        claims: By serial number, which entry of the site file is at work on the camera.

    """

    connect: Callable[..., Camera]
    finder: Finder
    journal: Journal
    activations: Activations
    secrets: Secrets
    policy: Policy
    apply: bool
    record: bool
    slots: threading.Semaphore
    tell: Callable[[Outcome, str], None]
    way: Way
    stop: threading.Event = field(default_factory=threading.Event)
    agreed: frozenset[tuple[str, str]] | None = None
    claims: dict[str, str] = field(default_factory=dict)
