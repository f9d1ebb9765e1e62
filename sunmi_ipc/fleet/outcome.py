"""What became of a camera, for people, scripts, the journal and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Self

from ..errors import DeviceError, NotSupportedError, SunmiIpcError
from ..i18n import Language, translate
from ..redact import redact
from .settings import Difference


class Standing(StrEnum):
    """How a camera stands to what is wanted of it."""

    OK = "ok"  # everything is as wanted
    DIFFERS = "differs"  # something is not, and nothing was done about it (plan, verify)
    REFUSED = "refused"  # all is done but what this camera or its firmware does not have
    FAILED = "failed"  # a step failed
    ABSENT = "absent"  # it was not found
    STOPPED = "stopped"  # the work was interrupted


def is_refusal(error: SunmiIpcError) -> bool:
    """Whether the camera does not have what was asked: codes 6 and 13, or a URL that it does not know."""
    return isinstance(error, NotSupportedError) or error.values.get("status") == 404


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a step failed; kept as a template, so that it can be told in another language later.

    ``refused``: this camera or its firmware does not have it; nothing else suffers.
    """

    step: str
    setting: str
    type: str
    code: int | None
    template: str
    hint_template: str
    values: Mapping[str, Any]
    endpoint: str = ""
    refused: bool = False

    @classmethod
    def of(cls, error: SunmiIpcError, step: str, setting: str = "") -> Self:
        """The problem that *error* is."""
        code = getattr(error, "code", None)
        values = {k: v if isinstance(v, int | float | str) else str(v) for k, v in error.values.items()}
        endpoint = error.endpoint if isinstance(error, DeviceError) else ""
        return cls(
            step,
            setting,
            type(error).__name__,
            int(code) if isinstance(code, int) else None,
            error.template,
            error.hint_template,
            redact(values),
            endpoint,
            is_refusal(error),
        )

    def message(self, lang: Language) -> str:
        """What happened."""
        text = translate(self.template, lang, self.values)
        return f"{text} ({self.code})" if self.code is not None else text

    def hint(self, lang: Language) -> str:
        """What to do next."""
        return translate(self.hint_template, lang, self.values) if self.hint_template else ""

    def as_dict(self, lang: Language) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "step": self.step,
            "setting": self.setting,
            "type": self.type,
            "code": self.code,
            "endpoint": self.endpoint,
            "message": self.message(lang),
            "hint": self.hint(lang) or None,
        }


@dataclass
class Outcome:
    """One camera's part of a run.

    Attributes:
        key: As the site file calls it.
        sn, mac, address, model, name, firmware, network: As the camera said; empty where it did not.
        standing: How it stands.
        activated: Whether it is; None where that is not known.
        card: The SD card's state in words; empty where it was not asked.
        differences: What was not as wanted, when it was read.
        done: Steps that were carried out in this run, in order.
        planned: Steps that would be carried out.
        notes: Settings that this model does not have and that only defaults or groups ask of it.
        problems: What failed.
        seconds: How long it took.

    """

    key: str
    sn: str = ""
    mac: str = ""
    address: str = ""
    model: str = ""
    name: str = ""
    firmware: str = ""
    network: str = ""
    standing: Standing = Standing.ABSENT
    activated: bool | None = None
    card: str = ""
    differences: list[Difference] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the camera is as wanted."""
        return self.standing is Standing.OK

    def settle(self, *, absent: bool = False, stopped: bool = False) -> None:
        """Decide the standing by what is known."""
        if stopped:
            self.standing = Standing.STOPPED
        elif absent:
            self.standing = Standing.ABSENT
        elif any(not problem.refused for problem in self.problems):
            self.standing = Standing.FAILED
        elif self.planned:
            self.standing = Standing.DIFFERS
        else:
            self.standing = Standing.REFUSED if self.problems else Standing.OK

    def stored(self) -> dict[str, Any]:
        """For the journal; :meth:`restore` reads it."""
        return asdict(self)

    @classmethod
    def restore(cls, stored: Mapping[str, Any]) -> Self:
        """The outcome that the journal keeps."""
        known = {k: v for k, v in stored.items() if k in cls.__dataclass_fields__}
        return cls(
            **known
            | {
                "standing": Standing(stored["standing"]),
                "differences": [Difference(**d) for d in stored["differences"]],
                "problems": [Problem(**p) for p in stored["problems"]],
            }
        )

    def as_dict(self, lang: Language) -> dict[str, Any]:
        """For ``--json``."""
        return self.stored() | {
            "standing": str(self.standing),
            "problems": [problem.as_dict(lang) for problem in self.problems],
            "seconds": round(self.seconds, 2),
        }
