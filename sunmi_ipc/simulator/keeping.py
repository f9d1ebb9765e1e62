"""What virtual cameras keep over a restart: the vendor's secrets and certificates, cards, settings, faces."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from ..atomic import whole
from ..errors import ConfigError, cannot_write
from ..protocol.values import CardStatus
from .state import CameraState

VERSION = 1
#: What belongs to this run, or follows from how the camera was started.
_NOT_KEPT = frozenset(
    {"sn", "mac", "model", "networks", "format_s", "join_s", "card_busy_until", "clock_offset", "video",
     "model_word", "quirks", "counts", "changes", "told_unknown", "lock"}
)  # fmt: skip
#: Documents with moments of this run in them, or its addresses; subscriptions do not outlive a restart.
_PASSING = frozenset({"address", "clips", "motors", "hooks"})


def state_file(folder: Path, sn: str) -> Path:
    """Where a camera is kept."""
    return folder / "cameras" / f"{sn}.json"


def save(folder: Path, state: CameraState) -> None:
    """Write what the camera keeps, whole or not at all, for this user alone.

    Raises:
        ConfigError: It cannot be written.

    """
    with state.lock:
        kept = {
            field.name: getattr(state, field.name)
            for field in dataclasses.fields(state)
            if field.name not in _NOT_KEPT
        }
        kept["documents"] = {k: v for k, v in state.documents.items() if k not in _PASSING}
        motors = state.documents.get("motors", {})
        kept["lens"] = {name: motor["to"] for name, motor in motors.items()}
        text = json.dumps({"version": VERSION, "state": kept}, ensure_ascii=False)
    path = state_file(folder, state.sn)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(path) as file:
            file.write(text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise cannot_write(path, error) from None


def load(folder: Path, state: CameraState) -> bool:
    """Take over what was kept of the camera; whether anything was.

    Raises:
        ConfigError: What is there cannot be read.

    """
    path = state_file(folder, state.sn)
    try:
        read = json.loads(path.read_bytes().decode("utf-8", "surrogateescape"))
        if read["version"] != VERSION:
            raise ValueError
        kept: dict[str, Any] = read["state"]
        lens = kept.pop("lens", {})
        documents = kept.pop("documents")
        kept["card"] = CardStatus(kept["card"])
        kept["arrived"] = {int(k): list(v) for k, v in kept["arrived"].items()}
        kept["blind"] = [(a, b) for a, b in kept["blind"]]
        known = {field.name for field in dataclasses.fields(state)} - _NOT_KEPT
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ConfigError(
            "{path} is not what a virtual camera keeps",
            hint="Remove it, or name another --state-dir.",
            path=str(path),
        ) from None
    with state.lock:
        for name in known & kept.keys():
            setattr(state, name, kept[name])
        state.documents |= documents
        if lens:
            state.documents["motors"] = {n: {"from": to, "to": to, "since": 0.0} for n, to in lens.items()}
    return True
