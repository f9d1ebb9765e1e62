"""Answers to libraries that read them whole: within a block, those of this thread have a bound.

Apprise has a hundred plugins, and each reads what its service answers to the end: one that answers for ever fills the
memory of a station that has to run for years.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

#: What a chat or a mail service has to say to us is shorter, in bytes.
LONGEST = 1 << 20
_PIECE = 16_384


class _Bound(threading.local):
    deadline: float | None = None


_BOUND = _Bound()


@cache
def _install() -> None:
    """Have ``requests`` ask for the bound of the thread; without one it does as ever."""
    import requests

    send = requests.Session.send

    def bounded(self: Any, request: Any, **options: Any) -> Any:
        deadline = _BOUND.deadline
        if deadline is None:
            return send(self, request, **options)
        wanted = options.pop("stream", False)
        # Not after a redirection either: what is sent, and the token in the URL, are for one service.
        answer = send(self, request, **options | {"stream": True, "allow_redirects": False})
        if not wanted:
            _read(answer, deadline)
        return answer

    requests.Session.send = bounded  # type: ignore[method-assign]


def _read(answer: Any, deadline: float) -> None:
    """Read the answer, as far as is allowed; raises what ``requests`` raises where a connection breaks."""
    import requests

    content = bytearray()
    for piece in answer.iter_content(_PIECE):
        content += piece
        if len(content) > LONGEST or time.monotonic() > deadline:
            answer.close()
            raise requests.ConnectionError("the answer has no end")
    answer._content, answer._content_consumed = bytes(content), True


@contextlib.contextmanager
def bounded_answers(seconds: float) -> Iterator[None]:
    """Bound what this thread's requests read, in bytes and in time."""
    _install()
    _BOUND.deadline = time.monotonic() + seconds
    try:
        yield
    finally:
        _BOUND.deadline = None
