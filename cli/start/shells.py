"""Completion scripts of the shells: for ``ipc`` and ``sunmi-ipc``, and for nothing else that the user has."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sunmi_ipc.atomic import whole
from sunmi_ipc.errors import ConfigError, cannot_write

NAMES = ("ipc", "sunmi-ipc")
_BEGIN, _END = "# >>> ipc completion >>>", "# <<< ipc completion <<<"

BASH = """\
_ipc_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _IPC_COMPLETE=complete_bash "$1" ) )
    return 0
}
complete -o default -F _ipc_completion ipc sunmi-ipc"""

ZSH = """\
#compdef ipc sunmi-ipc

_ipc_completion() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _IPC_COMPLETE=complete_zsh ${words[1]})
}

compdef _ipc_completion ipc sunmi-ipc"""

_FISH = {
    name: f"complete --command {name} --no-files --arguments "
    f'"(env _IPC_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args _TYPER_COMPLETE_ARGS=(commandline -cp) {name})" '
    f'--condition "env _IPC_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=is-args _TYPER_COMPLETE_ARGS=(commandline -cp) {name}"'
    for name in NAMES
}
FISH = "\n".join(_FISH.values())

POWERSHELL = """\
$ipcCompletion = {
    param($wordToComplete, $commandAst, $cursorPosition)
    $Env:_IPC_COMPLETE = "complete_powershell"
    $Env:_TYPER_COMPLETE_ARGS = $commandAst.ToString()
    $Env:_TYPER_COMPLETE_WORD_TO_COMPLETE = $wordToComplete
    & $commandAst.GetCommandName() | ForEach-Object {
        $parts = $_ -Split ":::"
        [System.Management.Automation.CompletionResult]::new($parts[0], $parts[0], 'ParameterValue', $parts[1])
    }
    Remove-Item Env:_IPC_COMPLETE, Env:_TYPER_COMPLETE_ARGS, Env:_TYPER_COMPLETE_WORD_TO_COMPLETE
}
Register-ArgumentCompleter -Native -CommandName ipc, sunmi-ipc -ScriptBlock $ipcCompletion"""

_SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL, "pwsh": POWERSHELL}


def script(shell: str) -> str:
    """What the shell has to read."""
    return _SCRIPTS[shell]


def install(shell: str) -> Path:
    """Have the user's shell read it from now on; the file that was written.

    Of what the user has set up himself nothing is changed: a block with marks around it is added to the
    shell's own file, or put anew where it is there already.

    Raises:
        ConfigError: It cannot be written, or the shell does not tell where its file is.

    """
    home = Path.home()
    try:
        if shell == "fish":
            folder = home / ".config" / "fish" / "completions"
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in _FISH.items():  # fish reads a command's file when that command is typed
                with whole(folder / f"{name}.fish") as file:
                    file.write((text + "\n").encode())
            return folder / f"{NAMES[0]}.fish"
        if shell == "bash":
            return _block(home / ".bashrc", BASH)
        if shell == "zsh":
            # compinit is the user's: it is run here only where nothing has done so before.
            ready = "(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n"
            return _block(home / ".zshrc", ready + ZSH.partition("\n\n")[2])
        return _block(_powershell_profile(shell), POWERSHELL)
    except OSError as error:
        raise cannot_write(error.filename or shell, error) from None


def _block(path: Path, text: str) -> Path:
    before = path.read_text("utf-8", "surrogateescape") if path.exists() else ""
    head, marked, rest = before.partition(_BEGIN)
    tail = rest.partition(_END)[2].lstrip("\n") if marked else ""
    if head and not head.endswith("\n"):
        head += "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    with whole(path.resolve(), mode=mode) as file:
        made = f"{head}{_BEGIN}\n{text}\n{_END}\n{tail}"
        file.write(made.encode("utf-8", "surrogateescape"))
    return path


def _powershell_profile(shell: str) -> Path:
    asked = [shell, "-NoProfile", "-Command", "$PROFILE"]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        raise ConfigError(
            "{shell} does not tell where its profile is",
            hint="Print the script with 'ipc completion {shell}' and put it there yourself.",
            shell=shell,
        ) from None
    return Path(done.stdout.strip())
