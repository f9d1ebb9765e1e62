"""The station's one port: the API, metrics, health, and the console where it is wanted."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, ExtraMissingError

if TYPE_CHECKING:
    from .station import Station

_log = logging.getLogger("sunmi_ipc")
_START_S, _END_S = 20.0, 5.0


class HttpServer:
    """Serves a station, in a thread of its own, from :meth:`start` until :meth:`close`.

    Args:
        station: It.
        console: Puts the console into the application, where the file wants it (``sunmi_ipc.console.attached``):
            the station knows nothing of pages.

    Raises:
        ExtraMissingError: The extra ``serve`` is not installed.

    """

    def __init__(self, station: Station, console: Callable[[Any, Station], Any] | None = None) -> None:
        try:
            import uvicorn

            from .app import create_app
            from .brief import brief
            from .port import WEBSOCKETS, bounded
        except ImportError as error:
            raise ExtraMissingError(
                "the station's port needs {package}, which is not installed",
                extra="serve",
                hint="Leave [http] out of the station file, or run: {install}",
                package=error.name or "fastapi",
            ) from None
        self._http = station.file.http
        assert self._http is not None
        self.app: Any = create_app(station)
        self._console = None
        if station.file.console.enabled and console is not None:
            self.app = self._console = console(self.app, station)
        folder = station.loaded.path.parent
        certificate = str(folder / self._http.certificate) if self._http.certificate else None
        brief("uvicorn.error")
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="error",  # what strangers ask for wrongly is no line of a terminal
            access_log=False,
            server_header=False,
            proxy_headers=False,
            **WEBSOCKETS,
            timeout_graceful_shutdown=2,
            http=bounded(),
            ssl_certfile=certificate,
            ssl_keyfile=str(folder / self._http.key) if self._http.key else None,
        )
        self._server = uvicorn.Server(config)
        self._thread: threading.Thread | None = None
        self._sockets: list[socket.socket] = []

    def start(self) -> str:
        """Listen. Returns: the base URL.

        Raises:
            ConfigError: The port cannot be listened on.

        """
        from .live.unsent import keep_little_unsent

        assert self._http is not None
        host, _, port = self._http.listen.rpartition(":")
        host = host.removeprefix("[").removesuffix("]")
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            listener = socket.create_server((host, int(port)), family=family, backlog=128)
            keep_little_unsent(listener)
        except OSError as error:
            raise ConfigError(
                "cannot listen on {host} port {port}: {reason}",
                hint="Is the address this computer's, and the port free?",
                host=host,
                port=port,
                reason=error.strerror or str(error),
            ) from None
        self._sockets = [listener]
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": self._sockets}, name="station-http", daemon=True
        )
        self._thread.start()
        for _ in range(int(_START_S / 0.02)):
            if self._server.started or not self._thread.is_alive():
                break
            self._thread.join(0.02)
        scheme = "https" if self._http.certificate else "http"
        shown = f"[{host}]" if ":" in host else host
        return f"{scheme}://{shown}:{listener.getsockname()[1]}"

    def close(self) -> None:
        """Serve no more."""
        if self._console is not None:
            self._console.close()
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_END_S)
        for sock in self._sockets:
            sock.close()
