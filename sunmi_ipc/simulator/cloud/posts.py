"""The virtual cloud's messages: signed forms, posted to whoever has subscribed, later where told so."""

from __future__ import annotations

import contextlib
import heapq
import json
import secrets
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import requests

from ..checks import signature
from .state import Shop

#: Seconds before each repeat of a message that was not taken (D for printers' messages of the same push centre,
#: I for cameras'). Any 2xx takes it.
PAUSES_S = (15.0, 30.0, 60.0, 120.0)


class Later:
    """One thread that does things at their time; what is not due when it is closed is forgotten."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._number, self._change, self._open = count(), threading.Condition(), True
        self._thread: threading.Thread | None = None

    def do(self, action: Callable[[], None], delay: float = 0.0) -> None:
        """Do *action* in *delay* seconds."""
        with self._change:
            if not self._open:
                return
            heapq.heappush(self._due, (time.monotonic() + delay, next(self._number), action))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="virtual-cloud", daemon=True)
                self._thread.start()
            self._change.notify()

    def close(self) -> None:
        """End the thread, once what it does now is done."""
        with self._change:
            self._open = False
            self._change.notify()
        if self._thread is not None:
            self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._change:
                while self._open and (not self._due or self._due[0][0] > time.monotonic()):
                    wait = self._due[0][0] - time.monotonic() if self._due else None
                    self._change.wait(wait)
                if not self._open:
                    return
                action = heapq.heappop(self._due)[2]
            # One callback's trouble is not the next one's.
            with contextlib.suppress(Exception):
                action()


def form(app_id: str, secret_key: str, shop: Shop, event: int, payload: dict[str, Any]) -> dict[str, str]:
    """A message as it is posted."""
    fields = {
        "app_id": app_id,
        "timestamp": str(int(time.time())),
        "random": secrets.token_hex(5),
        "sunmi_shop_no": shop.no,
        "shop_id": shop.shop_id,
        "event": str(event),
        "payload": json.dumps(payload, ensure_ascii=False, separators=(",", ":")),
    }
    return fields | {"sign": signature(fields, secret_key)}


class Posts:
    """Posts messages, tries again where they are not taken.

    Args:
        later: Who does it.
        expose: Whether callbacks beyond this machine are posted to.

    """

    taken: int
    given_up: int

    def __init__(self, later: Later, *, expose: bool = False) -> None:
        self._later, self._expose = later, expose
        self._session = requests.Session()
        self._session.trust_env = False
        #: Seconds before each repeat.
        self.pauses: tuple[float, ...] = PAUSES_S
        #: What became of the messages: taken, refused (given up after some attempts).
        self.taken, self.given_up = 0, 0

    def post(self, url: str, fields: dict[str, str], attempt: int = 1) -> None:
        """Post *fields* to *url*, soon."""
        pause = 0.0 if attempt == 1 else self.pauses[attempt - 2]
        self._later.do(lambda: self._post(url, fields, attempt), pause)

    def _post(self, url: str, fields: dict[str, str], attempt: int) -> None:
        host = urlsplit(url).hostname or ""
        if not (self._expose or host == "localhost" or host.startswith("127.")):
            self.given_up += 1  # a virtual cloud stays on this machine
            return
        try:
            good = (
                self._session.post(url, data=fields, timeout=5, allow_redirects=False).status_code // 100 == 2
            )
        except requests.RequestException:
            good = False
        if good:
            self.taken += 1
        elif attempt <= len(self.pauses):
            self.post(url, fields, attempt + 1)
        else:
            self.given_up += 1

    def close(self) -> None:
        """Close the connections."""
        self._session.close()
