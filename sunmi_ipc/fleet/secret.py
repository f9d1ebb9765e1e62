"""Secrets by reference: ``env:NAME``, ``keyring:SERVICE/USER``, ``file:PATH``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import ConfigError, ExtraMissingError
from ..redact import Secret

KINDS = ("env:", "keyring:", "file:")


def is_reference(text: str) -> bool:
    """Whether *text* names a secret instead of being one; empty text is none."""
    return not text or text.startswith(KINDS)


class Secrets:
    """Looks secrets up, each once.

    Args:
        folder: What ``file:`` paths are relative to.
        environment: Default: the process's.

    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._folder = folder
        self._environment = os.environ if environment is None else environment
        self._known: dict[str, Secret] = {}
        #: Whether passwords are sent that no network can have.
        self.as_is = False

    def get(self, reference: str) -> Secret:
        """The secret; text that is no reference is the secret itself.

        Raises:
            ConfigError: It is not there. The reference is named, never the secret.

        """
        if reference not in self._known:
            self._known[reference] = Secret(self._look_up(reference))
        return self._known[reference]

    def _look_up(self, reference: str) -> str:
        kind, colon, name = reference.partition(":")
        if kind + colon not in KINDS:
            return reference
        if kind == "env":
            if not self._environment.get(name):
                raise ConfigError(
                    "the secret {reference} is not there",
                    hint="Set the environment variable {name}.",
                    reference=reference,
                    name=name,
                )
            return self._environment[name]
        if kind == "file":
            path = self._folder / name
            try:
                path = self._folder / Path(name).expanduser()
                # An empty password would join, or open, what should be closed.
                if text := path.read_text("utf-8-sig").rstrip("\r\n"):
                    return text
                raise OSError(0, "empty")
            except (OSError, ValueError, RuntimeError) as error:  # no such user, a NUL in the path, not UTF-8
                raise ConfigError(
                    "the secret {reference} is not there",
                    hint="The file {path} cannot be read: {reason}.",
                    reference=reference,
                    path=str(path),
                    reason=getattr(error, "strerror", None) or type(error).__name__,
                ) from None
        return self._from_keyring(reference, name)

    def _from_keyring(self, reference: str, name: str) -> str:
        try:
            import keyring
        except ImportError:
            raise ExtraMissingError(
                "the secret {reference} needs the system keyring, which is not installed",
                extra="keyring",
                reference=reference,
            ) from None
        service, slash, user = name.rpartition("/")
        try:
            found = keyring.get_password(service, user) if slash else None
        except Exception as error:  # a back-end may raise anything; the keyring is locked, or there is none
            raise ConfigError(
                "the secret {reference} is not there",
                hint="The system keyring does not answer ({reason}). Unlock it, or use env: or file:.",
                reference=reference,
                reason=type(error).__name__,
            ) from None
        if not found:
            raise ConfigError(
                "the secret {reference} is not there",
                hint="Keep it with: keyring set SERVICE USER; and write keyring:SERVICE/USER.",
                reference=reference,
            )
        return str(found)
