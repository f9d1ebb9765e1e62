"""Completion: values that have names, the root's options behind every command, nothing of the user's own touched."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from sunmi_ipc_cli.main import app
from sunmi_ipc_cli.screen.values import cameras, groups, remember_groups
from sunmi_ipc_cli.start import shells
from typer.testing import CliRunner

from sunmi_ipc.discovery import DiscoveredCamera, memory
from sunmi_ipc.settings import config_dir, write_profile

SN = "FS101D8BS00106"


@pytest.fixture(autouse=True)
def known() -> None:
    memory.remember(
        [
            DiscoveredCamera(SN, "127.0.0.9", 443, name="Door"),
            DiscoveredCamera("FS101D8BS00107", "127.0.0.8", 443, name="Front door"),
        ],
        config_dir(),
    )
    write_profile("berlin", {"app_id": "x"}, use_keyring=False)
    remember_groups(["stranger", "regular", "VIP", "two words"])


def completed(line: str) -> list[str]:
    words = line.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "sunmi_ipc_cli"],
        env=os.environ
        | {"_IPC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ipc info -c FS", {SN, "FS101D8BS00107"}),
        ("ipc info -c d", {"Door"}),
        ("ipc -c all image ir o", {"on", "off"}),
        ("ipc -p ", {"berlin"}),
        ("ipc wifi show --profile ", {"berlin"}),
        ("ipc face list -g V", {"VIP"}),
        ("ipc events subscribe fa", {"face"}),
        ("ipc video live --quality ", {"hd", "fhd"}),
        ("ipc help wi", {"wifi"}),
        ("ipc scan --la", {"--lang"}),
        ("ipc wifi set --cam", {"--camera"}),
        ("ipc wifi set --hid", {"--hidden"}),
        ("ipc activate FS101D8BS00106 --js", {"--json"}),
    ],
)  # fmt: skip
def test_values_and_options(line: str, expected: set[str]) -> None:
    assert set(completed(line)) == expected


def test_what_is_remembered() -> None:
    assert ("Door", SN) in cameras()
    assert not [name for name, _ in cameras() if " " in name]  # a shell would take it for two words
    assert groups() == [("stranger", ""), ("regular", ""), ("VIP", "")]
    for name in ("last_scan.json", "groups.json"):
        (config_dir() / name).write_text("{ broken")
    assert cameras() == [("all", "")]
    assert groups() == [("stranger", ""), ("regular", "")]


@pytest.mark.parametrize(("shell", "file"), [("bash", ".bashrc"), ("zsh", ".zshrc")])
def test_only_a_block_of_ours_is_added(
    shell: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    own = b"# mine \xe9\nalias ll='ls -l'\n"
    (tmp_path / file).write_bytes(own)
    for _ in range(2):  # twice is once
        done = CliRunner().invoke(app, ["completion", shell, "--install", "--json"])
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["path"] == str(tmp_path / file)
    written = (tmp_path / file).read_bytes()
    assert written.startswith(own)
    added = written[len(own) :].decode()
    assert added.count("_ipc_completion() {") == 1
    assert "sunmi-ipc" in added
    assert "zstyle" not in added  # how the user's own menus look is his
    assert [path.name for path in tmp_path.iterdir()] == [file]


def test_fish_reads_a_file_for_each_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["completion", "fish", "--install"])
    assert done.exit_code == 0, done.output
    folder = tmp_path / ".config" / "fish" / "completions"
    for name in ("ipc", "sunmi-ipc"):
        text = (folder / f"{name}.fish").read_text()
        assert text.startswith(f"complete --command {name} ")
        assert text.count("complete --command") == 1


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_itself_completes(shell: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person at its prompt, who presses Tab."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert CliRunner().invoke(app, ["completion", shell, "--install"]).exit_code == 0
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("ipc", "sunmi-ipc"):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sunmi_ipc_cli "$@"\n')
        (programs / name).chmod(0o755)
    environment = dict(os.environ) | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm", "PS1": "$ ",
        "PYTHONPATH": str(Path(__file__).parents[2]), "XDG_CONFIG_HOME": str(tmp_path / ".config"),
    }  # fmt: skip
    for line, offered in (
        ("ipc image ir a", "auto"),
        ("sunmi-ipc wifi show --js", "--json"),
        ("ipc -p ber", "berlin"),
        ("ipc face list -g V", "VIP"),
        ("ipc wifi show -c Do", "Door"),
    ):
        child = pexpect.spawn(
            shell, ["-i"], env=environment, dimensions=(24, 100), timeout=60, encoding="utf-8"
        )
        child.expect("[$#>] ")
        child.send(f"{line}\t")
        child.expect(offered)
        child.close(force=True)


def test_scripts_name_both_commands_and_leave_the_rest_alone() -> None:
    for shell in ("bash", "zsh", "fish", "powershell"):
        text = shells.script(shell)
        assert "sunmi-ipc" in text
        assert "ExecutionPolicy" not in text
        assert "PSReadLine" not in text


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_itself_takes_it(tmp_path: Path) -> None:
    script = tmp_path / "c.sh"
    script.write_text(
        f"{shells.script('bash')}\nCOMP_WORDS=(ipc image ir a); COMP_CWORD=3\n"
        f"PATH={Path(sys.executable).parent}:$PATH _ipc_completion ipc\n"
        'echo "${COMPREPLY[@]}"; complete -p ipc sunmi-ipc\n'
    )
    done = subprocess.run(["bash", str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert "_ipc_completion sunmi-ipc" in done.stdout, done.stderr
    if (Path(sys.executable).parent / "ipc").exists():
        assert done.stdout.splitlines()[0] == "auto"
