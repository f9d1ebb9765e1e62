"""What the page on asyncio shows is run as it stands."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def blocks(name: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (DOCS / name).read_text("utf-8"), re.M | re.S)


ENGLISH = blocks("async.md")


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(ENGLISH)))
def test_the_page_runs(number: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ENGLISH[number]],
        capture_output=True, text=True, timeout=120, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_both_languages_show_the_same() -> None:
    assert len(ENGLISH) == 4
    assert blocks("async.zh-CN.md") == ENGLISH
