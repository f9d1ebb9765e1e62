"""Help and completion pay for nothing heavy."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sunmi_ipc_cli.main import COMMANDS, hoist, load

HEAVY = {"requests", "cryptography", "zeroconf", "sunmi_ipc.models", "numpy", "PIL", "av"}
#: Newer Typers read a command's parameters through pydantic themselves; the root's help stays free of it.
ROOT_HEAVY = HEAVY | {"pydantic", "pydantic_core"}
CODE = """
import sys, json, os
from sunmi_ipc_cli.main import main
sys.argv[1:] = {args}
try:
    main()
except SystemExit:
    pass
sys.stderr.write("MODULES" + json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize(
    ("args", "environment"),
    [
        (["--help"], {}),
        (["--version"], {}),
        (["wifi", "--help"], {}),
        (["sdcard", "format", "--help"], {}),
        ([], {"_IPC_COMPLETE": "complete_bash", "COMP_WORDS": "ipc s", "COMP_CWORD": "1"}),
        ([], {"_IPC_COMPLETE": "complete_bash", "COMP_WORDS": "ipc wifi s", "COMP_CWORD": "2"}),
    ],
)
def test_nothing_heavy_is_imported(args: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(args=args)],
        env=os.environ | environment | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    modules = set(json.loads(done.stderr.partition("MODULES")[2]))
    assert "typer" in modules
    assert not modules & (ROOT_HEAVY if args == ["--help"] else HEAVY)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_loads_and_has_help(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert command.help
    for sub in getattr(command, "commands", {}).values():
        assert sub.help, sub.name
        for parameter in sub.params:
            assert getattr(parameter, "help", None), f"{name} {sub.name} {parameter.name}"


def test_global_options_may_stand_anywhere() -> None:
    assert hoist(["wifi", "show", "--json", "-c", "X"]) == ["--json", "-c", "X", "wifi", "show"]
    assert hoist(["wifi", "set", "S", "--", "--json"]) == ["wifi", "set", "S", "--", "--json"]
    assert hoist(["--camera=X", "info", "-vv"]) == ["--camera=X", "-vv", "info"]
    assert hoist(["info", "-c"]) == ["-c", "info"]
