"""What is handed over: one row a camera, out of the journal; as CSV here, as HTML in ``report_html``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import csvfile, words
from ..i18n import Language, translate
from .journal import Journal, StepRecord
from .outcome import Outcome, Standing
from .settings import Difference
from .site import Slot

COLUMNS = (
    "sn", "mac", "address", "model", "name", "firmware", "standing", "activated", "card", "door_line",
    "steps", "problems", "next steps", "updated",
)  # fmt: skip
#: Seconds; a step that took less is not told as 0.0.
_SHORTEST = 0.1


#: What the file's keys and our steps are called for people who never see the file.
_ENGLISH = {
    "sn": "serial number", "mac": "MAC", "card": "SD card", "sdcard": "SD card", "wifi": "Wi-Fi", "ip": "IP settings",
    "ir": "night mode", "led": "LED", "door_line": "door line", "face_groups": "face groups", "move_rule": "move rule",
}  # fmt: skip


def label(word: str, lang: Language) -> str:
    """A key, step or column for people."""
    return _ENGLISH.get(word, word) if lang == "en" else translate(word, lang, {})


#: Settings that are one thing: what their only field is called says nothing more.
_SINGLE = frozenset({"name", "ir", "led", "rotation"})


def difference_label(one: Difference, lang: Language) -> str:
    """What differs, for people who never see the file: ``IP settings: gateway``."""
    title = label(one.setting, lang)
    if one.setting in _SINGLE or one.field in ("", one.setting):
        return title
    field = words.label(one.field)
    return f"{title}: {field}" if lang == "en" else f"{title}：{translate(field, lang, {})}"


@dataclass
class Row:
    """One camera.

    Attributes:
        slot: What the site file wants.
        outcome: What became of it in the last run.
        updated: When that was (Unix seconds); 0 for a camera that was never worked on.
        steps: Everything that was ever done to it, in order.
        picture: A snapshot's bytes; empty where there is none.
        kind: ``jpeg`` or ``png``.
        size: Its width and height in pixels; None where that is not known.
        line: Its door line, left end x, y, right end x, y in pixels of the 1080p picture.
        missing: Why there is no picture, an English template.

    """

    slot: Slot
    outcome: Outcome
    updated: float = 0.0
    steps: list[StepRecord] = field(default_factory=list)
    picture: bytes = field(default=b"", repr=False)
    kind: str = "jpeg"
    size: tuple[int, int] | None = None
    line: tuple[int, int, int, int] | None = None
    missing: str = ""

    def as_dict(self, lang: Language) -> dict[str, Any]:
        """For ``--json``."""
        steps = [
            {"step": s.step, "setting": s.setting, "state": s.state, "began": s.began, "ended": s.ended}
            for s in self.steps
        ]
        standing = str(self.outcome.standing) if self.updated else "not begun"
        return self.outcome.as_dict(lang) | {
            "standing": standing, "updated": self.updated or None, "steps": steps,
        }  # fmt: skip


def collect(slots: Iterable[Slot], journal: Journal) -> list[Row]:
    """The rows of a site, in the order of its file."""
    outcomes = journal.outcomes()
    steps: dict[str, list[StepRecord]] = {}
    for record in journal.steps():
        steps.setdefault(record.key, []).append(record)
    rows = []
    for slot in slots:
        updated, stored = outcomes.get(slot.key, (0.0, None))
        blank = Outcome(slot.key, sn=slot.sn, mac=slot.mac, model=slot.any, address=slot.address)
        outcome = Outcome.restore(stored) if stored else blank
        if not outcome.name:  # one that was never reached has the name that the file gives it
            name = slot.name_for(outcome.sn or "…")
            outcome.name = "" if "{" in (slot.wanted.name or "") and not outcome.sn else name
        line = slot.wanted.door_line if stored and "door_line" not in outcome.notes else None
        rows.append(Row(slot, outcome, updated, steps.get(slot.key, []), line=line))
    return rows


def when(seconds: float | None) -> str:
    """A moment in this computer's time zone; empty for none."""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}" if seconds else ""


def lasted(record: StepRecord, lang: Language) -> str:
    """How long a step took; empty for one that did not end."""
    if not record.ended:
        return ""
    seconds = record.ended - record.began
    return translate(
        "{value} s", lang, {"value": f"{seconds:.1f}" if seconds >= _SHORTEST else f"< {_SHORTEST}"}
    )


def cells(row: Row, lang: Language) -> dict[str, str]:
    """A row as text, by column."""
    out = row.outcome

    def t(word: str) -> str:
        return label(word, lang)

    colon = translate(": ", lang, {})
    active = {True: t("yes"), False: t("no"), None: ""}[out.activated]
    return {
        "sn": out.sn or out.key,
        "mac": out.mac,
        "address": out.address,
        "model": out.model,
        "name": out.name,
        "firmware": out.firmware,
        "standing": t(str(out.standing) if row.updated else "not begun"),
        "activated": active,
        "card": t(out.card) if out.card else "",
        "door_line": " ".join(map(str, row.line or ())),
        "steps": "; ".join(
            f"{t(s.setting or s.step)} {when(s.began)} {lasted(s, lang)} {t(s.state)}" for s in row.steps
        ),
        "problems": "; ".join(f"{t(p.setting or p.step)}{colon}{p.message(lang)}" for p in out.problems),
        "next steps": "; ".join(dict.fromkeys(filter(None, (p.hint(lang) for p in out.problems)))),
        "updated": when(row.updated),
    }


def write_csv(path: str | os.PathLike[str], rows: Sequence[Row], lang: Language) -> None:
    """Write the rows as CSV, whole or not at all; raises OSError."""
    titles = {name: translate(name, lang, {}) for name in COLUMNS}
    csvfile.write(path, (cells(row, lang) for row in rows), COLUMNS, title=titles)


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """Cameras by standing, those without any left out."""
    found = {"not begun": sum(not row.updated for row in rows)}
    for standing in Standing:
        found[str(standing)] = sum(row.outcome.standing is standing and row.updated > 0 for row in rows)
    return {name: count for name, count in found.items() if count}
