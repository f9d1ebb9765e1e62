"""Which shops a folder has: its site files, those of its sub-folders too, shared parts and stations left out."""

from __future__ import annotations

import os
import re
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
#: How file managers, editors and sync programs name a copy: what they put behind a file's name, or before it.
_COPY = re.compile(
    r"""
    \s*+-?\s*+[(\uff08\[]?\s*+(?:(?:another|\d+(?:st|nd|rd|th))\s++)?(?:copy|\u526f\u672c)(?:\s*+\d++)?\s*+[)\uff09\]]?(?:\s*+[(\uff08]\d+[)\uff09])?
    | \u7684?\u526f\u672c(?:\s*\d+)?
    | \s*[(\uff08]\d+[)\uff09]
    | \s*[(\uff08][^()]*conflicted\ copy[^()]*[)\uff09] | \.sync-conflict-.*
    | [.~_-]?(?:~|bak|backup|orig)(?:[.~_-]?\d+)?
    | \s*-\s*\u5907\u4efd
    """,
    re.VERBOSE | re.IGNORECASE,
)
_COPY_OF = re.compile(r"(?:copy of|backup of)\s+|\u590d\u4ef6[ _-]*|\u526f\u672c[ _-]*", re.IGNORECASE)


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
    #: Copies of other files here, by their names (``shop (copy).toml`` beside ``shop.toml``): no shops either.
    copies: tuple[Path, ...] = ()


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
    files = _files(folder)
    there = {path.with_name(path.name.lower()) for path in files}
    copies = [path for path in files if _is_copy(path, there)]
    for path in files:
        if path in copies:
            continue
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
    return Shops(folder, tuple(_told_apart(_one_each(shops))), tuple(left_out), tuple(copies))


def _files(folder: Path) -> list[Path]:
    """TOML and CSV files, hidden ones left out; links to folders are not followed."""
    found: list[Path] = []
    for here, below, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        below[:] = sorted(name for name in below if not name.startswith((".", "_"))) if depth < _DEEP else []
        for name in files:
            # "~$": the mark of an office program that has the file open.
            if not name.startswith((".", "_", "~$", "#")) and name.lower().endswith((".toml", ".csv")):
                found.append(Path(here) / name)
    return sorted(found)


def _is_copy(path: Path, there: set[Path]) -> bool:
    """Whether a file's name says that it is a copy of another that lies beside it; alone, it is what it is."""
    stem, suffix = path.stem.lower(), path.suffix.lower()
    for original in there:
        if original.parent == path.parent and original.suffix == suffix and original.stem != stem:
            name = original.stem
            if stem.startswith(name) and _COPY.fullmatch(stem[len(name) :]):
                return True
            if stem.endswith(name) and _COPY_OF.fullmatch(stem[: -len(name)]):
                return True
    return False


def _one_each(shops: list[Shop]) -> list[Shop]:
    """Shops; where two files name one camera, both are errors: it would be given what the one wants, then the other."""
    whose: dict[str, list[Shop]] = {}
    for shop in shops:
        for sn in {slot.sn for slot in shop.loaded.slots if slot.sn} if shop.loaded else ():
            whose.setdefault(sn, []).append(shop)
    twice = {sn: found for sn, found in whose.items() if len(found) > 1}
    made = []
    for shop in shops:
        sns = sorted(sn for sn, found in twice.items() if any(one is shop for one in found))
        if not sns:
            made.append(shop)
            continue
        others = sorted({str(one.path) for one in twice[sns[0]] if one is not shop})
        error = ConfigError(
            "the camera {sn} stands in another shop's file, too: {others}",
            hint="Each camera belongs to one shop. Is one of the files a copy? Take it out of the folder, or call it .bak.",
            sn=sns[0],
            others=", ".join(others),
        )
        made.append(Shop(shop.id, shop.path, error=error))
    return made


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
