"""Every declared endpoint as a call of the API: one declaration gives route, checks and documentation."""

from __future__ import annotations

import enum
from datetime import datetime, time
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import AfterValidator

from .. import untrusted
from ..errors import ParameterError
from ..protocol.serial import spelt
from ..protocol.spec import ALL_MODELS, Endpoint, Parameter, registry
from .access import at_least, body_of
from .execute import HEAVY, carry_out, confirmed, values_of
from .problems import MEDIA, SCHEMA, Refusal
from .roles import Person, needed

if TYPE_CHECKING:
    from .station import Station

#: Serial numbers in addresses and queries, whatever their letters: in the one spelling from here on.
SN = Annotated[
    str,
    Path(pattern=r"^[0-9A-Za-z][0-9A-Za-z._:-]{0,63}$", description="serial number"),
    AfterValidator(spelt),
]
SnFilter = Annotated[str, Query(max_length=64), AfterValidator(spelt)]
_PROBLEM = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _PROBLEM}
    for status, text in (
        (400, "Not a request"),
        (401, "No token that we know"),
        (403, "The role does not allow it"),
        (404, "No such camera"),
        (413, "Too large"),
        (421, "Not a name of this station"),
        (422, "A parameter is out of its bounds; nothing was sent"),
    )
}
FROM_CAMERA: dict[int | str, dict[str, Any]] = PROBLEMS | {
    409: {"description": "The camera said no, with a return code", "content": _PROBLEM},
    428: {"description": "What destroys must be confirmed", "content": _PROBLEM},
    502: {
        "description": "The camera does not answer, or not as the one that it should be",
        "content": _PROBLEM,
    },
    503: {"description": "The station cannot do it now", "content": _PROBLEM},
}


def schema_of(parameter: Parameter) -> dict[str, Any]:
    """A parameter's JSON Schema, from its declaration."""
    made: dict[str, Any] = {}
    base = parameter.base
    if parameter.kind == "file":
        made = {"type": "string", "contentEncoding": "base64", "maxLength": HEAVY}
    elif base is list:
        item = (
            {"type": "string", "enum": list(parameter.choices)} if parameter.choices else {"type": "string"}
        )
        made = {"type": "array", "items": item, "minItems": parameter.min_len or 0}
    elif base is dict:
        made = {"type": "object", "additionalProperties": {"type": "string"}}
    elif parameter.choices:
        made = {"enum": list(parameter.choices)}
    elif issubclass(base, datetime):
        made = {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": 4102444800},
                {"type": "string", "format": "date-time"},
            ]
        }
    elif issubclass(base, time):
        made = {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
    elif issubclass(base, enum.IntFlag):
        made = {"type": "integer", "minimum": 0, "maximum": 255}
    elif issubclass(base, int):
        made = {"type": "integer"}
        made |= {k: v for k, v in (("minimum", parameter.ge), ("maximum", parameter.le)) if v is not None}
    else:
        made = {"type": "string"}
        lengths = (("minLength", parameter.min_len), ("maxLength", parameter.max_len))
        made |= {k: v for k, v in lengths if v is not None}
    if not parameter.required and parameter.default is None:
        made = {"anyOf": [made, {"type": "null"}]}
    made["description"] = parameter.help + (f" ({parameter.unit})" if parameter.unit else "")
    for name, value in (("x-unit", parameter.unit), ("x-max-bytes", parameter.max_bytes)):
        if value:
            made[name] = value
    if parameter.secret:
        made["writeOnly"] = True
    return made


def body_schema(endpoint: Endpoint[..., Any]) -> dict[str, Any]:
    """The JSON Schema of an endpoint's parameters."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [p.name for p in endpoint.parameters if p.required],
        "properties": {p.name: schema_of(p) for p in endpoint.parameters},
    }


def _described(endpoint: Endpoint[..., Any]) -> str:
    from ..codes.device import DeviceCode

    codes = []
    for code in sorted(int(c) for c in endpoint.codes):
        name = DeviceCode(code).name if code in DeviceCode.__members__.values() else ""
        codes.append(f"{code} {name}".strip())
    models = "all models" if endpoint.models == ALL_MODELS else ", ".join(sorted(endpoint.models))
    lines = [
        f"`{endpoint.path}`, for {models}. Role: *{needed(endpoint)}*.",
        f"Evidence: {endpoint.evidence}; parameters: {endpoint.params_evidence}.",
        f"Return codes: {', '.join(codes)}.",
    ]
    if endpoint.destroys:
        lines.insert(0, f"**Destroys {endpoint.destroys}**: `confirm` must be the camera's serial number.")
    return "\n\n".join(lines)


def _answer_schema(endpoint: Endpoint[..., Any]) -> dict[str, Any]:
    if endpoint.result is None:
        return {"type": "object", "description": "nothing: it is done"}
    schema: dict[str, Any] = endpoint.result.model_json_schema(  # type: ignore[attr-defined]
        mode="serialization", ref_template=f"#/components/schemas/{endpoint.key}.{{model}}"
    )
    opened: dict[str, Any] = _opened(schema)
    return opened


def _opened(schema: Any) -> Any:
    """An answer's schema without lists of numbers: masks combine, and firmware may know values that we do not."""
    if isinstance(schema, list):
        return [_opened(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _opened(value) for key, value in schema.items()}
    values = made.get("enum")
    if isinstance(values, list) and values and all(isinstance(value, int) for value in values):
        made["x-known"] = made.pop("enum")
        made.setdefault("type", "integer")
    if isinstance(made.get("const"), int):
        made["x-known"] = [made.pop("const")]
    return made


@cache
def router() -> tuple[APIRouter, dict[str, Any]]:
    """A route for each declared endpoint, and the schemas that they refer to.

    Made once a process, as declarations do not change and sixty routes are most of what a station's start costs: the
    station is the one of the application that is asked.
    """
    made, schemas = APIRouter(), dict[str, Any]()
    for endpoint in registry().values():
        answer = _answer_schema(endpoint)
        schemas |= {f"{endpoint.key}.{name}": body for name, body in answer.pop("$defs", {}).items()}
        _add(made, endpoint, answer)
    schemas["Problem"] = SCHEMA
    return made, schemas


def _add(made: APIRouter, endpoint: Endpoint[..., Any], answer: dict[str, Any]) -> None:
    parameters = body_schema(endpoint)
    guard = Depends(at_least(needed(endpoint)))
    ok = {"description": "What the camera answered", "content": {"application/json": {"schema": answer}}}

    @made.post(
        f"/cameras/{{sn}}/call/{endpoint.group}/{endpoint.name.rstrip('_')}",
        tags=[endpoint.group],
        summary=endpoint.summary,
        description=_described(endpoint),
        operation_id=endpoint.key,
        response_class=JSONResponse,
        responses=FROM_CAMERA | {200: ok},
        openapi_extra={
            "requestBody": {
                "required": bool(parameters["required"]),
                "content": {"application/json": {"schema": parameters}},
            },
            "x-evidence": str(endpoint.evidence),
            "x-path": endpoint.path,
            "x-role": needed(endpoint),
        },
    )
    async def call(
        request: Request,
        sn: SN,
        confirm: Annotated[
            str,
            Query(
                max_length=64, description="the serial number once more, where the call destroys something"
            ),
        ] = "",
        who: Person = guard,
    ) -> JSONResponse:
        body = await body_of(request)
        try:
            given = untrusted.load_json(body) if body.strip() else {}
        except untrusted.Refused:
            raise Refusal(400, ParameterError("{name}: not JSON", name="body")) from None
        values = values_of(endpoint, given)
        endpoint.check(values)
        try:
            confirmed(endpoint, confirm, sn)
        except ParameterError as error:
            raise Refusal(428, error) from None
        station: Station = request.app.state.station
        origin = request.client.host if request.client else ""
        result = await run_in_threadpool(
            carry_out, station, endpoint, values, sn=sn, who=who.name, origin=origin
        )
        return JSONResponse({} if result is None else dict(result.as_dict()))
