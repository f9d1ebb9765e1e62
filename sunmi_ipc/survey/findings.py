"""Which inferred facts an answer proves or refutes."""

from __future__ import annotations

import typing
from typing import Any

from pydantic import BaseModel

from ..protocol.spec import DOC, Endpoint
from .outcome import Outcome

Finding = dict[str, str]
VERDICTS = ("proven", "refuted", "corrected", "open")


def finding(path: str, fact: str, evidence: str, verdict: str, detail: str) -> Finding:
    """One row of a dump's or a probe's findings."""
    return {"path": path, "fact": fact, "evidence": evidence, "verdict": verdict, "detail": detail}


def judge(endpoint: Endpoint[..., Any], outcome: Outcome) -> list[Finding]:
    """What one answer to *endpoint* tells: its path, its fields, where they stand."""
    found = [finding(endpoint.path, "path", str(endpoint.evidence), *_path(endpoint, outcome))]
    if outcome.done and endpoint.result is not None:
        fields = shape(endpoint.result, outcome.data)
        evidence = str(endpoint.params_evidence)
        found.append(finding(endpoint.path, "fields", evidence, *fields))
        if outcome.place:
            found.append(
                finding(
                    endpoint.path,
                    "place of the fields",
                    "inferred",
                    "proven",
                    f"under {outcome.place}" if outcome.place == "data" else "beside code",
                )
            )
    return found


def _path(endpoint: Endpoint[..., Any], outcome: Outcome) -> tuple[str, str]:
    if outcome.missing:
        return "refuted", str(outcome)
    if outcome.done:
        return "proven", str(outcome)
    if outcome.kind == "code" and outcome.number in endpoint.codes - {1, 5, 7}:
        return "proven", f"{outcome}, which is of its subject"
    if outcome.kind == "code" and endpoint.evidence is DOC:
        return "proven", str(outcome)
    return "open", str(outcome)


def shape(model: type, data: Any) -> tuple[str, str]:
    """Whether *data* has the fields of *model*: verdict and detail."""
    if not isinstance(data, dict):
        return ("open", "no fields came") if data in (None, "", []) else ("refuted", f"a {_kind(data)}")
    present, absent, unknown, types = compare(model, data)
    told = [
        f"{word}: {', '.join(names)}"
        for word, names in (("present", present), ("absent", absent), ("unknown", unknown), ("types", types))
        if names
    ]
    verdict = (
        "proven" if present and not absent else "refuted" if not present and (absent or unknown) else "open"
    )
    return verdict, "; ".join(told)


def compare(
    model: type, data: dict[str, Any], prefix: str = ""
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Names present, absent and unknown, and the types of those present; entries of lists by their first."""
    present: list[str] = []
    absent: list[str] = []
    types: list[str] = []
    known: set[str] = set()
    for name, inner in wire_fields(model).items():
        known.add(name)
        if name not in data:
            absent.append(prefix + name)
            continue
        present.append(prefix + name)
        value = data[name]
        types.append(f"{prefix}{name}={_kind(value)}")
        first = value[0] if isinstance(value, list) and value else value
        if inner is not None and isinstance(first, dict):
            more = compare(inner, first, f"{prefix}{name}.")
            for mine, theirs in zip((present, absent, types), (more[0], more[1], more[3]), strict=True):
                mine += theirs
            known |= set()
    unknown = [prefix + str(name) for name in data if name not in known]
    return present, absent, unknown, types


def wire_fields(model: type) -> dict[str, type | None]:
    """The fields of a result by the wire's names, each with the model of its entries, if it has one."""
    fields: dict[str, type | None] = {}
    for name, info in typing.cast(type[BaseModel], model).model_fields.items():
        alias = info.validation_alias if isinstance(info.validation_alias, str) else info.alias
        fields[alias or name] = _entries(info.annotation)
    return fields


def _entries(annotation: Any) -> type | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        if (found := _entries(inner)) is not None:
            return found
    return None


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "number", float: "number", str: "text", list: "list", dict: "object", type(None): "null"}
    kind = names.get(type(value), type(value).__name__)
    return "text of digits" if isinstance(value, str) and value.isdigit() else kind
