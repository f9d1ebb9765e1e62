"""What we depend on is what we use, with lower bounds that CI tries; what the security page claims is tested."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: Where the name of a distribution and that of its module differ.
MODULES = {"paho-mqtt": "paho", "pillow": "PIL"}
#: Imported by us, brought by a dependency whose own interface is made of it.
BROUGHT = {
    "typing_extensions": "pydantic",
    "annotated_types": "pydantic",
    "pydantic_core": "pydantic",
    "starlette": "fastapi",
}
#: Used without an import: pytest loads its plugins, the tools are commands.
PLUGINS = {"pytest-randomly", "pytest-xdist", "httpx"}  # run or imported by others


def name(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0]


def imported(*folders: str) -> set[str]:
    """The top-level modules that the Python files below *folders* import, deferred imports included."""
    return set().union(*map(_imported, folders))


@cache
def _imported(folder: str) -> frozenset[str]:
    found: set[str] = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in _statements(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                found.add(node.module.split(".")[0])
    return frozenset(found)


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Every statement of a file, whatever it stands in; expressions, which hold none, are passed by."""
    todo: list[ast.AST] = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.stmt):
            yield node
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):
            below = getattr(node, name, ())
            todo += below if isinstance(below, list) else ()


#: Imported by others for us: ``zoneinfo`` reads tzdata where the system has none, SQLAlchemy imports psycopg by URL.
DATA = {"tzdata", "psycopg"}


def modules(requirements: Iterable[str]) -> dict[str, str]:
    """Module by distribution, our own extras aside."""
    names = {name(r) for r in requirements} - {PROJECT["name"]}
    return {n: MODULES.get(n, n.replace("-", "_")) for n in names}


def test_every_dependency_is_imported() -> None:
    ours = imported("sunmi_ipc", "cli")
    for distribution, module in modules(PROJECT["dependencies"]).items():
        assert module in ours or distribution in DATA, f"{distribution} is not needed"
    for extra in set(EXTRAS) - {"test", "dev", "docs"}:  # tools, which are run and not imported
        for distribution, module in modules(EXTRAS[extra]).items():
            assert module in ours or distribution in DATA, (
                f"{distribution} of the extra {extra} is not needed"
            )


@pytest.mark.slow
def test_every_test_tool_is_used() -> None:
    ours = imported("tests", "benchmarks", "sunmi_ipc", "cli")
    for distribution, module in modules(EXTRAS["test"]).items():
        assert distribution in PLUGINS or module in ours, f"{distribution} is not needed"


def test_everything_imported_is_declared() -> None:
    declared = set(modules([*PROJECT["dependencies"], *(r for e in EXTRAS.values() for r in e)]).values())
    ours = {"sunmi_ipc", "sunmi_ipc_cli", "cli"}
    foreign = imported("sunmi_ipc", "cli") - set(sys.stdlib_module_names) - declared - ours
    assert foreign <= set(BROUGHT), foreign
    for module in foreign:
        parent = BROUGHT[module]
        brought = {name(r).replace("-", "_") for r in importlib.metadata.requires(parent) or ()}
        assert module in brought


def test_core_dependencies_are_those_that_every_user_needs() -> None:
    assert set(modules(PROJECT["dependencies"])) == {
        "cryptography", "ifaddr", "pydantic", "requests", "rich", "typer", "tzdata", "urllib3", "zeroconf",
    }  # fmt: skip


@pytest.fixture(scope="module")
def lowest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lowest", ROOT / ".ci" / "lowest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_lower_bound_is_tried_by_ci(lowest: ModuleType) -> None:
    bounds = lowest.lower_bounds(ROOT / "pyproject.toml")
    wanted = {
        name(r) for e in ("test", *EXTRAS) if e != "dev" for r in [*PROJECT["dependencies"], *EXTRAS[e]]
    }
    assert set(bounds) == wanted - {PROJECT["name"]}
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert ".ci/lowest.py" in script
    assert "--constraint" in script


def test_a_dependency_without_a_lower_bound_is_refused(lowest: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text('[project]\nname = "x"\ndependencies = ["requests"]\n')
    with pytest.raises(SystemExit, match="no lower bound"):
        lowest.lower_bounds(path)


# -- the page of threats --------------------------------------------------------------------------

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


@pytest.mark.parametrize("page", ["docs/security.md", "SECURITY.md"])
def test_every_test_that_the_page_names_exists(page: str) -> None:
    named = NAMED.findall((ROOT / page).read_text("utf-8"))
    assert named
    for file, function in named:
        assert (ROOT / file).is_file(), file
        if function:
            assert re.search(rf"(?m)^\s*def {function}\(", (ROOT / file).read_text("utf-8")), (file, function)


def test_every_threat_has_a_test() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "security.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| threat", "|---"))
    ]
    assert len(rows) > 15
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 4, row
        assert NAMED.search(cells[3]), row
