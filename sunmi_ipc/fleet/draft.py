"""A first site file, from a scan."""

from __future__ import annotations

import json
from collections.abc import Iterable

from ..discovery import DiscoveredCamera
from ..i18n import tr

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


def draft(found: Iterable[DiscoveredCamera], name: str = "", schema: str = "") -> str:
    """A site file that lists *found* and shows what can be wanted; it wants nothing but the names they have.

    Args:
        found: The cameras.
        name: The site's name.
        schema: Where the JSON Schema is, for editors.

    """
    lines = [f"#:schema {schema}", ""] if schema else []
    lines += [f"# {tr('What is nowhere given is left as it is. Lines with # are examples.')}", ""]
    lines += [_EXAMPLE.format(name=name.replace("\\", "").replace('"', "'"))]
    for camera in sorted(found, key=lambda one: one.sn):
        lines += ["[[cameras]]", f"sn = {_text(camera.sn)}"]
        if camera.name:
            lines.append(f"name = {_text(camera.name)}")
        lines += [f"# {camera.model} {camera.mac} {camera.ip}".rstrip(), ""]
    if not any(line.startswith("[[cameras]]") for line in lines):
        lines += ["# [[cameras]]", '# sn = "FS101D8BS00106"', '# groups = ["door"]', ""]
    return "\n".join(lines)


def _text(value: str) -> str:
    # JSON's strings are TOML's too, DEL aside.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
