"""Where events go: lines of JSON, a command, a web server; for MQTT see :mod:`.mqtt`."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import select
import shlex
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from typing import IO, TYPE_CHECKING

from ..errors import ConfigError, ReplyError
from ..redact import Secret
from .consumer import StoredEvent
from .delivery import Again, Ended, Rejected

if TYPE_CHECKING:
    import requests

#: HTTP statuses that mean "later", for as long as it takes.
_LATER = frozenset({408, 425, 429})
#: Those that are about this one event. Any other may be a proxy's, or a deployment's: it may be over in an hour.
_UNWANTED = frozenset({400, 406, 409, 411, 412, 413, 414, 415, 417, 422, 431})
_PATIENCE_S = 3600.0


class LineSink:
    """Lines, one or more an event, to a stream such as standard output.

    What the stream's encoding cannot write is escaped; only a reader that has gone ends it. Where a disk fills
    up in the middle of a line, the line is gone on with from there.

    Args:
        stream: Where to; not closed here.
        render: An event as text, without the last line break.
        escape: A character that the encoding lacks as characters that it has.
        encoding: Of the bytes, where the stream is a file or a pipe; default: the stream's.

    """

    name: str
    batch: int

    parallel = 1

    def __init__(
        self,
        stream: IO[str],
        render: Callable[[StoredEvent], str],
        *,
        name: str = "lines",
        batch: int = 200,
        escape: Callable[[str], str] = lambda c: c.encode("ascii", "backslashreplace").decode(),
        encoding: str = "",
    ) -> None:
        self.name, self.batch = name, batch
        self._stream, self._render, self._escape = stream, render, escape
        self._closing = False
        self._descriptor = -1
        if os.name == "posix":  # select is for sockets alone elsewhere
            with contextlib.suppress(OSError, ValueError, AttributeError):
                self._descriptor = stream.fileno()
        own = getattr(stream, "encoding", None) or "utf-8"
        self._encoding = (encoding if self._descriptor >= 0 and encoding else "") or own
        self._seqs: list[int] = []
        self._rest = b""  # of the batch that was cut short
        self._within = False  # a line

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Write and flush; a reader that has stopped reading is waited for."""
        seqs = [stored.seq for stored in events]
        try:
            if self._descriptor < 0:
                self._stream.write("".join(self._line(stored) for stored in events))
                self._stream.flush()
                return
            if seqs != self._seqs or not self._rest:
                torn = self._rest.partition(b"\n")
                data = torn[0] + torn[1] if self._within else b""
                data += "".join(self._line(stored) for stored in events).encode(self._encoding)
                self._seqs, self._rest = seqs, data
            self._stream.flush()
            self._write()
        except BrokenPipeError as error:
            raise Ended("the reader has gone") from error
        except OSError as error:  # such as a full disk behind a redirection
            raise Again(error.strerror or type(error).__name__) from error
        except ValueError as error:
            if getattr(self._stream, "closed", False):
                raise Ended("the reader has gone") from error
            raise

    def _line(self, stored: StoredEvent) -> str:
        text = self._render(stored) + "\n"
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return "".join(map(self._writable, text))
        return text

    def _writable(self, char: str) -> str:
        try:
            char.encode(self._encoding)
        except UnicodeEncodeError:
            return self._escape(char)
        return char

    def _write(self) -> None:
        """Write piece by piece, so that a full pipe can be given up: a blocked thread would keep us from ending."""
        while self._rest:
            if self._closing:
                raise Again("closed")
            if select.select([], [self._descriptor], [], 0.2)[1]:
                # A pipe that can be written to takes so much without blocking (POSIX).
                number = os.write(self._descriptor, self._rest[: select.PIPE_BUF])
                if number:
                    self._within = self._rest[number - 1 : number] != b"\n"
                self._rest = self._rest[number:]

    def close(self) -> None:
        """The stream is not ours to close."""
        self._closing = True


class JsonlSink(LineSink):
    """One line of JSON an event, UTF-8; what a stream of another encoding lacks is escaped as JSON does."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(
            stream,
            StoredEvent.as_json,
            name="jsonl",
            escape=lambda c: json.dumps(c)[1:-1],
            encoding="utf-8",
        )
        try:
            if _ends_within_a_line(stream.fileno()):
                stream.write("\n")
        except OSError:  # no descriptor, or a full disk: send will say
            return


def _ends_within_a_line(descriptor: int) -> bool:
    """Whether this is a file whose last line was cut short, as by ``kill -9``: what follows must not be glued to it."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or not status.st_size:
        return False
    with open(f"/dev/fd/{descriptor}", "rb") as file:  # a description of its own: ours only writes
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class ExecSink:
    """Runs a command for each event, the event as one line of JSON on its standard input.

    What the command writes goes to standard error, so that lines of JSON on standard output stay
    clean. An exit code other than 0 is tried again; after the delivery's ``attempts`` the event is
    recorded as given up.

    Args:
        command: The command and its arguments; a text is split as a shell would (on Windows: at blanks outside
            double quotes, backslashes stay), and no shell is run.
        parallel: How many run at once. More than one: they may finish in another order.
        timeout: Seconds a run may take; then it is killed with its children.

    Raises:
        ConfigError: There is no such command.

    """

    parallel: int

    name = "exec"
    batch = 1

    def __init__(self, command: Sequence[str] | str, *, parallel: int = 4, timeout: float = 60.0) -> None:
        try:
            self._command = _split(command) if isinstance(command, str) else list(command)
        except ValueError:
            raise ConfigError("the command's quotes are not closed", hint="Check the command.") from None
        if not self._command or shutil.which(self._command[0]) is None:
            raise ConfigError(
                "the command {command} does not exist or may not be run",
                hint="Give its full path, and check that it is executable.",
                command=self._command[0] if self._command else "",
            )
        self.parallel, self._timeout = parallel, timeout
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._open = True

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Run the command and wait for it."""
        (stored,) = events
        with self._lock:
            if not self._open:
                raise Again("closed")
            try:
                process = subprocess.Popen(  # noqa: S603 - the user's own command
                    self._command, stdin=subprocess.PIPE, stdout=2, start_new_session=True
                )
            except OSError as error:
                raise Again(error.strerror or type(error).__name__) from error
            self._running.add(process)
        try:
            with process:
                try:
                    process.communicate(stored.as_json().encode() + b"\n", timeout=self._timeout)
                except subprocess.TimeoutExpired:
                    _kill(process)
                    raise Rejected("timed out") from None
        finally:
            with self._lock:
                self._running.discard(process)
        if not self._open and process.returncode:
            raise Again("closed")
        if process.returncode:
            raise Rejected(f"exit code {process.returncode}")

    def close(self) -> None:
        """Kill what still runs; its events come again."""
        with self._lock:
            self._open = False
            for process in self._running:
                _kill(process)


def _split(command: str) -> list[str]:
    if os.name != "nt":
        return shlex.split(command)
    return [part.replace('"', "") for part in shlex.split(command, posix=False)]


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


class WebhookSink:
    """Posts each event as JSON to a URL.

    Headers:

    - ``Idempotency-Key``: the event's ``idempotency_key``; the same event may come more than once.
    - ``X-Sunmi-Ipc-Timestamp``: Unix seconds of this attempt.
    - ``X-Sunmi-Ipc-Signature``: with a secret, ``sha256=`` and the hex HMAC-SHA256 under that secret of
      the timestamp, a full stop, and the body. A receiver computes it over the bytes that it got,
      compares in constant time, and refuses timestamps that are minutes old.

    Any 2xx is success. 408, 425, 429, 5xx and broken connections are tried again for as long as it
    takes (``Retry-After`` is kept). 400, 413, 422 and their like are about the event: it is given up after the
    delivery's ``attempts``. Everything else (a redirection, 401, 404, 418) may be the server's trouble: it is
    tried again for an hour.

    Args:
        url: ``http`` or ``https``; redirections are not followed.
        secret: Signs; nothing is signed without.
        parallel: Requests at once. More than one: they may arrive in another order.
        timeout: Seconds to connect, and to wait for each part of the answer.

    Raises:
        ConfigError: Not an http or https URL.

    """

    parallel: int

    name = "webhook"
    batch = 1

    def __init__(self, url: str, *, secret: str = "", parallel: int = 4, timeout: float = 10.0) -> None:
        if not url.lower().startswith(("http://", "https://")):
            raise ConfigError(
                "the webhook is no http or https URL", hint="For example https://example.org/hook."
            )
        self._url, self._secret = url, Secret(secret).reveal().encode()
        self.parallel, self._timeout = parallel, timeout
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def _session(self) -> requests.Session:
        # One session a thread: requests' sessions are not made to be shared.
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            from ..link import web

            session = self._local.session = web.session()
            self._sessions.append(session)
        return session

    def headers(self, body: bytes, stored: StoredEvent, now: float) -> dict[str, str]:
        """The headers of *body*, posted at *now*."""
        stamp = str(int(now))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": stored.key,
            "X-Sunmi-Ipc-Timestamp": stamp,
        }
        if self._secret:
            digest = hmac.new(self._secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
            headers["X-Sunmi-Ipc-Signature"] = f"sha256={digest}"
        return headers

    def send(self, events: Sequence[StoredEvent]) -> None:
        """Post the event."""
        from ..link import web

        (stored,) = events
        body = stored.as_json().encode()
        with web.within(3 * self._timeout, silence=self._timeout):
            self._post(stored, body)

    def _post(self, stored: StoredEvent, body: bytes) -> None:
        import requests

        try:
            answer = self._session().post(
                self._url,
                data=body,
                headers=self.headers(body, stored, time.time()),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,  # only the status matters: a long answer is not read
            )
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
            raise Again("the URL cannot be used", patience=0.0) from None
        except ReplyError:
            raise Again("its answer has no end") from None
        except requests.RequestException as error:
            raise Again(_in_words(error)) from None
        with answer:
            if 200 <= answer.status_code < 300:
                length = answer.headers.get("Content-Length", "")
                if length.isdecimal() and len(length) < 6:
                    with contextlib.suppress(
                        requests.RequestException, ReplyError
                    ):  # delivered it is all the same
                        _ = answer.content  # read, the connection can serve again
                return
            reason = f"HTTP {answer.status_code}"
            if answer.status_code in _LATER or answer.status_code >= 500:
                after = answer.headers.get("Retry-After", "")
                raise Again(
                    reason, float(after) if after.isascii() and after.isdecimal() and len(after) < 6 else None
                )
            if answer.status_code not in _UNWANTED:
                raise Again(reason, patience=_PATIENCE_S)
            raise Rejected(reason)

    def close(self) -> None:
        """Close the connections."""
        for session in self._sessions:
            session.close()


def _in_words(error: Exception) -> str:
    """What went wrong on the way to a web server. Its own text would show the URL, and with it what may be a token."""
    import requests

    causes: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and seen not in causes:
        causes.append(seen)
        inner = next((a for a in seen.args if isinstance(a, BaseException)), None)
        seen = (
            getattr(seen, "reason", None)
            if isinstance(getattr(seen, "reason", None), BaseException)
            else inner
        )
        seen = seen or causes[-1].__cause__ or causes[-1].__context__
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the server's certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS: {(cause.reason or 'it failed').replace('_', ' ').lower()}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
    if any(isinstance(cause, requests.Timeout | TimeoutError) for cause in causes):
        return "no answer in time"
    told = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
    if told:
        return f"no connection: {told}"
    return "the connection was closed without an answer"
