"""Count the rooms, the arrows between them, and the circles, of modules that are imported when another is.

usage: python .ci/rooms.py [PACKAGE ...]    (import-linter's own graph; default: the library and the command line)
"""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter

from grimp import build_graph


def room(module: str) -> str:
    """The folder or module right under the package: ``sunmi_ipc.events`` of ``sunmi_ipc.events.spool``."""
    return ".".join(module.split(".")[:2])


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """One circle after the other, each opened where it was found so that the next shows."""
    edges, found = {k: set(v) for k, v in edges.items()}, []
    while True:
        try:
            TopologicalSorter(edges).prepare()
        except CycleError as error:
            circle = error.args[1]
            found.append(circle)
            edges[circle[1]].discard(circle[0])
        else:
            return found


def main(packages: list[str]) -> None:
    """Print them."""
    for package in packages:
        graph = build_graph(package, include_external_packages=False, exclude_type_checking_imports=True)
        imports = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
        arrows: dict[str, set[str]] = {}
        for module, others in imports.items():
            arrows.setdefault(room(module), set()).update(room(o) for o in others if room(o) != room(module))
        arrows.pop(package, None)  # what a package says to the world is no room
        between = sum(len(to - {package}) for to in arrows.values())
        print(
            f"{package}: {len(graph.modules)} modules, {len(arrows)} rooms, {between} arrows between them, "
            f"{sum(map(len, imports.values()))} imports between modules, {len(circles(imports))} circles of modules, "
            f"{len(circles(arrows))} of rooms"
        )


if __name__ == "__main__":
    main(sys.argv[1:] or ["sunmi_ipc", "sunmi_ipc_cli"])
