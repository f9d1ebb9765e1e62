"""A first station file."""

from __future__ import annotations

import json
import re

from ..i18n import tr

_TEXT = """\
[station]
site = {site}
name = {name}
timezone = {zone}          # {zone_help}
hours = "09:00-22:00"
cameras = {cameras}        # {cameras_help}

[http]
listen = "127.0.0.1:8500"     # /api/v1, /metrics, /healthz, /readyz

# [tokens.office]             # {tokens_help}
# role = "view"               # view, tune, admin
# secret = "env:STATION_OFFICE_TOKEN"

[console]
enabled = false

[watch]
interval = "1m"
# notify = ["env:ALERT_URL"]  # {notify_help}

[counts]
window = "15m"

[events]
enabled = true
listen = "0.0.0.0:8480"

[keep]
faces = "7d"                  # {keep_help}
pictures = "3d"
"""


def draft(*, site: str, name: str, timezone: str, cameras: str = "discover", schema: str = "") -> str:
    """A station file that shows what matters most.

    Args:
        site: The site's name; made to fit.
        name: What people call it.
        timezone: IANA name; empty: this computer's.
        cameras: ``discover``, or a site file.
        schema: Where the JSON Schema is, for editors.

    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", site).strip("-._")[:64] or "shop"
    text = _TEXT.format(
        site=_quoted(plain),
        name=_quoted(name),
        zone=_quoted(timezone),
        cameras=_quoted(cameras),
        zone_help=tr("the shop's; empty: this computer's"),
        cameras_help=tr("'discover', or a site file"),
        tokens_help=tr("who may use the API; at least 16 characters"),
        notify_help=tr("who is told: a webhook, exec:COMMAND, mqtt://…, or any Apprise URL"),
        keep_help=tr("faces are personal data: they go first"),
    )
    return (f"#:schema {schema}\n\n" if schema else "") + text


def _quoted(value: str) -> str:
    # JSON's strings are TOML's too, DEL aside.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def this_zone() -> str:
    """The IANA name of this computer's time zone; empty where it has none."""
    import os
    from pathlib import Path

    if (name := os.environ.get("TZ", "")) and "/" in name:
        return name.lstrip(":")
    try:
        target = str(Path("/etc/localtime").resolve())
    except OSError:
        return ""
    return target.partition("/zoneinfo/")[2]
