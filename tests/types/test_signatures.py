"""No ``Any`` in a public signature: what a checker is not told, it cannot check."""

from __future__ import annotations

import ast
import inspect
import sys
import typing
from collections.abc import Callable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

import sunmi_ipc
from sunmi_ipc import aio, api, events
from sunmi_ipc.cloud.api.faces import FaceDetails, Faces
from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.discovery import Tracker
from sunmi_ipc.discovery.scan import SearchOptions
from sunmi_ipc.events.judge import Judge, Rules
from sunmi_ipc.link.exchange import CameraOptions
from sunmi_ipc.protocol.spec import Endpoint
from sunmi_ipc.protocol.steps import _Method

CLOUD_GROUPS = {
    name: type(getattr(Cloud(app_id="a", secret_key="b"), name))
    for name in ("devices", "faces", "flow", "media", "messages")
}
PUBLIC: dict[str, object] = {
    **{f"sunmi_ipc.{name}": getattr(sunmi_ipc, name) for name in sunmi_ipc.__all__},
    **{f"sunmi_ipc.aio.{name}": getattr(aio, name) for name in aio.__all__},
    **{f"sunmi_ipc.events.{name}": getattr(events, name) for name in ("Spool", "Receiver", "EventStream", "Judge")
       if hasattr(events, name)},
    "sunmi_ipc.discovery.Tracker": Tracker,
    **{f"camera.{group}": getattr(import_module(f"sunmi_ipc.api.{group}"), kind) for group, kind in api.GROUPS.items()},
    **{f"cloud.{name}": kind for name, kind in CLOUD_GROUPS.items()},
}  # fmt: skip
#: Where a coroutine's or a generator's own types stand; the others are for who awaits.
RESULTS = {"Coroutine": (2,), "Generator": (0, 2), "AsyncGenerator": (0,)}
#: Any endpoint's own result is what ``call`` gives; how large a picture is, numpy's arrays do not say.
OPEN = frozenset({"Endpoint", "ndarray"})
#: pydantic's own, which every model has.
FOREIGN = frozenset({"pydantic.main", "pydantic._internal._repr", "enum", "builtins"})


def names_of(module: ModuleType) -> dict[str, Any]:
    """The module's names, those included that it imports for checkers alone."""
    names = dict(vars(module))
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module.__name__, "exec"), names)
    return names


def any_in(hint: object) -> bool:
    """Whether a type leaves something open."""
    if hint is Any:
        return True
    parts: tuple[object, ...] = typing.get_args(hint)
    kind = getattr(typing.get_origin(hint), "__name__", "")
    if kind in OPEN:
        parts = ()
    elif kind in RESULTS:
        parts = tuple(parts[i] for i in RESULTS[kind] if i < len(parts))
    return any(any_in(inner) for part in parts for inner in (part if isinstance(part, list) else (part,)))


def functions(thing: object) -> Iterator[tuple[str, Callable[..., object]]]:
    """What can be called of it, as it was written."""
    if not inspect.isclass(thing):
        found = [("", thing)]
    else:
        found = [
            (name, inspect.getattr_static(thing, name))
            for name in dir(thing)
            if not name.startswith("_") or name == "__init__"
        ]
    for name, member in found:
        if isinstance(member, classmethod | staticmethod):
            member = member.__func__
        elif isinstance(member, property):
            member = member.fget
        elif isinstance(member, Endpoint | _Method):
            member = getattr(member, "function", None) or member._function
        elif hasattr(member, "func"):
            member = member.func
        if inspect.isfunction(member) and member.__module__ not in FOREIGN:
            yield name, member


@pytest.mark.parametrize("name", PUBLIC)
def test_nothing_is_left_open(name: str) -> None:
    open_ = []
    for method, function in functions(PUBLIC[name]):
        for written in (function, *typing.get_overloads(function)):
            plain = inspect.unwrap(written)
            hints = typing.get_type_hints(plain, names_of(sys.modules[plain.__module__]))
            open_ += [f"{method}({argument}: {hint})" for argument, hint in hints.items() if any_in(hint)]
    assert not open_


def test_the_walk_finds_what_is_open() -> None:
    assert all(any_in(hint) for hint in (Any, dict[str, Any], Callable[[Any], int], Iterator[Any] | None))
    assert not any(any_in(hint) for hint in (int, dict[str, object], typing.Coroutine[Any, Any, int]))
    assert any_in(typing.Coroutine[Any, Any, Any])
    seen = {f"{name}.{method}" for name, thing in PUBLIC.items() for method, _ in functions(thing)}
    assert {
        "sunmi_ipc.Camera.call",
        "camera.wifi.set",
        "camera.faces.list",
        "sunmi_ipc.events.Spool.append",
    } <= seen
    assert len(seen) > 250


@pytest.mark.parametrize(
    ("options", "function", "without"),
    [
        (CameraOptions, sunmi_ipc.Camera.__init__, {"address", "transport"}),
        (Rules, Judge.__init__, {"spool"}),
        (SearchOptions, sunmi_ipc.discover, set[str]()),
        (FaceDetails, Faces.add.function, {"group_id", "name", "pic"}),
    ],
)
def test_arguments_that_are_handed_on_are_those_of_who_takes_them(
    options: type, function: Callable[..., object], without: set[str]
) -> None:
    taken = typing.get_type_hints(function, names_of(sys.modules[function.__module__]))
    written = {k: getattr(v, "__forward_arg__", v) for k, v in options.__annotations__.items()}
    plain = type("Plain", (), {"__annotations__": written})
    given = typing.get_type_hints(plain, names_of(sys.modules[options.__module__]))
    assert given == {k: v for k, v in taken.items() if k not in {*without, "return", "self"}}
