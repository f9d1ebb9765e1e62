"""Bring settings to what is wanted: read, compare, write where it differs, and read again what was written."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from ...errors import ProvisionError, SunmiIpcError, UnsupportedError
from ...protocol.spec import Model
from ...words import label
from ..contact import Contact, heals
from ..outcome import Problem
from ..settings import SETTINGS, WIFI, Setting, Wish
from ..throttle import pauses
from .ahead import Ahead
from .wifi import in_sight

if TYPE_CHECKING:
    from ...camera import Camera
    from ..site import IpWish

_POLL_S = 0.3


class Configure:
    """The settings of one camera.

    Args:
        contact: The camera.

    """

    def __init__(self, contact: Contact) -> None:
        self._contact = contact
        self._written: list[Setting] = []
        self._heard = ""
        self._ahead = Ahead()

    def wifi(self) -> None:
        """The network of a camera that is activated."""
        self._contact.guarded("wifi", lambda: self._bring(WIFI))

    def all(self) -> None:
        """Every setting that something is wanted of, in the order of the work."""
        wanted = [s for s in SETTINGS if getattr(self._contact.slot.wanted, s.key) is not None]
        self._read_ahead(s for s in wanted if (s.source or s.key) not in self._contact.replies)
        for setting in wanted:
            self._contact.begin(setting.step)
            if self._has(setting):
                self._contact.guarded(setting.key, partial(self._bring, setting))

    def verify(self) -> None:
        """Read again what was written."""
        if self._written:
            self._contact.begin("verify")
            self._read_ahead(self._written)
            for setting in list(self._written):
                self._contact.guarded(setting.key, partial(self._verify, setting))

    def _read_ahead(self, settings: Iterable[Setting]) -> None:
        model = Model.read(self._contact.outcome.model)
        self._contact.once(
            lambda camera: self._ahead.ask(
                camera, [s for s in settings if model is None or model in s.models]
            )
        )

    @property
    def _wish(self) -> Wish:
        return Wish(
            self._contact.slot,
            self._contact.outcome.sn,
            self._contact.outcome.model,
            self._contact.run.secrets,
            self._heard,
        )

    def _has(self, setting: Setting) -> bool:
        """Whether this model has the setting; a wish of its own entry that it cannot have is a failure."""
        model = Model.read(self._contact.outcome.model)
        if model is None or model in setting.models:
            return True
        if setting.key in self._contact.slot.own:
            error = UnsupportedError(
                "the {model} has no {feature}",
                name=setting.key,
                feature=label(setting.key),
                model=str(model),
                hint="Cameras that have it: {models}.",
                models=", ".join(sorted(setting.models)),
            )
            self._contact.outcome.problems.append(Problem.of(error, setting.step, setting.key))
        else:
            self._contact.outcome.notes.append(setting.key)
        return False

    def plan_blindly(self) -> None:
        """What an unactivated camera will need: it cannot be read before."""
        wanted = self._contact.slot.wanted
        if wanted.sdcard == "format-blank":
            self._contact.outcome.planned.append("format if blank")
        for setting in SETTINGS:
            if getattr(wanted, setting.key) is not None and self._has(setting):
                self._contact.outcome.planned.append(setting.key)

    def _read(self, setting: Setting, *, fresh: bool = False) -> Any:
        source = setting.source or setting.key
        if fresh or source not in self._contact.replies:
            self._contact.replies[source] = self._contact.ask(self._ahead.take(source, setting.read))
        return self._contact.replies[source]

    def _bring(self, setting: Setting, *, fresh: bool = False) -> None:
        """Read, compare, and write where it differs."""
        reply = self._read(setting, fresh=fresh)
        differences = setting.differences(reply, self._wish)
        if not differences:
            return
        if setting.key not in self._contact.outcome.done:
            self._contact.outcome.differences += differences
            if setting is WIFI:
                self._heard = in_sight(self._contact)
        if not self._contact.run.apply:
            self._contact.outcome.planned.append(setting.key)
            return
        changes = [asdict(d) for d in differences]
        number = self._contact.run.journal.begin(
            self._contact.slot.key, self._contact.outcome.sn, setting.step, setting.key, changes=changes
        )
        try:
            self._write(setting, reply)
        except SunmiIpcError as error:
            self._contact.run.journal.end(number, "failed", error=error.message)
            raise
        detail = (
            {"ssid": self._contact.slot.wanted.wifi.ssid}
            if setting is WIFI and self._contact.slot.wanted.wifi
            else {}
        )
        self._contact.run.journal.end(number, **detail)
        if setting.key not in self._contact.outcome.done:
            self._contact.outcome.done.append(setting.key)
        if setting.key == "name":
            self._contact.outcome.name = self._contact.slot.name_for(self._contact.outcome.sn)
        self._written.append(setting)

    def _write(self, setting: Setting, reply: Any) -> None:
        """Write; where the answer was lost, look before writing again."""
        waits = pauses(self._contact.policy.restart)
        while True:
            try:
                self._contact.once(partial(self._change, setting, reply))
            except SunmiIpcError as error:
                pause = next(waits, None)
                if not heals(error) or pause is None or self._contact.late:
                    raise
                self._contact.pause(pause)
                if setting.moves:
                    with suppress(ProvisionError):
                        self._contact.find_again()
            else:
                if setting.key == "ip":
                    self._expect_at(self._contact.slot.wanted.ip)
                if setting.moves:
                    self._contact.find_again()
                if not setting.slow:
                    return
                self._rest(setting)
            reply = self._read(setting, fresh=True)
            if not setting.differences(reply, self._wish):
                return

    def _expect_at(self, ip: IpWish | None) -> None:
        """With a fixed address there is no need to wait for discovery to tell it."""
        if ip is not None and not ip.dhcp and not self._contact.heard:
            _, colon, port = self._contact.outcome.address.partition(":")
            self._contact.outcome.address = ip.address + colon + port
            self._contact.connect()

    def _change(self, setting: Setting, reply: Any, camera: Camera) -> None:
        setting.write(camera, reply, self._wish)

    def _rest(self, setting: Setting) -> None:
        """Wait until two readings agree: motors run on after the answer."""
        before, end = None, min(self._contact.end, time.monotonic() + 20)
        while (reply := self._read(setting, fresh=True)) != before and time.monotonic() < end:
            before = reply
            self._contact.pause(_POLL_S)

    def _verify(self, setting: Setting) -> None:
        """Read again what was written; a camera that lost it gets one more try."""
        if not setting.differences(self._read(setting, fresh=True), self._wish):
            return
        self._bring(setting)
        left = setting.differences(self._read(setting, fresh=True), self._wish)
        if left:
            raise ProvisionError(
                "the camera does not keep {setting}: it has {now} instead of {wanted}",
                step="verify",
                setting=f"{setting.key}.{left[0].field}",
                now=left[0].now,
                wanted=left[0].wanted,
                hint="Its firmware may name it differently: 'ipc protocol probe' finds out, 'ipc protocol import-postman FILE' reads the vendor's collection.",
            )
