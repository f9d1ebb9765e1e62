"""A newcomer's way on a fresh Debian 13, by the words of the page on installing and nothing else."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "install.md").read_text("utf-8")


#: What a browser does with the link that the console prints: it sends the code, and gets the first page.
LOOK = """
import re, urllib.parse, urllib.request
base, code = re.search(r"(http\\S+)/enter[?]code=(\\w+)", open("/console").read()).groups()
browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
form = urllib.parse.urlencode({"code": code}).encode()
page = browser.open(urllib.request.Request(base + "/enter", form, {"Origin": base}), timeout=60)
assert page.status == 200 and "nicegui" in page.read().decode().lower()
"""


def lines(title: str) -> list[str]:
    """What the page has one type under *title*."""
    section = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return [
        line
        for block in re.findall(r"^```console\n(.*?)^```", section, re.M | re.S)
        for line in re.findall(r"^\$ (.+)$", block, re.M)
    ]


def walk() -> str:
    """The whole way, as a script; 77 is what a machine without a package registry ends with."""
    packages = re.search(r"`sudo (apt install .+?)`", PAGE.partition("\n## With Python alone\n")[2])
    assert packages
    quick = re.search(r"part of them: `(.+? -m pytest .+?)`", PAGE)
    assert quick
    venv, install, demo = lines("With Python alone")
    extra, console = lines("The console on virtual cameras")
    test, _whole = lines("The tests")
    return f"""
    command -v python3 && {{ echo "there is a Python already"; exit 1; }}
    (apt-get -qq update && DEBIAN_FRONTEND=noninteractive {packages[1].replace("apt install", "apt-get -qq install -y --no-install-recommends")}) >/dev/null 2>&1 || exit 77
    python3 --version
    {venv}
    {install} || exit 77
    {demo}
    echo "== the demo is through"
    {extra} || exit 77
    {console} --no-open --port 0 > /console 2>&1 &
    shown=$!
    for _ in $(seq 120); do grep -q http /console && break; kill -0 $shown; sleep 1; done
    .venv/bin/python - <<'PY'
{LOOK}PY
    kill -TERM $shown; wait $shown || true
    echo "== the console is through"
    {test} || exit 77
    {quick[1]}
    echo "== the tests are through"
    """


def test_the_page_has_the_whole_way() -> None:
    script = walk()
    assert "python3 -m venv .venv" in script
    assert script.index("ipc demo\n") < script.index("ipc demo --console") < script.index("-m pytest")


@pytest.mark.rough  # a system of its own, many minutes
def test_from_nothing_to_the_demo_the_console_and_a_passing_test_run(tmp_path: Path) -> None:
    script = tmp_path / "walk.sh"
    script.write_text(walk(), "utf-8")
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SUNMI_IPC_", "PYTHON", "PYTEST", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        [ROOT / ".ci" / "python-in-chroot", "trixie", script],
        env=clean,
        capture_output=True,
        text=True,
        timeout=3000,
    )
    if done.returncode == 77:
        pytest.skip(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"^Python 3\.13\.", done.stdout, re.M)
    for part in ("the demo is", "the console is", "the tests are"):
        assert f"== {part} through" in done.stdout
