"""Reading a station file: strictly, every error with file, line and key, all of them at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from ..errors import ConfigError, SiteError
from ..fleet import sitefile
from ..fleet.positions import Path as Keys
from ..fleet.positions import line_of
from ..fleet.secret import Secrets
from ..fleet.site import Wanted
from ..fleet.strict import dotted, problem, read_toml, together
from ..redact import Secret
from ..settings import state_dir
from .file import StationFile

_KEYS = "'ipc serve schema' prints what there is."


@dataclass(frozen=True)
class Loaded:
    """A station file that is right, where it came from, its secrets, and the site file that it names."""

    file: StationFile
    path: Path
    secrets: Secrets = field(repr=False)
    site: sitefile.Loaded | None = None

    @cached_property
    def zone(self) -> tzinfo | None:
        """The shop's time zone; None for this computer's."""
        name = self.file.station.timezone
        return ZoneInfo(name) if name else None

    @cached_property
    def data(self) -> Path:
        """The folder that everything is kept in."""
        given = self.file.station.data
        return self.path.parent / Path(given).expanduser() if given else state_dir() / self.file.station.site

    def secret(self, reference: str) -> Secret:
        """What a reference in the file stands for."""
        return self.secrets.get(reference)


def load(
    path: str | os.PathLike[str], *, resolve: bool = True, environment: Mapping[str, str] | None = None
) -> Loaded:
    """Read a station file, and the site file that it names.

    Args:
        path: The file.
        resolve: Whether the secrets must be there.
        environment: For ``env:`` references; default: the process's.

    Raises:
        SiteError: Something in it is wrong; ``others`` has the rest.
        ConfigError: It cannot be read.

    """
    path = Path(path)
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            "the station file {path} cannot be read: {reason}",
            hint="'ipc serve init' writes one from a scan.",
            path=str(path),
            reason=error.strerror or type(error).__name__,
        ) from None
    document, lines = read_toml(raw, path)
    try:
        file = StationFile.model_validate(
            document, context={"inline": document.get("inline_secrets") is True}
        )
    except ValidationError as error:
        found = [problem(path, lines, dict(e), hint=_KEYS) for e in error.errors(include_url=False)]
        raise together(found) from None
    secrets = Secrets(path.parent, environment)
    problems = list(_contradictions(file, path, lines))
    if resolve:
        problems += _missing_secrets(file, secrets, path, lines)
    site = None
    if file.station.cameras != "discover":
        named = path.parent / Path(file.station.cameras).expanduser()
        if os.path.isfile(named):
            site = sitefile.load(named, resolve=resolve, environment=environment)
        else:
            where = f"{path.name}:{line_of(lines, ('station', 'cameras'))}"
            problems.append(
                SiteError(
                    "{where}: {key}: there is no file {file}", where=where, key="station.cameras",
                    hint="Name a site file, or write 'discover'.", file=str(named),
                )
            )  # fmt: skip
    if problems:
        raise together(problems)
    return Loaded(file, path, secrets, site)


def _contradictions(file: StationFile, path: Path, lines: dict[Keys, int]) -> list[SiteError]:
    found: list[SiteError] = []

    def wrong(keys: Keys, template: str, hint: str = "") -> None:
        where = f"{path.name}:{line_of(lines, keys)}"
        found.append(SiteError(template, where=where, key=dotted(keys), hint=hint))

    if file.console.enabled and file.http is None:
        wrong(("console", "enabled"), "{where}: {key}: the console needs [http]")
    known = {name for name in Wanted.model_fields if name not in ("activation_code", "activate", "sdcard")}
    for i, key in enumerate(file.watch.repair):
        if key not in known:
            wrong(("watch", "repair", i), "{where}: {key}: there is no such key")
    if file.watch.repair and file.station.cameras == "discover":
        wrong(
            ("watch", "repair"),
            "{where}: {key}: only a site file says what is right",
            "Name one: cameras = 'site.toml'.",
        )
    if not file.watch.repeat:
        wrong(("watch", "repeat"), "{where}: {key}: must not be empty")
    return found


def _references(file: StationFile) -> list[tuple[Keys, str]]:
    """Every reference to a secret, with its place."""
    found: list[tuple[Keys, str]] = [
        (("tokens", name, "secret"), t.secret) for name, t in file.tokens.items()
    ]
    found += [(("watch", "notify", i), text) for i, text in enumerate(file.watch.notify)]
    found += [(("events", "sinks", i), text) for i, text in enumerate(file.events.sinks)]
    found.append((("events", "webhook_secret"), file.events.webhook_secret))
    if file.broker is not None:
        found.append((("broker", "password"), file.broker.password))
    return [(keys, text) for keys, text in found if text]


def _missing_secrets(
    file: StationFile, secrets: Secrets, path: Path, lines: dict[Keys, int]
) -> list[SiteError]:
    found = []
    for keys, reference in _references(file):
        try:
            secrets.get(reference)
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
