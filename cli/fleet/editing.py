"""``ipc fleet add``, ``replace`` and ``diff``: small changes of a site file, and two cameras side by side."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sunmi_ipc import errors, words
from sunmi_ipc.i18n import language, tr
from sunmi_ipc.protocol.serial import SerialNumber

from ..screen.output import confirm, print_json, say, table, waiting
from ..state import Exit, State
from .common import SITE, Inline, JournalFile, SiteFile, load_site, open_journal
from .view import DAYS


def add(
    ctx: typer.Context,
    site: SiteFile = SITE,
    sn: Annotated[
        list[str] | None, typer.Option("--sn", help=tr("Only this serial number; may be repeated."))
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
    journal: JournalFile = None,
    inline: Inline = False,
) -> None:
    """Add the cameras in the network that the site file does not have; what it says stays as it is."""
    from sunmi_ipc import discovery
    from sunmi_ipc.fleet import edit

    state = State.of(ctx)
    loaded = load_site(state, site, inline, resolve=False)
    wanted = [SerialNumber(one) for one in sn or ()]
    with waiting(state, "Looking for cameras …"):
        seen = list(discovery.discover(interfaces=state.settings.interfaces()))
    with open_journal(loaded, journal, write=False) as book:
        known = {slot.sn for slot in loaded.slots} | set(book.bindings().values())
    macs = {slot.mac for slot in loaded.slots if slot.mac}
    found = {
        one.sn: one
        for one in sorted(seen, key=lambda one: one.sn)
        if one.serial_number is not None and discovery.UNSURE.isdisjoint(one.flags)
        if one.sn not in known and one.mac not in macs and (not wanted or one.sn in wanted)
    }
    for one in wanted:
        if one not in found and one not in known:
            raise errors.CameraNotFound(
                "the camera {sn} was not found",
                hint="Is it on and in this network? 'ipc scan' lists the cameras that answer.",
                sn=one,
            )
    if found:
        listed = ", ".join(f"{one.sn} ({one.model or '?'} {one.ip})" for one in found.values())
        confirm(
            tr("{count} cameras would be added: {cameras}.", count=len(found), cameras=listed),
            yes or state.json,
        )
        edit.add(loaded, list(found.values()))
    if state.json:
        print_json({"path": str(loaded.path), "added": list(found)})
    if found:
        say(state, "{count} cameras added to {path}.", count=len(found), path=str(loaded.path))
    else:
        say(state, "Every camera that answers is in {path} already.", path=str(loaded.path))


def replace(
    ctx: typer.Context,
    old: Annotated[
        str, typer.Argument(metavar="OLD", help=tr("Serial number of the camera that was replaced."))
    ],
    new: Annotated[str, typer.Argument(metavar="NEW", help=tr("Serial number of the camera in its place."))],
    site: SiteFile = SITE,
    journal: JournalFile = None,
    inline: Inline = False,
) -> None:
    """Put a new camera in the place of an old one: the next apply gives it all that the old one should have."""
    from sunmi_ipc.fleet import edit

    state = State.of(ctx)
    before, after = SerialNumber(old), SerialNumber(new)
    loaded = load_site(state, site, inline, resolve=False)
    if any(slot.sn == after for slot in loaded.slots):
        raise errors.ParameterError(
            "{sn} is in the site file already", name="NEW", sn=after,
            hint="Name a camera that is not in it yet: 'ipc fleet add' shows those that answer.",
        )  # fmt: skip
    line = edit.replace(loaded, before, after)
    with open_journal(loaded, journal, write=True) as book:
        if taken := next((key for key, sn in book.bindings().items() if sn == after), ""):
            raise errors.ParameterError("{sn} has the entry {key} already", name="NEW", sn=after, key=taken)
        key = book.release(before)
        if key is not None:
            if not key.startswith("any:"):
                raise errors.ParameterError(
                    "{sn} stands in the site file by its MAC {mac}", name="OLD", sn=before, mac=key,
                    hint="Write the new camera's serial number or MAC there.",
                )  # fmt: skip
            book.bind(key, after)
    if not line and key is None:
        raise errors.ParameterError(
            "{sn} is not in the site file",
            name="OLD",
            sn=before,
            hint="'ipc fleet status' lists its cameras.",
        )
    if state.json:
        print_json({"old": before, "new": after, "entry": key, "line": line or None})
    say(state, "{new} is in the place of {old}: 'ipc fleet apply' sets it up.", new=after, old=before)


def diff(
    ctx: typer.Context,
    one: Annotated[str, typer.Argument(metavar="A", help=tr("A camera: address, serial number or name."))],
    other: Annotated[str, typer.Argument(metavar="B", help=tr("The other one."))],
) -> None:
    """Show in which settings two cameras differ; exit code 7 if they do."""
    from sunmi_ipc.fleet.capture import capture

    from ..target import open_camera

    state = State.of(ctx)
    told: list[dict[str, Any]] = []
    for name in (one, other):
        with (
            open_camera(state, name) as camera,
            waiting(state, "Reading the settings of {name} …", name=name),
        ):
            told.append(_flat(capture(camera)))
    first, second = told
    keys = [key for key in {**first, **second} if first.get(key) != second.get(key)]
    rows = [{"setting": key, "a": first.get(key), "b": second.get(key)} for key in keys]
    if state.json:
        print_json({"a": one, "b": other, "differences": rows})
    elif rows:
        shown = [
            {
                "setting": _named(str(row["setting"])),
                one: _shown(row["a"], str(row["setting"])),
                other: _shown(row["b"], str(row["setting"])),
            }
            for row in rows
        ]
        table(shown, ["setting", one, other])
    else:
        say(state, "No setting differs.")
    if rows:
        raise typer.Exit(Exit.SOME_FAILED)


def _flat(value: dict[str, Any], before: str = "") -> dict[str, Any]:
    """``detection.motion`` and so on; groups of faces and callbacks by their name."""
    found: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, dict):
            found |= _flat(inner, f"{before}{key}.")
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            for part in inner:
                name = str(part.get("name") or part.get("callback"))
                found[f"{before}{key}.{name}"] = {k: v for k, v in part.items() if v != name}
        else:
            found[before + key] = inner
    return found


def _named(key: str) -> str:
    """A setting in words, with what it is part of: ``motion detection: sensitivity``."""
    from sunmi_ipc.fleet.report import label

    first, _, rest = key.partition(".")
    part = tr(words.label(_PARTS[rest])) if rest in _PARTS else rest
    return label(first, language()) + (tr(": ") + part if part else "")


#: What a setting's parts are called for people.
_PARTS = {
    "motion": "motion_level", "sound": "audio_level", "days": "weekday", "from": "start", "to": "end", "zoom": "zoom",
    "focus": "focus", "period": "period", "times": "times",
}  # fmt: skip


def _shown(value: Any, setting: str = "") -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return tr("on") if value else tr("off")
    if isinstance(value, dict):
        return " ".join(_shown(inner) for inner in value.values())
    if setting.endswith(".days"):
        return tr(", ").join(
            tr(DAYS.get(str(day), str(day))) for day in (value if isinstance(value, list) else [value])
        )
    if setting.endswith((".motion", ".sound")) and value in range(len(words.LEVELS)):
        return tr(words.LEVELS[value])
    if value == "auto":
        return tr("automatic")
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
