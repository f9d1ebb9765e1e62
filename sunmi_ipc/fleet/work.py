"""One camera's way from what it is to what is wanted; every step reads before it writes."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import DeviceError, ProvisionError, SunmiIpcError, UnsupportedError
from ..protocol.spec import Model
from .contact import heals
from .outcome import Outcome, Problem
from .provision import Provision
from .settings import SETTINGS, WIFI, Setting, Wish
from .throttle import Stopped, pauses

if TYPE_CHECKING:
    from ..camera import Camera
    from .site import IpWish

_POLL_S = 0.3


class Task(Provision):
    """One camera of a run: :meth:`run` it in a thread of its own."""

    def run(self) -> Outcome:
        """Do the work; whatever happens, an outcome comes of it, and the journal has it."""
        started = time.monotonic()
        self._end = started + self._policy.deadline
        self._written: list[Setting] = []
        stopped = False
        try:
            self._work()
        except Stopped:
            stopped = True
        except SunmiIpcError as error:
            self.outcome.problems.append(Problem.of(error, self._step))
        except Exception as error:  # one camera's trouble stays its own
            failure = SunmiIpcError("unexpected failure: {kind}", kind=type(error).__name__)
            self.outcome.problems.append(Problem.of(failure, self._step))
        finally:
            if self._camera is not None:
                self._camera.close()
        self.outcome.seconds = time.monotonic() - started
        self.outcome.settle(stopped=stopped)
        if self._crew.record:
            try:
                self._crew.journal.keep(self._slot.key, self.outcome.sn, self.outcome.stored())
            except SunmiIpcError as error:  # a full disk: told, and the run comes to its end
                self.outcome.problems.append(Problem.of(error, self._step))
                self.outcome.settle(stopped=stopped)
        return self.outcome

    def _work(self) -> None:
        wanted = self._slot.wanted
        self._begin("reach")
        self._connect()
        self._probe()
        self._claim()
        if wanted.wifi is not None:
            self._begin("wifi")
            if self.outcome.activated:
                self._guarded("wifi", lambda: self._bring(WIFI))
            else:
                self._join()
        if not self.outcome.activated:
            self._begin("activate")
            if wanted.activate is False:
                raise DeviceError.of(7)
            if not self._crew.apply:
                self.outcome.planned.append("activate")
                self._plan_blindly()
                return
            self._activate()
        if wanted.sdcard in ("require", "format-blank"):
            self._begin("sd card")
            self._guarded("sdcard", self._card)
        for setting in SETTINGS:
            if getattr(wanted, setting.key) is not None:
                self._begin(setting.step)
                if self._has(setting):
                    self._guarded(setting.key, lambda setting=setting: self._bring(setting))  # type: ignore[misc]
        if self._written:
            self._begin("verify")
            for setting in list(self._written):
                self._guarded(setting.key, lambda setting=setting: self._verify(setting))  # type: ignore[misc]

    # -- settings ------------------------------------------------------------------------------------

    @property
    def _wish(self) -> Wish:
        return Wish(self._slot, self.outcome.sn, self.outcome.model, self._crew.secrets)

    def _has(self, setting: Setting) -> bool:
        """Whether this model has the setting; a wish of its own entry that it cannot have is a failure."""
        model = next((m for m in Model if m in self.outcome.model.upper()), None)
        if model is None or model in setting.models:
            return True
        if setting.key in self._slot.own:
            error = UnsupportedError(
                "{feature} does not exist on the {model}",
                name=setting.key,
                feature=setting.key,
                model=str(model),
                hint="It needs {models}.",
                models=", ".join(sorted(setting.models)),
            )
            self.outcome.problems.append(Problem.of(error, setting.step, setting.key))
        else:
            self.outcome.notes.append(setting.key)
        return False

    def _plan_blindly(self) -> None:
        """What an unactivated camera will need: it cannot be read before."""
        wanted = self._slot.wanted
        if wanted.sdcard == "format-blank":
            self.outcome.planned.append("format if blank")
        for setting in SETTINGS:
            if getattr(wanted, setting.key) is not None and self._has(setting):
                self.outcome.planned.append(setting.key)

    def _read(self, setting: Setting, *, fresh: bool = False) -> Any:
        source = setting.source or setting.key
        if fresh or source not in self._replies:
            self._replies[source] = self._ask(setting.read)
        return self._replies[source]

    def _bring(self, setting: Setting, *, fresh: bool = False) -> None:
        """Read, compare, and write where it differs."""
        reply = self._read(setting, fresh=fresh)
        differences = setting.differences(reply, self._wish)
        if not differences:
            return
        if setting.key not in self.outcome.done:
            self.outcome.differences += differences
        if not self._crew.apply:
            self.outcome.planned.append(setting.key)
            return
        changes = [asdict(d) for d in differences]
        number = self._crew.journal.begin(
            self._slot.key, self.outcome.sn, setting.step, setting.key, changes=changes
        )
        try:
            self._write(setting, reply)
        except SunmiIpcError as error:
            self._crew.journal.end(number, "failed", error=error.message)
            raise
        detail = {"ssid": self._slot.wanted.wifi.ssid} if setting is WIFI and self._slot.wanted.wifi else {}
        self._crew.journal.end(number, **detail)
        if setting.key not in self.outcome.done:
            self.outcome.done.append(setting.key)
        if setting.key == "name":
            self.outcome.name = self._slot.name_for(self.outcome.sn)
        self._written.append(setting)

    def _write(self, setting: Setting, reply: Any) -> None:
        """Write; where the answer was lost, look before writing again."""
        waits = pauses(self._policy.restart)
        while True:
            try:
                self._once(partial(self._change, setting, reply))
            except SunmiIpcError as error:
                pause = next(waits, None)
                if not heals(error) or pause is None or time.monotonic() >= self._end:
                    raise
                self._pause(pause)
                if setting.moves:
                    with suppress(ProvisionError):
                        self._find_again()
            else:
                if setting.key == "ip":
                    self._expect_at(self._slot.wanted.ip)
                if setting.moves:
                    self._find_again()
                if not setting.slow:
                    return
                self._rest(setting)
            reply = self._read(setting, fresh=True)
            if not setting.differences(reply, self._wish):
                return

    def _expect_at(self, ip: IpWish | None) -> None:
        """With a fixed address there is no need to wait for discovery to tell it."""
        if ip is not None and not ip.dhcp and not self._heard:
            _, colon, port = self.outcome.address.partition(":")
            self.outcome.address = ip.address + colon + port
            self._connect()

    def _change(self, setting: Setting, reply: Any, camera: Camera) -> None:
        setting.write(camera, reply, self._wish)

    def _rest(self, setting: Setting) -> None:
        """Wait until two readings agree: motors run on after the answer."""
        before, end = None, min(self._end, time.monotonic() + 20)
        while (reply := self._read(setting, fresh=True)) != before and time.monotonic() < end:
            before = reply
            self._pause(_POLL_S)

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
                hint="Its firmware may name it differently: 'ipc protocol import-postman FILE'.",
            )
