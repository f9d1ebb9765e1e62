"""The page on events: its commands and options exist. (Its Python runs with every page's.)"""

from __future__ import annotations

import re
from pathlib import Path

from sunmi_ipc_cli.main import load

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")


def test_commands_and_options_exist() -> None:
    events, sim = load("events"), load("sim")
    named = set(re.findall(r"ipc (?:-q )?events ([a-z]+)", PAGE))
    assert named <= set(events.commands)
    assert {"listen", "replay", "status", "forget", "subscribe"} <= named
    known = {
        option
        for command in (*events.commands.values(), *sim.commands.values())
        for parameter in command.params
        for option in parameter.opts
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) <= known
