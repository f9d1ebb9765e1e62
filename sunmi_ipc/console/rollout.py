"""A site file carried out from the console: plan, apply with progress, go on after an interruption, report."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from ..errors import SunmiIpcError
from ..fleet.journal import Journal
from ..fleet.outcome import Outcome
from ..fleet.run import run
from ..fleet.sitefile import Loaded, load
from ..settings import Settings, config_dir, known_cameras


@dataclass
class Rollout:
    """One site.

    Args:
        settings: Credentials and interfaces.
        path: The site file.
        kept: Where it is kept what was done; default: beside the site file.

    Attributes:
        outcomes: By camera, as far as they are known.
        steps: What is being done to each camera.
        running: What is under way: ``plan``, ``apply``, or nothing.
        error: Why it ended early.

    """

    settings: Settings
    path: Path
    kept: Path | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    steps: dict[str, str] = field(default_factory=dict)
    running: Literal["", "plan", "apply"] = ""
    error: SunmiIpcError | None = None
    total: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def loaded(self) -> Loaded:
        """The site file, read anew.

        Raises:
            SiteError, ConfigError: It is wrong, or cannot be read.

        """
        return load(self.path, inline_secrets=False)

    def _journal(self, loaded: Loaded, *, write: bool) -> Journal:
        return Journal(self.kept or loaded.path.with_suffix(".journal"), write=write)

    def start(
        self,
        what: Literal["plan", "apply"],
        *,
        agreed: frozenset[tuple[str, str]] | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """Begin; returns at once. One run at a time: another is left alone.

        Args:
            what: ``plan`` changes nothing; ``apply`` goes on where it was cut off.
            agreed: Camera and ``activate`` or ``format``: what the person has agreed to.
            on_change: Called from the run's threads.

        """
        with self._lock:
            if self.running:
                return
            self.running, self.error = what, None
            self.outcomes, self.steps = {}, {}
            self._stop.clear()

        def work() -> None:
            try:
                self._run(what, agreed, on_change)
            except SunmiIpcError as error:
                self.error = error
            finally:
                self.running = ""
                on_change()

        self._thread = threading.Thread(target=work, name="rollout", daemon=True)
        self._thread.start()

    def _run(
        self, what: str, agreed: frozenset[tuple[str, str]] | None, on_change: Callable[[], None]
    ) -> None:
        from ..corrections import read

        loaded = self.loaded()
        self.total = len(loaded.slots)
        connect = partial(self.settings.connect, known_cameras=known_cameras(), overrides=read(config_dir()))

        def tell(outcome: Outcome, step: str) -> None:
            self.steps[outcome.key] = step
            on_change()

        with self._journal(loaded, write=what == "apply") as journal:
            for outcome in run(
                loaded,
                connect,
                journal,
                apply=what == "apply",
                agreed=agreed,
                interfaces=self.settings.interfaces(),
                stop=self._stop,
                tell=tell,
            ):
                self.outcomes[outcome.key] = outcome
                self.steps.pop(outcome.key, None)
                on_change()

    def stop(self) -> None:
        """Let the calls under way end, and begin no other; what was done is in the journal."""
        self._stop.set()

    def close(self) -> None:
        """Stop and wait."""
        self.stop()
        if self._thread is not None:
            self._thread.join(30)

    @property
    def destroys(self) -> frozenset[tuple[str, str]]:
        """What an apply would activate or format, as the plan has found."""
        return frozenset(
            (o.key, what)
            for o in self.outcomes.values()
            for what in ("activate", "format")
            if any(step.partition(" ")[0] == what for step in o.planned)
        )

    def report(self, lang: Literal["en", "zh"]) -> str:
        """The hand-over report as HTML."""
        from ..fleet import report_html
        from ..fleet.report import collect

        loaded = self.loaded()
        with self._journal(loaded, write=False) as journal:
            rows = collect(loaded.slots, journal)
        return report_html.page(loaded.site.name, rows, lang)
