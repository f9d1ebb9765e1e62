"""Read the vendor's Postman collection: real paths and parameter names, never a value, never a secret.

A collection comes from anywhere: it is bounded, read in time that grows with its size alone, and nothing of
it but a plain name (letters, digits, ``_``) is ever kept or shown. What is not understood is named, with why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from pathlib import Path
from typing import Any

from .. import untrusted
from ..errors import ConfigError
from ..redact import printable
from .spec import Endpoint, Parameter, registry
from .wire import Override

_PUBLIC = {"app_id", "timestamp", "random", "sign"}
_VARIABLE = re.compile(r"\{\{([^{}]*)\}\}")
#: What a name of the protocol may be: every one that is known is a word of letters, digits and ``_``.
PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_SEGMENT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
# What a variable in a path may hold; a secret among the variables is not even looked at.
_PATHLIKE = re.compile(r"[\w./:-]{0,2048}", re.ASCII)
#: A collection is some hundred kilobytes; more is none.
MAX_BYTES = 20_000_000
_MAX_COST = 300_000_000
_MAX_DEPTH = 100
_MAX_URL = 4096
_MAX_BODY = 1_000_000
_TITLE = 80


class _Rank(IntEnum):
    """How far an example shows what a call takes."""

    FAILED = 0
    PLAIN = 1
    SUCCEEDED = 2


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a collection: its path and its private parameters' names. No values are kept."""

    path: str
    names: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """What was left out: a request by its title, a parameter of one, and why (a template)."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection says.

    Attributes:
        requests: One a path.
        unread: What was left out, and why.
        duplicates: Paths that several requests had, and the title of the one that was taken.

    """

    requests: tuple[Request, ...] = ()
    unread: tuple[Unread, ...] = ()
    duplicates: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Request]:
        return iter(self.requests)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An endpoint of ours beside the collection's: ``same``, ``differs``, ``missing`` there or ``new`` to us.

    ``our_left`` and ``their_left`` are the names that found no counterpart.
    """

    ours: str
    theirs: str
    verdict: str
    our_names: tuple[str, ...] = ()
    their_names: tuple[str, ...] = ()
    override: Override | None = field(default=None)
    our_left: tuple[str, ...] = ()
    their_left: tuple[str, ...] = ()


def read(path: Path, environment: Path | None = None) -> Collection:
    """What a collection says; formats v2.0 and v2.1, as exported or as Postman's API gives it.

    Args:
        path: The collection.
        environment: An environment as Postman exports it, for the variables in addresses.

    Raises:
        ConfigError: A file cannot be read, or is no Postman collection.

    """
    document = _load(path)
    inner = document.get("collection")
    if isinstance(inner, dict):
        document = inner
    if isinstance(document.get("requests"), list) and "item" not in document:
        raise _bad(path, "it is of the old format v1")
    if isinstance(document.get("values"), list) and "item" not in document:
        raise _bad(path, "it is an environment: give it with --environment")
    if not isinstance(document.get("item"), list):
        raise _bad(path, "there is no list of requests in it")
    variables = _variables(document.get("variable"))
    if environment is not None:
        values = _load(environment)
        variables |= _variables(values.get("values", values.get("variable")))
    return _Reader(variables).read(document["item"])


def _load(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _bad(path, "it is too large")
        document = untrusted.load_json(path.read_bytes(), max_cost=_MAX_COST, max_depth=_MAX_DEPTH)
    except OSError as error:
        raise _bad(path, error.strerror or type(error).__name__) from None
    except untrusted.Refused as error:
        raise _bad(path, error.template) from None
    if not isinstance(document, dict):
        raise _bad(path, "there is no list of requests in it")
    return document


def _variables(rows: Any) -> dict[str, str]:
    """The variables that a path may be built of."""
    found: dict[str, str] = {}
    for row in rows if isinstance(rows, list) else []:
        if not isinstance(row, dict) or row.get("disabled") or row.get("enabled") is False:
            continue
        name, value = row.get("key", row.get("id")), row.get("value")
        if isinstance(name, str) and isinstance(value, str) and _PATHLIKE.fullmatch(value):
            found[name.strip()] = value
    return found


class _Reader:
    """Goes through a collection once, and remembers what it left out."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._unread: list[Unread] = []
        self._found: dict[str, list[tuple[_Rank, Request]]] = {}

    def read(self, items: Sequence[Any]) -> Collection:
        todo: list[Any] = list(reversed(items))
        while todo:
            item = todo.pop()
            if not isinstance(item, dict):
                continue
            if isinstance(item.get("item"), list):
                todo += reversed(item["item"])
            if "request" in item:
                self._take(item)
        requests, duplicates = [], {}
        for path, several in self._found.items():
            _, best = max(several, key=lambda one: one[0])  # of equals the first
            requests.append(best)
            if len({(r.names, r.files) for _, r in several}) > 1:
                duplicates[path] = best.title
        return Collection(tuple(requests), tuple(dict.fromkeys(self._unread)), duplicates)

    def _take(self, item: Mapping[str, Any]) -> None:
        title = printable(item["name"], _TITLE) if isinstance(item.get("name"), str) else "?"
        examples = item.get("response")
        examples = [one for one in examples if isinstance(one, dict)] if isinstance(examples, list) else []
        ranks = [_rank(one) for one in examples]
        self._one(item["request"], title, max(ranks, default=_Rank.PLAIN))
        for rank, example in zip(ranks, examples, strict=True):
            # What was really sent for an answer, where it is kept with it: only good ones say anything.
            if rank is _Rank.SUCCEEDED and isinstance(example.get("originalRequest"), dict):
                self._one(example["originalRequest"], title, rank, quiet=True)

    def _one(self, request: Any, title: str, rank: _Rank, *, quiet: bool = False) -> None:
        before = len(self._unread)
        if isinstance(request, str):
            request = {"url": request}
        if not isinstance(request, dict):
            self._leave(title, "it is no request")
            return
        path, query = self._path(request.get("url"), title)
        if path:
            names, files = self._body(request.get("body"), title)
            made = Request(path, tuple(dict.fromkeys((*names, *query))), files, title)
            self._found.setdefault(path, []).append((rank, made))
        if quiet:
            del self._unread[before:]

    def _leave(self, title: str, reason: str) -> None:
        self._unread.append(Unread(title, reason))

    # -- addresses ------------------------------------------------------------------------------------

    def _path(self, url: Any, title: str) -> tuple[str, tuple[str, ...]]:
        """``apiType/action``, or "" where it is none, and the names in the query."""
        parts: list[str] | None = None
        own: dict[str, str] = {}
        rows: Any = None
        if isinstance(url, dict):
            own, rows = _variables(url.get("variable")), url.get("query")
            given = url.get("path")
            if isinstance(given, list):
                parts = [
                    p if isinstance(p, str) else str(p.get("value", "")) if isinstance(p, dict) else ""
                    for p in given
                ]
            url = url.get("raw", "")
        if not isinstance(url, str) or (parts is None and not url):
            self._leave(title, "it has no address")
            return "", ()
        if len(url) > _MAX_URL or (parts is not None and sum(map(len, parts)) > _MAX_URL):
            self._leave(title, "its address is too long")
            return "", ()
        address, _, query = url.partition("#")[0].partition("?")
        if parts is None:
            parts = [address.partition("://")[2] or address]
        text = self._filled("/".join(parts))
        segments = [own.get(s[1:], s) if s.startswith(":") else s for s in text.split("/") if s]
        path = _known(segments)
        if not path:
            self._leave(title, "its address is no call of the camera: .../openapi/apiType/action")
            return "", ()
        if isinstance(rows, list):
            keys = [r.get("key") for r in rows if isinstance(r, dict) and not r.get("disabled")]
        else:
            keys = [pair.partition("=")[0] for pair in query.split("&") if pair]
        return path, self._plain(keys, title)

    def _filled(self, text: str) -> str:
        """*text* with variables in the place of their names, as often as they may be nested; never long."""
        for _ in range(3):
            filled = _VARIABLE.sub(lambda m: self._variables.get(m[1].strip(), "x") or "x", text[:_MAX_URL])
            if filled == text:
                break
            text = filled[:_MAX_URL]
        return text

    # -- bodies ---------------------------------------------------------------------------------------

    def _body(self, body: Any, title: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The names of the parameters, and of those that are files."""
        if not isinstance(body, dict) or body.get("disabled"):
            return (), ()
        mode = body.get("mode")
        rows = body.get(mode) if isinstance(mode, str) else None
        if mode in ("urlencoded", "formdata"):
            if isinstance(rows, str):  # format v2.0 writes a form as text, too
                return self._plain(
                    [pair.partition("=")[0] for pair in rows[:_MAX_BODY].split("&")], title
                ), ()
            used = (
                [r for r in rows if isinstance(r, dict) and not r.get("disabled")]
                if isinstance(rows, list)
                else []
            )
            files = [r.get("key") for r in used if r.get("type") == "file"]
            names = [r.get("key") for r in used if r.get("type") != "file"]
            return self._plain(names, title), self._plain(files, title)
        if mode == "raw" and isinstance(rows, str):
            return self._raw(rows, title), ()
        if mode is not None:
            self._leave(title, "its body is neither a form nor JSON")
        return (), ()

    def _raw(self, raw: str, title: str) -> tuple[str, ...]:
        if not raw.strip():
            return ()
        if len(raw) <= _MAX_BODY:
            try:
                value = untrusted.load_json(_without_comments(_VARIABLE.sub("0", raw)))
            except untrusted.Refused:
                pairs = [pair.partition("=") for pair in raw.strip().split("&")]
                if all(equals and PLAIN.fullmatch(name.strip()) for name, equals, _ in pairs):
                    return self._plain([name for name, _, _ in pairs], title)
            else:
                if isinstance(value, dict):
                    return self._plain(value, title)
        self._leave(title, "its body is neither a form nor JSON")
        return ()

    def _plain(self, keys: Iterable[Any], title: str) -> tuple[str, ...]:
        """Those of *keys* that can be names; the others are mentioned, and never shown: they may be anything."""
        names: list[str] = []
        for key in keys:
            if key in (None, ""):
                continue
            name = key.strip() if isinstance(key, str) and len(key) < 200 else ""
            if PLAIN.fullmatch(name):
                names.append(name)
            else:
                self._leave(title, "a parameter's name is no plain word, and was left out")
        return tuple(dict.fromkeys(n for n in names if n not in _PUBLIC))


def _known(segments: Sequence[str]) -> str:
    """``apiType/action`` of a path: behind ``openapi``, else its end where that is one of the API's types."""
    lower = [segment.lower() for segment in segments]
    if "openapi" in lower:
        end = segments[lower.index("openapi") + 1 :]
        if len(end) != 2:
            return ""
    else:
        end = segments[-2:]
        if len(end) != 2 or end[0].lower() not in {path.partition("/")[0].lower() for path in registry()}:
            return ""
    return "/".join(end) if all(_SEGMENT.fullmatch(segment) for segment in end) else ""


def _rank(example: Mapping[str, Any]) -> _Rank:
    """Whether a saved answer is a success: by its HTTP status, and the return code in it."""
    status, body = example.get("code"), example.get("body")
    if isinstance(status, int) and status >= 400:
        return _Rank.FAILED
    if not isinstance(body, str) or len(body) > _MAX_BODY:
        return _Rank.PLAIN
    try:
        answer = untrusted.load_json(body)
    except untrusted.Refused:
        return _Rank.PLAIN
    code = answer.get("code") if isinstance(answer, dict) else None
    if code in (0, "0"):
        return _Rank.SUCCEEDED
    return _Rank.PLAIN if code is None else _Rank.FAILED


def _without_comments(text: str) -> str:
    """JSON as people write it by hand: without ``//`` and ``/* */``, and without a comma before an end."""
    kept: list[str] = []
    at, end = 0, len(text)
    while at < end:
        c = text[at]
        if c == '"':
            start = at
            at += 1
            while at < end and text[at] != '"':
                at += 2 if text[at] == "\\" else 1
            at += 1
            kept.append(text[start:at])
        elif text.startswith("//", at):
            line = text.find("\n", at)
            at = end if line < 0 else line
        elif text.startswith("/*", at):
            close = text.find("*/", at + 2)
            at = end if close < 0 else close + 2
        else:
            if c in "}]":
                while kept and kept[-1].isspace():
                    kept.pop()
                if kept and kept[-1] == ",":
                    kept.pop()
            kept.append(c)
            at += 1
    return "".join(kept)


def compare(requests: Iterable[Request]) -> list[Comparison]:
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
    for request in left.values():
        names = (*request.names, *request.files)
        rows.append(Comparison("", request.path, "new", (), names, their_left=names))
    return rows


def merge(before: Mapping[str, Override], rows: Iterable[Comparison]) -> dict[str, Override]:
    """The overrides after an import: what the collection speaks of is as it says, the rest stays."""
    made = dict(before)
    for row in rows:
        if row.ours and row.theirs:
            made.pop(row.ours, None)
            if row.override is not None:
                made[row.ours] = row.override
    return made


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
    names = _renamed(endpoint.parameters, request)
    encoding = {
        p.wire: "base64" for p in endpoint.parameters
        if p.kind == "file" and names.get(p.wire, p.wire) in request.names
    }  # fmt: skip
    path = "" if request.path == endpoint.path else request.path
    override = Override(path, names, encoding) if path or names or encoding else None
    row = Comparison(
        endpoint.path,
        request.path,
        "same",
        ours,
        theirs,
        override,
        tuple(n for n in ours if names.get(n, n) not in theirs),
        tuple(t for t in theirs if t not in {names.get(n, n) for n in ours}),
    )
    wanting = {p.wire for p in endpoint.parameters if p.required} & set(row.our_left)
    same = override is None and not row.their_left and not wanting
    return row if same else replace(row, verdict="differs")


def _renamed(parameters: Sequence[Parameter], request: Request) -> dict[str, str]:
    """Our names by theirs: those that differ only in writing, and a single one left on both sides.

    The last is a guess: only where the one of ours is required, and both are files or both are none.
    """

    def plain(name: str) -> str:
        return name.lower().replace("_", "")

    theirs = (*request.names, *request.files)
    missing = [p for p in parameters if p.wire not in theirs]
    surplus = [t for t in theirs if t not in {p.wire for p in parameters}]
    names = {}
    for parameter in list(missing):
        match = next((t for t in surplus if plain(t) == plain(parameter.wire)), None)
        if match:
            names[parameter.wire] = match
            missing.remove(parameter)
            surplus.remove(match)
    needed = [p for p in missing if p.required] or missing
    if (
        len(needed) == 1
        and len(surplus) == 1
        and (needed[0].kind == "file" or surplus[0] not in request.files)
    ):
        names[needed[0].wire] = surplus[0]
    return names


def _bad(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "{path} is not a Postman collection that can be read: {reason}",
        hint="Export it from Postman as collection v2.1.",
        path=str(path),
        reason=reason,
    )
