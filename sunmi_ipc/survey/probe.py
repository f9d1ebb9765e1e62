"""Which calls exist on a camera, found out without carrying out any that changes something.

First it is learnt who checks first, with calls that can do no harm: a path that no camera has, and documented
reads, each well and wrongly signed. Where an unknown path and a known one answer a wrong signature differently,
every path is asked for with a wrong signature, and nothing is ever carried out. Where they do not, only reads are
asked for, well signed; writes only where the user insists, with values that the declared bounds refuse. Never
asked for in that way: calls without parameters (format, reset, clear), activation, and calls that need no
signature.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ConnectionFailed, DeviceError, TlsError
from ..protocol import overrides as corrections
from ..protocol.spec import DOC, Endpoint, Sign, registry
from ..protocol.wire import Override
from .dump import NO_PATH, Answers, Survey, questions
from .effects import SHOWN, bites, narrower
from .findings import Finding, finding, shape, wire_fields
from .grammar import Learned, candidates
from .names import camel, fields, of_names, parameter_names, plain, spellings, taken
from .outcome import Outcome

if TYPE_CHECKING:
    from ..camera import Camera

#: Calls in all, and how many a second: a small computer behind a cheap switch.
BUDGET, PACE_S = 400, 0.25
#: A probe that takes longer than this is ended, whatever the camera does.
SECONDS = 1200.0
_NO_PATHS = (NO_PATH, "device/getNoSuchThing", "peopleFlow/queryNoSuchThing")
_KNOWN = "device/getInfo"
_NO_PARAMETER = "no_such_parameter"
_LONGER = 5.0

#: Of what a probe leaves behind for the next one.
_VERSION = 1
Told = Callable[[int, int, str], None]


_NONE_LEFT = "it does not exist, and no likely name does"
_SOME_LEFT = "it does not exist; not all likely names were tried"


class _Stop(Exception):
    """No more calls; the reason, in English."""


class _UsedUp(_Stop):
    """The calls of this run are made; what is known is."""


class _CannotTell(_Stop):
    """What this camera says is no ground for anything; what seemed to be known is forgotten."""

    def __init__(self, why: str) -> None:
        super().__init__(f"cannot tell: {why}")


@dataclass(slots=True)
class Report:
    """What a probe found out.

    Args:
        camera: The camera's address.
        order_of_checks: Who looks first, in order, as far as it showed.
        calls_made: Calls in all.
        findings: A row for each inferred fact.
        overrides: Corrections, by our path.
        stopped: Why it ended before its time; empty where it did not.
        cannot_tell: Whether that is because the camera's answers are no ground for anything; nothing is kept then.
        refusal: What the camera said to the first question, where it refused it.
        resumed: How many paths an earlier probe of this camera had asked for, and were not asked for again.
        unsearched: How many paths could be looked for further: the budget left no room for all likely names.
        survey: Everything that was said, for a dump.

    """

    camera: str
    order_of_checks: list[str] = field(default_factory=list)
    calls_made: int = 0
    findings: list[Finding] = field(default_factory=list)
    overrides: dict[str, Override] = field(default_factory=dict)
    stopped: str = ""
    cannot_tell: bool = False
    refusal: DeviceError | None = None
    resumed: int = 0
    unsearched: int = 0
    survey: Survey | None = None

    @property
    def toml(self) -> str:
        """The corrections as a file has them."""
        return corrections.dump(self.overrides) if self.overrides else ""

    def document(self) -> dict[str, Any]:
        """For JSON; see cli.md."""
        return {
            "camera": self.camera,
            "order_of_checks": self.order_of_checks,
            "calls_made": self.calls_made,
            "findings": self.findings,
            "overrides": self.toml,
            "stopped": self.stopped or None,
            "unsearched": self.unsearched,
        }


class Probe:
    """Finds out which calls exist on one camera.

    Args:
        camera: The camera, activated; its overrides are what is tried first.
        look_for: Whether to try other paths for what does not exist under ours.
        writes: Where only reads can be asked for safely, ask for writes too, with values that the bounds refuse.
        pace: Seconds between two calls.
        budget: Calls at the most.
        seconds: Seconds at the most.
        progress: Told calls made, the budget, and what is asked for.
        resume: What an earlier probe of this camera left (:attr:`knowledge`); used where firmware and order of
            checks are still the same.

    """

    camera: Camera

    def __init__(
        self,
        camera: Camera,
        *,
        look_for: bool = True,
        writes: bool = False,
        pace: float = PACE_S,
        budget: int = BUDGET,
        seconds: float = SECONDS,
        progress: Told | None = None,
        resume: Mapping[str, Any] | None = None,
    ) -> None:
        self._resume, self._firmware = dict(resume or {}), ""
        self.camera, self._look_for, self._writes = camera, look_for, writes
        self._budget, self._until = budget, time.monotonic() + seconds
        self._told = progress or (lambda done, total, what: None)
        self._pace = pace
        self.survey: Survey = Survey(camera, pace=pace)
        self.report: Report = Report(camera.address, survey=self.survey)
        self._missing: set[tuple[str, int]] = set()
        #: What the calibration was answered, by path and whether it was signed wrongly.
        self._answered: dict[tuple[str, bool], tuple[str, int]] = {}
        self._url_first = False
        self._exists: dict[str, bool] = {}
        self._paths: dict[str, str] = {}  # ours -> theirs, of those that exist
        self._learned = Learned()
        self._parameters: dict[str, str] = {}
        self._fields: dict[str, str] = {}
        self._answers = Answers(time.time())
        self._usual_ms = 0.0
        self._slow = self._silent = 0
        self._lenient: bool | None = None
        #: By our path, the parameters (by our names) whose names are known from the call itself.
        self._taken: dict[str, set[str]] = {}

    def run(self) -> Report:
        """Find out; what is known when it is stopped is in the report. Ctrl-C keeps what is known, too."""
        try:
            self._calibrate()
            self._go_on()
            try:
                self._ask_all()
            except _UsedUp as stop:
                self.report.stopped = str(stop)
            self._calibrate_again()
        except _CannotTell as stop:
            self.report.stopped, self.report.cannot_tell = str(stop), True
            self._forget()
        except _Stop as stop:
            self.report.stopped = str(stop)
        except KeyboardInterrupt:
            self.report.stopped = "interrupted"
        self._judge()
        self.report.calls_made = len(self.survey.calls)
        self.survey.findings = self.report.findings
        return self.report

    def _ask_all(self) -> None:
        self._ask_ours()
        if self._look_for:
            self._search()
        self._ask_reads()
        self._name_writes()

    @property
    def knowledge(self) -> dict[str, Any]:
        """What another probe of this camera need not ask for again; no secret is in it."""
        return {
            "version": _VERSION,
            "firmware": self._firmware,
            "order": self.report.order_of_checks,
            "missing": sorted(map(list, self._missing)),
            "exists": self._exists,
            "paths": self._paths,
        }

    def _go_on(self) -> None:
        """Take over what an earlier probe found out, where the camera is still the same."""
        left, mine = self._resume, self.knowledge
        if any(left.get(name) != mine[name] for name in ("version", "firmware", "order", "missing")):
            return
        exists, paths = left.get("exists"), left.get("paths")
        if not isinstance(exists, dict) or not isinstance(paths, dict):
            return
        self._exists |= {k: v for k, v in exists.items() if isinstance(k, str) and isinstance(v, bool)}
        for ours, theirs in paths.items():
            if ours in registry() and self._exists.get(theirs) is True:
                self._paths[ours] = theirs
                self._learned.take(ours, theirs)
        self.report.resumed = len(self._exists)

    # -- calls ------------------------------------------------------------------------------------

    def _send(
        self, path: str, values: Mapping[str, str], *, spoil: bool = False, beyond: bool = False
    ) -> Outcome:
        room = self._budget - (0 if beyond else len(self._answered))
        if len(self.survey.calls) >= room:
            raise _UsedUp("the budget of calls is used up")
        if time.monotonic() > self._until:
            raise _Stop("it took too long")
        self._told(len(self.survey.calls), self._budget, path)
        outcome = self.survey.send(path, values, Sign.SECRET, spoil=spoil)
        took = float(self.survey.calls[-1]["ms"])
        self._usual_ms = self._usual_ms or max(took, 20.0)
        self._slow = self._slow + 1 if took > max(1500.0, 20 * self._usual_ms) else 0
        if self._slow >= 3:
            raise _CannotTell("the camera grows slower with every call")
        if outcome.kind == "silent":
            self._silent += 1
            self._wait_for_it()
        else:
            self._silent = 0
        return outcome

    def _wait_for_it(self) -> None:
        """Refusals have turned into silence: leave the camera alone, and see whether it still speaks."""
        if self._silent > 2:
            raise _Stop("the camera has fallen silent")
        time.sleep(min(_LONGER, 20 * self._pace))

    # -- who checks first -------------------------------------------------------------------------

    def _calibrate(self) -> None:
        known = self._send(_KNOWN, {})
        if known.kind == "code" and known.number in (2, 5) and self.survey._redate():
            known = self._send(_KNOWN, {})
        if known.kind == "silent" and isinstance(self.survey.trouble, ConnectionFailed | TlsError):
            raise self.survey.trouble
        if not known.done or not isinstance(known.data, dict) or not known.data:
            if known.kind == "code" and not known.done:
                self.report.refusal = DeviceError.of(known.number, endpoint=_KNOWN)
            raise _CannotTell(f"the camera answers {_KNOWN} with {known}")
        self._firmware = str(known.data.get("software_version", ""))[:64]
        unknown = self._send(_NO_PATHS[0], {})
        if unknown.same == known.same or unknown.done:
            raise _CannotTell("the camera answers a path that does not exist like one that does")
        if unknown.kind == "silent":
            raise _CannotTell("the camera does not answer where a path does not exist")
        others = [self._send(path, {}) for path in _NO_PATHS[1:]]
        if any(other.same != unknown.same for other in others):
            raise _CannotTell("the camera answers paths that do not exist differently")
        self._missing = {unknown.same}
        wrong_unknown = self._send(_NO_PATHS[0], {}, spoil=True)
        wrong_known = self._send(_KNOWN, {}, spoil=True)
        if wrong_known.done:
            raise _CannotTell("the camera takes a wrong signature")
        if wrong_unknown.same == wrong_known.same:
            self.report.order_of_checks = ["signature", "URL"]
        elif wrong_unknown.same in self._missing:
            self._url_first = True
            self.report.order_of_checks = ["URL", "signature"]
        else:
            raise _CannotTell("wrong signatures are answered in no order")
        without = self._send("media/getPlaybackStream", {}, spoil=True)
        self.report.order_of_checks.insert(
            len(self.report.order_of_checks) if without.same == wrong_known.same else 1, "parameters"
        )

        self._answered = {
            (_KNOWN, False): known.same, (_NO_PATHS[0], False): unknown.same,
            (_KNOWN, True): wrong_known.same, (_NO_PATHS[0], True): wrong_unknown.same,
        }  # fmt: skip

    def _calibrate_again(self) -> None:
        """Whether the camera still answers the first questions as it did; else nothing in between says anything."""
        for (path, spoil), answer in self._answered.items():
            if self._send(path, {}, spoil=spoil, beyond=True).same != answer:
                raise _CannotTell("the camera answers the same question differently")

    def _forget(self) -> None:
        self._exists.clear()
        self._paths.clear()
        self.report.overrides.clear()
        self.report.findings.clear()
        self.report.unsearched = 0

    # -- paths ------------------------------------------------------------------------------------

    def _open(self) -> list[Endpoint[..., Any]]:
        """The endpoints whose paths are not documented and may be asked for."""
        return [e for e in registry().values() if e.evidence is not DOC and e.sign is Sign.SECRET]

    def _there(self, endpoint: Endpoint[..., Any], path: str) -> bool | None:
        """Whether *path* exists; None where that cannot be asked for without carrying it out."""
        if path in self._exists:
            return self._exists[path]
        if self._url_first:
            outcome = self._send(path, {}, spoil=True)
        elif endpoint.safe:
            outcome = self._send(path, self._values(endpoint) or {})
        elif self._writes and (values := _refused(endpoint)):
            outcome = self._send(path, values)
        else:
            return None
        if outcome.kind == "silent":
            return None
        self._exists[path] = outcome.same not in self._missing
        return self._exists[path]

    def _ask_ours(self) -> None:
        for endpoint in self._open():
            if endpoint.path in self._paths:
                continue
            override = self.camera.overrides.get(endpoint.path)
            path = (override.path if override else "") or endpoint.path
            if self._there(endpoint, path):
                self._paths[endpoint.path] = path
                self._learned.take(endpoint.path, path)
            elif self._exists.get(path) is False:
                self._learned.miss(endpoint.path, path)

    def _search(self) -> None:
        """Candidates for what does not exist under our guess, the likeliest of all first."""
        lost = {
            e.path: e for e in self._open()
            if e.path not in self._paths and (self._url_first or e.safe or (self._writes and _refused(e)))
        }  # fmt: skip
        room = self._budget - 3 * len(questions())  # reads are to be asked, too
        self.report.unsearched = len(lost)
        while lost and len(self.survey.calls) < room:
            owned = set(self._paths.values())
            best: tuple[float, str, str] | None = None
            for ours in lost:
                for candidate, likeness in candidates(ours):
                    if candidate in self._exists or candidate in owned:
                        continue
                    score = likeness + self._learned.bonus(ours, candidate)
                    if best is None or score > best[0]:
                        best = (score, ours, candidate)
            if best is None:
                self.report.unsearched = 0
                return
            self.report.unsearched = len(lost)  # should this one be the last
            _, ours, candidate = best
            endpoint = lost[ours]
            if self._there(endpoint, candidate) and self._is_it(endpoint, candidate):
                self._paths[ours] = candidate
                self._learned.take(ours, candidate)
                del lost[ours]
            elif self._exists.get(candidate) is False:
                self._learned.miss(ours, candidate)
        if not lost:
            self.report.unsearched = 0

    def _is_it(self, endpoint: Endpoint[..., Any], path: str) -> bool:
        """Whether what answers at *path* has anything of the fields that *endpoint* should answer with."""
        if not endpoint.safe or endpoint.result is None:
            return True
        values = self._values(endpoint)
        if values is None:
            return True
        outcome = self._send(path, values)
        if not outcome.done or not isinstance(outcome.data, dict):
            return True
        known = {plain(name) for name in wire_fields(endpoint.result)}
        return bool(known & {plain(str(name)) for name in outcome.data}) or not known

    # -- names ------------------------------------------------------------------------------------

    def _values(self, endpoint: Endpoint[..., Any]) -> dict[str, str] | None:
        """Values for a read, under the names learnt so far; None where something it needs is not known."""
        values = self._answers.values(endpoint)
        return None if values is None else {self._parameters.get(k, k): v for k, v in values.items()}

    def _ask_reads(self) -> None:
        """Ask every read that exists, and compare what comes with what we expected."""
        unread: list[tuple[Endpoint[..., Any], str, dict[str, str], str]] = []
        for endpoint in questions():
            path = self._paths.get(endpoint.path, endpoint.path if endpoint.evidence is DOC else "")
            if not path or endpoint.sign is not Sign.SECRET:
                continue
            values = self._answers.values(endpoint)
            if values is None:
                self._note(endpoint, "fields", "open", "something that it needs is not known")
                continue
            before = dict(self._parameters)
            if (why := self._read(endpoint, path, values)) is not None:
                unread.append((endpoint, path, before, why))
        for endpoint, path, before, why in unread:
            # What others have shown since may be what was missing here.
            values = self._answers.values(endpoint)
            news = {p.wire for p in endpoint.parameters if self._parameters.get(p.wire) != before.get(p.wire)}
            again = self._read(endpoint, path, values) if values and news else why
            if again is not None:
                self._note(endpoint, "parameters", "open", again)

    def _read(self, endpoint: Endpoint[..., Any], path: str, values: dict[str, str]) -> str | None:
        """Ask one read; why none of the names tried for its parameters was taken, None where they were."""
        needed = list(values) if endpoint.params_evidence is not DOC and endpoint.evidence is not DOC else []
        last: list[Outcome] = []

        def ask(names: dict[str, str]) -> Outcome:
            sent = names if needed else {k: k for k in values}
            last.append(self._send(path, {theirs: values[ours] for ours, theirs in sent.items()}))
            return last[-1]

        names: dict[str, str] | None = {}
        if needed:
            required = {p.wire for p in endpoint.parameters if p.required}
            codes = {p.wire: p.refused for p in endpoint.parameters}
            names = parameter_names(needed, required, ask, self._parameters, codes)
        else:
            ask({})
        # The last try may have been for a name that was not taken.
        outcome = next((o for o in reversed(last) if taken(o)), last[-1])
        if names is None:
            known = (
                "none of the names tried was taken"
                if of_names(outcome)
                else "refused whatever they are called"
            )
            return f"{known}: {outcome}"
        unseen: list[str] = []
        if needed and outcome.done and not set(SHOWN).isdisjoint(names) and self._takes_anything():
            names, unseen = self._by_effect(path, values, names, outcome)
        other = {ours: theirs for ours, theirs in names.items() if ours != theirs}
        self._parameters |= names
        if needed and outcome.done:
            self._taken[endpoint.path] = set(names) - set(unseen)
        if other:
            self._correct(endpoint.path, names=other)
            self._note(
                endpoint, "parameters", "corrected", ", ".join(f"{a} is {b}" for a, b in other.items())
            )
        elif needed and not unseen:
            self._note(endpoint, "parameters", "proven" if outcome.done else "open", str(outcome))
        if unseen:
            self._note(endpoint, "parameters", "open", f"no effect was seen of: {', '.join(unseen)}")
        if outcome.done and endpoint.result is not None and isinstance(outcome.data, dict):
            self._compare(endpoint, outcome)
        return None

    def _takes_anything(self) -> bool:
        """Whether the camera passes over parameters that nobody knows; then a name that it takes is no proof."""
        if self._lenient is None:
            self._lenient = self._send(_KNOWN, {_NO_PARAMETER: "1"}).done
        return self._lenient

    def _by_effect(
        self, path: str, values: Mapping[str, str], names: Mapping[str, str], outcome: Outcome
    ) -> tuple[dict[str, str], list[str]]:
        """Names whose effect shows, and those of ours of which none did."""
        found, unseen = dict(names), []
        for ours in (name for name in SHOWN if name in names):
            less = None if ours == "page_num" and "page_size" in unseen else narrower(ours, values)
            seen: bool | None = None
            for theirs in spellings(ours, {**self._parameters, ours: found[ours]}) if less else ():
                if theirs in (v for k, v in found.items() if k != ours):
                    continue
                sent = {**found, ours: theirs}
                seen = bites(ours, outcome, self._send(path, {sent[k]: v for k, v in (less or {}).items()}))
                if seen is not False:
                    break
            if seen:
                found[ours] = theirs
            else:
                unseen.append(ours)
        return found, unseen

    def _compare(self, endpoint: Endpoint[..., Any], outcome: Outcome) -> None:
        assert endpoint.result is not None
        renamed = fields(endpoint.result, outcome.data)
        self._answers.take(endpoint.path, _ours(outcome.data, renamed))
        if renamed:
            self._fields |= renamed
            self._correct(endpoint.path, fields=renamed)
            self._note(endpoint, "fields", "corrected", ", ".join(f"{a} is {b}" for a, b in renamed.items()))
            return
        self._note(endpoint, "fields", *shape(endpoint.result, outcome.data))

    def _name_writes(self) -> None:
        """Parameters of writes are called as the fields that the reads told, else in the same spelling."""
        renamed = {**self._fields, **{a: b for a, b in self._parameters.items() if a != b}}
        in_camel = [a for a, b in renamed.items() if "_" in a and b == camel(a)]
        style = len(in_camel) >= 2 and len(in_camel) * 2 > len([a for a in renamed if "_" in a])
        for endpoint in registry().values():
            if endpoint.evidence is DOC or endpoint.sign is not Sign.SECRET:
                continue
            known = self.report.overrides.get(endpoint.path)
            names = dict(known.names) if known else {}
            assumed = []
            for parameter in endpoint.parameters:
                if parameter.wire in names or parameter.wire in self._taken.get(endpoint.path, ()):
                    continue
                if parameter.wire in renamed:
                    names[parameter.wire] = renamed[parameter.wire]
                elif style and camel(parameter.wire) != parameter.wire:
                    names[parameter.wire] = camel(parameter.wire)
                    assumed.append(parameter.wire)
            if names and (known is None or names != dict(known.names)) and endpoint.path in self._paths:
                self._correct(endpoint.path, names=names)
                how = "assumed from the spelling of others" if assumed else "as the reads call them"
                self._note(endpoint, "parameters", "open" if assumed else "corrected", how)

    # -- what it comes to -------------------------------------------------------------------------

    def _correct(self, ours: str, **more: Mapping[str, str]) -> None:
        old = self.report.overrides.get(ours, Override())
        path = self._paths.get(ours, "")
        self.report.overrides[ours] = Override(
            path if path != ours else "",
            {**old.names, **more.get("names", {})},
            old.encoding,
            {**old.fields, **more.get("fields", {})},
        )

    def _note(self, endpoint: Endpoint[..., Any], fact: str, verdict: str, detail: str) -> None:
        self.report.findings.append(
            finding(endpoint.path, fact, str(endpoint.params_evidence), verdict, detail)
        )

    def _judge(self) -> None:
        """A verdict for every path."""
        rows: list[Finding] = []
        for endpoint in registry().values():
            ours, evidence = endpoint.path, str(endpoint.evidence)
            theirs = self._paths.get(ours)
            if endpoint.evidence is DOC:
                continue
            if endpoint.sign is not Sign.SECRET:
                rows.append(finding(ours, "path", evidence, "open", "not asked for: it needs no signature"))
            elif theirs == ours:
                rows.append(finding(ours, "path", evidence, "proven", "it exists"))
            elif theirs is not None:
                self._correct(ours)
                rows.append(finding(ours, "path", evidence, "corrected", f"it is {theirs}"))
            elif self._exists.get(ours) is False:
                left = any(candidate not in self._exists for candidate, _ in candidates(ours))
                rows.append(finding(ours, "path", evidence, "refuted", _SOME_LEFT if left else _NONE_LEFT))
            else:
                rows.append(finding(ours, "path", evidence, "open", "it could not be asked for safely"))
        self.report.findings = rows + self.report.findings


def _refused(endpoint: Endpoint[..., Any]) -> dict[str, str]:
    """Values that the bounds of *endpoint* refuse; empty where it has no number with bounds.

    Each in both spellings: a camera that knows the other one must not take the call for one without parameters.
    """
    values: dict[str, str] = {}
    for parameter in endpoint.parameters:
        if parameter.kind == "int" and (parameter.ge is not None or parameter.choices):
            values |= {parameter.wire: "-1", camel(parameter.wire): "-1"}
        elif parameter.required:
            return {}
    return values


def _ours(data: Any, renamed: Mapping[str, str]) -> Any:
    back = {theirs: ours for ours, theirs in renamed.items()}
    if isinstance(data, dict):
        return {back.get(k, k): _ours(v, renamed) for k, v in data.items()}
    if isinstance(data, list):
        return [_ours(inner, renamed) for inner in data]
    return data


__all__ = ["BUDGET", "PACE_S", "Probe", "Report"]
