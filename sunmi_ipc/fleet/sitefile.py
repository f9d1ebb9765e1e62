"""Reading a site file, TOML or CSV; every error names file, line and key."""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..camera import split_address
from ..errors import ConfigError, ParameterError, SiteError
from ..protocol.wifi import check_passphrase
from .positions import Path as Keys
from .positions import line_of
from .secret import Secrets
from .site import Site, Slot, Wanted
from .strict import dotted, problem, read_toml, together

_KEYS = "'ipc fleet schema' prints what there is."


@dataclass(frozen=True)
class Loaded:
    """A site, where it came from, and its secrets."""

    site: Site
    path: Path
    slots: tuple[Slot, ...]
    secrets: Secrets


def load(
    path: str | os.PathLike[str],
    *,
    inline_secrets: bool = False,
    resolve: bool = True,
    environment: Mapping[str, str] | None = None,
) -> Loaded:
    """Read a site file: ``.csv`` as CSV, everything else as TOML.

    Args:
        path: The file.
        inline_secrets: Allow secrets in the file, beside what the file itself says.
        resolve: Whether the secrets must be there.
        environment: For ``env:`` references; default: the process's.

    Raises:
        SiteError: Something in it is wrong, or a secret that it names is not there.
        ConfigError: It cannot be read.

    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            "the site file {path} cannot be read: {reason}",
            hint="'ipc fleet init' writes one from a scan.",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    document, lines = _csv(raw, path) if path.suffix.lower() == ".csv" else read_toml(raw, path)
    policy = document.get("apply")
    inline = inline_secrets or (isinstance(policy, dict) and policy.get("inline_secrets") is True)
    try:
        site = Site.model_validate(document, context={"inline": inline})
    except ValidationError as error:
        raise together(
            [problem(path, lines, dict(e), hint=_KEYS) for e in error.errors(include_url=False)]
        ) from None
    problems = list(_contradictions(site, path, lines))
    secrets = Secrets(path.parent, environment)
    if resolve and not problems:
        problems = list(_missing_secrets(site, secrets, path, lines))
    if problems:
        raise together(problems)
    return Loaded(site, path, tuple(site.slots()), secrets)


def _contradictions(site: Site, path: Path, lines: dict[Keys, int]) -> list[SiteError]:
    """What only shows when the entries are looked at together."""
    found: list[SiteError] = []

    def wrong(keys: Keys, template: str, hint: str = "") -> None:
        where = f"{path.name}:{line_of(lines, keys)}"
        found.append(SiteError(template, where=where, key=dotted(keys), hint=hint))

    for name in ("sn", "mac", "address"):
        counted = Counter(value for entry in site.cameras if (value := getattr(entry, name)))
        for i, entry in enumerate(site.cameras):
            if counted[getattr(entry, name)] > 1:
                wrong(("cameras", i, name), "{where}: {key}: another camera of this file has the same")
    for i, entry in enumerate(site.cameras):
        for j, group in enumerate(entry.groups):
            if group not in site.groups:
                wrong(("cameras", i, "groups", j), "{where}: {key}: there is no such group")
        for j, key in enumerate(entry.unset):
            if key not in Wanted.model_fields:
                wrong(("cameras", i, "unset", j), "{where}: {key}: there is no such key")
        if entry.address:
            try:
                split_address(entry.address)
            except ParameterError:
                wrong(("cameras", i, "address"), "{where}: {key}: not an address",
                      "Write it like 192.168.1.20 or 192.168.1.20:8443.")  # fmt: skip
        if entry.address and entry.any:
            wrong(("cameras", i, "address"), "{where}: {key}: an address goes with a serial number or a MAC")
    return found


def _missing_secrets(site: Site, secrets: Secrets, path: Path, lines: dict[Keys, int]) -> list[SiteError]:
    found: list[SiteError] = []
    tables: list[tuple[Keys, Wanted]] = [(("defaults",), site.defaults)]
    tables += [(("groups", name), group) for name, group in site.groups.items()]
    tables += [(("cameras", i), entry) for i, entry in enumerate(site.cameras)]
    for place, table in tables:
        references: list[tuple[Keys, str]] = []
        if table.activation_code:
            references.append(((*place, "activation_code"), table.activation_code))
        if table.wifi and table.wifi.password:
            references.append(((*place, "wifi", "password"), table.wifi.password))
        for keys, reference in references:
            try:
                secret = secrets.get(reference)
                if keys[-1] == "password" and table.wifi and not table.wifi.as_is:
                    check_passphrase(secret)
            except ParameterError as error:
                found.append(
                    SiteError(
                        "{where}: {key}: no wireless network can have this password",
                        where=f"{path.name}:{line_of(lines, keys)}",
                        key=dotted(keys),
                        hint=error.hint_template.replace("--as-is", "as_is = true"),
                    )
                )
            except ConfigError as error:
                where = f"{path.name}:{line_of(lines, keys)}"
                values = {**error.values, "where": where, "key": dotted(keys), "reference": reference}
                found.append(
                    SiteError(
                        "{where}: {key}: the secret {reference} is not there",
                        hint=error.hint_template,
                        **values,  # type: ignore[arg-type]
                    )
                )
    return found


# -- CSV ---------------------------------------------------------------------------------------------

_PLAIN = ("sn", "mac", "any", "address", "name", "activation_code", "sdcard", "ir")
_NESTED = {
    "wifi_ssid": ("wifi", "ssid"),
    "wifi_password": ("wifi", "password"),
    "motion": ("detection", "motion"),
    "sound": ("detection", "sound"),
    "days": ("detection", "days"),
    "from": ("detection", "from"),
    "to": ("detection", "to"),
    "zoom": ("lens", "zoom"),
    "focus": ("lens", "focus"),
    "ip": ("ip", "address"),
    "netmask": ("ip", "netmask"),
    "gateway": ("ip", "gateway"),
    "dns": ("ip", "dns"),
}
COLUMNS = (*_PLAIN, *_NESTED, "count", "led", "rotation", "door_line", "face_groups", "events", "callback")  # fmt: skip
_SWITCH = {"1": True, "on": True, "yes": True, "true": True, "0": False, "off": False, "no": False, "false": False}  # fmt: skip


def _csv(raw: bytes, path: Path) -> tuple[dict[str, Any], dict[Keys, int]]:
    try:
        # UTF-16 is what Excel calls Unicode text.
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")  # what Excel writes in China
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first, _, rest = text.partition("\n")
    skipped = 0
    if re.fullmatch(r"sep=.", first.strip(), re.IGNORECASE):  # a line for Excel
        text, first, skipped = rest, rest.partition("\n")[0], 1
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        rows = [(skipped + reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise SiteError(
            "{where}: {key}: not CSV: {reason}",
            where=f"{path.name}:{skipped + reader.line_num}", key="-", reason=str(error),
        ) from None  # fmt: skip
    header = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    for name in header:
        if name and header.count(name) > 1:
            raise SiteError(
                "{where}: {key}: this column is there twice", where=f"{path.name}:{1 + skipped}", key=name
            )
        if name and name not in COLUMNS:
            raise SiteError(
                "{where}: {key}: there is no such column", where=f"{path.name}:{1 + skipped}", key=name,
                hint="Columns: {columns}.", columns=", ".join(COLUMNS),
            )  # fmt: skip
    cameras: list[dict[str, Any]] = []
    lines: dict[Keys, int] = {("cameras",): 1}
    for line, cells in rows[1:]:
        if any(cell.strip() for cell in cells[len(header) :]):
            raise SiteError(
                "{where}: {key}: more cells than columns", where=f"{path.name}:{line}", key="-",
                hint="A text with a comma or semicolon in it needs quotes around it.",
            )  # fmt: skip
        row = {k: v.strip() for k, v in zip(header, cells, strict=False) if k and v.strip()}
        if not row:
            continue
        entry = _entry(row, f"{path.name}:{line}")
        lines[("cameras", len(cameras))] = line
        for key, value in entry.items():
            lines[("cameras", len(cameras), key)] = line
            if isinstance(value, dict):
                lines |= {("cameras", len(cameras), key, inner): line for inner in value}
        cameras.append(entry)
    return {"cameras": cameras}, lines


def _entry(row: dict[str, str], where: str) -> dict[str, Any]:
    """One row as the table that TOML would have."""
    entry: dict[str, Any] = {key: row[key] for key in _PLAIN if key in row}
    for column, (table, key) in _NESTED.items():
        if column in row:
            entry.setdefault(table, {})[key] = _number(row[column])
    if "wifi" in entry:
        entry["wifi"] = {k: row[f"wifi_{k}"] for k in ("ssid", "password") if f"wifi_{k}" in row}
    if "ip" in entry:
        entry["ip"]["dhcp"] = False
    if "days" in row:
        days = row["days"].lower()
        entry["detection"]["days"] = days if days in ("always", "everyday") else re.split(r"[\s,;]+", days)
    for column in ("count", "rotation"):
        if column in row:
            entry[column] = _number(row[column])
    if "led" in row:
        entry["led"] = _SWITCH.get(row["led"].lower(), row["led"])
    if "door_line" in row:
        entry["door_line"] = [_number(part) for part in re.split(r"[\s,;]+", row["door_line"])]
    if "face_groups" in row:
        entry["face_groups"] = []
        for part in map(str.strip, re.split(r"[,;]", row["face_groups"])):
            name, colon, capacity = part.rpartition(":")
            if not colon:
                raise SiteError(
                    "{where}: {key}: not allowed", where=where, key="face_groups",
                    hint="Allowed: {bounds}.", bounds="VIP:100; Staff:50",
                )  # fmt: skip
            entry["face_groups"].append({"name": name.strip(), "capacity": _number(capacity)})
    if "events" in row or "callback" in row:
        wish = {"events": re.split(r"[\s,;]+", row["events"])} if "events" in row else {}
        entry["subscriptions"] = [wish | ({"callback": row["callback"]} if "callback" in row else {})]
    return entry


def _number(text: str) -> int | str:
    return int(text) if text.strip().isascii() and text.strip().isdecimal() and len(text) < 10 else text
