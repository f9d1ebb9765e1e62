"""``ipc scan``."""

from __future__ import annotations

import csv
import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable

from .output import columns, note, print_json, say, waiting
from .state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_COLUMNS = ("sn", "ip", "model", "name", "network", "firmware", "mac")
_WIDTHS = (16, 15, 6, 16, 7, 10, 17)
_KEYS = ("sn", "ip", "port", "mac", "model", "name", "firmware", "network", "interface", "source", "rtt_ms")


def _row(camera: DiscoveredCamera) -> dict[str, Any]:
    every = asdict(camera)
    return {key: every[key] for key in _KEYS} | {
        "addresses": list(camera.addresses or (camera.ip,)),
        "flags": list(camera.flags),
    }


@app.command()
def scan(
    ctx: typer.Context,
    timeout: Annotated[float, typer.Option(min=0.1, max=600, help=tr("Seconds to listen."))] = 2.4,
    expect: Annotated[int | None, typer.Option(min=1, help=tr("Stop when this many were found."))] = None,
    interface: Annotated[
        list[str] | None, typer.Option(help=tr("Only this interface; may be repeated."))
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help=tr("Also ask this address or block (192.168.1.0/24)."))
    ] = None,
    ap: Annotated[
        bool, typer.Option("--ap", help=tr("Also ask 192.168.200.1, a camera's own access point."))
    ] = False,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help=tr("Print one JSON object a line, as they come."))
    ] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help=tr("Print CSV."))] = False,
) -> None:
    """Find the cameras in this network."""
    from sunmi_ipc import discovery
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    report = discovery.ScanReport()
    started = time.monotonic()
    found: list[DiscoveredCamera] = []
    writer = csv.writer(sys.stdout) if as_csv else None
    human = not (state.json or jsonl or as_csv)
    if writer:
        writer.writerow(_KEYS)
    with waiting(state, "Looking for cameras …") if not jsonl else _nothing():
        for camera in discovery.discover(
            timeout=timeout,
            expect=expect,
            interfaces=interface or state.settings.interfaces(),
            targets=target or (),
            access_point=ap,
            report=report,
        ):
            found.append(camera)
            if jsonl:
                sys.stdout.write(json.dumps(_row(camera), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            elif writer:
                writer.writerow([_row(camera)[key] for key in _KEYS])
            elif human:
                if len(found) == 1:
                    sys.stdout.write(columns([tr(c).upper() for c in _COLUMNS], _WIDTHS) + "\n")
                cells = [printable(str(_row(camera)[c])) for c in _COLUMNS]
                flags = f"  ! {', '.join(camera.flags)}" if camera.flags else ""
                sys.stdout.write(columns(cells, _WIDTHS) + flags + "\n")
                sys.stdout.flush()
    memory.remember(found, config_dir())
    if state.json:
        print_json(
            {
                "cameras": [_row(camera) for camera in found],
                "elapsed_s": round(time.monotonic() - started, 3),
                "rejected_packets": sum(report.rejected.values()),
            }
        )
    if state.verbose:
        for reason, count in sorted(report.rejected.items()):
            note(state, "{count} packets rejected: {reason}", count=count, reason=reason)
        for text in report.notes:
            note(state, text.replace("{", "{{").replace("}", "}}"))
    if human and found:
        say(state, "{count} found in {seconds:.1f} s", count=len(found), seconds=time.monotonic() - started)
    if not found:
        note(state, "No camera was found. 'ipc doctor' looks for reasons; '--target' asks an address.")
        raise typer.Exit(Exit.UNREACHABLE)


def _nothing() -> Any:
    from contextlib import nullcontext

    return nullcontext()
