"""``ipc fleet apply --via-hotspots``: from access point to access point, by itself or step by step."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import tr

from ..screen.output import advised, error_document, is_terminal, note, waiting
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.fleet.hotspot import Visit
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.sitefile import Loaded


def visit(state: State, loaded: Loaded, journal: Journal) -> None:
    """Visit the access points in reach; the run that follows finds the cameras in the shop's network."""
    from sunmi_ipc.fleet.hotspot import NetworkManager

    if NetworkManager.available():
        _by_itself(state, loaded, journal)
    elif is_terminal() and not state.json:
        _step_by_step(state, loaded, journal)
    else:
        raise errors.ConfigError(
            "joining the cameras' access points needs NetworkManager (nmcli), or a terminal to guide you on",
            hint="Run it on a terminal, or leave --via-hotspots out.",
        )


def _by_itself(state: State, loaded: Loaded, journal: Journal) -> None:
    from sunmi_ipc.fleet.hotspot import NetworkManager, provision

    with _terminable(), NetworkManager() as network:
        with waiting(state, "Looking for the cameras' access points …"):
            ssids = network.hotspots()
        note(
            state,
            "{count} access points of cameras are in reach. This computer leaves its Wi-Fi meanwhile.",
            count=len(ssids),
        )

        def join(ssid: str) -> None:
            note(state, "Joining {ssid} …", ssid=ssid)
            network.join(ssid)

        for one in provision(
            loaded, state.settings.connect, journal, ssids, join, interfaces=state.settings.interfaces()
        ):
            _tell(state, one)
    note(state, "This computer is back in its own network.")


def _step_by_step(state: State, loaded: Loaded, journal: Journal) -> None:
    from sunmi_ipc.fleet.hotspot import provision

    note(
        state,
        "For each camera: join its network SUNMI_XXXX with this computer (it is open; XXXX are the last four "
        "digits of the MAC on its label).",
    )
    while True:
        answer = typer.prompt(
            tr("Enter = joined, q = all cameras are done"), default="", show_default=False, err=True
        )
        if str(answer).strip().lower().startswith("q"):
            break
        with waiting(state, "Telling the camera …"):
            (one,) = provision(
                loaded, state.settings.connect, journal, [""], lambda ssid: None,
                interfaces=state.settings.interfaces(),
            )  # fmt: skip
        _tell(state, one)
    typer.prompt(
        tr("Now join the shop's network again, then press Enter"), default="", show_default=False, err=True
    )


def _tell(state: State, one: Visit) -> None:
    if one.error is None:
        note(state, "{ssid}: {sn} joins the shop's Wi-Fi.", ssid=one.ssid or "SUNMI", sn=one.sn)
        return
    told = error_document(one.error)["error"]
    note(
        state,
        "{ssid}: {problem}",
        ssid=one.ssid or "SUNMI",
        problem=advised(told["message"], told["hint"] or ""),
    )


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM and a closed terminal end us as Ctrl-C does: the network is restored on the way out."""

    def leave(number: int, frame: Any) -> None:
        sys.exit(128 + number)

    kinds = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {kind: signal.signal(kind, leave) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
