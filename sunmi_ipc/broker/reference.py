"""The contract as documents: JSON Schemas, AsyncAPI, tables. ``python -m sunmi_ipc.broker.reference DOCS`` writes them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

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


def tables() -> str:
    """The tables of ``docs/mqtt.md``."""
    lines = [
        f"| topic under `{PREFIX}/SITE/` | who sends | retained | payload | schema |",
        "|---|---|---|---|---|",
    ]
    for name, message in MESSAGES.items():
        kept = "yes" if message.retained else "no"
        lines.append(
            f"| `{message.path}` | {message.direction.value} | {kept} | {_first(message.model)} |"
            f" [{message.schema}](mqtt/{name}.schema.json) |"
        )
    for name, message in MESSAGES.items():
        for title, model in ((message.schema, message.model), (f"{name}.body/{VERSION}", message.signed)):
            if model is None:
                continue
            lines += ["", f"### {title}", "", _told(model), "", "| field | type | |", "|---|---|---|"]
            schema = model.model_json_schema()
            for field, about in schema["properties"].items():
                need = "" if field in schema.get("required", ()) else " (optional)"
                lines.append(f"| `{field}` | {_type(about)}{need} | {about.get('description', '')} |")
    return "\n".join(lines)


def _first(model: type[Any]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]


def _told(model: type[Any]) -> str:
    return re.sub(r"\n    ", "\n", (model.__doc__ or "").strip()).replace("``", "`")


def _type(about: dict[str, Any]) -> str:
    if "anyOf" in about:
        return " or ".join(_type(one) for one in about["anyOf"])
    if "$ref" in about or "allOf" in about:
        return str(about.get("$ref") or about["allOf"][0]["$ref"]).rpartition("/")[2]
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    if "const" in about:
        return f"`{about['const']}`"
    if about.get("type") == "array":
        return f"list of {_type(about.get('items', {}))}"
    return str(about.get("type", "any"))


def files() -> dict[str, str]:
    """Every file below ``docs/mqtt`` by its name."""
    made = {
        f"{name.partition('/')[0]}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in schemas().items()
    }
    return made | {"asyncapi.json": json.dumps(asyncapi(), indent=1, ensure_ascii=False) + "\n"}


def page(text: str) -> str:
    """``docs/mqtt.md`` with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{tables()}\n{END}{after}"


def main(docs: Path) -> None:
    """Write them below the folder *docs*."""
    (docs / "mqtt").mkdir(exist_ok=True)
    for name, text in files().items():
        (docs / "mqtt" / name).write_text(text, "utf-8")
    path = docs / "mqtt.md"
    path.write_text(page(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
