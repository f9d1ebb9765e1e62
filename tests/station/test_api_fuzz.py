"""Thousands of made-up requests against the station's port: no server error, nothing beside the schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.simulator import VirtualCamera

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
@pytest.mark.parametrize("role", ["view", "tune"])
def test_thousands_of_cases(
    serve: Callable[..., Any], virtual: Callable[..., VirtualCamera], kit: Any, tmp_path: Path, role: str
) -> None:
    camera = virtual()
    events = '[events]\nenabled = true\nlisten = "127.0.0.1:0"\n'
    station, ask = serve([camera], more=events, interval=5)
    assert kit.wait_for(lambda: station.status().verdict == "ok")
    # Every request means the camera that is there: a made-up number would only ever be not found.
    document = json.dumps(ask("GET", "/api/v1/openapi.json")[2])
    made = json.loads(document)
    for path in list(made["paths"]):
        if path.endswith("/stream"):
            del made["paths"][path]  # it has no end
        elif "{sn}" in path:
            operations = made["paths"].pop(path)
            for operation in operations.values():
                operation["parameters"] = [p for p in operation.get("parameters", []) if p["name"] != "sn"]
            made["paths"][path.replace("{sn}", camera.sn)] = operations
    schema = tmp_path / "openapi.json"
    schema.write_text(json.dumps(made), "utf-8")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run", str(schema), "--url", ask.base,
            "-H", f"Authorization: Bearer token-of-the-{role}ers" if role == "view" else "Authorization: Bearer token-of-the-tuners",
            "--checks", CHECKS, "--max-examples", "20", "--workers", "1", "--phases", "examples,coverage,fuzzing",
            "--request-timeout", "30", "--no-color", "--suppress-health-check", "all",
        ],
        capture_output=True, text=True, timeout=900, cwd=tmp_path, env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert station.status().verdict in ("ok", "warning", "bad")  # it lives
