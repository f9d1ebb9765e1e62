"""Read the vendor's Postman collection: real paths and parameter names, never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ..errors import ConfigError
from .spec import Endpoint, registry
from .wire import Override

_PUBLIC = {"app_id", "timestamp", "random", "sign"}
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
#: A collection is some hundred kilobytes; more is none.
MAX_BYTES = 20_000_000
_DEPTH = 50


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a collection: its path and its private parameters' names. No values are kept."""

    path: str
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """An endpoint of ours beside the collection's: ``same``, ``differs``, ``missing`` there or ``new`` to us."""

    ours: str
    theirs: str
    verdict: str
    our_names: tuple[str, ...] = ()
    their_names: tuple[str, ...] = ()
    override: Override | None = field(default=None)


def read(path: Path) -> list[Request]:
    """The requests of a collection, format v2.0 or v2.1.

    Raises:
        ConfigError: The file cannot be read, or is no Postman collection.

    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _bad(path, "too large")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise _bad(path, error.strerror or "") from None
    except (ValueError, RecursionError):
        raise _bad(path, "not JSON") from None
    if not isinstance(document, dict) or not isinstance(document.get("item"), list):
        raise _bad(path, "no list of requests")
    # Only variables that a path may be built of: a secret among them is not even looked at.
    variables = {
        str(v.get("key", v.get("id"))): str(v.get("value", ""))
        for v in document.get("variable") or []
        if isinstance(v, dict) and re.fullmatch(r"[\w./:-]*", str(v.get("value", "")))
    }
    return list(_requests(document["item"], variables, 0))


def _requests(items: Any, variables: Mapping[str, str], depth: int) -> Iterator[Request]:
    if not isinstance(items, list) or depth > _DEPTH:
        return
    for item in items:
        if not isinstance(item, dict):
            continue
        yield from _requests(item.get("item"), variables, depth + 1)
        request = item.get("request")
        if isinstance(request, str):
            request = {"url": request}
        if isinstance(request, dict) and (path := _path(request.get("url"), variables)):
            names, files = _body(request.get("body"))
            yield Request(path, names, files, str(item.get("name", "")))


def _path(url: Any, variables: Mapping[str, str]) -> str:
    if isinstance(url, dict):
        parts = url.get("path")
        url = url.get("raw") or ("/" + "/".join(str(p) for p in parts) if isinstance(parts, list) else "")
    if not isinstance(url, str):
        return ""
    for _ in range(3):
        url = _VARIABLE.sub(lambda m: variables.get(m[1].strip(), "x") or "x", url)
    match = re.search(r"/openapi/([A-Za-z]\w*/\w+)/?$", urlsplit(url).path)
    return match[1] if match else ""


def _body(body: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if not isinstance(body, dict):
        return (), ()
    mode = body.get("mode")
    names: list[str] = []
    files: list[str] = []
    if mode in ("urlencoded", "formdata"):
        rows = body.get(mode)
        for row in rows if isinstance(rows, list) else []:
            if isinstance(row, dict) and not row.get("disabled") and row.get("key"):
                (files if row.get("type") == "file" else names).append(str(row["key"]))
    elif mode == "raw" and isinstance(body.get("raw"), str):
        try:
            raw = json.loads(body["raw"])
            names = list(raw) if isinstance(raw, dict) else []
        except ValueError:
            names = [key for key, _ in parse_qsl(body["raw"], keep_blank_values=True)]
    return tuple(n for n in names if n not in _PUBLIC), tuple(files)


def compare(requests: list[Request]) -> list[Comparison]:
    """Our table beside the collection's requests, with the override that each difference asks for."""
    left = {request.path: request for request in requests}
    rows: list[Comparison] = []
    pairs: list[tuple[Endpoint[..., Any], Request | None]] = [
        (e, left.pop(e.path, None)) for e in registry().values()
    ]
    for endpoint, request in pairs:
        if request is None:
            request = _likely(endpoint, left)
            if request is not None:
                del left[request.path]
        rows.append(_row(endpoint, request))
    rows += [Comparison("", r.path, "new", (), (*r.names, *r.files)) for r in left.values()]
    return rows


def _likely(endpoint: Endpoint[..., Any], left: Mapping[str, Request]) -> Request | None:
    """The one request that can be meant by another path: the same words but for case and a suffix."""
    if not endpoint.inferred:
        return None
    wanted = _words(endpoint.path)
    found = [r for r in left.values() if _words(r.path) == wanted]
    return found[0] if len(found) == 1 else None


def _words(path: str) -> str:
    action = path.rpartition("/")[2].lower().replace("_", "")
    return re.sub(r"(config|conf|info|status|list)$", "", action)


def _row(endpoint: Endpoint[..., Any], request: Request | None) -> Comparison:
    ours = tuple(p.wire for p in endpoint.parameters)
    if request is None:
        return Comparison(endpoint.path, "", "missing", ours)
    theirs = (*request.names, *request.files)
    names = _renamed(ours, theirs, {p.wire for p in endpoint.parameters if p.required})
    encoding = {
        p.wire: "base64" for p in endpoint.parameters
        if p.kind == "file" and names.get(p.wire, p.wire) in request.names
    }  # fmt: skip
    path = "" if request.path == endpoint.path else request.path
    override = Override(path, names, encoding) if path or names or encoding else None
    same = override is None and set(theirs) <= set(ours)
    return Comparison(endpoint.path, request.path, "same" if same else "differs", ours, theirs, override)


def _renamed(ours: tuple[str, ...], theirs: tuple[str, ...], required: set[str]) -> dict[str, str]:
    """Our names by theirs: those that differ only in writing, and a single required one left on both sides."""

    def plain(name: str) -> str:
        return name.lower().replace("_", "")

    missing, surplus = [n for n in ours if n not in theirs], [n for n in theirs if n not in ours]
    names = {}
    for name in list(missing):
        match = next((t for t in surplus if plain(t) == plain(name)), None)
        if match:
            names[name] = match
            missing.remove(name)
            surplus.remove(match)
    needed = [name for name in missing if name in required] or missing
    if len(needed) == 1 and len(surplus) == 1:
        names[needed[0]] = surplus[0]
    return names


def _bad(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "{path} is not a Postman collection that can be read: {reason}",
        hint="Export it from Postman as collection v2.1.",
        path=str(path),
        reason=reason,
    )
