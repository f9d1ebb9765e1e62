"""Reading a site file, TOML or CSV; every error names file, line and key."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..camera import split_address
from ..errors import ConfigError, ParameterError, SiteError
from ..onboarding.passphrase import passphrase_trouble, ssid_trouble
from .include import with_parts
from .positions import Path as Keys
from .positions import place_of
from .secret import Secrets
from .sheet import COLUMNS as COLUMNS
from .sheet import read_csv
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
    #: The shared parts that it includes, and a digest of all that was read.
    parts: tuple[Path, ...] = ()
    digest: str = ""


def load(
    path: str | os.PathLike[str],
    *,
    inline_secrets: bool = False,
    resolve: bool = True,
    environment: Mapping[str, str] | None = None,
    as_is: bool = False,
    root: str | os.PathLike[str] | None = None,
) -> Loaded:
    """Read a site file: ``.csv`` as CSV, everything else as TOML, with the shared parts that it includes.

    Args:
        path: The file.
        inline_secrets: Allow secrets in the file, beside what the file itself says.
        resolve: Whether the secrets must be there.
        environment: For ``env:`` references; default: the process's.
        as_is: Take names and passwords of networks that no network can have.
        root: The folder that shared parts must lie in; default: the one above the file's own.

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
    parts: tuple[Path, ...] = ()
    digest = sha256(raw)
    if path.suffix.lower() == ".csv":
        document, lines = read_csv(raw, path)
    else:
        document, lines = read_toml(raw, path)
        document, lines, parts = with_parts(document, lines, path, root=root, digest=digest)
    policy = document.get("apply")
    inline = inline_secrets or (isinstance(policy, dict) and policy.get("inline_secrets") is True)
    try:
        site = Site.model_validate(document, context={"inline": inline})
    except ValidationError as error:
        raise together(
            [problem(path, lines, dict(e), hint=_KEYS) for e in error.errors(include_url=False)]
        ) from None
    if not site.cameras:
        raise SiteError(
            "{where}: {key}: there is no camera in the file", where=place_of(lines, path.name, ("cameras",)), key="cameras",
            hint="'ipc fleet init' writes one from a scan.",
        )  # fmt: skip
    problems = list(_contradictions(site, path, lines))
    secrets = Secrets(path.parent, environment)
    if resolve and not problems:
        problems = list(_missing_secrets(site, secrets, path, lines))
    secrets.as_is = as_is
    if not as_is and not problems:
        problems = list(_impossible_networks(site, secrets if resolve else None, path, lines))
    if problems:
        raise together(problems)
    return Loaded(site, path, tuple(site.slots()), secrets, parts, digest.hexdigest())


def _contradictions(site: Site, path: Path, lines: dict[Keys, int]) -> list[SiteError]:
    """What only shows when the entries are looked at together."""
    found: list[SiteError] = []

    def wrong(keys: Keys, template: str, hint: str = "") -> None:
        where = place_of(lines, path.name, keys)
        found.append(SiteError(template, where=where, key=dotted(keys), hint=hint))

    for name in ("sn", "mac", "address"):
        values: list[Any] = [_plain(name, getattr(entry, name)) for entry in site.cameras]
        counted = Counter(filter(None, values))
        for i, value in enumerate(values):
            if counted[value] > 1:
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


def _plain(name: str, value: str | None) -> str | tuple[str, int] | None:
    """What two entries are compared by: an address is the same with and without its usual port."""
    if name != "address" or not value:
        return value
    try:
        return split_address(value)
    except ParameterError:
        return None  # told below


def _tables(site: Site) -> list[tuple[Keys, Wanted]]:
    tables: list[tuple[Keys, Wanted]] = [(("defaults",), site.defaults)]
    tables += [(("groups", name), group) for name, group in site.groups.items()]
    tables += [(("cameras", i), entry) for i, entry in enumerate(site.cameras)]
    return tables


def _impossible_networks(
    site: Site, secrets: Secrets | None, path: Path, lines: dict[Keys, int]
) -> list[SiteError]:
    """Names and passwords that no Wi-Fi can have: a camera that was told them would not come back."""
    found: list[SiteError] = []
    for place, table in _tables(site):
        if table.wifi is None:
            continue
        troubles = [("ssid", ssid_trouble(table.wifi.ssid))]
        if secrets is not None and table.wifi.password:
            password = secrets.get(table.wifi.password).reveal()
            troubles.append(("password", passphrase_trouble(password)))
        for key, trouble in troubles:
            if trouble:
                keys = (*place, "wifi", key)
                where = place_of(lines, path.name, keys)
                found.append(
                    SiteError(
                        "{where}: {key}: not allowed",
                        where=where,
                        key=dotted(keys),
                        hint="Allowed: {bounds}.",
                        bounds=trouble,
                    )
                )
    return found


def _missing_secrets(site: Site, secrets: Secrets, path: Path, lines: dict[Keys, int]) -> list[SiteError]:
    found: list[SiteError] = []
    for place, table in _tables(site):
        references: list[tuple[Keys, str]] = []
        if table.activation_code:
            references.append(((*place, "activation_code"), table.activation_code))
        if table.wifi and table.wifi.password:
            references.append(((*place, "wifi", "password"), table.wifi.password))
        for keys, reference in references:
            try:
                secrets.get(reference)
            except ConfigError as error:
                where = place_of(lines, path.name, keys)
                values = {**error.values, "where": where, "key": dotted(keys), "reference": reference}
                found.append(
                    SiteError(
                        "{where}: {key}: the secret {reference} is not there",
                        hint=error.hint_template,
                        **values,  # type: ignore[arg-type]
                    )
                )
    return found
