"""The vendor's hand-out: the client certificate and the CA in a folder."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from sunmi_ipc.errors import ConfigError
from sunmi_ipc.i18n import tr

from ..screen.output import is_terminal, note
from ..screen.paths import typed_path
from ..state import State

_CONTAINERS = (".p12", ".pfx")
_CERTIFICATES = (".crt", ".pem", ".cer", ".der")


def hand_out(state: State, given: str) -> dict[str, str]:
    """Settings ``p12`` and ``ca`` from what the vendor handed out, said on stderr.

    Args:
        state: How the command was called.
        given: The folder, or the client certificate in it, as it was typed.

    Raises:
        ConfigError: There is no such folder, or no client certificate in it, or several and nobody to ask.

    """
    place = typed_path(given)
    folder = place.parent if os.path.isfile(place) and place.suffix.lower() in _CONTAINERS else place
    if not os.path.isdir(folder):
        raise ConfigError(
            "{path} is not a folder", path=str(folder), hint="Unpack what the vendor sent first."
        )
    every = sorted(p for p in folder.rglob("*") if p.is_file() and not _of_a_mac(p.relative_to(folder)))
    containers = [p for p in every if p.suffix.lower() in _CONTAINERS]
    if os.path.isfile(place):
        containers = [place]
    elif named := os.environ.get("SUNMI_IPC_P12"):
        containers = [typed_path(named)]
    certificates = [p for p in every if p.suffix.lower() in _CERTIFICATES]
    if len(containers) > 1 and is_terminal():
        containers = [_pick(containers)]
    if len(containers) != 1:
        raise ConfigError(
            "{count} client certificates (.p12) in {path}, expected one",
            count=len(containers),
            path=str(folder),
            hint="Name it with SUNMI_IPC_P12.",
        )
    found = {"p12": str(containers[0].absolute())}
    authorities = [p for p in certificates if "ca" in p.stem.lower()] or certificates
    if len(authorities) == 1:
        found["ca"] = str(authorities[0].absolute())
    for key, path in found.items():
        note(state, "{key}: {path}", key=key, path=path)
    if "ca" not in found:
        note(state, "No CA certificate is there: each camera is pinned at the first contact.")
    for path in [str(p) for p in every if p.suffix.lower() == ".json" and "postman" in p.name.lower()][:1]:
        note(
            state,
            "The vendor's Postman collection is there, too: 'ipc protocol import-postman {path}' corrects what "
            "we had to infer.",
            path=shlex.quote(path),
        )
    return found


def _of_a_mac(path: Path) -> bool:
    """What a Mac puts beside each file of a zip: its own notes, under the file's name."""
    return "__MACOSX" in path.parts or path.name.startswith("._")


def _pick(containers: list[Path]) -> Path:
    import typer

    for number, path in enumerate(containers, 1):
        typer.echo(f"  {number}  {path}", err=True)
    while True:
        answer = str(typer.prompt(tr("Which one?"), prompt_suffix=" ", err=True)).strip()
        if answer.isdecimal() and len(answer) < 9 and 0 < int(answer) <= len(containers):
            return containers[int(answer) - 1]
