"""A first site file, from a scan."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..discovery import DiscoveredCamera
from ..i18n import Language, tr
from .sheet import write_csv

_EXAMPLE = """\
version = 1
name = "{name}"

[apply]
# jobs = 64
# activations_per_minute = 60
# activation_quota = 200

[defaults]
# activation_code = "env:SUNMI_IPC_ACTIVATION_CODE"
# wifi = {{ ssid = "Shop", password = "env:WIFI_PASSWORD" }}
# sdcard = "format-blank"
# ir = "auto"
# led = true
# detection = {{ motion = 2, days = ["mon", "tue", "wed", "thu", "fri"], from = "09:00", to = "18:00" }}
# subscriptions = [{{ events = ["dynamic_detect_event"], callback = "http://192.168.1.5:8080/events" }}]

# [groups.door]
# door_line = [400, 800, 1500, 800]
# face_groups = [{{ name = "VIP", capacity = 100 }}]
"""


#: Columns of a CSV site file that is new; those with "#" are for the eye, and not read again.
SHEET = (
    "sn",
    "name",
    "wifi_ssid",
    "wifi_password",
    "sdcard",
    "ir",
    "door_line",
    "# model",
    "# mac",
    "# address",
)


def sheet(path: Path, found: Iterable[DiscoveredCamera], lang: Language) -> None:
    """A site file as CSV, for spreadsheets, in the words of *lang*.

    Raises:
        OSError: It cannot be written.

    """
    titles = {"# model": "# 型号", "# mac": "# MAC", "# address": "# 地址"} if lang == "zh" else {}
    rows = [
        {
            "sn": sn, "name": same[0].name if len(same) == 1 else "",
            titles.get("# model", "# model"): _all(one.model for one in same),
            titles.get("# mac", "# mac"): _all(one.mac for one in same),
            titles.get("# address", "# address"): _all(one.ip for one in same),
        }
        for sn, same in claims(found).items()
    ]  # fmt: skip
    write_csv(path, rows, [titles.get(name, name) for name in SHEET], lang)


def claims(found: Iterable[DiscoveredCamera]) -> dict[str, list[DiscoveredCamera]]:
    """Who says to have each serial number, in their order; an odd one is left out.

    A serial number has one entry in a site file, however many claim it.
    """
    claimed: dict[str, list[DiscoveredCamera]] = {}
    for one in sorted(found, key=lambda one: one.sn):
        if one.serial_number is not None:
            claimed.setdefault(one.serial_number, []).append(one)
    return claimed


def _all(said: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(filter(None, said)))


def entry(sn: str, wanted: Mapping[str, Any], remark: str = "") -> str:
    """One camera's table of a TOML site file."""
    lines = ["[[cameras]]", f"sn = {_value(sn)}"]
    lines += [f"{key} = {_value(value)}" for key, value in wanted.items()]
    return "\n".join([*lines, *([f"# {remark}"] if remark else []), ""])


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_value(inner)}' for key, inner in value.items())} }}"
    return _text(str(value))


def draft(
    found: Iterable[DiscoveredCamera],
    name: str = "",
    schema: str = "",
    captured: Mapping[str, Mapping[str, Any]] | None = None,
) -> str:
    """A site file that lists *found* and shows what can be wanted; it wants nothing but what they have.

    Args:
        found: The cameras.
        name: The site's name.
        schema: Where the JSON Schema is, for editors.
        captured: By serial number, the settings that a camera has; default: its name alone.

    """
    lines = [f"#:schema {schema}", ""] if schema else []
    lines += [f"# {tr('What is nowhere given is left as it is. Lines with # are examples.')}", ""]
    lines += [_EXAMPLE.format(name=name.replace("\\", "").replace('"', "'"))]
    for sn, same in claims(found).items():
        has = (captured or {}).get(sn) or ({"name": same[0].name} if len(same) == 1 and same[0].name else {})
        remark = "; ".join(f"{one.model} {one.mac} {one.ip}".strip() for one in same)
        if len(same) > 1:
            remark = tr("{count} cameras claim it: {cameras}", count=len(same), cameras=remark)
        lines.append(entry(sn, has, remark))
    if not any(line.startswith("[[cameras]]") for line in lines):
        lines += ["# [[cameras]]", '# sn = "FS101D8BS00106"', '# groups = ["door"]', ""]
    return "\n".join(lines)


def _text(value: str) -> str:
    # JSON's strings are TOML's too, DEL aside.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
