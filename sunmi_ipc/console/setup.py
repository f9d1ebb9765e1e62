"""From a box to a counted person, step by step: what is done, what comes next, and what a step does.

Nothing here knows pages: a script drives it likewise. Each step is a method that blocks until it is over, tells its
progress by a template, and raises this library's errors; :meth:`Setup.look` asks the camera where it stands, so
that a set-up can be left and come back to.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from .. import onboarding
from ..codes.device import DeviceCode
from ..errors import (
    ConnectionFailed,
    DeviceError,
    NotActivatedError,
    ProvisionError,
    SunmiIpcError,
)
from ..i18n import later
from ..protocol.spec import Model
from ..values import CardStatus
from .desk import Desk
from .doorline import Ends, ends_of
from .sessions import Session
from .walk import Walk

if TYPE_CHECKING:
    from ..camera import Camera
    from ..fleet.journal import StepRecord
    from ..models import AccessPoints

#: How long a camera may take to change networks (the vendor's app waits as long, A).
JOIN_S = 150.0
Tell = Callable[[str], None]


class Stage(StrEnum):
    """The steps, in their order."""

    FOUND = "found"
    WIFI = "wifi"
    ACTIVATE = "activate"
    CARD = "card"
    NAME = "name"
    PICTURE = "picture"
    LINE = "line"
    WALK = "walk"
    REPORT = "report"


class Standing(StrEnum):
    """How far a step is."""

    TODO = "todo"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


_FM020_ONLY = (Stage.LINE, Stage.WALK)


@dataclass
class Setup:
    """The set-up of one camera by one session.

    Args:
        desk: Where the camera is.
        sn: Its serial number.
        session: Who sets it up.

    Attributes:
        stages: The steps that this model has.
        standing: How far each is.
        activated: Whether it is; None until it was asked.
        card: The SD card's state; None until it was asked.
        line: The door line that the camera has.

    """

    desk: Desk
    sn: str
    session: Session
    standing: dict[Stage, Standing] = field(default_factory=dict)
    activated: bool | None = None
    card: CardStatus | None = None
    name: str = ""
    model: str = ""
    line: Ends | None = None
    walk: Walk | None = None
    ssid: str = ""
    done: list[tuple[Stage, float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        found = self.desk.found(self.sn)
        self.model, self.name = found.model, found.name
        self.standing = dict.fromkeys(Stage, Standing.TODO) | {Stage.FOUND: Standing.DONE}
        if found.network.upper() == "LAN":
            self.standing[Stage.WIFI] = Standing.SKIPPED  # it hangs on a cable

    @property
    def camera(self) -> Camera:
        """The camera, as the session may use it."""
        return self.desk.camera(self.sn, self.session)

    @property
    def stages(self) -> list[Stage]:
        """The steps that this model has."""
        counts = Model.may_be(self.model, Model.FM020)
        return [s for s in Stage if counts or s not in _FM020_ONLY]

    @property
    def current(self) -> Stage:
        """The first step that is neither done nor left out."""
        return next(
            (s for s in self.stages if self.standing[s] in (Standing.TODO, Standing.FAILED)), Stage.REPORT
        )

    def mark(self, stage: Stage, standing: Standing, began: float = 0.0) -> None:
        """A step has come to an end."""
        self.standing[stage] = standing
        if standing is Standing.DONE:
            now = time.time()
            self.done.append((stage, began or now, now))

    def look(self) -> None:
        """Ask the camera how far it is.

        Raises:
            ConnectionFailed: It does not answer; nothing is changed.

        """
        camera = self.camera
        try:
            info = camera.device.info()
        except NotActivatedError:
            self.activated = False
            return
        except DeviceError:
            return
        self.activated, self.model, self.name = True, info.model or self.model, info.name
        for stage in (Stage.WIFI, Stage.ACTIVATE):
            if self.standing[stage] is not Standing.SKIPPED:
                self.standing[stage] = Standing.DONE
        self.card = camera.sdcard.status().status
        if self.card is CardStatus.NORMAL:
            self.standing[Stage.CARD] = Standing.DONE
        if Stage.LINE in self.stages:
            self.line = ends_of(camera.people_flow.door_line())

    # -- Wi-Fi -----------------------------------------------------------------------------------

    def networks(self) -> AccessPoints:
        """The networks that the camera can see."""
        return self.camera.wifi.networks()

    def join(
        self,
        ssid: str,
        password: str,
        tell: Tell = lambda text: None,
        *,
        hidden: bool = False,
        timeout: float = JOIN_S,
    ) -> None:
        """Tell the camera its network, and wait until it is back.

        A network that it does not see is looked for once more: a radio misses one now and then.

        Args:
            ssid: The network's name.
            password: Empty for an open one.
            tell: Is told how far it is.
            hidden: The network hides its name: it need not be in sight.
            timeout: Seconds until the camera must be back.

        Raises:
            ParameterError: Not in the camera's reach, or no network has that name or password; nothing was sent.
            ProvisionError: It is on its own access point again (a wrong password), or did not come back.
            DeviceError: It refuses; 101: the password cannot be right.

        """
        began = time.time()
        camera = self.camera
        view = onboarding.look(camera, "" if hidden else ssid)
        onboarding.check(view, ssid, password, hidden=hidden, on_page=True)
        tell(later("Telling the camera …"))
        self.standing[Stage.WIFI] = Standing.FAILED
        before = self.desk.found(self.sn)
        onboarding.tell(camera, view.heard(ssid), password)
        self.ssid = ssid
        tell(later("The camera changes networks …"))
        onboarding.follow(
            ssid,
            find=lambda seconds: self.desk.look_for(self.sn, seconds),
            direct=self._answers,
            before=before,
            timeout=timeout,
        )
        self.mark(Stage.WIFI, Standing.DONE, began)

    def _answers(self) -> bool:
        """Whether it still answers at its old address, whatever it says."""
        try:
            self.desk.link(self.sn).wifi.networks()
        except ConnectionFailed:
            return False
        except SunmiIpcError:
            return True
        return True

    # -- activation ------------------------------------------------------------------------------

    def activate(self, tell: Tell = lambda text: None) -> bool:
        """Activate the camera; True if this call did it. It deletes every face group on the SD card.

        Raises:
            ProvisionError: The camera has no internet (4): most often the Wi-Fi's password was wrong.
            AuthenticationError, DeviceError: The camera refuses.

        """
        began = time.time()
        tell(later("Activating …"))
        try:
            did = self.camera.device.ensure_active(self.sn)
        except DeviceError as error:
            self.standing[Stage.ACTIVATE] = Standing.FAILED
            if (
                error.code == DeviceCode.DEVICE_NOT_ONLINE
                and self.standing[Stage.WIFI] is not Standing.SKIPPED
            ):
                self.standing[Stage.WIFI] = Standing.FAILED
                raise ProvisionError(
                    "the camera has no internet, so it cannot be activated",
                    step="activate",
                    hint="The Wi-Fi password may be wrong: choose the network again.",
                ) from None
            raise
        self.activated = True
        self.mark(Stage.ACTIVATE, Standing.DONE, began)
        self.look()
        self._tell_the_desk()
        return did

    def _tell_the_desk(self) -> None:
        """It waits for set-up no more, or is called otherwise: nobody is shown how it was."""
        self.desk.card(self.sn, fresh=True)

    # -- card, name, line, walk ------------------------------------------------------------------

    def look_at_card(self) -> CardStatus:
        """The SD card's state; a step that is done where it is normal."""
        self.card = self.camera.sdcard.status().status
        if self.card is CardStatus.NORMAL:
            self.mark(Stage.CARD, Standing.DONE)
        return self.card

    def format(self, tell: Tell = lambda text: None) -> None:
        """Format the card and wait until it is normal: destroys recordings and faces."""
        began = time.time()
        tell(later("Formatting the SD card …"))
        self.card = self.camera.sdcard.format_and_wait(interval=0.5).status
        self.mark(Stage.CARD, Standing.DONE, began)

    def rename(self, name: str) -> None:
        """Name the camera."""
        began = time.time()
        self.camera.image.set_name(name)
        self.name = name
        self.mark(Stage.NAME, Standing.DONE, began)
        self._tell_the_desk()

    def begin_walk(self) -> Walk:
        """A test walk from now on."""
        self.walk = Walk(self.camera.people_flow)
        self.walk.look()
        return self.walk

    def look_at_walk(self) -> bool:
        """Ask who has been counted; whether the step is done by it."""
        if self.walk is None:
            self.begin_walk()
        assert self.walk is not None
        self.walk.look()
        if self.walk.passed and self.standing[Stage.WALK] is not Standing.DONE:
            self.mark(Stage.WALK, Standing.DONE)
        return self.walk.passed

    # -- report ----------------------------------------------------------------------------------

    def report(self, lang: str) -> str:
        """The hand-over report as the fleet's, for this camera: a page of HTML that stands for itself."""
        from ..fleet import report_html
        from ..fleet.journal import StepRecord
        from ..fleet.outcome import Outcome
        from ..fleet.outcome import Standing as Whole
        from ..fleet.report import Row
        from ..fleet.site import Slot, Wanted

        found = self.desk.found(self.sn)
        open_ = [s for s in self.stages if self.standing[s] in (Standing.TODO, Standing.FAILED)]
        whole = Whole.OK if not set(open_) - {Stage.REPORT} else Whole.DIFFERS
        outcome = Outcome(
            self.sn,
            sn=self.sn,
            mac=found.mac,
            address=found.ip,
            model=self.model,
            name=self.name,
            firmware=found.firmware,
            network=found.network,
            standing=whole,
            activated=self.activated,
            card=self.card.name.lower() if self.card is not None else "",
        )
        words = {Stage.CARD: "sdcard", Stage.LINE: "door_line"}
        steps: list[StepRecord] = [
            StepRecord(i, self.sn, self.sn, str(words.get(stage, stage)), "", "done", began, ended, {})
            for i, (stage, began, ended) in enumerate(self.done, 1)
        ]
        slot = Slot(self.sn, 0, 1, self.sn, found.mac, "", found.ip, Wanted(), frozenset())
        row = Row(slot, outcome, time.time(), steps, line=self.line)
        try:
            picture = self.desk.link(self.sn).video.snapshot()
        except SunmiIpcError as error:
            row.missing = error.message
        else:
            row.picture, row.kind = picture.data, picture.kind
        return report_html.page(self.name or self.sn, [row], "zh" if lang == "zh" else "en")
