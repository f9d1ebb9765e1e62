"""A site of virtual cameras, and the runs over it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sunmi_ipc.fleet.journal import Journal
from sunmi_ipc.fleet.outcome import Outcome
from sunmi_ipc.fleet.run import run
from sunmi_ipc.fleet.sitefile import load
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera, start_cameras

POLICY = """\
[apply]
deadline = 20
find = 5
restart = 3
settle = 0.6
activations_per_minute = 60000
"""


class Shop:
    """Virtual cameras, a site file, its journal."""

    def __init__(self, folder: Path, vendor: Vendor, cameras: list[VirtualCamera]) -> None:
        self.folder, self.vendor, self.cameras = folder, vendor, cameras
        self.site, self.journal = folder / "site.toml", folder / "site.journal"
        self.settings = Settings.load(environment=vendor.environment())

    def write(self, body: str, *, policy: str = POLICY, entries: bool = True) -> Path:
        """Write the site file: *body*, and an entry with the serial number of each camera."""
        listed = "".join(f'[[cameras]]\nsn = "{c.sn}"\n' for c in self.cameras) if entries else ""
        self.site.write_text(policy + body + "\n" + listed, "utf-8")
        return self.site

    def run(self, *, apply: bool = True, **options: Any) -> dict[str, Outcome]:
        """One run; outcomes by key."""
        loaded = load(self.site, inline_secrets=True)
        with Journal(self.journal, write=apply) as journal:
            outcomes = run(loaded, self.settings.connect, journal, apply=apply, interfaces=["lo"], **options)
            return {outcome.key: outcome for outcome in outcomes}

    def counts(self, *paths: str) -> list[tuple[int, ...]]:
        """How often each camera carried the calls out."""
        return [tuple(c.state.counts.get(path, 0) for path in paths) for c in self.cameras]


@pytest.fixture
def shop(vendor: Vendor, tmp_path: Path) -> Iterator[Callable[..., Shop]]:
    """Make a shop: ``shop(3, state="factory")``."""
    running: list[VirtualCamera] = []

    def make(count: int, **options: Any) -> Shop:
        made = start_cameras(
            vendor, count, first=300 + secrets.randbelow(59_700), port=0,
            **{"state": "factory", "people": 0, "seed": secrets.randbits(48)} | options,
        )  # fmt: skip
        for camera in made:
            camera.state.format_s = camera.state.join_s = 0.2
        running.extend(made)
        return Shop(tmp_path, vendor, made)

    yield make
    for camera in running:
        camera.close()
