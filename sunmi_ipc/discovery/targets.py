"""Addresses to ask one by one, and how fast."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Network

from ..errors import ParameterError

__all__ = ["BLOCK", "BREATH_S", "BURST", "HTTPS", "Pace", "at_once", "expand"]

BLOCK = 1024
"""The largest block, in addresses: a /22."""
HTTPS = 443
_AT_ONCE = 512
BURST, BREATH_S = 16, 0.005  # 3,200 a second: a /24 in 80 ms, a /22 in 320 ms


def expand(targets: Sequence[str]) -> dict[str, int]:
    """Addresses, each once, with the HTTPS port of each.

    Args:
        targets: ``192.168.1.20``, ``192.168.1.0/24``, either with ``:8443`` behind where the HTTPS
            port is not 443. A block has at most 1,024 addresses.

    Raises:
        ParameterError: A target is neither.

    """
    found: dict[str, int] = {}
    for target in targets:
        address, colon, port = target.strip().partition(":")
        try:
            network = IPv4Network(address, strict=False)
        except ValueError:
            network = None
        good = not colon or (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536)
        if network is None or network.num_addresses > BLOCK or not good:
            raise ParameterError(
                "{target}: neither an address nor a block of at most 1,024",
                name="target",
                target=target,
                hint="For example 192.168.1.20 or 192.168.1.0/24.",
            )
        hosts = network.hosts() if network.num_addresses > 1 else iter([network.network_address])
        found |= dict.fromkeys(map(str, hosts), int(port) if port else HTTPS)
    return found


def at_once() -> int:
    """How many connections at a time: many systems allow a process 1,024 files."""
    try:
        import resource
    except ImportError:  # Windows
        return _AT_ONCE
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _AT_ONCE if soft == resource.RLIM_INFINITY else max(16, min(_AT_ONCE, soft // 2))


class Pace:
    """A queue that is worked off in small bursts: a cheap switch drops a flood.

    Args:
        work: Called with each item.

    """

    def __init__(self, work: Callable[[str], object]) -> None:
        self._work, self._queue, self._next = work, deque[str](), 0.0

    def extend(self, items: Iterable[str]) -> None:
        """Queue *items*."""
        self._queue.extend(items)

    def step(self, now: float) -> float | None:
        """Do what is due *now*, seconds by the caller's clock; when to come again, None where nothing is left."""
        if self._queue and now >= self._next:
            for _ in range(min(BURST, len(self._queue))):
                self._work(self._queue.popleft())
            self._next = now + BREATH_S
        return self._next if self._queue else None

    @staticmethod
    def duration(count: int) -> float:
        """Seconds that *count* items take at least."""
        return count / BURST * BREATH_S
