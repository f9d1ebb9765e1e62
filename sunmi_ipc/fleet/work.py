"""One camera's way from what it is to what is wanted; every step reads before it writes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from ..api.sdcard import FORMAT_TIMEOUT_S, NEXT
from ..errors import (
    AlreadyActivatedError,
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    ProvisionError,
    ReplyError,
    SunmiIpcError,
    TlsError,
    UnsupportedError,
)
from ..spec import Model
from ..values import CardStatus
from .finder import SCAN_S, Finder
from .journal import Journal, StepRecord
from .outcome import Outcome, Problem, is_refusal
from .pace import Activations, Stopped, pauses
from .settings import SETTINGS, WIFI, Setting, Wish
from .site import Policy, Slot

if TYPE_CHECKING:
    from ..camera import Camera
    from ..discovery import DiscoveredCamera
    from ..models import DeviceInfo
    from .secret import Secrets

T = TypeVar("T")

#: Return codes that heal with time: services that are starting (60 s rule), a save that failed once.
_HEALS = frozenset({3, 211, 232, 237, 278, 279})
_OFFLINE, _ATTEMPTS, _POLL_S = 4, 5, 0.4
#: A camera still answers for a moment after it was told to change networks.
_LEAVING_S = 0.3


@dataclass
class Crew:
    """What the cameras of a run share.

    Attributes:
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        finder, journal, activations, secrets, policy: See there.
        apply: Whether to change anything.
        slots: One for each camera that is talked to.
        stop: Set to end the run.
        tell: Called with the outcome so far and the step that begins.

    """

    connect: Callable[..., Camera]
    finder: Finder
    journal: Journal
    activations: Activations
    secrets: Secrets
    policy: Policy
    apply: bool
    slots: threading.Semaphore
    tell: Callable[[Outcome, str], None]
    stop: threading.Event = field(default_factory=threading.Event)


def heals(error: SunmiIpcError) -> bool:
    """Whether the same call may do better in a while."""
    if isinstance(error, TlsError) or is_refusal(error):
        return False
    if isinstance(error, DeviceError):
        return error.code in _HEALS
    return isinstance(error, ConnectionFailed | ReplyError)


class Task:
    """One camera. Run it in a thread of its own: waiting takes none of the crew's slots.

    Args:
        crew: What it shares with the others.
        slot: What is wanted.
        found: Where it is, if discovery told; else the slot has an address.

    """

    def __init__(self, crew: Crew, slot: Slot, found: DiscoveredCamera | None = None) -> None:
        self._crew, self._slot, self._policy = crew, slot, crew.policy
        self.outcome = Outcome(slot.key, sn=slot.sn, mac=slot.mac, model=slot.any, address=slot.address)
        self._step = "reach"
        self._end = time.monotonic() + self._policy.deadline
        self._camera: Camera | None = None
        self._info: DeviceInfo | None = None
        self._replies: dict[str, Any] = {}
        self._written: list[Setting] = []
        if found is not None:
            self._take(found)

    def run(self) -> Outcome:
        """Do the work; whatever happens, an outcome comes of it, and the journal has it."""
        started = time.monotonic()
        self._end = started + self._policy.deadline
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
        self._crew.journal.keep(self._slot.key, self.outcome.sn, self.outcome.stored())
        return self.outcome

    def _work(self) -> None:
        wanted = self._slot.wanted
        self._begin("reach")
        self._connect()
        self._probe()
        if wanted.wifi is not None:
            self._begin("wifi")
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

    # -- talking -------------------------------------------------------------------------------------

    def _begin(self, step: str) -> None:
        if self._crew.stop.is_set():
            raise Stopped
        self._step = step
        self._crew.tell(self.outcome, step)

    def _pause(self, seconds: float) -> None:
        if self._crew.stop.wait(max(0.0, min(seconds, self._end - time.monotonic()))):
            raise Stopped

    def _guarded(self, key: str, work: Callable[[], None]) -> None:
        """One setting's failure is its own, unless the camera is gone or takes us for strangers."""
        try:
            work()
        except (ConnectionFailed, NotActivatedError):
            raise
        except SunmiIpcError as error:
            self.outcome.problems.append(Problem.of(error, self._step, key))

    def _once(self, call: Callable[[Camera], T]) -> T:
        """Call, holding a slot."""
        assert self._camera is not None
        with self._crew.slots:
            if self._crew.stop.is_set():
                raise Stopped
            return call(self._camera)

    def _ask(self, call: Callable[[Camera], T]) -> T:
        """Call what may be repeated; wait out broken connections and a restart."""
        waits, began, attempts = pauses(self._policy.restart), time.monotonic(), 0
        while True:
            try:
                return self._once(call)
            except SunmiIpcError as error:
                attempts += 1
                pause = next(waits, None)
                if not heals(error) or pause is None or time.monotonic() >= self._end:
                    raise
                if isinstance(error, ReplyError) and attempts >= _ATTEMPTS:
                    raise
                self._pause(pause)
                if isinstance(error, ConnectionFailed) and attempts > 2:
                    self._look(began, SCAN_S)

    # -- reach ---------------------------------------------------------------------------------------

    def _take(self, found: DiscoveredCamera) -> None:
        out = self.outcome
        out.sn, out.mac, out.network = found.sn, found.mac or out.mac, found.network
        out.model, out.name, out.firmware = found.model or out.model, found.name, found.firmware
        out.address = found.ip if found.port == 443 else f"{found.ip}:{found.port}"

    def _connect(self) -> None:
        options: dict[str, Any] = {"timeout": self._policy.timeout, "retries": 1}
        if code := self._slot.wanted.activation_code:
            options["activation_code"] = self._crew.secrets.get(code)
        if self._camera is not None:
            self._camera.close()
        out = self.outcome
        known = next((m for m in Model if m in out.model.upper()), "")
        self._camera = self._crew.connect(out.address, sn=out.sn, model=known, **options)

    def _look(self, since: float, seconds: float) -> bool:
        """Look for the camera by discovery; whether it was seen after *since*."""
        if not self.outcome.sn:
            return False
        until = min(self._end, time.monotonic() + seconds)
        found = self._crew.finder.find(self.outcome.sn, since=since, until=until, stop=self._crew.stop)
        if self._crew.stop.is_set():
            raise Stopped
        if found is None:
            return False
        before = self.outcome.address
        self._take(found)
        if self.outcome.address != before:
            self._connect()
        return True

    def _find_again(self) -> None:
        """After a change of network: wait until discovery sees it again, then until it answers."""
        since = time.monotonic() + _LEAVING_S
        seen = self._look(since, self._policy.restart + self._policy.find)
        if not seen and not self._slot.address:
            raise ProvisionError(
                "the camera did not come back within {seconds:.0f} s",
                step=self._step,
                hint="Check the password (a wrong one leaves the camera on its own access point SUNMI_XXXX), "
                "and that this computer is in the same network.",
                seconds=self._policy.restart + self._policy.find,
            )
        self._probe()

    def _probe(self) -> None:
        """Ask who it is; code 7 tells that it is not activated."""
        try:
            info = self._ask(lambda camera: camera.device.info())
        except NotActivatedError:
            self.outcome.activated = False
            return
        out = self.outcome
        if self._slot.sn and info.sn != self._slot.sn:
            raise ProvisionError(
                "another camera is at this address: {sn}",
                step="reach",
                hint="Correct the address in the site file, or leave it out.",
                sn=info.sn,
            )
        out.activated, out.sn = True, info.sn
        out.model, out.name = info.model or out.model, info.name or out.name
        out.firmware, out.mac = info.software_version or out.firmware, info.mac or out.mac
        self._info = info
        if info.name:
            self._replies["info"] = info

    # -- Wi-Fi ---------------------------------------------------------------------------------------

    def _join(self) -> None:
        if self.outcome.activated:
            self._guarded("wifi", lambda: self._bring(WIFI))
            return
        # Before the activation a camera does not tell its network: the journal knows what we told it.
        wifi, sn = self._slot.wanted.wifi, self.outcome.sn
        assert wifi is not None
        last = self._crew.journal.last(sn, "wifi")
        if last is not None and last.state == "done" and last.detail.get("ssid") == wifi.ssid:
            return
        if not self._crew.apply:
            self.outcome.planned.append("wifi")
            return
        number = self._crew.journal.begin(self._slot.key, sn, "wifi", "wifi", ssid=wifi.ssid)
        password = self._crew.secrets.get(wifi.password)
        for attempt in range(_ATTEMPTS):
            try:
                self._once(lambda camera: camera.wifi.set_without_auth(wifi.ssid, password))
            except SunmiIpcError as error:
                if not heals(error) or attempt == _ATTEMPTS - 1:
                    self._crew.journal.end(number, "failed", error=error.message)
                    raise
                # It may have left with the answer unsaid, or not have heard: saying it again does no harm.
                self._pause(0.3 * 2**attempt)
            else:
                break
        self._find_again()
        self._crew.journal.end(number)
        self.outcome.done.append("wifi")

    # -- activation ----------------------------------------------------------------------------------

    def _activate(self) -> None:
        """Activate, once: an attempt without an answer is looked into before there is another."""
        sn, journal = self.outcome.sn, self._crew.journal
        last = journal.last(sn, "activate")
        if last is not None and last.state == "begun" and self._turned_out(last):
            return
        waits = pauses(self._policy.restart)
        while True:
            self._pause(self._crew.activations.take())
            number = journal.begin(self._slot.key, sn, "activate")
            try:
                self._once(lambda camera: camera.device.activate(sn))
            except AlreadyActivatedError:
                self._crew.activations.give_back()
                journal.end(number, "done", already=True)
            except (Stopped, TlsError):  # nothing was sent
                self._crew.activations.give_back()
                journal.end(number, "undone")
                raise
            except (ConnectionFailed, ReplyError):
                record = journal.last(sn, "activate")
                assert record is not None
                if not self._turned_out(record):
                    self._crew.activations.give_back()
                    if time.monotonic() >= self._end:
                        raise
                    continue
            except SunmiIpcError as error:
                # Refused: not carried out. A camera that has just joined may not be on the internet yet.
                self._crew.activations.give_back()
                journal.end(number, "failed", error=error.message)
                pause = next(waits, None)
                if getattr(error, "code", None) not in (_OFFLINE, *_HEALS) or pause is None:
                    raise
                self._pause(pause)
                continue
            else:
                journal.end(number)
                self.outcome.done.append("activate")
            self._probe()
            return

    def _turned_out(self, record: StepRecord) -> bool:
        """Whether an activation without an answer was carried out; waits until that is certain."""
        settled = record.began + self._policy.settle
        while True:
            self._probe()
            if self.outcome.activated:
                self._crew.journal.end(record.id, "done", proved=True)
                self.outcome.done.append("activate")
                return True
            if not 0 <= settled - time.time() <= self._policy.settle:
                self._crew.journal.end(record.id, "undone")
                return False
            self._pause(_POLL_S)
            if time.monotonic() >= self._end:
                raise ProvisionError(
                    "whether the activation was carried out is not known yet",
                    step="activate",
                    hint="Run 'ipc fleet apply' again in a minute.",
                )

    # -- SD card -------------------------------------------------------------------------------------

    def _status(self) -> CardStatus:
        status = self._ask(lambda camera: camera.sdcard.status()).status
        self.outcome.card = status.name.lower()
        return status

    def _card(self) -> None:
        """Format a blank card where that is allowed, once: a format under way is waited for."""
        sn, journal = self.outcome.sn, self._crew.journal
        status = self._status()
        last = journal.last(sn, "format")
        if last is not None and last.state == "begun":
            if not self._crew.apply and status is CardStatus.BLANK:
                self.outcome.planned.append("format")
                return
            status = self._await_card(last)
        for _ in range(_ATTEMPTS):
            if status is not CardStatus.BLANK or self._slot.wanted.sdcard != "format-blank":
                break
            if not self._crew.apply:
                self.outcome.planned.append("format")
                return
            number = journal.begin(self._slot.key, sn, "format", "sdcard")
            try:
                self._once(lambda camera: camera.sdcard.format())
            except (Stopped, TlsError):  # nothing was sent
                journal.end(number, "undone")
                raise
            except (ConnectionFailed, ReplyError):
                pass  # carried out or not: the card will tell
            except SunmiIpcError as error:
                journal.end(number, "failed", error=error.message)
                if not heals(error):
                    raise
                self._pause(_POLL_S)
                status = self._status()
                continue
            else:
                journal.add(number, accepted=True)
            record = journal.last(sn, "format")
            assert record is not None
            status = self._await_card(record)
            if status is CardStatus.NORMAL:
                self.outcome.done.append("format")
        if status is not CardStatus.NORMAL:
            raise ProvisionError(
                "the SD card is not usable (state: {state})",
                step="sdcard",
                hint=NEXT.get(status, "Look at the card with 'ipc sdcard status'."),
                state=status.name.lower(),
            )

    def _await_card(self, record: StepRecord) -> CardStatus:
        """Wait until a format has ended, or is certain not to have been carried out."""
        limit = FORMAT_TIMEOUT_S if record.detail.get("accepted") else self._policy.settle
        while True:
            status = self._status()
            if status is CardStatus.NORMAL:
                self._crew.journal.end(record.id)
                return status
            left = record.began + limit - time.time()
            if status is not CardStatus.BLANK or not 0 <= left <= limit or time.monotonic() >= self._end:
                self._crew.journal.end(record.id, "undone")
                return status
            self._pause(_POLL_S)

    # -- settings ------------------------------------------------------------------------------------

    @property
    def _wish(self) -> Wish:
        return Wish(self._slot, self.outcome.sn, self._crew.secrets)

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
                if setting.moves:
                    self._find_again()
                if not setting.slow:
                    return
                self._rest(setting)
            reply = self._read(setting, fresh=True)
            if not setting.differences(reply, self._wish):
                return

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
