"""``ipc firmware guide``: the vendor's steps, the LED's colours, and what the camera says meanwhile."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc.errors import CameraNotFound, ConnectionFailed, DeviceError, SunmiIpcError, TlsError
from sunmi_ipc.i18n import tr

from ..screen.output import is_terminal, note, print_json, say, waiting
from ..state import State
from ..target import is_address, open_camera

if TYPE_CHECKING:
    from collections.abc import Callable

    from sunmi_ipc.firmware import Update


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the vendor's instructions (protocol sheet, section 10)."""

    text: str
    led: str = ""
    seconds: int = 0


def steps() -> list[Step]:
    """The steps, in the user's language."""
    return [
        Step(tr("Prepare the card: 'ipc firmware prepare'. Switch the camera off and put the card in.")),
        Step(
            tr("Switch the camera on and wait about 10 s."), tr("red, perhaps blinking (it is updating)"), 10
        ),
        Step(
            tr(
                "Do not cut the power. Wait about a minute; an FM020 updates a second processor, too: leave it its power for 4 to 6 minutes, whatever its LED shows."
            ),
            tr("green (it is restarting)"),
            60,
        ),
        Step(
            tr("Wait until it has started."), tr("blinking green (waiting for set-up) or blue (online): done")
        ),
        Step(
            tr("Hold Reset for more than 5 s: factory settings."),
            tr("blinking green (waiting for set-up)"),
            6,
        ),
        Step(tr("Set the camera up again, and update it to the newest version.")),
        Step(tr("Delete up.bin from the card with 'ipc firmware clean', or the camera will update again.")),
    ]


def walk(state: State, label: str, timeout: float, gone_timeout: float, settle: float) -> None:
    """Print the steps; wait at each on a terminal; follow the camera where it can be reached.

    Raises:
        ProvisionError: The camera that is followed did not leave, or did not come back.

    """
    listed = steps()
    version = _reader(state) if state.camera else None
    if label:
        say(state, "The card's label is {label}.", label=label)
    seen: Update | None = None
    if version is not None:
        for number in (1, 2, 3, 4):
            _print(state, number, listed[number - 1])
        seen = _follow(state, version, timeout, gone_timeout, settle)
        rest = range(5, len(listed) + 1)
    else:
        rest = range(1, len(listed) + 1)
    for number in rest:
        _print(state, number, listed[number - 1])
        if is_terminal() and not state.json and not state.quiet:
            _pause(state, listed[number - 1], last=number == len(listed))
    if state.json:
        document: dict[str, Any] = {
            "steps": [{"step": n, **asdict(s)} for n, s in enumerate(listed, 1)],
            "camera": None,
        }
        if seen:
            document["camera"] = {
                "camera": state.camera,
                "before": seen.before,
                "after": seen.after,
                "changed": seen.changed,
                "away_s": round(seen.away_s, 1),
            }
        print_json(document)


def _print(state: State, number: int, step: Step) -> None:
    say(state, "{number}. {text}", number=number, text=step.text)
    if step.led:
        say(state, "   LED: {led}", led=step.led)


def _pause(state: State, step: Step, last: bool) -> None:
    if step.seconds:
        with waiting(state, "Waiting {seconds} s …", seconds=step.seconds):
            time.sleep(step.seconds)
    if not last:
        typer.prompt(tr("Enter when it is so"), default="", show_default=False, prompt_suffix=" ↵ ", err=True)


def _reader(state: State) -> Callable[[], str] | None:
    """What reads the camera's version, by a signed call or else from discovery; None where it cannot be reached."""
    from sunmi_ipc import discovery

    try:
        camera = open_camera(state, timeout=3.0, retries=0)
    except CameraNotFound as error:
        note(state, "The camera cannot be reached, so it is not followed: {reason}", reason=error.message)
        return None

    sn = "" if is_address(state.camera) else camera.sn or state.camera
    missed = True

    def version() -> str:
        nonlocal camera, sn, missed
        try:
            info = camera.device.info()
        except TlsError:
            raise
        except (ConnectionFailed, DeviceError) as error:
            # After the update it may be at another address, or no longer activated.
            # The first silence is told at once: looking for it would take longer than a short one lasts.
            first = isinstance(error, ConnectionFailed) and not missed
            missed = True
            if first or not sn:
                raise
            try:
                found = discovery.find(sn, timeout=1.0, interfaces=state.settings.interfaces())
            except CameraNotFound:
                raise error from None
            if isinstance(error, ConnectionFailed) and found.ip != camera.host:
                camera.close()
                camera = state.settings.connect(
                    found.address, sn=found.sn, model=found.model, timeout=3.0, retries=0
                )
            missed = False
            return found.firmware
        sn, missed = info.sn, False
        return info.software_version

    try:
        say(state, "{camera} runs firmware {version}.", camera=state.camera, version=version())
    except TlsError:
        raise
    except SunmiIpcError as error:
        note(state, "The camera cannot be reached, so it is not followed: {reason}", reason=error.message)
        return None
    return version


def _follow(
    state: State, version: Callable[[], str], timeout: float, gone_timeout: float, settle: float
) -> Update:
    from sunmi_ipc import firmware

    texts = {
        "gone": tr("It has left the network; waiting until it is back …"),
        "back": tr("It is back; making sure that it stays …"),
        "gone again": tr("It has left the network again; waiting until it is back …"),
    }
    with waiting(state, "Waiting until the camera leaves the network …") as text:
        seen = firmware.follow(
            version,
            gone_timeout=gone_timeout,
            back_timeout=timeout,
            settle=settle,
            on_step=lambda step: text(texts[step]),
        )
    say(
        state,
        "It is back after {seconds:.0f} s: firmware {before} → {after}.",
        seconds=seen.away_s,
        before=seen.before,
        after=seen.after,
    )
    if not seen.changed:
        say(
            state,
            "The version is the same. If the image is of another version, the update did not run: was the LED red? "
            "'ipc firmware check' looks at the card.",
        )
    return seen
