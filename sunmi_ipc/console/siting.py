"""The site file of a console that was started without one: drawn up from the cameras that are here, or sent by somebody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..atomic import whole
from ..errors import ConfigError, SiteError, SunmiIpcError, cannot_write
from ..fleet.capture import capture
from ..fleet.draft import draft
from ..fleet.secret import KINDS
from ..fleet.sitefile import Loaded, load

if TYPE_CHECKING:
    from .desk import Desk
    from .sessions import Session

#: A site file of a thousand cameras is a tenth of this.
MOST = 1 << 20
#: What a site file may be called here.
NAMES = ("site.toml", "site.csv")
_SECRETS = frozenset({"activation_code", "password"})
_JOBS = 8


def kept(folder: Path) -> Path | None:
    """The site file that is kept in *folder*; None where there is none."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def draw_up(desk: Desk, session: Session, folder: Path) -> tuple[Path, dict[str, SunmiIpcError]]:
    """Write down how the cameras are now: afterwards the plan shows what somebody has changed.

    Args:
        desk: Where they are.
        session: Who asks them.
        folder: Where the file is kept.

    Returns: the file; and by serial number why a camera is not in it. One that waits for set-up is left out.

    Raises:
        ConfigError: No camera could be asked, or the file cannot be written.

    """
    found = desk.cameras()

    def ask(sn: str) -> dict[str, Any] | SunmiIpcError:
        try:
            # Whom a camera tells of events is a matter of whoever listens.
            return {k: v for k, v in capture(desk.camera(sn, session)).items() if k != "subscriptions"}
        except SunmiIpcError as error:
            return error

    with ThreadPoolExecutor(_JOBS, "draw-up") as pool:
        told = dict(zip([one.sn for one in found], pool.map(ask, [one.sn for one in found]), strict=True))
    captured = {sn: one for sn, one in told.items() if isinstance(one, dict)}
    missing = {sn: one for sn, one in told.items() if isinstance(one, SunmiIpcError)}
    if not captured:
        raise next(iter(missing.values()), None) or ConfigError(
            "no camera was found", hint="They appear under Cameras by themselves."
        )
    text = draft([one for one in found if one.sn in captured], captured=captured)
    return _write(text.encode(), folder / NAMES[0]), missing


def take(raw: bytes, name: str, folder: Path) -> Path:
    """Keep a site file that somebody has sent.

    It may hold secrets, and name none that this computer keeps: whoever sends one could have them sent to a camera.

    Args:
        raw: What is in it.
        name: What it was called: ``.csv``, or TOML.
        folder: Where it is kept.

    Returns: the file.

    Raises:
        SiteError: Something in it is wrong, with line and key.
        ConfigError: It is too large, or cannot be written.

    """
    if len(raw) > MOST:
        raise ConfigError("{path} is too large for a site file", path=name)
    path = folder / NAMES[name.lower().endswith(".csv")]
    # In a folder of its own: it can include nothing of this computer's, and what is looked at is what was sent here,
    # whatever somebody else sends meanwhile.
    with _folder_in(folder) as sent:
        trial = _write(raw, sent / path.name)
        loaded = load(trial, resolve=False, root=trial.parent)
        for key, value in _secrets(loaded):
            if value.startswith(KINDS):
                raise SiteError(
                    "{where}: {key}: a file that was sent may not name secrets of this computer",
                    where=name,
                    key=key,
                    hint="Leave it out: the console's own is used; or start the console with this file.",
                )
    return _write(raw, path)


def holds_secrets(path: Path) -> bool:
    """Whether the file itself holds a password; one that cannot be read may."""
    try:
        return any(not value.startswith(KINDS) for _, value in _secrets(load(path, resolve=False)))
    except SunmiIpcError:
        return True


def _secrets(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Every password and code that the file gives, with its key."""

    def walk(value: Any, place: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                where = f"{place}.{key}" if place else str(key)
                if key in _SECRETS and isinstance(inner, str) and inner:
                    yield where, inner
                else:
                    yield from walk(inner, where)
        elif isinstance(value, list | tuple):
            for number, inner in enumerate(value, 1):
                yield from walk(inner, f"{place}[{number}]")

    return walk(loaded.site.model_dump(), "")


@contextmanager
def _folder_in(folder: Path) -> Iterator[Path]:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = TemporaryDirectory(prefix="sent-", dir=folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    with made as path:
        yield Path(path)


def _write(data: bytes, path: Path) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(path) as file:
            file.write(data)
        for other in NAMES:
            if other != path.name:
                (path.parent / other).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from None
    return path
