"""Messages to people: gathered, repeated with growing pauses, and "all well again" at the end.

What begins or ends is gathered for a while and told in one message; what lasts is told again after the pauses
of the station file. What began and ended within one gathering is told of by nobody. Muted cameras are left out.
What was told is in the store: a restart neither repeats nor forgets it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from ..errors import SunmiIpcError
from ..i18n import Language, language, translate
from ..redact import printable
from .channels import Channel, Message
from .outbox import Outbox, send_within
from .verdict import Level, Reason, Transition

if TYPE_CHECKING:
    from .file import WatchTable
    from .scheduler import Scheduler
    from .store import Store
    from .watch import Watch

_log = logging.getLogger("sunmi_ipc")
#: A message names so many cameras; of further ones it says how many.
_NAMED = 20


class Alerts:
    """Tells people of what a watch finds, from its making until :meth:`close`.

    Args:
        watch: What finds it.
        store: Where it is kept what was told.
        scheduler: What runs it.
        channels: Whom to tell.
        settings: ``[watch]`` of the station file.
        name: What people call the shop.
        lang: The language; default: the process's.
        zone: The shop's time zone; default: this computer's.

    Attributes:
        counts: Messages by result: ``sent``, ``failed``.

    """

    channels: list[Channel]

    def __init__(
        self,
        watch: Watch,
        store: Store,
        scheduler: Scheduler,
        channels: Sequence[Channel],
        *,
        settings: WatchTable,
        name: str,
        lang: Language | None = None,
        zone: tzinfo | None = None,
    ) -> None:
        self._zone = zone
        self._watch, self._store, self._scheduler = watch, store, scheduler
        self.channels, self._settings, self._name = list(channels), settings, name
        self._lang: Language = lang or language()
        self.counts: Counter[str] = Counter({"sent": 0, "failed": 0})
        self._lock = threading.Lock()
        #: What people know of, by camera and code: since when.
        self._told: dict[tuple[str, str], float] = {}
        self._repeats, self._last = 0, 0.0
        self._gathering = False
        self._recall()
        self._outboxes = [Outbox(channel, self._count) for channel in self.channels]
        watch.subscribe(self._changed)
        scheduler.add("alerts", self._tick, delay=min(5.0, settings.group))

    def close(self) -> None:
        """Tell nobody any more."""
        self._scheduler.drop("alerts")
        for outbox in self._outboxes:
            outbox.close()

    def _changed(self, transitions: Sequence[Transition]) -> None:
        with self._lock:
            if self._gathering:
                return
            self._gathering = True
        self._scheduler.add("alerts gather", self._gathered, delay=self._settings.group)

    def _now(self) -> dict[tuple[str, str], Reason]:
        """What people should know of: not of muted cameras, nor of those that are only behind others."""
        found = {}
        for sn, reasons in self._watch.judge.everybody().items():
            for reason in reasons:
                if reason.level is not Level.UNKNOWN and not (sn and self._watch.mutes.until(sn)):
                    found[sn, reason.code] = reason
        return found

    def _gathered(self) -> None:
        """Tell what has changed since people were told last."""
        with self._lock:
            self._gathering = False
            now = self._now()
            new = {key: reason for key, reason in now.items() if key not in self._told}
            muted = {key for key in self._told if key[0] and self._watch.mutes.until(key[0])}
            over = [key for key in self._told if key not in now and key not in muted]
            for key in [*over, *muted]:
                self._told.pop(key, None)
            self._told |= {key: reason.since for key, reason in new.items()}
            if new or over:
                self._repeats, self._last = 0, time.time()
                self._keep()
        if new or over:
            kind = "new" if new else "well"
            self._send(self._message(kind, new, over, now))

    def _tick(self) -> float:
        """Repeat what lasts."""
        with self._lock:
            pauses = self._settings.repeat
            pause = pauses[min(self._repeats, len(pauses) - 1)]
            waited = time.time() - self._last
            # Told in the future: the clock was set back, and would keep silent until then.
            due = bool(self._told) and not -60.0 < waited < pause and not self._gathering
            now = self._now() if due else {}
            still = {key: reason for key, reason in now.items() if key in self._told}
            if due:
                self._repeats, self._last = self._repeats + 1, time.time()
                self._keep()
        if still:
            self._send(self._message("still", still, [], now))
        return min(5.0, max(0.2, self._settings.group))

    # -- what is said ---------------------------------------------------------------------------------

    def _say(self, template: str, **values: Any) -> str:
        return translate(template, self._lang, values)

    def _who(self, sn: str) -> str:
        if not sn or sn.startswith("@"):
            return self._say("station")
        member = next((m for m in self._watch.roster.members() if (m.sn or m.key) == sn), None)
        name = member.name if member is not None else ""
        return printable(f"{name} ({sn})" if name else sn, 80)

    def _message(
        self,
        kind: str,
        shown: dict[tuple[str, str], Reason],
        over: Sequence[tuple[str, str]],
        now: dict[Any, Reason],
    ) -> Message:
        lines = [self._line(sn, reason) for (sn, _), reason in list(shown.items())[:_NAMED]]
        if len(shown) > _NAMED:
            lines.append(self._say("… and {count} further", count=len(shown) - _NAMED))
        for sn, code in over[:_NAMED]:
            lines.append(
                "✓ "
                + self._say(
                    "{who}: well again: {what}", who=self._who(sn), what=Reason(code, 0.0).text(self._lang)
                )
            )
        if not now and over:
            lines.append(self._say("All is well again."))
        cameras = {sn for sn, _ in shown if sn and not sn.startswith("@")}
        title = {
            "new": lambda: self._say("{shop}: {count} new", shop=self._name, count=len(shown)),
            "still": lambda: self._say("{shop}: still {count}", shop=self._name, count=len(shown)),
            "well": lambda: self._say(
                "{shop}: all is well again" if not now else "{shop}: well again: {count}",
                shop=self._name,
                count=len(over),
            ),
        }[kind]()
        if len(shown) == 1:
            (((sn, _), reason),) = shown.items()
            title = printable(f"{self._name}: {self._who(sn)}: {reason.text(self._lang)}", 120)
        level = max((r.level for r in shown.values()), key=list(Level).index, default=Level.OK)
        data = {
            "kind": kind,
            "site": self._watch.site,
            "level": str(level),
            "cameras": sorted(cameras),
            "reasons": [{"sn": sn, **reason.as_dict(self._lang)} for (sn, _), reason in shown.items()],
            "over": [{"sn": sn, "code": code} for sn, code in over],
            "all_well": not now,
            "at": time.time(),
        }
        return Message(
            kind, title, "\n".join(lines), level, {"title": title, "text": "\n".join(lines), **data}
        )

    def _line(self, sn: str, reason: Reason) -> str:
        since = f"{datetime.fromtimestamp(reason.since, self._zone):%m-%d %H:%M}"
        mark = "✗" if reason.level is Level.BAD else "!"
        hint = reason.hint(self._lang)
        said = printable(reason.text(self._lang), 200)
        return f"{mark} {self._who(sn)}: {said} ({since})" + (f"\n   → {hint}" if hint else "")

    # -- sending --------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        for outbox in self._outboxes:
            outbox.put(message)

    def _count(self, result: str) -> None:
        with self._lock:
            self.counts[result] += 1

    # -- over restarts --------------------------------------------------------------------------------

    def _keep(self) -> None:
        body = {
            "told": [[sn, code, since] for (sn, code), since in self._told.items()],
            "repeats": self._repeats,
            "last": self._last,
        }
        self._store.later(("INSERT OR REPLACE INTO notices VALUES ('alerts', ?)", (json.dumps(body),)))

    def _recall(self) -> None:
        rows = self._store.read("SELECT body FROM notices WHERE key = 'alerts'")
        if rows:
            body = json.loads(rows[0][0])
            self._told = {(sn, code): since for sn, code, since in body["told"]}
            self._repeats, self._last = body["repeats"], body["last"]


def send_test(
    channels: Sequence[Channel], *, name: str, site: str, lang: Language | None = None
) -> dict[str, str]:
    """Send a message to everybody, to see that it arrives.

    Args:
        channels: Whom to tell.
        name: What people call the shop.
        site: The site's name.
        lang: The language; default: the process's.

    Returns: by channel, empty or what went wrong.

    """
    lang = lang or language()
    title = translate("{shop}: test", lang, {"shop": name})
    text = translate("This is a test of {shop}: if you can read it, alerts reach you.", lang, {"shop": name})
    data = {"kind": "test", "site": site, "title": title, "text": text, "at": time.time()}
    found = {}
    for number, channel in enumerate(channels, 1):
        label = f"{number} {channel.name}"
        try:
            send_within(channel, Message("test", title, text, Level.OK, data))
            found[label] = ""
        except SunmiIpcError as error:
            found[label] = error.localized(lang)[0]
    return found
