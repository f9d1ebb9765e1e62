"""What is installed is what is in the tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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


def test_the_version_stands_in_one_place() -> None:
    """``sunmi_ipc.__version__``; the project's metadata read it, and the changelog's newest heading says it."""
    import re

    import sunmi_ipc

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert project["project"]["dynamic"] == ["version"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "sunmi_ipc.__version__"}
    headings = re.findall(
        r"^## \[([^\]]+)\](?: - (\d{4}-\d\d-\d\d))?$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == sunmi_ipc.__version__
    assert all(day for _, day in headings[1:])
    pinned = re.compile(rf"(?<![\d.]){re.escape(sunmi_ipc.__version__)}(?![\d.])")
    for pattern in ("cli/**/*.py", "packaging/**/*", ".ci/*", "deploy/**/*"):
        for path in ROOT.glob(pattern):
            if path.is_file() and path != ROOT / "sunmi_ipc" / "__init__.py" and path.suffix != ".json":
                assert not pinned.search(path.read_text("utf-8")), path


def test_every_python_that_is_tried_is_a_classifier() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for minor in (11, 12, 13, 14):
        assert f"Programming Language :: Python :: 3.{minor}" in project["classifiers"]
    assert project["requires-python"] == ">=3.11"


@pytest.mark.slow
def test_the_wheel_is_the_same_twice(tmp_path: Path) -> None:
    """From two copies with other times, at two moments: byte for byte. Modes are made alike by packaging/release."""
    pytest.importorskip("build", reason="build is not installed (extra dev)")
    made = []
    for number in (1, 2):
        copy = tmp_path / str(number)
        for name in ("pyproject.toml", "README.md", "LICENSE", "sunmi_ipc", "cli"):
            source = ROOT / name
            for path in [source, *source.rglob("*")] if source.is_dir() else [source]:
                if path.is_file() and "__pycache__" not in path.parts:
                    target = copy / path.relative_to(ROOT)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)
                    target.chmod(0o644)
                    os.utime(target, (1_700_000_000 + number, 1_700_000_000 + number))
        done = subprocess.run(
            [sys.executable, "-m", "build", "--wheel", "--outdir", str(copy / "out"), str(copy)],
            env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"}, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        if (
            done.returncode
            and "setuptools" in done.stdout + done.stderr
            and "No matching distribution" in done.stdout + done.stderr
        ):
            pytest.skip("no package index in reach")
        assert done.returncode == 0, done.stderr
        made += (copy / "out").glob("*.whl")
    assert made[0].name == made[1].name
    assert made[0].read_bytes() == made[1].read_bytes()
