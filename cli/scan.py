"""``ipc scan``."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr
from sunmi_ipc.redact import printable

from .screen.csvfile import Csv, write_csv
from .screen.lengths import Length, length
from .screen.options import Jsonl
from .screen.output import columns, note, print_json, print_json_line, say, waiting
from .screen.tables import clip, fitting, left_out, window
from .state import Exit, State

if TYPE_CHECKING:
    from sunmi_ipc.discovery import Change, DiscoveredCamera, Reason, ScanReport
    from sunmi_ipc.link.tls import ClientCertificate

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_COLUMNS = ("sn", "ip", "model", "name", "connection", "firmware", "mac")
_WIDTHS = (16, 15, 6, 16, 10, 10, 17)
# The MAC stays at 80 columns: it is what stands on the label.
_LEAST = ("connection", "firmware", "model", "name", "mac")
# What the SDK's words mean: how the camera is connected (its own access point is Wi-Fi, too).
_LINKS = {"AP": "Wi-Fi", "LAN": "cable"}
_KEYS = ("sn", "ip", "port", "mac", "model", "name", "firmware", "network", "interface", "source", "rtt_ms")
_CSV = (*_KEYS, "interface_ip", "addresses", "flags")
_WATCH_S = 5.0
_KEEP_S = 1.0  # the memory is a file: not written anew for each of five hundred cameras


def _row(camera: DiscoveredCamera) -> dict[str, Any]:
    every = asdict(camera)
    return {key: every[key] for key in _KEYS} | {
        "interface_ip": camera.interface_ip,
        "addresses": list(camera.addresses or (camera.ip,)),
        "flags": list(camera.flags),
    }


def _shown(taken: int = 0) -> dict[str, int]:
    """The columns that the terminal has room for, beside *taken*, and their widths."""
    room = window() and max(window() - taken, 1)
    widths = dict(zip(_COLUMNS, _WIDTHS, strict=True))
    return {name: widths[name] for name in fitting(_COLUMNS, _WIDTHS, _LEAST, room)}


def _cells(camera: DiscoveredCamera, shown: dict[str, int]) -> str:
    row = _row(camera) | {"sn": camera.sn or "?"}
    marks = [] if camera.source == "udp" else [f"({camera.source})"]
    marks += [f"! {', '.join(camera.flags)}"] if camera.flags else []
    row["connection"] = tr(_LINKS[camera.network]) if camera.network in _LINKS else camera.network
    cells = {name: printable(str(row[name])) for name in shown}
    if window() and "name" in cells:  # a user may have given a long one
        cells["name"] = clip(cells["name"], shown["name"])
    line = columns(list(cells.values()), list(shown.values()))
    return "  ".join([line, *marks])


@app.command()
def scan(
    ctx: typer.Context,
    timeout: Annotated[
        float | None,
        length(
            "--timeout",
            tr("How long to wait (2.4s if not given); with --watch, how long to watch."),
            least=0.1,
            most=86_400,
        ),
    ] = None,
    expect: Annotated[int | None, typer.Option(min=1, help=tr("Stop when this many were found."))] = None,
    target: Annotated[
        list[str] | None, typer.Option(help=tr("Also ask this address or block (192.168.1.0/24)."))
    ] = None,
    ap: Annotated[
        bool, typer.Option("--ap", help=tr("Also ask 192.168.200.1, a camera's own access point."))
    ] = False,
    no_mdns: Annotated[bool, typer.Option("--no-mdns", help=tr("Leave mDNS out."))] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help=tr("Go on, and tell when cameras come, change or go."))
    ] = False,
    interval: Annotated[
        float, length("--interval", tr("Time between two looks."), least=0.1, most=3600)
    ] = Length(_WATCH_S),
    jsonl: Jsonl = False,
    csv: Csv = None,
) -> None:
    """Find the cameras in this network."""
    from sunmi_ipc import discovery
    from sunmi_ipc.csvfile import STDOUT, Rows
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    interfaces = state.settings.interfaces()
    if sum((state.json, jsonl, csv is not None)) > 1:
        raise ParameterError("{name}: choose one form of output", name="--json, --jsonl, --csv")
    if watch:
        for name, given in (
            ("--json", state.json),
            ("--csv", csv is not None),
            ("--expect", expect is not None),
        ):
            if given:
                raise ParameterError("{name}: not with --watch", name=name, hint="For scripts: --jsonl.")
        targets = [*(target or ()), *([discovery.ACCESS_POINT] if ap else [])]
        _watch(state, timeout, interfaces, targets, interval, jsonl)
        return
    report = discovery.ScanReport()
    found: list[DiscoveredCamera] = []
    writer = Rows.to_stdout(_CSV) if csv is not None and str(csv) == STDOUT else None
    human = not (state.json or jsonl or writer)
    with contextlib.nullcontext() if jsonl else waiting(state, "Looking for cameras …"):
        for camera in state.settings.discover(
            timeout=timeout,
            expect=expect,
            interfaces=interfaces,
            targets=target or (),
            access_point=ap,
            mdns=not no_mdns,
            certificate=certificate(state) if target or ap else None,
            report=report,
        ):
            found.append(camera)
            if jsonl:
                print_json_line(_row(camera))
            elif writer:
                writer.add(_row(camera))
            elif human:
                if len(found) == 1:
                    shown = _shown()
                    sys.stdout.write(columns([tr(c).upper() for c in shown], list(shown.values())) + "\n")
                sys.stdout.write(_cells(camera, shown) + "\n")
                sys.stdout.flush()
    if state.settings.via:
        report.cameras = found
    else:
        memory.remember(report.cameras, config_dir())
    if csv is not None and writer is None:
        write_csv(csv, [_row(camera) for camera in report.cameras], _CSV)
    if state.json:
        print_json(
            {
                "cameras": [_row(camera) for camera in report.cameras],
                "elapsed_s": round(report.elapsed_s, 3),
                "rejected_packets": sum(report.rejected.values()),
            }
        )
    if not state.settings.via:
        _remarks(state, report, interfaces)
    if human and found:
        if not state.quiet:
            left_out(_COLUMNS, list(shown))
        say(state, "{count} found in {seconds:.1f} s", count=len(report.cameras), seconds=report.elapsed_s)
    if not found:
        raise typer.Exit(Exit.UNREACHABLE)


def certificate(state: State) -> ClientCertificate | None:
    """The client certificate for probing HTTPS ports; None where there is none that opens."""
    from sunmi_ipc.errors import TlsError
    from sunmi_ipc.link.tls import ClientCertificate

    if not state.settings.p12:
        return None
    with contextlib.suppress(TlsError):  # 'ipc doctor' tells; a scan does without
        return ClientCertificate.load(state.settings.p12, state.settings.p12_password)
    return None


def _remarks(state: State, report: ScanReport, interfaces: list[str] | None) -> None:
    from sunmi_ipc.discovery import (
        DUPLICATE_SN,
        IP_MISMATCH,
        ODD_ANSWER,
        ODD_SN,
        OTHER_NETWORK,
        RELAYED,
        explain,
    )
    from sunmi_ipc.discovery.diagnosis import elsewhere
    from sunmi_ipc.discovery.interfaces import interfaces as every_interface

    available = every_interface() if report.cameras else []
    for remark in report.notes:
        _say_reason(state, remark)
    for camera in report.cameras:
        if IP_MISMATCH in camera.flags:
            note(
                state,
                "{sn} says that its address is {claimed}, but answers from {ip}; {ip} is used.",
                sn=camera.sn,
                claimed=camera.claimed_ip,
                ip=camera.ip,
            )
        if DUPLICATE_SN in camera.flags:
            note(
                state,
                "{sn} is claimed by more than one camera: {mac} at {ip}. Name it by its address.",
                sn=camera.sn,
                mac=printable(camera.mac) or "?",
                ip=camera.ip,
            )
        if OTHER_NETWORK in camera.flags:
            note(
                state,
                "{sn} is on this wire, but its address {ip} is outside this computer's network. "
                "To reach it, give {interface} an address in the camera's network.",
                sn=camera.sn,
                ip=camera.ip,
                interface=camera.interface,
            )
        if RELAYED in camera.flags:
            note(
                state,
                "{sn} was announced at {ip} by another computer; nothing connects there unless you name that address.",
                sn=camera.sn,
                ip=camera.ip,
            )
        if ODD_SN in camera.flags:
            note(
                state,
                "What {ip} calls its serial number is none: {sn}. Name it by its address.",
                ip=camera.ip,
                sn=camera.sn,
            )
        if ODD_ANSWER in camera.flags:
            note(
                state, "{ip} answers in an unusual way ('-v' says how). Name it by its address.", ip=camera.ip
            )
        if (way := elsewhere(camera.ip, camera.interface_ip, available)) is not None:
            _say_reason(state, way)
        if len(camera.addresses) > 1:
            note(
                state,
                "{sn} answers from {addresses}.",
                sn=camera.sn,
                addresses=tr(", ").join(camera.addresses),
            )
    _say_rejected(state, report)
    if not report.cameras:
        note(state, "No camera was found. 'ipc doctor' looks for reasons; '--target' asks an address.")
        for remark in explain(report, interfaces=interfaces):
            _say_reason(state, remark)


def _say_rejected(state: State, report: ScanReport) -> None:
    for reason, count in sorted(report.rejected.items()) if state.verbose else ():
        note(
            state,
            "{count} packets rejected: {reason} (from {senders})",
            count=count,
            reason=tr(reason),
            senders=tr(", ").join(report.rejected_from[reason]),
        )


def _say_reason(state: State, reason: Reason) -> None:
    message, hint = reason.localized()
    note(state, "- {message}", message=printable(message))
    if hint:
        note(state, "  {hint}", hint=hint)


def _watch(
    state: State,
    timeout: float | None,
    interfaces: list[str] | None,
    targets: list[str],
    interval: float,
    as_json: bool,
) -> None:
    from threading import Timer

    from sunmi_ipc.discovery import ChangeKind, DiscoveredCamera, Tracker, memory
    from sunmi_ipc.settings import config_dir

    with Tracker(interval=interval, interfaces=interfaces, targets=targets) as tracker:
        timer = Timer(timeout, tracker.close) if timeout is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        if not as_json:
            note(state, "Watching for cameras; Ctrl-C ends it.")
        told, seen, kept_at = 0, list[DiscoveredCamera](), -math.inf
        try:
            told = _say_new(state, tracker.report, told)
            for change in tracker:
                told = _say_new(state, tracker.report, told)
                if change.kind is not ChangeKind.OFFLINE:
                    seen.append(change.camera)
                if time.monotonic() - kept_at > _KEEP_S:
                    memory.remember(seen, config_dir())
                    seen.clear()
                    kept_at = time.monotonic()
                if as_json:
                    print_json_line(_change(change))
                else:
                    _print_change(change)
        finally:
            if timer is not None:
                timer.cancel()
            memory.remember(seen, config_dir())
            _say_new(state, tracker.report, told)
            _say_rejected(state, tracker.report)


def _say_new(state: State, report: ScanReport, told: int) -> int:
    """Say the notes after the first *told*; how many there are."""
    notes = report.notes[told:]
    for remark in notes:
        _say_reason(state, remark)
    return told + len(notes)


def _change(change: Change) -> dict[str, Any]:
    return {
        "event": str(change.kind),
        "at": round(change.at, 3),
        "camera": _row(change.camera),
        "changed": list(change.fields),
    }


def _print_change(change: Change) -> None:
    at = time.strftime("%H:%M:%S", time.localtime(change.at))
    head = f"{at}  {columns([tr(str(change.kind))], [8])}  "
    line = head + _cells(change.camera, _shown(len(head)))
    if change.before is not None:
        old = [f"{name}: {getattr(change.before, name)!s}" for name in change.fields]
        line += "  " + tr("(was {old})", old=printable(tr(", ").join(old)))
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
