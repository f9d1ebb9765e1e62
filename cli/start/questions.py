"""What ``ipc configure`` asks, one field at a time: a wrong one is asked again, what was right stays."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import typer

from sunmi_ipc.errors import ConfigError, ParameterError, SunmiIpcError, TlsError
from sunmi_ipc.i18n import later, tr
from sunmi_ipc.redact import Secret
from sunmi_ipc.settings import SECRETS

from ..screen.hidden import hidden
from ..screen.output import print_error
from ..screen.paths import typed_path, unquoted
from ..state import State

#: Setting and question, in the order asked.
QUESTIONS: dict[str, str] = {
    "app_id": later("app_id, from the vendor"),
    "secret_key": later("Secret key, from the vendor"),
    "activation_code": later("Activation code, from the vendor (may be empty)"),
    "p12": later("Path of openapi.p12"),
    "p12_password": later("Password of openapi.p12"),
    "ca": later("Path of sunmi_ipcsdk_ca.crt (empty: pin each camera at first contact)"),
    "shop_no": later("Shop number in the cloud (may be empty)"),
}
#: What a setting is called in a sentence.
NAMES: dict[str, str] = {
    "app_id": "app_id",
    "secret_key": later("secret key"),
    "activation_code": later("activation code"),
    "p12": later("client certificate"),
    "p12_password": later("password of openapi.p12"),
    "rtsp_password": later("RTSP password"),
    "ca": "CA",
    "shop_no": later("shop number"),
}
_PASSWORD_TRIES = 3


def ask_all(state: State, values: dict[str, Any], found: dict[str, str]) -> SunmiIpcError | None:
    """Ask for everything that is not *found* already, into *values*.

    Returns what could not be mended by asking again, such as a certificate that has expired, or a password
    that was wrong three times: the rest is worth keeping.
    """
    left: SunmiIpcError | None = None
    for key in QUESTIONS:
        if key in found or (found and key in ("p12", "ca")):
            continue
        if key == "p12_password":
            left = _ask_password(state, values) if values.get("p12") else None
            continue
        while True:
            typed = None
            try:
                typed = ask(key, values.get(key, ""))
                values[key] = checked(key, typed)
                break
            except SunmiIpcError as error:
                print_error(state, error)
                if typed is not None and typed == values.get(key):
                    values[key] = ""  # what was kept before is wrong by now: not offered again
    return left


def ask(key: str, known: str) -> str:
    """Ask for one setting; Enter keeps what is *known*, a secret is not shown."""
    question = tr(QUESTIONS[key])
    if key in SECRETS:
        kept = f" [{tr('Enter keeps it')}]" if known else ""
        answer = hidden(question + kept)
        return Secret(answer) if answer else known
    return str(typer.prompt(question, default=known, show_default=bool(known), err=True))


def checked(key: str, value: str) -> str:
    """*value* as it is kept: blanks and quotes around it gone, its file looked at.

    Raises:
        ParameterError, ConfigError, TlsError: It cannot be right.

    """
    check = _CHECKS.get(key, _credential)
    return check(key, value) if value.strip() else ""


def _credential(key: str, value: str) -> str:
    text = unquoted("".join(value))
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ParameterError(
            "{what} has a blank or a control character in it",
            name=key,
            what=tr(NAMES.get(key, key)),
            hint="Copy it once more, without what stands around it.",
        )
    return Secret(text) if key in SECRETS else text


def _file(path: Path) -> Path:
    if os.path.isfile(path):
        return path
    if os.path.exists(path):
        raise ConfigError("{path} is no file", path=str(path), hint="Name the file in it.")
    raise ConfigError(
        "there is no file {path}", path=str(path), hint="Drop the file on this window, or paste its path."
    )


def _p12(key: str, value: str) -> str:
    path = typed_path(value)
    if os.path.isdir(path) and len(inside := sorted(path.glob("*.p12"))) == 1:
        path = inside[0]
    with _file(path).open("rb") as file:
        first = file.read(1)
    if first != b"\x30":  # every PKCS#12 file is an ASN.1 sequence
        raise TlsError(
            "{path} is not a PKCS#12 file",
            hint="It is the vendor's openapi.p12; if it was sent as text or as a link, get the file itself.",
            path=str(path),
        )
    return str(path.resolve())


def _ca(key: str, value: str) -> str:
    from sunmi_ipc.link.tls import client_context, read_ca

    path = _file(typed_path(value))
    client_context(None, read_ca(path))
    return str(path.resolve())


_CHECKS: dict[str, Callable[[str, str], str]] = {"p12": _p12, "ca": _ca, "p12_password": lambda key, v: v}


def opens(path: str, password: str) -> tuple[str, SunmiIpcError | None]:
    """The password that opens the client certificate, as it was typed or without what stands around it.

    Returns it with what else is wrong: None, or an error that no other password mends.

    Raises:
        TlsError: None of them opens it.

    """
    from sunmi_ipc.link.tls import ClientCertificate

    typed = "".join(password)
    for spelling in dict.fromkeys((typed, typed.strip(), unquoted(typed))):
        try:
            ClientCertificate.load(path, Secret(spelling))
        except TlsError as error:
            if not wrong_password(error):
                return Secret(spelling), error
            refused = error
        else:
            return Secret(spelling), None
    raise refused


def wrong_password(error: SunmiIpcError) -> bool:
    """Whether another password could mend *error*."""
    return "does not open" in error.template


def _ask_password(state: State, values: dict[str, Any]) -> SunmiIpcError | None:
    """Ask until the client certificate opens; after some tries go on without it."""
    refused: SunmiIpcError | None = None
    for _ in range(_PASSWORD_TRIES):
        try:
            password = ask("p12_password", values.get("p12_password", ""))
        except ParameterError as error:  # it cannot have been meant so
            refused = error
            print_error(state, error)
            continue
        try:
            values["p12_password"], left = opens(values["p12"], password)
            if left is not None:
                print_error(state, left)
            return left
        except TlsError as error:
            refused = error
            print_error(state, error)
            values.pop("p12_password", None)
    return refused
