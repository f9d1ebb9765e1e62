"""How this program came onto this computer, and the command that adds to it what is missing.

While the project is on no index, no command that we print may name it there: whoever takes the name first
would be installed. So a missing library is named with the folder or address that this copy came from
(PEP 610, ``direct_url.json``), or by itself.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from enum import StrEnum
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from .i18n import later

#: The project's name on the index that pip asks by itself; empty: it is on none, and the name is a stranger's.
#: The one place to change on the day of the first upload.
INDEX_NAME: Final = ""
#: What it is called where it is installed.
NAME: Final = "sunmi-ipc"
#: A package that a system's own installer put here says so in this file, below ``sys.prefix``: one word.
MARKER: Final = "sunmi-ipc-package"

RUN: Final = later("Run: {install}")
#: Where nothing can be added: a single-file program, a package of the system.
CLOSED: Final = later(
    "This package cannot take it in: install with uv or pipx instead, as its page on installing says."
)


#: Which extra brings a library that is imported on use: for the error of an import that nobody foresaw.
BROUGHT_BY: Final = {
    "PIL": "video",
    "apprise": "alerts",
    "av": "video",
    "fastapi": "serve",
    "httptools": "aio",
    "keyring": "keyring",
    "matplotlib": "chart",
    "nicegui": "console",
    "numpy": "video",
    "paho": "mqtt",
    "prometheus_client": "serve",
    "psycopg": "hub",
    "segno": "console",
    "sqlalchemy": "hub",
    "starlette": "serve",
    "uvicorn": "serve",
    "xlsxwriter": "excel",
}


class Way(StrEnum):
    """How this copy was installed."""

    PIP = "pip"
    UV = "uv"
    UV_TOOL = "uv tool"
    PIPX = "pipx"
    SINGLE = "single-file program"
    SYSTEM = "system package"


def way() -> Way:
    """How this copy was installed, as far as it shows."""
    prefix = Path(sys.prefix)
    if getattr(sys, "frozen", False):
        return Way.SINGLE
    if (prefix / MARKER).exists():
        return Way.SYSTEM
    if (prefix / "uv-receipt.toml").exists():
        return Way.UV_TOOL
    if (prefix / "pipx_metadata.json").exists():
        return Way.PIPX
    # An environment that uv made has no pip of its own.
    return Way.PIP if find_spec("pip") is not None else Way.UV


def extras() -> dict[str, tuple[str, ...]]:
    """Every extra with what it needs, as it was declared; empty where this copy was never installed."""
    found: dict[str, list[str]] = {}
    for line in _requires():
        requirement, _, condition = line.partition(";")
        if match := re.search(r"""extra\s*==\s*["']([^"']+)["']""", condition):
            found.setdefault(match[1], []).append(requirement.strip())
    return {name: tuple(_flat(found, name)) for name in found}


def command(extra: str = "", *, libraries: tuple[str, ...] = ()) -> str:
    """The command that adds an extra, or some libraries, to this very copy; empty where there is none.

    It works as it stands in every shell of Linux and macOS, in PowerShell and in Windows' own.

    Args:
        extra: The extra's name.
        libraries: Libraries by their names on the index, where no extra is meant.

    """
    how = way()
    if how in (Way.SINGLE, Way.SYSTEM):
        return ""
    wanted = libraries or extras().get(extra, ())
    if how is Way.PIPX:
        return " ".join(["pipx inject", Path(sys.prefix).name, *map(_quoted, wanted)])
    if how is Way.UV_TOOL and (again := _from_receipt(extra, libraries)):
        return again
    origin = _named(extra) if extra and not libraries else ()
    python = _quoted(sys.executable) if " " in sys.executable else sys.executable
    if how is Way.PIP:
        call = (
            "& " if os.name == "nt" and python.startswith('"') else ""
        )  # PowerShell's way to run a quoted path
        start = f"{call}{python} -m pip install"
    else:
        start = f"uv pip install --python {python}"
    return " ".join([start, *(origin or map(_quoted, wanted))])


def advice(extra: str = "", template: str = RUN, *, libraries: tuple[str, ...] = ()) -> dict[str, str]:
    """``hint`` and its value for an error that misses an extra.

    Args:
        extra: The extra's name.
        template: The hint where something can be added, with ``{install}`` for the command.
        libraries: As for :func:`command`.

    """
    if how := command(extra, libraries=libraries):
        return {"hint": template, "install": how}
    return {"hint": CLOSED, "install": ""}


def origin() -> str:
    """Where this copy came from: a folder, a file or an address; empty where that does not show, or is gone."""
    told = _direct_url()
    url = str(told.get("url", ""))
    if url.startswith("file:"):
        path = _local(url)
        return str(path) if path.exists() else ""
    if url:
        return url
    tree = Path(__file__).resolve().parents[1]
    return str(tree) if _is_ours(tree / "pyproject.toml") else ""


def _named(extra: str) -> tuple[str, ...]:
    """The project with *extra*, as pip and uv take it from where this copy came; empty where that is gone."""
    if INDEX_NAME:
        return (_quoted(f"{INDEX_NAME}[{extra}]"),)
    told, place = _direct_url(), origin()
    if not place:
        return ()
    if "://" not in place and Path(place).is_dir():
        editable = told.get("dir_info", {}).get("editable") or not told
        return (*(("-e",) if editable else ()), _quoted(f"{place}[{extra}]"))
    url = place if "://" in place else str(told.get("url"))
    if vcs := told.get("vcs_info"):
        url = f"{vcs.get('vcs', 'git')}+{url}@{vcs.get('commit_id', '')}"
    return (_quoted(f"{NAME}[{extra}] @ {url}"),)


def _from_receipt(extra: str, libraries: tuple[str, ...]) -> str:
    """``uv tool install`` again, with what it was given before and what is missing; empty where it cannot tell.

    It makes the tool's environment anew, so what is there already must be named, too.
    """
    import tomllib

    try:
        receipt = tomllib.loads((Path(sys.prefix) / "uv-receipt.toml").read_text("utf-8"))
        given = [r for r in receipt["tool"]["requirements"] if isinstance(r, dict)]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    ours = next((r for r in given if r.get("name") == NAME), {})
    wanted = dict.fromkeys([*ours.get("extras", ()), *((extra,) if extra else ())])
    names = f"[{','.join(wanted)}]" if wanted else ""
    place = str(ours.get("directory") or ours.get("editable") or "") or origin()
    if INDEX_NAME:
        main = f"{INDEX_NAME}{names}"
    elif not place:
        return ""
    elif "://" not in place and Path(place).is_dir():
        main = f"{place}{names}"
    else:
        url = place if "://" in place else Path(place).as_uri()
        main = f"{NAME}{names} @ {url}"
    more = [f"{r.get('name', '')}{r.get('specifier', '')}" for r in given if r is not ours]
    also = [part for library in dict.fromkeys([*more, *libraries]) for part in ("--with", _quoted(library))]
    return " ".join(
        ["uv tool install --force", *(("-e",) if ours.get("editable") else ()), _quoted(main), *also]
    )


def _quoted(text: str) -> str:
    # Double quotes are understood by sh, PowerShell and cmd alike; none of them acts on < > [ ] inside.
    if os.name == "posix" and set(text) & set('$`\\!"'):
        return shlex.quote(text)
    return f'"{text}"'


def _flat(found: dict[str, list[str]], name: str, seen: tuple[str, ...] = ()) -> list[str]:
    """What an extra needs, with extras that it takes from ourselves put in."""
    made: dict[str, None] = {}
    for requirement in found.get(name, ()):
        if match := re.match(rf"{NAME}\[([^\]]+)\]", requirement):
            for inner in match[1].split(","):
                if inner.strip() not in (*seen, name):
                    made |= dict.fromkeys(_flat(found, inner.strip(), (*seen, name)))
        else:
            made[requirement] = None
    return list(made)


@cache
def _requires() -> tuple[str, ...]:
    try:
        return tuple(metadata.requires(NAME) or ())
    except metadata.PackageNotFoundError:
        return ()


@cache
def _direct_url() -> dict[str, Any]:
    """What the installer wrote of where this copy came from (PEP 610); logins are never in it."""
    try:
        told = json.loads(metadata.distribution(NAME).read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError, OSError):
        return {}
    if not isinstance(told, dict) or not isinstance(told.get("url", ""), str):
        return {}
    parts = urlsplit(told.get("url", ""))
    if "@" in parts.netloc:
        told["url"] = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    return told


def _local(url: str) -> Path:
    parts = urlsplit(url)
    return Path(
        url2pathname(f"//{parts.netloc}{parts.path}" if parts.netloc else parts.path)
        if os.name == "nt"
        else unquote(parts.path)
    )


def _is_ours(file: Path) -> bool:
    try:
        return f'name = "{NAME}"' in file.read_text("utf-8")
    except (OSError, ValueError):
        return False
