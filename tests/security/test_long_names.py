"""A file's name that no file system takes is a file that is not there, not a failure of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from sunmi_ipc_cli.main import app
from typer.testing import CliRunner

from sunmi_ipc.errors import SunmiIpcError
from sunmi_ipc.station.loading import load

LONG = "9" * 5000


@pytest.mark.parametrize(
    "words",
    [
        ["fleet", "plan", LONG],
        ["serve", LONG],
        ["sites", "plan", LONG],
        ["dump", "--check", LONG],
        ["sim", "start", "--from", LONG],
        ["face", "add", "-g", "VIP", LONG],
        ["events", "replay", "--spool", LONG],
        ["configure", "--from", LONG],
        ["hub", "status", "--database", LONG],
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_commands_say_so(words: list[str]) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code not in (0, None)
    assert done.exception is None or isinstance(done.exception, SystemExit | SunmiIpcError), done.exception
    assert "unexpected" not in done.stderr


def test_a_file_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text(f'[station]\nsite = "a"\ncameras = "{LONG}"\n')
    with pytest.raises(SunmiIpcError, match=r"station\.cameras"):
        load(file)
