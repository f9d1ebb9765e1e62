"""The station file's JSON Schema, for editors; ``python -m sunmi_ipc.station.file_schema`` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("station.schema.json")


def make() -> str:
    """The schema, made from the model."""
    from .file import StationFile

    schema = StationFile.model_json_schema(by_alias=True)
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"


def shipped() -> str:
    """The schema as it is installed; a test holds it equal to :func:`make`."""
    return FILE.read_text("utf-8")


if __name__ == "__main__":
    FILE.write_text(make(), "utf-8")
