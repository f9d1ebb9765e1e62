"""One archive for a bug report: what this computer knows of a problem, without secrets and identities.

Every part goes through the same door as a dump (:mod:`sunmi_ipc.survey.anonymise`): secrets that are
configured are taken out wherever they stand, serial numbers, addresses, MACs and names become stable fakes, and
at the end the whole is searched once more. Where something is left, nothing is written.
"""

from __future__ import annotations

import contextlib
import getpass
import io
import json
import os
import platform
import socket
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlsplit

from . import __version__, installation
from .errors import ConfigError, SunmiIpcError
from .i18n import later
from .redact import is_secret, redact, scrub
from .settings import ENVIRONMENT, SECRETS, Settings, config_dir, state_dir
from .survey.anonymise import Anonymiser, Leak
from .untrusted import load_toml

__all__ = ["Bundle", "Part", "collect", "logs"]

#: What is kept of a log, and how many rows of a journal or an audit.
LOG_BYTES: Final = 1 << 20
ROWS: Final = 500
_FOLDERS_MOST = 400
#: Settings that name a shop, or somebody, and those that name a file.
_NAMES = ("site", "shop_no", "via_user", "key", "camera")
_NAMING = frozenset(name for name, setting in ENVIRONMENT.items() if setting in _NAMES)
_FILES = ("p12", "ca", "cloud_ca", "via_ca", "via_certificate", "via_certificate_key")
#: Words that tell nothing of anybody: replaced, they would only make holes in the text.
_EVERYBODYS = frozenset(
    {
        "admin",
        "all",
        "config",
        "configuration",
        "default",
        "demo",
        "events",
        "file",
        "folder",
        "hub",
        "localhost",
        "main",
        "name",
        "office",
        "production",
        "profile",
        "profiles",
        "root",
        "shop",
        "sim",
        "site",
        "state",
        "station",
        "store",
        "sunmi",
        "sunmi-ipc",
        "test",
        "user",
    }
)
#: Paths that name a person are known by these.
_JOURNALD = (
    "journalctl",
    "--quiet",
    "--no-pager",
    "--no-hostname",
    "--output=short-iso",
    "--unit=sunmi-ipc*",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive: its name, its text, and what it is, for people."""

    name: str
    text: str
    about: str


@dataclass(slots=True)
class Bundle:
    """What is to be sent."""

    parts: list[Part] = field(default_factory=list)
    #: How many things of each kind were replaced.
    replaced: dict[str, int] = field(default_factory=dict)

    def data(self) -> bytes:
        """The archive, the same bytes for the same parts."""
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
            for part in self.parts:
                info = zipfile.ZipInfo(part.name, (1980, 1, 1, 0, 0, 0))
                info.external_attr, info.compress_type = 0o600 << 16, zipfile.ZIP_DEFLATED
                file.writestr(info, part.text.encode("utf-8", "backslashreplace"))
        return made.getvalue()


def collect(
    settings: Settings,
    *,
    profile: str = "default",
    doctor: Mapping[str, Any] | None = None,
    dumps: Sequence[Mapping[str, Any]] = (),
    sites: Iterable[Path] = (),
    stations: Iterable[Path] = (),
    problems: Sequence[str] = (),
) -> Bundle:
    """Gather everything, and clean it.

    Args:
        settings: The credentials in use: they are what must not show.
        profile: The profile's name.
        doctor: What ``ipc doctor --json`` says.
        dumps: Dumps of cameras, clean already.
        sites: Site files whose journals are of interest.
        stations: Folders that hold a station's data.
        problems: What could not be gathered, in words.

    Raises:
        ConfigError: Something that was to be replaced is still there.

    """
    raw: list[tuple[str, Any, str]] = [
        ("versions.json", _versions(), later("this program, its libraries and this computer")),
        (
            "configuration.json",
            _configuration(settings, profile),
            later("what is configured, secrets masked"),
        ),
        ("folders.json", _folders(), later("names and sizes of the files that are kept")),
    ]
    if doctor is not None:
        raw.append(("doctor.json", doctor, later("what 'ipc doctor' says")))
    failed = list(problems)

    def gather(name: str, about: str, read: Callable[[], Any]) -> None:
        try:
            if told := read():
                raw.append((name, told, about))
        except (SunmiIpcError, OSError, ValueError) as error:
            failed.append(f"{name}: {error}")

    for number, site in enumerate(sites, 1):
        gather(
            f"journal-{number}.json",
            later("the last steps of 'ipc fleet apply'"),
            partial(_journal, site),
        )
    for number, folder in enumerate(stations, 1):
        gather(
            f"audit-{number}.json",
            later("the station's audit, the newest first"),
            partial(_audit, folder),
        )
    gather("log.txt", later("the log of the last command that ran with -v"), _last_log)
    gather("system-log.txt", later("what the system's log has of the station"), _system_log)
    if failed:
        raw.append(("problems.json", failed, later("what could not be gathered")))
    bundle = _clean(settings, raw, (*_shops(settings, profile), *(folder.name for folder in stations)))
    for number, dump in enumerate(dumps, 1):
        text = json.dumps({k: v for k, v in dump.items() if k != "replaced"}, indent=1, ensure_ascii=False)
        bundle.parts.append(
            Part(f"dump-{number}.json", text + "\n", later("what a camera says ('ipc dump')"))
        )
        for kind, count in dump.get("replaced", {}).items():
            bundle.replaced[kind] = bundle.replaced.get(kind, 0) + count
    return bundle


def _clean(settings: Settings, raw: Sequence[tuple[str, Any, str]], shops: Iterable[str] = ()) -> Bundle:
    """Everything through one anonymiser, so that one camera has one fake in all parts."""
    anonymiser = Anonymiser(_secrets(settings))
    for word in (*_who(), *(word for word in shops if _names_somebody(word))):
        anonymiser.learn(word, "name")
    for camera in _known():
        anonymiser.learn(camera)
    masked = [
        (name, redact(value) if not isinstance(value, str) else scrub(value), about)
        for name, value, about in raw
    ]
    for _, value, _ in masked:
        _learn(anonymiser, value)
    bundle = Bundle()
    for name, value, about in masked:
        if isinstance(value, str):
            text = "\n".join(anonymiser.text(scrub(line)) for line in value.splitlines())
        else:
            text = json.dumps(anonymiser.clean(_scrubbed(value)), indent=1, ensure_ascii=False, default=str)
        bundle.parts.append(Part(name, text + "\n", about))
    try:
        for part in bundle.parts:
            anonymiser.check(part.text)
    except Leak:
        raise ConfigError(
            "the archive was not made: something that identifies you could not be replaced",
            hint="Send what 'ipc doctor' prints instead, without what you do not want to show.",
        ) from None
    bundle.replaced = dict(sorted(anonymiser.replaced.items()))
    return bundle


def _learn(anonymiser: Anonymiser, value: Any) -> None:
    """Identities by their form wherever they stand, and names of networks and cameras by where they stand."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            _learn(anonymiser, str(key))
            if str(key).lower() in ("ssid", "name", "who", "user", "origin") and isinstance(inner, str):
                anonymiser.learn(inner, "name")
            if value.get("check") == "Wi-Fi" and key == "message":
                anonymiser.learn(str(inner), "ssid")
            _learn(anonymiser, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _learn(anonymiser, inner)
    elif isinstance(value, str):
        anonymiser.patterns(value, tokens=False)


def _scrubbed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {scrub(str(k)): _scrubbed(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(v) for v in value]
    return scrub(value) if isinstance(value, str) else value


def _secrets(settings: Settings) -> list[str]:
    """Every secret that this computer has of ours: of the settings, the environment and all profiles."""
    found = ["".join(getattr(settings, name)) for name in SECRETS] + [settings.app_id]
    found += [value for name, value in os.environ.items() if name.startswith("SUNMI_IPC_") and _hidden(name)]
    for path in sorted((config_dir() / "profiles").glob("*.toml")):
        with contextlib.suppress(Exception):  # a file that cannot be read tells nothing
            values = load_toml(path.read_text("utf-8"))
            found += [str(v) for k, v in values.items() if k in SECRETS or k == "app_id" or is_secret(k)]
    # Everybody's words, the camera's default among them, would only make holes in the text.
    found = [text for text in dict.fromkeys(found) if len(text) > 3 and text not in ("admin", "password")]
    return list(dict.fromkeys(form for text in found for form in _spelled(text)))


def _spelled(text: str) -> tuple[str, ...]:
    """A secret as it stands in text, URLs, JSON, and what Python shows of it."""
    return text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1], repr(text)[1:-1]


def _hidden(variable: str) -> bool:
    name = ENVIRONMENT.get(variable, variable.removeprefix("SUNMI_IPC_").lower())
    return name in SECRETS or name == "app_id" or is_secret(name)


def _who() -> list[str]:
    """What names the person at this computer, and the computer."""
    found = [socket.gethostname(), Path.home().name]
    with contextlib.suppress(Exception):
        found.append(getpass.getuser())
    return [word for word in found if len(word) > 2 and word not in ("root", "localhost")]


def _names_somebody(word: str) -> bool:
    """Whether *word* could be a shop's: our own folders' and the examples' names are everybody's."""
    return len(word) > 2 and not word.isspace() and word.lower() not in _EVERYBODYS


def _shops(settings: Settings, profile: str) -> list[str]:
    """What names a shop, its head office, or whoever runs them: set here, or a folder or a profile called so."""
    found = [profile, *(path.stem for path in (config_dir() / "profiles").glob("*.toml"))]
    found += [path.parent.name for path in state_dir().glob("**/station.sqlite3")]
    urls = [value for name, value in os.environ.items() if name.startswith("SUNMI_IPC_") and "://" in value]
    for name in _NAMES:
        value = str(getattr(settings, name) or "")
        found.append(Path(value).stem if "/" in value else value)
    for url in (*urls, str(settings.via or ""), str(settings.cloud_url or "")):
        with contextlib.suppress(ValueError):
            parts = urlsplit(url)
            found += [parts.hostname or "", parts.username or ""]
    files = [str(getattr(settings, name) or "") for name in _FILES]
    for name, value in os.environ.items():
        if name.startswith("SUNMI_IPC_") and (name.endswith("_USER") or name in _NAMING):
            found.append(value)
    # A folder may be called after a shop; the whole of it is one name.
    found += [str(Path(file).parent) for file in files if os.path.isabs(file)]
    found += [str(folder) for folder in (config_dir(), state_dir())]
    return list(dict.fromkeys(found))


def _known() -> list[dict[str, Any]]:
    """The cameras of the last scan, for their names, networks and numbers."""
    from .discovery import memory

    return [{"sn": str(c.sn), "ip": c.ip, "mac": c.mac, "name": c.name} for c in memory.last(config_dir())]


# -- the parts ------------------------------------------------------------------------------------


def _versions() -> dict[str, Any]:
    def version(requirement: str) -> str | None:
        name = requirement.split(">", 1)[0].split("[", 1)[0].strip()
        with contextlib.suppress(metadata.PackageNotFoundError):
            return f"{name} {metadata.version(name)}"
        return None

    core = ["cryptography", "pydantic", "requests", "rich", "typer", "urllib3", "zeroconf"]
    return {
        "tool": f"sunmi-ipc {__version__}",
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "installed_by": installation.way().value,
        "from_a_folder": bool(installation.origin()) and "://" not in installation.origin(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.platform(),
        "machine": platform.machine(),
        "encoding": f"{sys.stdout.encoding}, files {sys.getfilesystemencoding()}",
        "locale": {k: os.environ[k] for k in ("LANG", "LC_ALL", "LANGUAGE", "TZ") if k in os.environ},
        "libraries": [told for name in core if (told := version(name))],
        "extras": {
            extra: {
                "there": [t for r in needed if (t := version(r))],
                "missing": [r for r in needed if not version(r)],
            }
            for extra, needed in installation.extras().items()
            if extra not in ("test", "dev")
        },
    }


def _configuration(settings: Settings, profile: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    hidden: list[str] = []
    for name in Settings.__dataclass_fields__:
        value = getattr(settings, name)
        if name in SECRETS or name == "app_id":
            hidden.append(f"{name}: {len(value)} characters" if value else f"{name}: not set")
        elif name in ("p12", "ca", "cloud_ca") and value:
            values[name] = _file(Path(str(value)))
        else:
            values[name] = redact(str(value)) if isinstance(value, str) else value
    names = {k: "set" if _hidden(k) else v for k, v in os.environ.items() if k.startswith("SUNMI_IPC_")}
    overrides = config_dir() / "overrides.toml"
    return {
        "profile": profile,
        "profiles": len(list((config_dir() / "profiles").glob("*.toml"))),
        "settings": values,
        "hidden": hidden,
        "environment": names,
        "overrides": scrub(_tail(overrides, 64 << 10)) if os.path.isfile(overrides) else "",
    }


def _file(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        return f"{path.name}: {error.strerror or type(error).__name__}"
    return f"{path.name}: {status.st_size} bytes, mode {status.st_mode & 0o777:03o}"


def _folders() -> dict[str, list[str]]:
    """What lies in the folders of configuration and state: names, sizes, modes; nothing is opened."""
    told: dict[str, list[str]] = {}
    for folder in dict.fromkeys((config_dir(), state_dir())):
        rows = []
        for base, below, files in os.walk(folder):
            below.sort()
            rows += [
                f"{Path(base, name).relative_to(folder).parent}/{_file(Path(base, name))}"
                for name in sorted(files)
            ]
            if len(rows) > _FOLDERS_MOST:
                rows = [*rows[:_FOLDERS_MOST], "…"]
                break
        told["configuration" if folder == config_dir() else "state"] = rows
    return told


def _journal(site: Path) -> list[dict[str, Any]]:
    from .fleet.journal import Journal

    path = site.with_suffix(".journal")
    if not os.path.exists(path):
        return []
    with Journal(path, write=False) as book:
        steps = book.steps()[-ROWS:]
    return [
        {"key": s.key, "sn": s.sn, "step": s.step, "setting": s.setting, "state": s.state, "began": s.began,
         "ended": s.ended, "detail": dict(s.detail)}
        for s in steps
    ]  # fmt: skip


def _audit(folder: Path) -> dict[str, Any]:
    from .station.audit import Audit
    from .station.store import FILE, Store

    if not os.path.exists(folder / FILE):
        return {}
    with Store(folder / FILE, read_only=True) as store:
        entries = [entry.as_dict() for entry in Audit(store).entries(limit=ROWS)]
    return {"audit": entries} if entries else {}


def logs() -> Path:
    """The folder of the logs that ``-v`` keeps."""
    return state_dir() / "logs"


def _last_log() -> str:
    found = sorted(
        (p for p in logs().glob("*.log") if not p.name.endswith("-support.log")), key=lambda p: p.name
    )
    return _tail(found[-1], LOG_BYTES) if found else ""


def _tail(path: Path, most: int) -> str:
    """The last *most* bytes of a file, from the start of a line."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - most))
        data = file.read(most)
    text = data.decode("utf-8", "replace")
    return text.partition("\n")[2] if size > most else text


def _system_log() -> str:
    """What the system's log has of our services; empty where there is none, or it may not be read."""
    import shutil
    import subprocess

    if (program := shutil.which(_JOURNALD[0])) is None:
        return ""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - a fixed command of the system
            [program, *_JOURNALD[1:], f"--lines={ROWS}"], capture_output=True, timeout=10, check=False
        )
        if done.returncode == 0:
            return done.stdout[-LOG_BYTES:].decode("utf-8", "replace")
    return ""
