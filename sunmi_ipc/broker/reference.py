"""The contract as documents: JSON Schemas, AsyncAPI, tables. ``python -m sunmi_ipc.broker.reference DOCS`` writes them."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import i18n
from .contract import CONTENT_TYPE, MESSAGES, PREFIX, SCHEMA_PROPERTY, VERSION, Direction, schemas

BEGIN, END = "<!-- made from the contract: begin -->", "<!-- made from the contract: end -->"


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document."""
    channels, operations, messages = {}, {}, {}
    for name, message in MESSAGES.items():
        address = "/".join(
            [PREFIX, "{site}", *(f"{{{w.lower()}}}" if w.isupper() else w for w in message.path.split("/"))]
        )
        words = ["site", *(w.lower() for w in message.path.split("/") if w.isupper())]
        channels[name] = {
            "address": address,
            "description": _first(message.model),
            "parameters": {word: {"description": _WORDS[word]} for word in words},
            "messages": {name: {"$ref": f"#/components/messages/{name}"}},
            "bindings": {"mqtt": {}},
        }
        operations[name] = {
            "action": "send" if message.direction is Direction.FROM_STATION else "receive",
            "channel": {"$ref": f"#/channels/{name}"},
            "bindings": {"mqtt": {"qos": message.qos, "retain": message.retained, "bindingVersion": "0.2.0"}},
        }
        messages[name] = {
            "name": name,
            "title": message.schema,
            "contentType": CONTENT_TYPE,
            "headers": {"type": "object", "properties": {SCHEMA_PROPERTY: {"const": message.schema}}},
            "payload": {"$ref": f"./{name}.schema.json"},
        }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "sunmi-ipc stations on a broker",
            "version": f"{VERSION}.0.0",
            "description": "As a station sees it: it sends what it knows, and receives signed calls.",
        },
        "defaultContentType": CONTENT_TYPE,
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages},
    }


_WORDS = {"site": "the station file's site", "sn": "a camera's serial number", "client": "who asked"}


def tables(lang: i18n.Language = "en") -> str:
    """The tables of ``docs/mqtt.md``, or of the same page in Chinese."""

    def said(text: str) -> str:
        return i18n.translate(text, lang, {})

    def rows(schema: dict[str, Any], defs: dict[str, Any]) -> list[str]:
        made = [f"| {said('field')} | {said('type')} | |", "|---|---|---|"]
        for field, about in schema["properties"].items():
            need = "" if field in schema.get("required", ()) else said(" (optional)")
            made.append(
                f"| `{field}` | {_type(about, defs, said)}{need} | {said(about.get('description', ''))} |"
            )
        return made

    heads = (
        said("topic under `{prefix}/SITE/`").format(prefix=PREFIX),
        *map(said, ("who sends", "retained", "payload", "schema")),
    )
    lines = [f"| {' | '.join(heads)} |", "|---|---|---|---|---|"]
    for name, message in MESSAGES.items():
        kept = said("yes" if message.retained else "no")
        lines.append(
            f"| `{message.path}` | {said(message.direction.value)} | {kept} | {said(_paragraphs(message.model)[0])} |"
            f" [{message.schema}](mqtt/{name}.schema.json) |"
        )
    for name, message in MESSAGES.items():
        for title, model in ((message.schema, message.model), (f"{name}.body/{VERSION}", message.signed)):
            if model is None:
                continue
            schema = model.model_json_schema()
            defs = schema.get("$defs", {})
            lines += [
                "",
                f"### {title}",
                "",
                "\n\n".join(map(said, _paragraphs(model))),
                "",
                *rows(schema, defs),
            ]
            for kind, part in defs.items():
                if "properties" in part:
                    lines += ["", f"#### {kind}", "", said(part["description"]), "", *rows(part, defs)]
    return "\n".join(lines)


def _first(model: type[Any]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]


def _paragraphs(model: type[Any]) -> list[str]:
    told = inspect.cleandoc(model.__doc__ or "").replace("``", "`")
    return [paragraph.replace("\n", " ") for paragraph in told.split("\n\n")]


def _type(about: dict[str, Any], defs: dict[str, Any], said: Callable[[str], str]) -> str:
    if "anyOf" in about:
        return said(" or ").join(_type(one, defs, said) for one in about["anyOf"])
    if "$ref" in about or "allOf" in about:
        kind = str(about.get("$ref") or about["allOf"][0]["$ref"]).rpartition("/")[2]
        return _type(defs[kind], defs, said) if "enum" in defs.get(kind, {}) else f"`{kind}`"
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if "const" in about:
        return f"`{about['const']}`"
    if about.get("type") == "array":
        return said("list of {kind}").format(kind=_type(about.get("items", {}), defs, said))
    return said(f"JSON {about.get('type', 'any')}").removeprefix("JSON ")


def files() -> dict[str, str]:
    """Every file below ``docs/mqtt`` by its name."""
    made = {
        f"{name.partition('/')[0]}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    return made | {"asyncapi.json": json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n"}


#: The pages that hold the tables, by the language.
PAGES: dict[i18n.Language, str] = {"en": "mqtt.md", "zh": "mqtt.zh-CN.md"}


def page(text: str, lang: i18n.Language = "en") -> str:
    """The *text* of such a page, with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables(lang)}\n{END}{after}"


def main(docs: Path) -> None:
    """Write them below the folder *docs*."""
    (docs / "mqtt").mkdir(exist_ok=True)
    for name, text in files().items():
        (docs / "mqtt" / name).write_text(text, "utf-8")
    for lang, name in PAGES.items():
        path = docs / name
        path.write_text(page(path.read_text("utf-8"), lang), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
