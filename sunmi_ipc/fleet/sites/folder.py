"""Which shops a folder has: its site files, those of its sub-folders too, shared parts and stations left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...errors import ConfigError, SiteError, SunmiIpcError
from ..sitefile import Loaded, load
from ..strict import read_toml

#: How deep shops may lie: ``SHOPS/north/shop-0017/site.toml``.
_DEEP = 3
_BYTES = 4 << 20
#: File names that say nothing of the shop: then its folder's name does.
_PLAIN = frozenset({"site", "cameras", "shop"})
#: What tells a site file or a shared part from other people's TOML.
_OURS = frozenset({"cameras", "defaults", "groups", "include"})


@dataclass(frozen=True)
class Shop:
    """One shop: its site file, or why that cannot be read.

    Attributes:
        id: What it is called: by its file, else by its folder. The topics of a broker have the same.
        path: Its site file.
        loaded: The site; None where it cannot be read.
        error: Why it cannot; its ``others`` are the file's other faults.

    """

    id: str
    path: Path
    loaded: Loaded | None = None
    error: SunmiIpcError | None = None

    @property
    def name(self) -> str:
        """What people call it; its id where the file does not say."""
        return (self.loaded.site.name if self.loaded else "") or self.id

    @property
    def journal(self) -> Path:
        """Where its steps are recorded: beside its file."""
        return self.path.with_suffix(".journal")


@dataclass(frozen=True)
class Shops:
    """What a folder has.

    Attributes:
        folder: The folder.
        shops: Its shops in the order of their ids.
        left_out: TOML and CSV files that are no site files, by path: shared parts, stations, what is not ours.

    """

    folder: Path
    shops: tuple[Shop, ...]
    left_out: tuple[Path, ...] = ()


def read(
    folder: str | os.PathLike[str],
    *,
    only: Sequence[str] = (),
    inline_secrets: bool = False,
    resolve: bool = True,
    as_is: bool = False,
) -> Shops:
    """The shops of a folder. A file that cannot be read is a shop with an error: none is lost silently.

    Args:
        folder: The folder; shared parts must lie in it.
        only: Ids that are wanted, ``*`` and ``?`` standing for anything; empty: all.
        inline_secrets: As for :func:`sunmi_ipc.fleet.sitefile.load`; *resolve* and *as_is* too.
        resolve: See there.
        as_is: See there.

    Raises:
        ConfigError: It is no folder, has no shop, or none that *only* means.

    """
    folder = Path(folder)
    if not os.path.isdir(folder):
        raise ConfigError(
            "{path} is no folder",
            hint="'ipc sites' takes a folder with a site file for each shop.",
            path=str(folder),
        )
    shops: list[Shop] = []
    left_out: list[Path] = []
    for path in _files(folder):
        if path.suffix.lower() == ".toml" and not _is_site(path):
            left_out.append(path)
            continue
        id_ = _id(path, folder)
        if only and not any(fnmatchcase(id_, pattern) for pattern in only):
            continue
        try:
            loaded = load(
                path, inline_secrets=inline_secrets, resolve=resolve, as_is=as_is or not resolve, root=folder
            )
            shops.append(Shop(id_, path, loaded))
        except SunmiIpcError as error:
            shops.append(Shop(id_, path, error=error))
    if not shops:
        raise ConfigError(
            "{path} has no shop that is called {name}" if only else "{path} has no site file",
            hint="'ipc sites list' shows those that it has."
            if only
            else "'ipc fleet init SHOP.toml' writes one from a scan.",
            path=str(folder),
            name=", ".join(only),
        )
    return Shops(folder, tuple(_told_apart(shops)), tuple(left_out))


def _files(folder: Path) -> list[Path]:
    """TOML and CSV files, hidden ones left out; links to folders are not followed."""
    found: list[Path] = []
    for here, below, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        below[:] = sorted(name for name in below if not name.startswith((".", "_"))) if depth < _DEEP else []
        for name in files:
            if not name.startswith((".", "_")) and name.lower().endswith((".toml", ".csv")):
                found.append(Path(here) / name)
    return sorted(found)


def _is_site(path: Path) -> bool:
    """Whether a TOML file is a shop's. One that cannot be read is: somebody has to mend it."""
    try:
        with path.open("rb") as file:
            raw = file.read(_BYTES)
        document: dict[str, Any] = read_toml(raw, path)[0]
    except (OSError, SiteError):
        return True
    return "cameras" in document and not isinstance(document["cameras"], str) and "station" not in document


def _id(path: Path, folder: Path) -> str:
    stem = path.stem
    inside = path.parent != folder
    return path.parent.name if inside and stem.lower() in _PLAIN else stem


def _told_apart(shops: list[Shop]) -> list[Shop]:
    """Shops by id; of two with the same, each is an error: which is meant nobody could say."""
    by_id: dict[str, list[Shop]] = {}
    for shop in shops:
        by_id.setdefault(shop.id, []).append(shop)
    made = []
    for id_ in sorted(by_id):
        same = by_id[id_]
        if len(same) == 1:
            made += same
            continue
        for shop in same:
            others = ", ".join(str(one.path) for one in same if one is not shop)
            error = ConfigError(
                "{path}: another shop is called {name}, too: {others}",
                hint="Call the file otherwise.",
                path=str(shop.path),
                name=id_,
                others=others,
            )
            made.append(Shop(id_, shop.path, error=error))
    return made
