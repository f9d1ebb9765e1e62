"""The console behind one port: pages, pictures, the live stream, the door."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigError, ExtraMissingError, ParameterError
from ..settings import Settings, config_dir, state_dir
from ..station.audit import Audit as StationAudit
from ..station.live.unsent import keep_little_unsent
from ..station.store import Store
from .certificate import certificate, fingerprint_of, names_in, own_names
from .desk import Audit, Desk
from .gate import Gate
from .head import Head
from .roles import Role
from .rollout import Rollout
from .siting import kept
from .state import Console, MemoryAudit, serve

if TYPE_CHECKING:
    from fastapi import FastAPI

PORT = 8500
#: How long it is known who did what.
AUDIT_S = 366 * 86_400.0
#: How long what NiceGUI keeps of a browser's tab outlives it.
TAB_S = 120.0
STATIC = Path(__file__).parent / "static"


def build(console: Console, app: FastAPI | None = None) -> FastAPI:
    """The application: doors and pictures here, pages by NiceGUI.

    Args:
        console: What it shows.
        app: What else is served there; default: nothing.

    Raises:
        ExtraMissingError: The extra ``console`` is not installed.

    """
    try:
        from fastapi import FastAPI
        from nicegui import Client, core, ui
        from nicegui import app as pages
    except ImportError:
        raise ExtraMissingError(
            "this needs the library {library}, which is not installed",
            extra="console",
            library="NiceGUI",
        ) from None
    from starlette.staticfiles import StaticFiles

    from . import door, pictures, said
    from .pages import routes

    serve(console)
    # Every address that is not there would be a line on the terminal, as whoever asked has written it.
    logging.getLogger("nicegui").setLevel(logging.ERROR)
    app = app or FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/static/console", StaticFiles(directory=STATIC), name="console-static")
    door.mount(app, console)
    pictures.mount(app, console)
    routes.load()
    said.guard(core.sio, Client.instances.get)
    style, script = ((STATIC / name).read_text("utf-8") for name in ("console.css", "live.js"))
    # A store for each browser tab, of which nothing is used here: NiceGUI keeps each for thirty days.
    pages.storage.max_tab_storage_age = TAB_S
    # Before NiceGUI's own compression, which run_with puts around it.
    pages.add_middleware(said.Uploads, pages=Client.instances.get)
    pages.add_middleware(Head, html=f"<style>{style}</style><script>{script}</script>")
    ui.run_with(
        app,
        title="sunmi-ipc",
        favicon=STATIC / "icon.svg",
        dark=None,
        language="en-US",
        viewport="width=device-width, initial-scale=1, viewport-fit=cover",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=20.0,
        binding_refresh_interval=0.5,
    )
    return app


class Server:
    """A console that listens; a context manager.

    Args:
        settings: Credentials and interfaces.
        port: Where; 0 takes a free one. None: 8500, or a free one where that is taken.
        lan: Listen to the network, with https; else to this computer alone.
        cert, key: Certificate and key (PEM) for https; default: made and kept in the config directory.
        audit: Where it is written who did what; default: ``console.sqlite3`` in the state folder.
        site: A site file for the fleet's page; default: the one that a page has made or taken, if any.
        interval: Seconds between looks for new cameras.

    Attributes:
        url: Where it is.

    Raises:
        ConfigError: The port is taken, or certificate and key do not serve.
        ExtraMissingError: The extra ``console`` is not installed.

    """

    lan: bool
    secure: bool

    def __init__(
        self,
        settings: Settings,
        *,
        port: int | None = None,
        lan: bool = False,
        cert: Path | None = None,
        key: Path | None = None,
        audit: Audit | None = None,
        site: Path | None = None,
        interval: float = 5.0,
    ) -> None:
        if (cert is None) != (key is None):
            raise ParameterError("{name}: needs --cert and --key together", name="--cert")
        self.lan, self.secure = lan, lan or cert is not None
        self.cert, self.key = cert, key
        names = ["localhost", "127.0.0.1"]
        if self.secure:
            if lan:
                names = own_names()
            if cert is None:
                self.cert, self.key = certificate(config_dir() / "console", names)
            else:
                names = list(dict.fromkeys([*names_in(cert), *names]))
            self._check()
        self._listener = _listen("0.0.0.0" if lan else "127.0.0.1", port)  # noqa: S104 - as asked for
        self.port: int = self._listener.getsockname()[1]
        self._store: Store | None = None
        self.audit: Audit = audit or self._kept()
        self.desk: Desk = Desk(settings, self.audit, interval=interval)
        self.console: Console = Console(self.desk, self.audit)
        self.console.site_folder = state_dir() / "console-site"
        if (used := site or kept(self.console.site_folder)) is not None:
            self.console.rollout = Rollout(settings, used)
        scheme = "https" if self.secure else "http"
        reachable = [n for n in names if n not in ("localhost", "127.0.0.1")] if lan else []
        self.url: str = f"{scheme}://{_bracketed((reachable or ['127.0.0.1'])[0])}:{self.port}"
        self.console.base = self.url
        usual = 443 if self.secure else 80
        hosts = {f"{_bracketed(n)}:{self.port}" for n in names}
        if self.port == usual:
            hosts |= {_bracketed(n) for n in names}
        self.app: Gate = Gate(build(self.console), self.console.sessions, hosts, secure=self.secure)
        self._server: Any = None
        self._thread: threading.Thread | None = None

    def _kept(self) -> Audit:
        """The audit on the disk, of a year; in memory where that cannot be had."""
        path = state_dir() / "console.sqlite3"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = Store(path)
        except (ConfigError, OSError):
            return MemoryAudit()
        self._store.tidy([("DELETE FROM audit WHERE at < ?", (time.time() - AUDIT_S,))])
        return StationAudit(self._store)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate; empty without https."""
        return fingerprint_of(self.cert) if self.cert is not None else ""

    def _check(self) -> None:
        assert self.cert is not None
        assert self.key is not None
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.cert, self.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                "certificate and key do not serve: {reason}",
                hint="Both are PEM files, and the key has no password.",
                reason=getattr(error, "strerror", None) or getattr(error, "reason", None) or "unreadable",
            ) from None

    def __enter__(self) -> Server:
        """Listen; returns when it can be reached."""
        import uvicorn

        from ..station.brief import brief
        from ..station.port import WEBSOCKETS, bounded

        self.desk.__enter__()
        brief("uvicorn.error")
        config = uvicorn.Config(
            self.app,
            log_config=None,
            log_level="error",  # what strangers ask for wrongly is no line of a terminal
            access_log=False,
            server_header=False,
            date_header=False,
            **WEBSOCKETS,
            http=bounded(),
            ssl_certfile=str(self.cert) if self.secure else None,
            ssl_keyfile=str(self.key) if self.secure else None,
            timeout_graceful_shutdown=2,
            forwarded_allow_ips="",
            proxy_headers=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([self._listener],), name="console", daemon=True
        )
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.02)
        prepare()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and let go of the cameras."""
        self.console.close()
        if self._server is not None:
            self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(10)
        self._listener.close()
        if self._store is not None:
            self._store.close()

    def wait(self) -> None:
        """Until it ends."""
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(0.5)

    def enter_url(self, role: Role = Role.ADMIN) -> str:
        """A link that lets one in, once, within ten minutes."""
        return self.console.link(role)


def prepare() -> None:
    """Have what the first who looks would wait for imported meanwhile: codecs, pictures, tabs."""
    threading.Thread(target=_import_all, name="console-imports", daemon=True).start()


def _import_all() -> None:
    from importlib import import_module

    from ..video.libraries import library
    from .pages.camera import TABS

    for name in ("av", "PIL.Image"):
        with contextlib.suppress(ExtraMissingError):
            library(name)
    for module, *_ in TABS.values():
        import_module(f"{__package__}.pages.tabs.{module}")


def _listen(host: str, port: int | None) -> socket.socket:
    for wanted in (PORT, 0) if port is None else (port,):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, wanted))
        except OSError as error:
            listener.close()
            reason = error.strerror or type(error).__name__
            continue
        keep_little_unsent(listener)
        listener.listen(128)
        return listener
    raise ConfigError(
        "{address}:{port} cannot be used: {reason}",
        hint="Choose another --port, or end the program that holds it.",
        address=host,
        port=port,
        reason=reason,
    )


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name
