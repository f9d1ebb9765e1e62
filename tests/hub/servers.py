"""A Mosquitto and a PostgreSQL of our own, each on a free port and in a folder of its own; for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.patience import eventually

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def _postgres() -> Path | None:
    """The folder of PostgreSQL's programs, of the newest version there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    if found:
        return found[-1].parent
    place = shutil.which("initdb")
    return Path(place).parent if place else None


POSTGRES = _postgres()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Mosquitto:
    """A broker that keeps what it has acknowledged over a restart."""

    def __init__(self, folder: Path, more: str = "allow_anonymous true\n", *, listener: str = "") -> None:
        assert MOSQUITTO is not None
        self.port = free_port()
        self.folder = folder
        store = folder / "store"
        store.mkdir(parents=True, exist_ok=True)
        self.config = folder / "mosquitto.conf"
        user = "user root\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        self.config.write_text(
            f"per_listener_settings false\nlistener {self.port} 127.0.0.1\n{listener}persistence true\n"
            f"persistence_location {store}/\nautosave_interval 300\nmax_queued_messages 0\nmax_queued_bytes 0\n"
            f"max_inflight_messages 1000\nmax_packet_size 4194304\n{user}{more}"
        )
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> Mosquitto:
        assert MOSQUITTO is not None
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self.config)], stderr=log, stdout=log, preexec_fn=_many_files
            )
        assert eventually(lambda: answers(self.port)), (self.folder / "log").read_text()
        return self

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(60)
            self.process = None

    def __enter__(self) -> Mosquitto:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _many_files() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))


class Postgres:
    """A server; root starts it as the user ``postgres``, as it refuses to run as root."""

    def __init__(self, folder: Path, more: str = "") -> None:
        assert POSTGRES is not None
        self.port = free_port()
        self._root = hasattr(os, "geteuid") and os.geteuid() == 0
        folder.mkdir(parents=True, exist_ok=True)
        if self._root:
            # Its user must be able to reach the folder, and pytest closes its own to all others now and then.
            folder = Path(tempfile.mkdtemp(prefix="sunmi-ipc-postgres-"))
            shutil.chown(folder, "postgres")
        self._folder, self.data, self.log = folder, folder / "data", folder / "postgres.log"
        self._run(
            "initdb",
            "-D",
            str(self.data),
            "-A",
            "trust",
            "-U",
            "hub",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(
                f"\nlisten_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = ''\n"
                f"max_connections = 40\nshared_buffers = 64MB\ntrack_commit_timestamp = on\n{more}"
            )

    def _run(self, name: str, *args: str, check: bool = True) -> None:
        assert POSTGRES is not None
        command = [str(POSTGRES / name), *args]
        options = {"user": "postgres", "group": "postgres", "extra_groups": []} if self._root else {}
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, env=environment, cwd="/", **options
        )  # type: ignore[call-overload]
        if check and done.returncode:
            raise AssertionError(
                f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}{self.log.read_text() if self.log.exists() else ''}"
            )

    @property
    def url(self) -> str:
        return f"postgresql://hub@127.0.0.1:{self.port}/postgres"

    def start(self) -> Postgres:
        self._run("pg_ctl", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "start")
        return self

    def stop(self, how: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-m", how, "stop", check=False)

    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().splitlines()[0])

    def __enter__(self) -> Postgres:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder, ignore_errors=True)


def hub_command(broker: str, database: str, *more: str) -> list[str]:
    """The command of a hub in a process of its own."""
    return [
        sys.executable,
        "-m",
        "sunmi_ipc_cli",
        "--json",
        "hub",
        "--broker",
        broker,
        "--database",
        database,
        *more,
    ]
