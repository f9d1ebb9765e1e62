"""``ipc configure``."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from sunmi_ipc.errors import ConfigError, ParameterError, SunmiIpcError
from sunmi_ipc.i18n import tr

from ..screen.output import agreed, fields, is_terminal, note, print_error, print_json, say
from ..state import Exit, State, exit_code

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def configure(
    ctx: typer.Context,
    show: Annotated[bool, typer.Option("--show", help=tr("Show the profile, secrets masked."))] = False,
    from_: Annotated[
        str, typer.Option("--from", metavar="DIR", help=tr("The folder that the vendor handed out."))
    ] = "",
    from_environment: Annotated[
        bool,
        typer.Option("--from-env", help=tr("Take everything from the environment instead of asking for it.")),
    ] = False,
    file_secrets: Annotated[
        bool,
        typer.Option("--secrets-in-file", help=tr("Keep secrets in the profile (mode 0600) without asking.")),
    ] = False,
) -> None:
    """Keep credentials in a profile, so that no command needs them again."""
    from sunmi_ipc.redact import redact
    from sunmi_ipc.settings import SECRETS, Settings, profile_path, read_profile

    from .handout import hand_out
    from .questions import QUESTIONS, ask_all, checked

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
    if not from_environment and not is_terminal():
        raise ParameterError(
            "{name}: there is no terminal to ask on",
            name="configure",
            hint="Set the SUNMI_IPC_… variables and say --from-env.",
        )
    values: dict[str, Any] = read_profile(name, must_exist=False)
    found = hand_out(state, from_) if from_ else {}
    values |= found
    left: SunmiIpcError | None = None
    if from_environment:
        environment = {k: v for k, v in os.environ.items() if k != "SUNMI_IPC_PROFILE"}
        loaded = Settings.load("", environment=environment)
        values |= {key: v for key in QUESTIONS if (v := getattr(loaded, key))}
        values |= {key: checked(key, values[key]) for key in QUESTIONS if values.get(key)}
        _open(values)
    else:
        left = ask_all(state, values, found)
    if state.lang:
        values["lang"] = state.lang
    if values.get("p12") and left is None:
        note(
            state, "The client certificate opens; it is valid until {date}.", date=f"{_open(values):%Y-%m-%d}"
        )
    _keep(state, name, values, file_secrets, left)


def _open(values: dict[str, Any]) -> Any:
    """Until when the client certificate is valid; its password is kept as it opens it.

    Raises:
        TlsError: It does not open, or is not valid today.

    """
    from sunmi_ipc.link.tls import ClientCertificate

    from .questions import opens

    if not values.get("p12"):
        return None
    values["p12_password"], problem = opens(values["p12"], values.get("p12_password", ""))
    if problem is not None:
        raise problem
    return ClientCertificate.load(values["p12"], values["p12_password"]).not_after


def _keep(
    state: State, name: str, values: dict[str, Any], file_secrets: bool, left: SunmiIpcError | None
) -> None:
    """Write the profile, and say what is not in it.

    Raises:
        typer.Exit: Secrets were not kept, or something is left to be mended.

    """
    from sunmi_ipc.settings import SECRETS, system_keyring, write_profile

    from .questions import NAMES

    secrets = [key for key in sorted(SECRETS) if values.get(key)]
    in_keyring = system_keyring() is not None and not file_secrets
    declined = (
        bool(secrets)
        and not in_keyring
        and not file_secrets
        and is_terminal()
        and not agreed(
            tr("There is no system keyring. Keep the secrets in a file that only you can read?"), default=True
        )
    )
    kept = {key: value for key, value in values.items() if not (declined and key in SECRETS)}
    try:
        written = write_profile(name, kept, use_keyring=in_keyring)
    except ConfigError as error:
        if not (in_keyring and secrets and is_terminal() and error.template.startswith("the system keyring")):
            raise
        print_error(state, error)  # and nothing that was typed is lost
        question = tr("Keep the secrets in a file that only you can read instead?")
        declined = not agreed(question, default=True)
        kept = {key: value for key, value in values.items() if not (declined and key in SECRETS)}
        written = write_profile(name, kept, use_keyring=False)
    lost = secrets if declined else []
    if state.json:
        print_json({"profile": name, "path": str(written), "not_saved": lost})
    if lost:
        note(
            state,
            "NOT saved: {names}. Without them no call is signed: run 'ipc configure' again, or set {variables}.",
            names=", ".join(tr(NAMES[key]) for key in lost),
            variables=", ".join(f"SUNMI_IPC_{key.upper()}" for key in lost),
        )
        raise typer.Exit(Exit.USAGE)
    missing = [key for key in ("app_id", "secret_key", "p12", "p12_password") if not values.get(key)]
    if left is not None:
        missing = missing or ["p12"]
    if values.get("p12") and "p12_password" in values:  # an empty one that opens it
        missing = [key for key in missing if key != "p12_password"]
    if missing:
        note(
            state,
            "Profile {name} written to {path}, still without: {names}. 'ipc configure' asks again.",
            name=name,
            path=str(written),
            names=", ".join(tr(NAMES[key]) for key in missing),
        )
    else:
        flag = "" if name == "default" else f"-p {name} "
        say(
            state,
            "Profile {name} written to {path}. Next: 'ipc {flag}doctor', then 'ipc {flag}scan'.",
            name=name,
            path=str(written),
            flag=flag,
        )
    if left is not None:
        raise typer.Exit(exit_code(left))
