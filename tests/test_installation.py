"""What an error says about a missing extra is a command that adds it here, and asks no stranger for it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import pytest

from sunmi_ipc import installation
from sunmi_ipc.errors import ExtraMissingError
from sunmi_ipc.installation import CLOSED, MARKER, RUN, Way, advice, command

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DEPENDENCIES = PROJECT["dependencies"]


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own to stand in."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    return tmp_path


@pytest.fixture
def came_from(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, object]], None]]:
    def told(document: dict[str, object]) -> None:
        class Here:
            requires = metadata.requires("sunmi-ipc")

            def read_text(self, name: str) -> str:
                assert name == "direct_url.json"
                return json.dumps(document)

        installation._direct_url.cache_clear()
        monkeypatch.setattr(installation.metadata, "distribution", lambda name: Here())

    yield told
    installation._direct_url.cache_clear()


def test_what_an_extra_needs_is_what_was_declared() -> None:
    found = installation.extras()
    assert {"console", "excel", "video", "test"} <= set(found) <= set(EXTRAS)
    assert found["excel"] == tuple(EXTRAS["excel"])
    assert set(EXTRAS["video"]) <= set(found["console"])
    assert not [r for needed in found.values() for r in needed if r.startswith("sunmi-ipc")]


def test_from_a_folder(prefix: Path, came_from: Callable[[dict[str, object]], None], tmp_path: Path) -> None:
    folder = tmp_path / "my cameras"
    folder.mkdir()
    came_from({"url": folder.as_uri(), "dir_info": {}})
    assert command("video") == f'{sys.executable} -m pip install "{folder}[video]"'
    came_from({"url": folder.as_uri(), "dir_info": {"editable": True}})
    assert command("video") == f'{sys.executable} -m pip install -e "{folder}[video]"'
    folder.rmdir()
    assert command("excel") == f'{sys.executable} -m pip install "{EXTRAS["excel"][0]}"'


@pytest.mark.parametrize(
    ("told", "named"),
    [
        (
            {"url": "https://h.example/s.zip", "archive_info": {}},
            "sunmi-ipc[video] @ https://h.example/s.zip",
        ),
        (
            {"url": "https://joe:pw12345@h.example/s.zip", "archive_info": {}},
            "sunmi-ipc[video] @ https://h.example/s.zip",
        ),
        (
            {"url": "https://h.example/s.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "sunmi-ipc[video] @ git+https://h.example/s.git@abc",
        ),
    ],
)
def test_from_an_address(
    prefix: Path, came_from: Callable[[dict[str, object]], None], told: dict[str, object], named: str
) -> None:
    came_from(told)
    assert command("video").endswith(f' -m pip install "{named}"')


def test_a_folder_that_a_shell_would_read_is_quoted(
    prefix: Path, came_from: Callable[[dict[str, object]], None], tmp_path: Path
) -> None:
    folder = tmp_path / "a$HOME`b`"
    folder.mkdir()
    came_from({"url": folder.as_uri(), "dir_info": {}})
    assert shlex.split(command("video"))[-1] == f"{folder}[video]"


def test_each_way_has_its_command(prefix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert installation.way() is Way.PIP
    monkeypatch.setattr(installation, "find_spec", lambda name: None)
    assert installation.way() is Way.UV
    assert command("excel").startswith(f"uv pip install --python {sys.executable} ")
    (prefix / "pipx_metadata.json").touch()
    assert command("excel") == f'pipx inject {prefix.name} "{EXTRAS["excel"][0]}"'
    (prefix / "uv-receipt.toml").write_text(
        f"""[tool]\nrequirements = [{{ name = "sunmi-ipc", extras = ["mqtt"], directory = "{ROOT}" }}, """
        '{ name = "idna", specifier = ">=3" }]\n'
    )
    assert command("excel") == f'uv tool install --force "{ROOT}[mqtt,excel]" --with "idna>=3"'
    (prefix / "uv-receipt.toml").write_text("broken = [")
    assert command("excel").startswith("uv pip install --python ")
    (prefix / MARKER).touch()
    assert (installation.way(), command("excel")) == (Way.SYSTEM, "")
    assert advice("excel") == {"hint": CLOSED, "install": ""}
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert installation.way() is Way.SINGLE


def test_the_error_carries_the_command() -> None:
    error = ExtraMissingError(
        "this needs the library {library}, which is not installed", extra="video", library="x"
    )
    assert error.hint == f"Run: {command('video')}"
    assert error.localized("zh")[1] == f"请运行：{command('video')}"
    assert RUN in str(installation.advice("video"))


def test_no_command_in_the_tree_names_the_project_on_an_index() -> None:
    """Until the name is ours there, whoever takes it would be installed."""
    assert installation.INDEX_NAME == ""
    asked = re.compile(
        r"""(?:(?<!un)install(?! -d)|inject|--with|upgrade|uvx|pipx run)\s[^\n`|]*?(?<![\w/.])['"]?sunmi-ipc(?:\[|['"\s`]|$)(?!\s*@)"""
    )
    looked = 0
    for pattern in (
        "sunmi_ipc/**/*.py",
        "cli/**/*.py",
        "docs/**/*.md",
        "*.md",
        "deploy/**/*",
        "packaging/**/*",
    ):
        for path in ROOT.glob(pattern):
            if path.is_file() and path.suffix not in (".png", ".json"):
                looked += 1
                text = path.read_text("utf-8")
                found = [
                    m[0]
                    for m in asked.finditer(text)
                    if "[{" not in m[0] and " @ " not in text[m.start() : m.end() + 12]
                ]
                assert not found, (path, found)
    assert looked > 300


def _tool(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name) or ""


@pytest.mark.slow
@pytest.mark.index
@pytest.mark.parametrize("how", ["uv", "pipx", "pip", "uv venv"])
def test_the_command_works(how: str, tmp_path: Path) -> None:
    """Installed for real by each tool; what is printed is run, and then the library is there."""
    tool = sys.executable if how == "pip" else _tool(how.split()[0])
    if not tool:
        pytest.skip(f"{how} is not installed (extra dev)")
    source = tmp_path / "source"
    source.mkdir()
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "sunmi_ipc", "cli", "*.toml", "README.md", "LICENSE"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")} | {
        "UV_TOOL_DIR": str(tmp_path / "uv"), "UV_TOOL_BIN_DIR": str(tmp_path / "bin"),
        "PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin"), "PIPX_MAN_DIR": str(tmp_path / "man"),
        "PATH": os.pathsep.join([str(Path(tool).parent), os.environ["PATH"]]),
    }  # fmt: skip

    def run(*line: str) -> str:
        done = subprocess.run(
            line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
        )
        if done.returncode and re.search(r"resolve|connect|fetch|retr", done.stderr):
            pytest.skip("no package index in reach")
        assert done.returncode == 0, done.stderr
        return done.stdout

    python = {
        "uv": tmp_path / "uv" / "sunmi-ipc" / "bin" / "python",
        "pipx": tmp_path / "pipx" / "venvs" / "sunmi-ipc" / "bin" / "python",
    }.get(how, tmp_path / "venv" / "bin" / "python")
    if how in ("uv", "pipx"):
        run(tool, *(["tool"] if how == "uv" else []), "install", str(source))
    elif how == "pip":
        run(tool, "-m", "venv", str(tmp_path / "venv"))
        run(str(python), "-m", "pip", "install", "-q", str(source))
    else:
        run(tool, "venv", "-q", "--python", sys.executable, str(tmp_path / "venv"))
        run(tool, "pip", "install", "-q", "--python", str(python), str(source))
    report = tmp_path / "r.py"
    report.write_text(
        "from sunmi_ipc.errors import ExtraMissingError as E\n"
        "print(E('x', extra='excel').hint.removeprefix('Run: '))\n"
    )
    told = run(str(python), str(report)).strip()
    assert str(source) in told or how == "pipx"
    run("sh", "-c", told)
    assert run(str(python), "-c", "import xlsxwriter, sunmi_ipc; print(sunmi_ipc.__version__)").strip()


def test_a_library_that_is_missing_anywhere_is_told_with_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where nobody foresaw the import."""
    from sunmi_ipc_cli.main import app
    from sunmi_ipc_cli.screen.unforeseen import unforeseen
    from typer.testing import CliRunner

    monkeypatch.setattr(installation, "way", lambda: Way.PIP)
    missing = unforeseen(ModuleNotFoundError("no", name="xlsxwriter.workbook"))
    assert isinstance(missing, ExtraMissingError)
    assert "pip install" in str(missing.hint)
    assert not isinstance(unforeseen(ModuleNotFoundError("no", name="nobody.knows")), ExtraMissingError)
    for name in [name for name in sys.modules if name.partition(".")[0] == "paho"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "paho", None)
    from sunmi_ipc.events import bounded_client

    bounded_client.bounded_client.cache_clear()
    result = CliRunner().invoke(app, ["sim", "sites", "--broker", "mqtt://127.0.0.1:1"], prog_name="ipc")
    assert (result.exit_code, "pip install" in result.output) == (2, True), result.output


@pytest.mark.slow
def test_every_library_of_an_extra_is_known_by_the_name_it_is_imported_under() -> None:
    import ast

    imported: set[str] = set()
    for path in [*(ROOT / "sunmi_ipc").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").partition(".")[0])
    always = {re.match(r"[\w-]+", line)[0].lower() for line in DEPENDENCIES}  # type: ignore[index]
    # typer brings click, pydantic the others.
    own = {"sunmi_ipc", "sunmi_ipc_cli", "click", "annotated_types", "pydantic_core", "typing_extensions"}
    others = {name for name in imported - set(sys.stdlib_module_names) - own if name.lower() not in always}
    assert others | {"psycopg"} == set(installation.BROUGHT_BY)  # which SQLAlchemy imports by its name
    assert set(installation.BROUGHT_BY.values()) <= set(EXTRAS)


@pytest.mark.parametrize("page", ["docs/install.md", "docs/install.zh-CN.md"])
def test_the_page_names_every_extra_and_every_port(page: str) -> None:
    from sunmi_ipc.console.server import PORT as PAGES
    from sunmi_ipc.discovery.packet import PORT as DISCOVERY
    from sunmi_ipc.events.subscription import PORT as EVENTS

    text = (ROOT / page).read_text("utf-8")
    rows = {row.split("|")[1].strip() for row in text.splitlines() if row.startswith("| `")}
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} >= set(EXTRAS)
    for number in (DISCOVERY, EVENTS, PAGES, 443, 5353, 8883):
        assert str(number) in text


@pytest.mark.parametrize(
    ("system", "tools", "said"),
    [
        ("win32", (), "New-NetFirewallRule"),
        ("linux", ("firewall-cmd",), "sudo firewall-cmd --add-port=10001/udp"),
        ("linux", ("ufw", "firewall-cmd"), "sudo ufw allow 10001/udp"),
        ("linux", (), ""),
        ("darwin", (), ""),
    ],
)
def test_a_closed_port_is_told_with_the_command_that_opens_it(
    system: str, tools: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    from types import SimpleNamespace

    from sunmi_ipc.discovery import diagnosis, firewall

    monkeypatch.setattr(firewall, "sys", SimpleNamespace(platform=system))
    monkeypatch.setattr(firewall.shutil, "which", lambda name, path=None: name if name in tools else None)
    assert firewall.opening(10001).startswith(said)
    link = SimpleNamespace(interface=SimpleNamespace(name="eth0", ip="192.0.2.1"), trouble={errno.EPERM: 1})
    (reason,) = diagnosis._firewall(SimpleNamespace(links=[link]))  # type: ignore[arg-type]
    assert (
        reason.localized("en")[1]
        == f"Allow UDP port 10001, out and in{': ' + firewall.opening(10001) if said else '.'}"
    )
    assert reason.localized("zh")[1].startswith("请放行 UDP 端口 10001")
