"""Print a constraints file that pins every dependency to the lower bound that pyproject.toml promises."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path


def lower_bounds(pyproject: Path) -> dict[str, str]:
    """The lowest promised version of each dependency, extras and test tools included.

    Raises:
        SystemExit: A dependency has no lower bound.

    """
    project = tomllib.loads(pyproject.read_text("utf-8"))["project"]
    extras = project.get("optional-dependencies", {})
    found: dict[str, str] = {}
    for requirement in [
        *project["dependencies"],
        *(r for name in extras if name != "dev" for r in extras[name]),
    ]:
        name = re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]
        if name == project["name"]:
            continue
        bound = re.search(r">=\s*([0-9][^,; ]*)", requirement)
        if bound is None:
            sys.exit(f"{requirement!r} has no lower bound")
        found[name] = bound[1]
    return found


if __name__ == "__main__":
    for name, version in sorted(lower_bounds(Path(__file__).parents[1] / "pyproject.toml").items()):
        print(f"{name}=={version}")
