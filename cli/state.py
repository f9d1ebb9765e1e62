"""What a command needs to know of how it was called."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import TYPE_CHECKING

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import language, later, tr

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera
    from sunmi_ipc.link.trust import KnownCameras
    from sunmi_ipc.settings import Settings


class Exit(IntEnum):
    """Exit codes: a contract with scripts."""

    DONE = 0
    UNEXPECTED = 1
    USAGE = 2
    UNREACHABLE = 3
    TLS = 4
    REFUSED = 5
    NOT_UNDERSTOOD = 6
    SOME_FAILED = 7
    INTERRUPTED = 130


#: The first class that fits decides.
EXITS: tuple[tuple[type[errors.SunmiIpcError], Exit], ...] = (
    (errors.TlsError, Exit.TLS),
    (errors.CertificateMissingError, Exit.TLS),
    (errors.ParameterError, Exit.USAGE),
    (errors.DiskFailed, Exit.UNEXPECTED),  # as CardWriteError: nobody's wrong usage
    (errors.ConfigError, Exit.USAGE),
    (errors.ProvisionError, Exit.UNREACHABLE),
    (errors.StreamShortError, Exit.SOME_FAILED),
    (errors.ConnectionFailed, Exit.UNREACHABLE),
    (errors.DeviceError, Exit.REFUSED),
    (errors.ForbiddenError, Exit.REFUSED),
    (errors.CloudError, Exit.REFUSED),
    (errors.StreamRefusedError, Exit.REFUSED),
    (errors.ReplyError, Exit.NOT_UNDERSTOOD),
    (errors.DownloadError, Exit.SOME_FAILED),
    (errors.SunmiIpcError, Exit.UNEXPECTED),
)


def exit_code(error: errors.SunmiIpcError) -> Exit:
    """The exit code for *error*."""
    return next(code for kind, code in EXITS if isinstance(error, kind))


class _Wrapped(logging.Formatter):
    """What is logged, broken at blanks where a terminal shows it."""

    def __init__(self, template: str, fit: Callable[[str], str]) -> None:
        super().__init__(template)
        self._fit = fit

    def format(self, record: logging.LogRecord) -> str:
        return self._fit(super().format(record))


class _Told(logging.Filter):
    """Has lines of the log in the user's language, where we have them; what the library logs is written in English."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the record's text into the user's language, before its values are filled in."""
        if isinstance(record.msg, str):
            record.msg = tr(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(_in_words(arg) for arg in record.args)
        return True


#: Reasons that stand in the log with their values already.
_MADE = (
    (re.compile(r"exit code (?P<code>-?\d+)"), later("exit code {code}")),
    (re.compile(r"it failed \((?P<kind>\w+)\)"), later("it failed ({kind})")),
)


def _in_words(value: object) -> object:
    """A value of a line of the log: errors, reasons and other texts of ours or the system's in the user's language."""
    if isinstance(value, errors.SunmiIpcError):
        return value.localized(language())[0]
    if isinstance(value, OSError) and value.strerror:
        return tr("{reason}", reason=value.strerror)
    if isinstance(value, Exception):
        value = str(value)
    if isinstance(value, str) and " " in value:  # one word may be somebody's name: what we say has several
        for pattern, template in _MADE:
            if found := pattern.fullmatch(value):
                return tr(template, **found.groupdict())
        return tr(value)
    return value


@dataclass
class State:
    """The options that every command takes, and what follows from them."""

    camera: str = ""
    profile: str = ""
    json: bool = False
    quiet: bool = False
    verbose: int = 0
    insecure: bool = False
    tls: str = ""
    lang: str = ""
    #: Every ``-c``, where several cameras are meant: see :mod:`.many`.
    cameras: tuple[str, ...] = ()
    #: Network interfaces to look at; empty: the environment's, else all.
    interfaces: tuple[str, ...] = ()
    #: What errors call the camera: as the command named it, else the serial number of the one that was found.
    called: str = ""
    #: The camera, where it has been found already.
    found: DiscoveredCamera | None = None
    #: Through a broker instead of the LAN: its URL, the shop, the key that signs.
    via: str = ""
    site: str = ""
    key: str = ""

    @classmethod
    def of(cls, ctx: typer.Context) -> State:
        """The state of this run."""
        state = ctx.find_root().obj
        assert isinstance(state, State)
        return state

    @cached_property
    def settings(self) -> Settings:
        """Options, environment and profile."""
        from sunmi_ipc.settings import Settings

        return Settings.load(
            self.profile,
            insecure=self.insecure or None,
            tls=self.tls,
            via=self.via,
            site=self.site,
            key=self.key,
            interface=",".join(self.interfaces),
        )

    def known_cameras(self) -> KnownCameras:
        """The pinned certificates of this computer."""
        from sunmi_ipc.settings import known_cameras

        return known_cameras()

    def log(self, command: str = "", fit: Callable[[str], str] = str) -> None:
        """Show warnings, with ``-v`` what happens, with ``-vv`` every request, secrets masked.

        What ``-v`` shows is kept for a report, too: see :mod:`.kept_log`.

        Args:
            command: The command's name.
            fit: Breaks a text as the terminal needs it.

        """
        from sunmi_ipc.redact import RedactingFilter

        handler = logging.StreamHandler(sys.stderr)
        handler.addFilter(_Told())
        handler.addFilter(RedactingFilter())
        handler.setFormatter(_Wrapped("%(levelname)s %(message)s" if self.verbose else "%(message)s", fit))
        # What other libraries say has strangers' words in it, too.
        if logging.lastResort is not None:
            logging.lastResort.filters[:] = [RedactingFilter()]
        logger = logging.getLogger("sunmi_ipc")
        for before in logger.handlers:
            before.close()
        logger.handlers[:] = [handler]
        if self.verbose:
            from sunmi_ipc.settings import state_dir

            from .kept_log import KeptLog

            logger.addHandler(KeptLog(state_dir() / "logs", command))
        logger.propagate = False
        level = logging.DEBUG if self.verbose > 1 else logging.INFO if self.verbose else logging.WARNING
        logger.setLevel(logging.ERROR if self.quiet else level)
