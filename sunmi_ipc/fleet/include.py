"""``include`` in a site file: what many shops share stands in one file; every error names file, line and key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import SiteError
from .positions import Lines
from .positions import Path as Keys
from .strict import dotted, read_toml

if TYPE_CHECKING:
    import os
    from hashlib import _Hash

#: How deep parts may include others, and how many files that may be in all.
_DEEP, _MOST, _BYTES = 8, 64, 4 << 20
#: Tables that are put together key by key; what stands in the including file wins.
_TABLES = ("apply", "defaults")
_GROUPS = "groups"
#: Keys that hold a secret, whose ``file:`` is beside the file that names it.
_SECRETS = frozenset({"activation_code", "password"})
Document = dict[str, Any]


def with_parts(
    document: Document,
    lines: dict[Keys, int],
    path: Path,
    *,
    root: str | os.PathLike[str] | None,
    digest: _Hash,
) -> tuple[Document, Lines, tuple[Path, ...]]:
    """A site file's document together with the parts that it includes, and those parts' files.

    Args:
        document: As it was read.
        lines: Where each key stands.
        path: The site file.
        root: The folder that parts must lie in; default: the one above the file's own.
        digest: Is fed with the parts' bytes.

    Raises:
        SiteError: A part cannot be read, lies outside *root*, includes itself, or names cameras.

    """
    if "include" not in document:
        return document, Lines(lines), ()
    here = path.resolve()
    folder = Path(root).resolve() if root is not None else here.parent.parent
    reader = _Reader(folder, digest)
    whole, where = reader.merged(document, lines, here, path.name, (here,))
    return whole, where, tuple(reader.files)


class _Reader:
    """Reads parts, each in the place of its ``include``."""

    def __init__(self, folder: Path, digest: _Hash) -> None:
        self._folder, self._digest = folder, digest
        self.files: list[Path] = []

    def merged(
        self, document: Document, lines: dict[Keys, int], path: Path, shown: str, above: tuple[Path, ...]
    ) -> tuple[Document, Lines]:
        """*document* on top of its parts; *above*: the files that lead here, this one last."""
        made, where = Document(), Lines()
        listed = document.get("include")
        for number, name in enumerate(listed if isinstance(listed, list) else []):
            if not isinstance(name, str):
                continue  # the model refuses it, with its place
            place = f"{shown}:{lines.get(('include', number), lines.get(('include',), 1))}"
            part, part_lines = self._part(name, path, place, dotted(("include", number)), above)
            _overlay(made, where, part, part_lines, "")
        # The file's own name stays with it: errors of a whole site know it already.
        _overlay(made, where, document, lines, shown if len(above) > 1 else "")
        return made, where

    def _part(
        self, name: str, path: Path, place: str, key: str, above: tuple[Path, ...]
    ) -> tuple[Document, Lines]:
        def wrong(template: str, hint: str = "", **values: str) -> SiteError:
            return SiteError(template, where=place, key=key, hint=hint, **values)

        try:
            file = (path.parent / name).resolve()
        except (OSError, ValueError, RuntimeError):  # a NUL, a loop of links
            raise wrong("{where}: {key}: {other} is no file name", other=name) from None
        if not file.is_relative_to(self._folder):
            raise wrong(
                "{where}: {key}: {other} lies outside {folder}",
                hint="Shared parts lie in the sites' folder.",
                other=name,
                folder=str(self._folder),
            )
        if file in above:
            circle = [*above[above.index(file) :], file]
            raise wrong(
                "{where}: {key}: a circle: {circle}", circle=" → ".join(self._shown(one) for one in circle)
            )
        if len(above) > _DEEP or len(self.files) >= _MOST:
            raise wrong("{where}: {key}: too many shared parts, one in another")
        try:
            with file.open("rb") as opened:
                raw = opened.read(_BYTES + 1)
            if len(raw) > _BYTES:
                raise OSError(0, "File too large")
        except OSError as error:
            raise wrong(
                "{where}: {key}: {other} cannot be read: {reason}",
                other=name,
                reason=error.strerror or type(error).__name__,
            ) from None
        shown = self._shown(file)
        document, lines = read_toml(raw, file, shown)
        self._digest.update(raw)
        self.files.append(file)
        if "cameras" in document:
            raise SiteError(
                "{where}: {key}: a shared part names no cameras",
                hint="Each camera belongs to one shop: name it in that shop's file.",
                where=f"{shown}:{lines.get(('cameras',), 1)}",
                key="cameras",
            )
        _anchor(document, file.parent)
        return self.merged(document, lines, file, shown, (*above, file))

    def _shown(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix() if file.is_relative_to(self._folder) else file.name


def _anchor(value: Any, folder: Path) -> None:
    """Have ``file:`` references of a part mean files beside it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in _SECRETS and isinstance(inner, str) and inner.startswith("file:"):
                name = inner.removeprefix("file:")
                if not name.startswith("~") and not Path(name).is_absolute():
                    value[key] = f"file:{folder / name}"
            else:
                _anchor(inner, folder)
    elif isinstance(value, list):
        for inner in value:
            _anchor(inner, folder)


def _overlay(under: Document, where: Lines, over: Document, lines: dict[Keys, int], file: str) -> None:
    """Put *over* on *under*, key by key in the tables that shops share, and keep where each stands."""
    files = getattr(lines, "files", {})
    for keys, value in _keys(over):
        table = under
        for key in keys[:-1]:
            if not isinstance(table.get(key), dict):
                table[key] = {}
            table = table[key]
        if keys[-1] in table and isinstance(table[keys[-1]], dict) and value == {}:
            continue
        table[keys[-1]] = value
        for old in [one for one in where if one[: len(keys)] == keys]:
            del where[old]
            where.files.pop(old, None)
        for at in [one for one in lines if one[: len(keys)] == keys or one == keys[: len(one)]]:
            where[at] = lines[at]
            if name := files.get(at, file):
                where.files[at] = name
            else:
                where.files.pop(at, None)


def _keys(document: Document) -> Iterator[tuple[tuple[str, ...], Any]]:
    """What is put together: each key of the shared tables and of each group, everything else in one piece."""
    for name, value in document.items():
        if name in _TABLES and isinstance(value, dict):
            if not value:
                yield (name,), {}
            for key, inner in value.items():
                yield (name, key), inner
        elif name == _GROUPS and isinstance(value, dict):
            for group, table in value.items():
                if isinstance(table, dict):
                    if not table:
                        yield (name, group), {}
                    for key, inner in table.items():
                        yield (name, group, key), inner
                else:
                    yield (name, group), table
        else:
            yield (name,), value
