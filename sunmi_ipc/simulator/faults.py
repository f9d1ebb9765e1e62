"""Faults on demand: what bad Wi-Fi and old firmware do, on order."""

from __future__ import annotations

import json
import random
import threading
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import ParameterError

Kind = Literal[
    "code",  # answer with return code `value`
    "delay",  # answer after `value` seconds
    "drop",  # close the connection without an answer
    "lost",  # carry the call out, then close the connection without an answer
    "reset",  # reset it in mid-answer
    "cut",  # close it after `value` bytes of a file's part that was asked for (default: half)
    "goodbye",  # end the connection after the answer, with TLS's close_notify
    "ragged",  # end it after the answer without
    "hang",  # never answer
    "drip",  # a byte every `value` seconds
    "http",  # HTTP status `value`
    "garble",  # an answer that is no JSON
    "html",  # a web page
    "huge",  # `value` bytes
    "dirty",  # numbers as text, text as numbers, keys missing and added
    "empty",  # an empty body
    "restart",  # off the network for `value` seconds
    "update",  # after `value` seconds, off the network for a while, then back with newer firmware
    "clock",  # the camera's clock is `value` seconds off
]
KINDS: tuple[str, ...] = get_args(Kind)
#: Kinds that stay until cleared; the others happen once unless told otherwise.
LASTING = frozenset({"dirty", "clock"})
#: Kinds after which a connection ends without TLS's close_notify, as where a cable was pulled.
CUTS = frozenset({"drop", "lost", "reset", "cut", "hang", "drip", "ragged"})


@dataclass
class Fault:
    """One fault. ``times`` counts down; None is for ever. ``path`` limits it to one endpoint."""

    kind: str
    value: float = 0.0
    path: str | None = None
    times: int | None = 1
    probability: float = 1.0


def parse_fault(text: str) -> Fault:
    """``KIND[=VALUE][@PATH][xTIMES]``, e.g. ``delay=2``, ``code=3@device/getInfo``, ``dropx5``.

    Raises:
        ParameterError: It is not of that form.

    """
    rest, _, path = text.partition("@")
    times: int | None = -1
    head, x, count = (path if path else rest).rpartition("x")
    if x and count.isdecimal() and head:
        times = int(count)
        if path:
            path = head
        else:
            rest = head
    kind, _, value = rest.partition("=")
    try:
        number = float(value) if value else 0.0
    except ValueError:
        kind = ""
        number = 0.0
    if kind not in KINDS:
        raise ParameterError(
            "{name}: not a fault",
            name="fault",
            hint="Use KIND[=VALUE][@PATH][xTIMES], KIND one of {kinds}.",
            kinds=", ".join(KINDS),
        )
    if times == -1:
        times = None if kind in LASTING else 1
    return Fault(kind, number, path or None, times)


class Faults:
    """The faults that a camera has yet to play."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._random = random.Random(seed)  # noqa: S311 - a replayable die, not a secret

    def add(self, fault: Fault) -> None:
        """Play *fault* from now on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def lasting(self, kind: str) -> float | None:
        """The value of a lasting fault, or None where there is none."""
        with self._lock:
            return next((f.value for f in self._faults if f.kind == kind), None)

    def take(self, path: str, *, named: bool = False, spare: str = "") -> list[Fault]:
        """The faults to play on this request, counted down.

        Args:
            path: What is asked for.
            named: Only those for this very path.
            spare: A kind that does not apply here, and waits.

        """
        due = []
        with self._lock:
            for fault in list(self._faults):
                if fault.path not in ((path,) if named else (None, path)) or (
                    fault.kind in LASTING and fault.kind != "dirty"
                ):
                    continue
                if fault.kind == spare:
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                due.append(fault)
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
        return due


#: A field that nobody knows.
UNKNOWN_KEY = "unknownKey"


def dirty(value: Any) -> Any:
    """*value* as sloppy firmware sends it: numbers as text, a key too many."""
    if isinstance(value, dict):
        return {k: dirty(v) for k, v in value.items()} | {UNKNOWN_KEY: None}
    if isinstance(value, list):
        return [dirty(v) for v in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, str) and value.isdecimal() and not value.startswith("0"):
        return int(value)
    return value


GARBLED = b'{"code": 0, "data": {"sn": "C2\xff\x00'
HTML = b"<!DOCTYPE html><html><head><title>Router</title></head><body>Sign in</body></html>"


def encode(value: Any, *, raw: bool = False) -> bytes:
    """JSON as the camera sends it; *raw*: with tabs as they are, which is no JSON. Other bytes stay themselves."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return (text.replace("\\t", "\t") if raw else text).encode("utf-8", "surrogateescape")
