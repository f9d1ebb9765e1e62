"""Runs many commands, each in a process of its own, for little: everything is imported once, then forked.

Reads jobs as JSON lines (``args``, ``out``, ``crash``, ``alone``) and writes each one's exit code as a JSON line.
A job that has not ended after ``PATIENCE`` seconds is interrupted as by Ctrl-C, then killed. ``ZYGOTE_PATIENCE`` and
``ZYGOTE_AT_ONCE`` in the environment say otherwise.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import Any

PATIENCE, GRACE = float(os.environ.get("ZYGOTE_PATIENCE", "8")), 12.0
AT_ONCE = int(os.environ.get("ZYGOTE_AT_ONCE", "3"))


def run(job: dict[str, Any]) -> int:
    """Start *job*; the child's process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        out = os.open(job["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.argv = ["ipc", *job["args"]]
        if job.get("crash"):
            from sunmi_ipc.camera import Camera

            def call(self: Camera, *args: Any, **kwargs: Any) -> None:
                raise RuntimeError(f"crashed over {self.credentials.secret_key.reveal()}")  # type: ignore[attr-defined]

            Camera.call = call  # type: ignore[method-assign,assignment]
        from sunmi_ipc_cli.main import main

        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Work off the jobs, a few at a time."""
    import contextlib
    import functools
    import gc
    import importlib
    import pkgutil

    import cryptography.hazmat.primitives.serialization.pkcs12
    import requests
    import rich.traceback
    import sunmi_ipc_cli.main
    import zeroconf

    import sunmi_ipc

    del cryptography, requests, rich, zeroconf
    for package in (sunmi_ipc, sunmi_ipc_cli):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__") and ".simulator" not in module.name:
                with contextlib.suppress(ModuleNotFoundError):  # of an extra that is not installed
                    importlib.import_module(module.name)
    sunmi_ipc_cli.main.load = functools.cache(sunmi_ipc_cli.main.load)
    for name in sunmi_ipc_cli.main.COMMANDS:
        sunmi_ipc_cli.main.load(name)
    # Opened once, too; what the process was told is then forgotten, as masks would hide what a child forgets.
    from sunmi_ipc import redact
    from sunmi_ipc.link import tls

    tls.ClientCertificate.load(os.environ["SUNMI_IPC_P12"], os.environ["SUNMI_IPC_P12_PASSWORD"])
    redact._known = redact._Known()
    gc.freeze()  # a child that collects would copy every page
    jobs = [json.loads(line) for line in sys.stdin]
    running: dict[int, tuple[int, float, bool]] = {}
    waiting = list(range(len(jobs)))
    while waiting or running:
        while waiting and len(running) < (1 if jobs[waiting[0]]["alone"] else AT_ONCE):
            number = waiting.pop(0)
            running[run(jobs[number])] = (number, time.monotonic(), False)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            number, started, interrupted = running.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            took = round(time.monotonic() - started, 1)
            print(
                json.dumps({"job": number, "code": code, "interrupted": interrupted, "s": took}), flush=True
            )
            continue
        now = time.monotonic()
        for pid, (number, started, interrupted) in running.items():
            if now - started > PATIENCE and not interrupted:
                running[pid] = (number, started, True)
                os.kill(pid, signal.SIGINT)
            elif now - started > PATIENCE + GRACE:
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.01)


main()
