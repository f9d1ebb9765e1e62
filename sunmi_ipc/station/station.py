"""The station: its parts, started and ended in order."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from ..errors import ConfigError, SunmiIpcError
from ..lock import try_lock
from .audit import Audit
from .counts import Counts
from .loading import Loaded
from .report import write_meta
from .roster import Connect, Member, Roster
from .scheduler import Scheduler
from .store import FILE, Store
from .upkeep import Upkeep
from .verdict import CameraStatus, StationStatus
from .watch import Watch

if TYPE_CHECKING:
    from ..camera import Camera
    from ..settings import Settings
    from .alerts import Alerts
    from .file import StationFile
    from .intake import Intake

_log = logging.getLogger("sunmi_ipc")


class Station:
    """A shop's cameras, watched, counted and connected until :meth:`close`; a context manager.

    Args:
        loaded: The station file, from :func:`sunmi_ipc.station.load`.
        settings: Credentials; default: those of the file's profile and of the environment.
        connect: Makes clients, for tests; default: ``settings.connect``.
        interfaces: To discover on; default: those of the settings.

    Attributes:
        store, roster, watch, audit: Its parts.
        intake, counts, alerts: Events, people, messages to people; None where the file switches them off.
        started: When it was started, Unix seconds.

    Raises:
        ConfigError: Another station uses the same data, a port is taken, or the data cannot be used.

    """

    loaded: Loaded
    settings: Settings
    file: StationFile
    store: Store
    audit: Audit
    scheduler: Scheduler
    roster: Roster
    watch: Watch
    upkeep: Upkeep

    def __init__(
        self,
        loaded: Loaded,
        settings: Settings | None = None,
        *,
        connect: Connect | None = None,
        interfaces: Sequence[str] | None = None,
    ) -> None:
        if settings is None:
            from ..settings import Settings

            settings = Settings.load(loaded.file.station.profile)
        self.loaded, self.settings, self.file = loaded, settings, loaded.file
        self._connect = connect or settings.connect
        self._interfaces = interfaces if interfaces is not None else settings.interfaces()
        self._stack = contextlib.ExitStack()
        self.intake: Intake | None = None
        self.counts: Counts | None = None
        self.alerts: Alerts | None = None
        #: How it stands with the broker; set by the way to it.
        self.broker_figures: Callable[[], dict[str, Any]] | None = None
        self.started: float = 0.0

    @property
    def site(self) -> str:
        """The site's name."""
        return self.file.station.site

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Start every part; returns when all are at work."""
        with contextlib.ExitStack() as stack:
            self._only_one(stack)
            self.store = stack.enter_context(Store(self.loaded.data / FILE))
            self.audit = Audit(self.store)
            self.scheduler = Scheduler(self.file.watch.workers)
            stack.callback(self.scheduler.close)
            self.roster = Roster(
                self._connect,
                self.store,
                site=self.loaded.site,
                bindings=self._bindings(),
                interval=self.file.watch.discover,
                interfaces=self._interfaces,
                claims=self.settings.claims,
            )
            stack.callback(self.roster.close)
            self.watch = Watch(
                self.roster, self.store, self.scheduler, settings=self.file.watch, site=self.site
            )
            stack.callback(self.watch.spans.flush)
            if self.file.events.enabled:
                from .intake import Intake

                self.intake = Intake(self.loaded, self.settings, self.roster, self.watch, self.scheduler)
                stack.callback(self.intake.close)
            if self.file.counts.enabled:
                self.counts = Counts(self.store, self.roster, self.watch, self.scheduler, self.file.counts)
            shop = self.file.station
            write_meta(
                self.store,
                site=shop.site,
                name=shop.name,
                timezone=shop.timezone,
                hours=shop.hours,
                window=self.file.counts.window,
            )
            if self.loaded.site is not None and self.file.watch.drift:
                from .drift import Drift

                Drift(
                    self.loaded.site,
                    self._connect,
                    roster=self.roster,
                    watch=self.watch,
                    audit=self.audit,
                    scheduler=self.scheduler,
                    settings=self.file.watch,
                )
            self._tell_brokers()
            if self.file.watch.notify:
                self.alerts = stack.enter_context(contextlib.closing(self._alerts()))
            self.upkeep = Upkeep(
                self.loaded,
                self.settings,
                store=self.store,
                roster=self.roster,
                watch=self.watch,
                scheduler=self.scheduler,
                intake=self.intake,
            )
            self.upkeep.start()
            self.roster.on_change = self._came
            self.roster.start()
            for member in self.roster.members():
                self._came(member)
            # Jobs end before what they use.
            stack.callback(self.scheduler.close)
            self.started = time.time()
            self._stack = stack.pop_all()
        return self

    def _bindings(self) -> dict[str, str]:
        """Which cameras the site file's "any" entries have got: of ``ipc fleet apply``, and of the pages here."""
        from ..fleet.journal import Journal

        site, found = self.loaded.site, dict[str, str]()
        for path in (site.path.with_suffix(".journal"), self.loaded.data / "site.journal") if site else ():
            if not os.path.exists(path):
                continue
            try:
                with Journal(path, write=False) as journal:
                    found = journal.bindings() | found
            except SunmiIpcError as error:
                _log.warning("which cameras the site file's entries have got is not known: %s", error.message)
        return found

    def _alerts(self) -> Alerts:
        from .alerts import Alerts
        from .channels import open_channel

        secret = (
            self.loaded.secret(self.file.events.webhook_secret) if self.file.events.webhook_secret else ""
        )
        channels = [
            open_channel(self.loaded.secret(url), site=self.site, webhook_secret=secret)
            for url in self.file.watch.notify
        ]
        name = self.file.station.name or self.site
        return Alerts(
            self.watch,
            self.store,
            self.scheduler,
            channels,
            settings=self.file.watch,
            name=name,
            zone=self.loaded.zone,
        )

    def _tell_brokers(self) -> None:
        """Sinks that take more than events are told how cameras are."""
        from ..events.mqtt import MqttSink

        deliveries = self.intake.deliveries if self.intake is not None else []
        takers = [d.sink for d in deliveries if isinstance(d.sink, MqttSink)]
        if takers:
            from .telling import Telling

            Telling(
                self.loaded,
                store=self.store,
                roster=self.roster,
                watch=self.watch,
                scheduler=self.scheduler,
                takers=takers,
            ).start()

    def _only_one(self, stack: contextlib.ExitStack) -> None:
        folder = self.loaded.data
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.callback(try_lock(folder / "station.lock").close)
        except BlockingIOError:
            raise ConfigError(
                "another station is at work in {path}",
                hint="One folder is one station's: end it, or give this one another 'data'.",
                path=str(folder),
            ) from None
        except OSError as error:
            raise ConfigError(
                "the station's folder {path} cannot be used: {reason}",
                hint="Name another as 'data' under [station].",
                path=str(folder),
                reason=error.strerror or type(error).__name__,
            ) from None

    def _came(self, member: Member) -> None:
        """A camera is new, or somewhere else."""
        self.watch.add(member)
        if self.intake is not None:
            self.intake.add(member)
        if self.counts is not None and not self.counts.known(member):
            self.counts.add(member)

    def close(self) -> None:
        """End every part, in order; what was found is kept."""
        self._stack.close()

    # -- what others ask ------------------------------------------------------------------------------

    def status(self) -> StationStatus:
        """How the shop is."""
        return self.watch.status()

    def problem(self) -> str:
        """Which part is not at work; empty where all are."""
        if self.store.problem:
            return "database"
        if self.intake is not None and not (self.intake.spool.is_open and self.intake.spool.problem is None):
            return "events"
        return ""

    def camera_status(self, sn: str) -> CameraStatus:
        """How a camera is; raises CameraNotFound."""
        return self.watch.camera(self.roster.member(sn))

    def camera(self, sn: str) -> Camera:
        """A client for a camera, once it has proved who it is; raises as :meth:`Roster.camera`."""
        return self.roster.camera(sn)

    def mute(self, sn: str, until: float, *, reason: str = "", who: str = "", origin: str = "") -> None:
        """Tell nobody of a camera before *until* (Unix seconds; 0 ends it).

        Raises:
            CameraNotFound, StoreError: No such camera; or it cannot be written.

        """
        sn = self.roster.member(sn).sn
        if until:
            self.watch.mutes.set(sn, until, reason=reason, who=who)
        else:
            self.watch.mutes.end(sn)
        details: dict[str, Any] = {"until": until, "reason": reason}
        self.audit.record("mute", who=who or "station", origin=origin or "station", sn=sn, details=details)
