"""What is installed is what is in the tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    found = {
        ".".join(p.parent.relative_to(ROOT).parts)
        for folder in ("sunmi_ipc", "cli")
        for p in (ROOT / folder).rglob("__init__.py")
    }
    assert {
        name.replace("cli", "sunmi_ipc_cli", 1) if name.startswith("cli") else name for name in found
    } == listed


def test_public_names_are_there() -> None:
    import sunmi_ipc

    for name in sunmi_ipc.__all__:
        assert getattr(sunmi_ipc, name) is not None
    assert set(sunmi_ipc.__all__) <= set(dir(sunmi_ipc))


def test_no_key_in_the_tree() -> None:
    marker = "BEGIN " + "PRIVATE KEY"
    for path in ROOT.rglob("*.py"):
        if ".venv" not in path.parts:
            assert marker not in path.read_text("utf-8"), path
