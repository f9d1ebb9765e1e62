"""The README's blocks run as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sunmi_ipc.simulator import VirtualCamera

ROOT = Path(__file__).parents[1]


def blocks(kind: str, page: str = "README.md") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)


def environment() -> dict[str, str]:
    scripts = str(Path(sys.executable).parent)
    return os.environ | {"PATH": scripts + os.pathsep + os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize("code", blocks("python") + blocks("python", "README.zh-CN.md"))
def test_python(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore:Using `httpx`", "-W", "ignore:The anyio", "-c", code], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize(
    ("page", "last"), [("README.md", '"model_name": "FM020"'), ("README.zh-CN.md", "FM020")]
)
def test_shell_tour(tmp_path: Path, page: str, last: str) -> None:
    tour = next(block for block in blocks("sh", page) if "sim start" in block)
    clean = {k: v for k, v in environment().items() if not k.startswith("SUNMI_IPC_")}
    clean["SUNMI_IPC_CONFIG_DIR"] = str(tmp_path / "config")
    done = subprocess.run(
        ["bash", "-e", "-c", "set -m; trap 'kill %1 2>/dev/null' EXIT\n" + tour.replace("--count 3", "--count 3 --port 0")], cwd=tmp_path, env=clean,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert last in done.stdout


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/fleet.md"])
def test_shell_tour_ends_where_the_cameras_do_not_start(tmp_path: Path, page: str) -> None:
    """The file for the environment cannot be written."""
    tour = next(block for block in blocks("sh", page) if "sim start" in block)
    start = "\n".join(tour.splitlines()[:2]).replace("sim.env >", "missing/sim.env >")
    done = subprocess.run(
        ["bash", "-e", "-c", start], cwd=tmp_path, env=environment(),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "missing/sim.env cannot be written" in done.stderr


def test_set_up_is_two_commands_that_hold() -> None:
    """The first two blocks: the install line's extra exists, the demo is a command, the tests are these."""
    install, tests = blocks("sh")[:2]
    assert install.strip() == "python3 -m venv .venv && .venv/bin/pip install --quiet . && .venv/bin/ipc demo"
    assert tests.strip() == '.venv/bin/pip install --quiet ".[test]" && .venv/bin/python -m pytest -q -n 6'
    assert "test = [" in (ROOT / "pyproject.toml").read_text("utf-8")
    assert blocks("sh", "README.zh-CN.md")[:2] == blocks("sh")[:2]


def test_commands_in_the_readme_exist() -> None:
    from sunmi_ipc_cli.main import COMMANDS

    for page in ("README.md", "README.zh-CN.md", "certs/README.md"):
        named = set(re.findall(r"\bipc ([a-z]+)", (ROOT / page).read_text("utf-8")))
        assert named - set(COMMANDS) == set(), page
        assert named


PAGES = sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))


#: A page and its Chinese have the same code: it runs once.
CODE = list(dict.fromkeys(code for page in PAGES for code in blocks("python", page)))


@pytest.mark.parametrize("code", CODE)
def test_every_page(code: str, tmp_path: Path) -> None:
    test_python(code, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["docs/commands.md", "docs/commands.zh-CN.md"])
def test_commands_page(page: str, ready: VirtualCamera, tmp_path: Path) -> None:
    (code,) = blocks("sh", page)
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", code],
        cwd=tmp_path,
        env=environment() | ready.vendor.environment() | {"CAMERA": ready.address},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert '"led_switch": 1' in done.stdout


def test_the_diff_in_contributing_is_the_tree() -> None:
    (diff,) = blocks("diff", "docs/contributing.md")
    parts = re.split(r"^--- .*\n\+\+\+ b/(.*)$", diff, flags=re.M)[1:]
    assert len(parts) == 8
    for name, lines in zip(parts[::2], parts[1::2], strict=True):
        added = "\n".join(line[1:] for line in lines.strip("\n").split("\n"))
        assert added in (ROOT / name).read_text("utf-8"), name
