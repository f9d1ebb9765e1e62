"""Results of the ``sdcard`` group."""

from __future__ import annotations

from typing import Any

from ..protocol.values import CardStatus
from .base import Reply


class ExternalStorage(Reply):
    """The SD card's state."""

    status: CardStatus

    @property
    def ready(self) -> bool:
        """Whether recordings and faces can be stored."""
        return self.status is CardStatus.NORMAL

    def as_dict(self, *, reveal: bool = False) -> dict[str, Any]:
        """As :meth:`Reply.as_dict`, with the state's name beside its number."""
        return {**super().as_dict(reveal=reveal), "state": self.status.name.lower()}
