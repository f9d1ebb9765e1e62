"""A newcomer's way on a fresh Debian 13, by the words of the page on installing and nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WALK = ROOT / ".ci" / "newcomer"


def test_the_page_has_the_whole_way() -> None:
    """What is walked is what the page has one type, line by line, in order."""
    page = (ROOT / "docs" / "install.md").read_text("utf-8")
    way = [
        "python3 -m venv .venv",
        ".venv/bin/pip install .",
        ".venv/bin/ipc demo",
        '.venv/bin/pip install ".[console]"',
        ".venv/bin/ipc demo --console",
        '.venv/bin/pip install ".[test]"',
        ".venv/bin/python -m pytest -q -n 6",
    ]
    shown = subprocess.run([WALK, "--print"], capture_output=True, text=True, check=True).stdout
    at = 0
    for line in way:
        assert f"\n$ {line}\n" in page
        at = shown.index(line, at) + 1
    assert "apt-get -qq install -y --no-install-recommends python3 python3-venv" in shown


@pytest.mark.rough  # a system of its own, many minutes; .ci/run walks it with the whole suite at its end
def test_from_nothing_to_the_demo_the_console_and_a_passing_test_run() -> None:
    done = subprocess.run([WALK, "--quick"], capture_output=True, text=True, timeout=3000)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"^Python 3\.13\.", done.stdout, re.M)
    for part in ("the demo is", "the console is", "the tests are"):
        assert f"== {part} through" in done.stdout
