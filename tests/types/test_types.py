"""Types as a user of the library sees them: a consumer's file under two checkers, and how complete they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CONSUMER = Path(__file__).with_name("consumer.py")
#: Of the exported names, those whose type every checker sees alike.
COMPLETE = 0.98

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which ``sunmi_ipc`` is a package like any other, as after an installation."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "sunmi_ipc").symlink_to(ROOT / "sunmi_ipc")
    return folder


def check(tool: str, *args: str, installed: Path) -> subprocess.CompletedProcess[str]:
    found = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    if found is None:
        pytest.skip(f"{tool} is not installed (extra dev)")
    return subprocess.run(
        [found, *args],
        capture_output=True,
        text=True,
        cwd=installed,
        env=os.environ | {"PYTHONPATH": str(installed), "MYPYPATH": str(installed)},
        timeout=300,
    )


def test_a_consumer_under_mypy_strict(installed: Path) -> None:
    done = check(
        "mypy", "--strict", "--cache-dir", str(installed / "cache"), str(CONSUMER), installed=installed
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_consumer_under_pyright(installed: Path) -> None:
    shutil.copy(CONSUMER, installed / "consumer.py")
    done = check("basedpyright", "--level", "error", "consumer.py", installed=installed)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_of_all_public_names_are_complete(installed: Path) -> None:
    done = check(
        "basedpyright", "--verifytypes", "sunmi_ipc", "--ignoreexternal", "--outputjson", installed=installed
    )
    report: dict[str, Any] = json.loads(done.stdout)["typeCompleteness"]
    counts = report["exportedSymbolCounts"]
    assert counts["withKnownType"] > 3000
    unknown = [s["name"] for s in report["symbols"] if s["isExported"] and not s["isTypeKnown"]]
    assert report["completenessScore"] >= COMPLETE, unknown


@pytest.mark.parametrize("line", ["from sunmi_ipc import Camra", "from sunmi_ipc.events import Sppol"])
def test_a_misspelt_name_is_found(installed: Path, tmp_path: Path, line: str) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(line + "\n")
    done = check("mypy", "--strict", "--cache-dir", str(installed / "cache"), str(wrong), installed=installed)
    assert done.returncode == 1
    assert "has no attribute" in done.stdout
