"""``ipc configure``."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError, ParameterError, TlsError
from sunmi_ipc.i18n import tr

from ..screen.output import agreed, fields, is_terminal, note, print_error, print_json, say
from ..state import State

app = typer.Typer(rich_markup_mode=None, add_completion=False)
_QUESTIONS = (
    ("app_id", "app_id, from the vendor"),
    ("secret_key", "Secret key, from the vendor"),
    ("activation_code", "Activation code, from the vendor (may be empty)"),
    ("p12", "Path of openapi.p12"),
    ("p12_password", "Password of openapi.p12"),
    ("ca", "Path of sunmi_ipcsdk_ca.crt (empty: pin each camera at first contact)"),
    ("shop_no", "Shop number in the cloud (may be empty)"),
)


@app.command()
def configure(
    ctx: typer.Context,
    show: Annotated[bool, typer.Option("--show", help=tr("Show the profile, secrets masked."))] = False,
    from_: Annotated[
        Path | None, typer.Option("--from", metavar="DIR", help=tr("The folder that the vendor handed out."))
    ] = None,
    from_environment: Annotated[
        bool, typer.Option("--from-env", help=tr("Take everything from the environment, ask nothing."))
    ] = False,
    file_secrets: Annotated[
        bool,
        typer.Option("--secrets-in-file", help=tr("Keep secrets in the profile (mode 0600) without asking.")),
    ] = False,
) -> None:
    """Keep credentials in a profile, so that no command needs them again."""
    from sunmi_ipc.link.tls import ClientCertificate, client_context, read_ca
    from sunmi_ipc.redact import redact
    from sunmi_ipc.settings import (
        SECRETS,
        Settings,
        profile_path,
        read_profile,
        system_keyring,
        write_profile,
    )

    state = State.of(ctx)
    name = state.profile or "default"
    path = profile_path(name)
    if show:
        masked = redact(read_profile(name), names=SECRETS)
        if state.json:
            print_json({"profile": name, "path": str(path), **masked})
        else:
            fields({"profile": name, "path": str(path), **masked})
        return
    values = _load(name)
    if from_ is not None:
        values |= _hand_out(state, from_)
    if from_environment:
        loaded = Settings.load("", environment=_environment())
        values |= {key: v for key, _ in _QUESTIONS if (v := getattr(loaded, key))}
    elif is_terminal():
        for key, question in _QUESTIONS:
            values[key] = _ask(tr(question), values.get(key, ""), secret=key in SECRETS)
            if key == "p12_password" and values.get("p12"):
                _try_password(state, values)
    else:
        raise ParameterError(
            "{name}: there is no terminal to ask on",
            name="configure",
            hint="Set the SUNMI_IPC_… variables and say --from-env.",
        )
    if values.get("p12"):
        values["p12"] = str(Path(values["p12"]).expanduser().resolve())
        certificate = ClientCertificate.load(values["p12"], values.get("p12_password", ""))
        note(
            state,
            "The client certificate opens; it is valid until {date}.",
            date=f"{certificate.not_after:%Y-%m-%d}",
        )
    if values.get("ca"):
        values["ca"] = str(Path(values["ca"]).expanduser().resolve())
        client_context(None, read_ca(values["ca"]))
    use_keyring = system_keyring() is not None and not file_secrets
    if not use_keyring and not file_secrets and any(values.get(key) for key in SECRETS):
        if not is_terminal():
            raise ConfigError(
                "there is no system keyring for the secrets",
                hint="Say --secrets-in-file to keep them in a file that only you can read.",
            )
        if not agreed(tr("There is no system keyring. Keep the secrets in a file that only you can read?")):
            for key in SECRETS:
                values.pop(key, None)
    written = write_profile(name, values, use_keyring=use_keyring)
    if state.json:
        print_json({"profile": name, "path": str(written)})
    say(
        state,
        "Profile {name} written to {path}. Next: 'ipc doctor', then 'ipc scan'.",
        name=name,
        path=str(written),
    )


def _load(name: str) -> dict[str, Any]:
    from sunmi_ipc.settings import read_profile

    return read_profile(name, must_exist=False)


def _environment() -> dict[str, str]:
    import os

    return {k: v for k, v in os.environ.items() if k != "SUNMI_IPC_PROFILE"}


def _try_password(state: State, values: dict[str, Any], attempts: int = 3) -> None:
    """Open the client certificate at once; a wrong password is asked for again, nothing else is."""
    from sunmi_ipc.link.tls import ClientCertificate

    path = Path(values["p12"]).expanduser()
    for left in reversed(range(attempts)):
        try:
            ClientCertificate.load(path, values["p12_password"])
            return
        except TlsError as error:
            if not left or "does not open" not in error.template:
                raise
            print_error(state, error)
        values["p12_password"] = _ask(tr("Password of openapi.p12"), "", secret=True)


def _ask(question: str, known: str, *, secret: bool) -> str:
    from sunmi_ipc.redact import Secret

    if secret:
        kept = f" [{tr('Enter keeps it')}]" if known else ""
        answer = typer.prompt(question + kept, default="", hide_input=True, show_default=False, err=True)
        return Secret(answer) if answer else known
    return str(typer.prompt(question, default=known, show_default=bool(known), err=True)).strip()


def _hand_out(state: State, folder: Path) -> dict[str, str]:
    """The p12 and the CA in the vendor's folder."""
    if not folder.is_dir():
        raise ConfigError(
            "{path} is not a folder", path=str(folder), hint="Unpack what the vendor sent first."
        )
    every = sorted(p for p in folder.rglob("*") if p.is_file())
    containers = [p for p in every if p.suffix.lower() in (".p12", ".pfx")]
    certificates = [p for p in every if p.suffix.lower() in (".crt", ".pem", ".cer", ".der")]
    if len(containers) != 1:
        raise ConfigError(
            "{count} client certificates (.p12) in {path}, expected one",
            count=len(containers),
            path=str(folder),
            hint="Name it with SUNMI_IPC_P12.",
        )
    found = {"p12": str(containers[0])}
    authorities = [p for p in certificates if "ca" in p.stem.lower()] or certificates
    if len(authorities) == 1:
        found["ca"] = str(authorities[0])
    for key, path in found.items():
        note(state, "{key}: {path}", key=key, path=path)
    for path in [str(p) for p in every if p.suffix.lower() == ".json" and "postman" in p.name.lower()][:1]:
        note(
            state,
            "The vendor's Postman collection is there, too: 'ipc protocol import-postman {path}' corrects what "
            "we had to infer.",
            path=shlex.quote(path),
        )
    return found
