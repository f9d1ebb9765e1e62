"""Shop after shop in waves: never more at once than asked, stopping where one fails, going on where it ended."""

from __future__ import annotations

import contextvars
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from ...atomic import whole
from ...errors import ConfigError, ParameterError, SunmiIpcError, cannot_write
from ...lock import try_lock
from .folder import Shop
from .results import ShopResult, Verdict

#: Shops worked on at a time where nobody says how many.
AT_ONCE = 8
_FILE = ".rollout.json"


@dataclass(frozen=True, slots=True)
class Wave:
    """So many shops, or a share of all, or ``all`` that are left (``count`` is infinite)."""

    count: float
    share: bool = False

    @classmethod
    def read(cls, text: str, name: str) -> Self:
        """``5``, ``10%`` or ``all``; raises ParameterError."""
        word = text.strip().lower()
        if word in ("all", "全部", "rest"):
            return cls(math.inf)
        share = word.endswith("%")
        number = word.removesuffix("%").strip()
        if (
            number.isascii()
            and number.isdecimal()
            and len(number) < 9
            and 0 < int(number) <= (100 if share else 1_000_000)
        ):
            return cls(int(number), share)
        raise ParameterError("{name}: not a number of shops", name=name, hint="Write 5, 10% or all.")

    def shops(self, every: int, left: int) -> int:
        """How many of *every* shop, of which *left* have not had their turn."""
        wanted = math.ceil(every * self.count / 100) if self.share else self.count
        return int(min(wanted, left))


def waves(canary: str, then: Sequence[str]) -> list[Wave]:
    """``--canary`` and ``--then`` as waves; without either, one wave of all.

    Raises:
        ParameterError: One of them is no number of shops; ``--then`` stands without ``--canary``.

    """
    if then and not canary:
        raise ParameterError("{name}: needs {other}", name="--then", other="--canary")
    made = [Wave.read(canary, "--canary")] if canary else []
    made += [Wave.read(text, "--then") for text in then]
    return made or [Wave(math.inf)]


def rollout(
    shops: Sequence[Shop],
    work: Callable[[Shop], ShopResult],
    *,
    steps: Sequence[Wave] = (Wave(math.inf),),
    at_once: int = AT_ONCE,
    stop: threading.Event | None = None,
    keep_going: bool = False,
    fine: frozenset[Verdict] = frozenset({Verdict.OK}),
    begin: Callable[[int, Sequence[Shop]], None] = lambda number, of: None,
) -> Iterator[ShopResult]:
    """Work on shops wave by wave; every shop has one result, whatever becomes of it.

    A wave begins when the one before is over and every shop of it is fine. Where one is not, no other shop is
    begun: those under way come to their end, the rest is ``not begun``.

    Args:
        shops: In the order in which they get their turn.
        work: Brings one shop to what is wanted; what it raises is that shop's failure.
        steps: The waves. Shops that no wave takes are not begun.
        at_once: Shops worked on at the same time, at the most.
        stop: Set it to end the run: no other shop is begun.
        keep_going: Go on where a shop fails.
        fine: Verdicts that are no failure.
        begin: Called before each wave with its number, from 1, and its shops.

    """
    if at_once < 1:
        raise ParameterError(
            "{name}: out of bounds", name="at_once", hint="Allowed: {bounds}.", bounds="from 1"
        )
    stop = stop or threading.Event()
    left, failed = list(shops), False
    for number, wave in enumerate(steps, 1):
        if not left or stop.is_set() or (failed and not keep_going):
            break
        count = wave.shops(len(shops), len(left))
        turn, left = left[:count], left[count:]
        begin(number, turn)
        for result in _one_wave(turn, work, min(at_once, len(turn)), stop, fine, keep_going):
            result.wave = number
            failed |= result.verdict not in fine
            yield result
    for shop in left:
        yield ShopResult(shop, skipped=Verdict.NOT_BEGUN)


def _one_wave(
    shops: Sequence[Shop],
    work: Callable[[Shop], ShopResult],
    at_once: int,
    stop: threading.Event,
    fine: frozenset[Verdict],
    keep_going: bool,
) -> Iterator[ShopResult]:
    done: queue.SimpleQueue[ShopResult] = queue.SimpleQueue()
    halt = threading.Event()

    def one(shop: Shop) -> None:
        if halt.is_set() or stop.is_set():
            done.put(ShopResult(shop, skipped=Verdict.NOT_BEGUN))
            return
        result = _guarded(work, shop)
        if result.verdict not in fine and not keep_going:
            halt.set()  # here, and not where results are read: the next shop would have begun by then
        done.put(result)

    with ThreadPoolExecutor(at_once, thread_name_prefix="sites") as pool:
        try:
            for shop in shops:
                pool.submit(contextvars.copy_context().run, one, shop)
            for _ in shops:
                yield done.get()
        except BaseException:
            halt.set()
            stop.set()
            raise


def _guarded(work: Callable[[Shop], ShopResult], shop: Shop) -> ShopResult:
    """What *work* makes of a shop; what it raises is the shop's failure, and ends no other's work."""
    began = time.monotonic()
    if shop.error is not None:
        return ShopResult(shop, error=shop.error)
    try:
        result = work(shop)
    except SunmiIpcError as error:
        result = ShopResult(shop, error=error)
    except Exception as error:
        result = ShopResult(
            shop, error=SunmiIpcError("unexpected failure: {kind}", kind=type(error).__name__)
        )
    result.seconds = time.monotonic() - began
    return result


class RolloutState:
    """Which shops an apply is done with, beside their files, so that the next one goes on where it ended.

    A shop counts as done while its file and the parts that it includes are what they were. Use it as a context
    manager: one apply over a folder at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._lock: IO[bytes] | None = None
        self._done: dict[str, dict[str, Any]] = {}
        self._writing = threading.Lock()

    def __enter__(self) -> Self:
        try:
            self._lock = try_lock(self._path.with_name(self._path.name + ".lock"))
        except BlockingIOError:
            raise ConfigError(
                "another apply is working on {path}", hint="Wait for its end.", path=str(self._path.parent)
            ) from None
        except OSError as error:
            raise cannot_write(self._path, error) from None
        try:
            known = json.loads(self._path.read_text("utf-8"))
            self._done = {
                str(id_): dict(entry) for id_, entry in known["sites"].items() if isinstance(entry, dict)
            }
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self._done = {}  # damaged: every shop is looked at once more, which harms nothing
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._lock is not None:
            self._lock.close()

    def is_done(self, shop: Shop) -> bool:
        """Whether an earlier apply of the same files brought *shop* to what is wanted."""
        entry = self._done.get(shop.id, {})
        return (
            shop.loaded is not None and entry.get("digest") == shop.loaded.digest and entry.get("ok") is True
        )

    def keep(self, result: ShopResult) -> None:
        """Write down what became of a shop; raises ConfigError where that cannot be."""
        if result.skipped is not None or result.shop.loaded is None:
            return
        with self._writing:
            self._done[result.shop.id] = {
                "digest": result.shop.loaded.digest,
                "ok": result.verdict is Verdict.OK,
                "verdict": str(result.verdict),
                "at": round(time.time(), 3),
            }
            text = json.dumps({"version": 1, "sites": self._done}, indent=1, ensure_ascii=False)
            try:
                with whole(self._path) as file:
                    file.write(text.encode())
            except OSError as error:
                raise cannot_write(self._path, error) from None

    def in_turn(self, shops: Sequence[Shop]) -> list[Shop]:
        """*shops* in the order of their turn: those that failed last time first, else as they come."""
        failed = {id_ for id_, entry in self._done.items() if entry.get("ok") is False}
        return sorted(shops, key=lambda shop: shop.id not in failed)
