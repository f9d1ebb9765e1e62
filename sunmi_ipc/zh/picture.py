"""The picture of virtual cameras."""

from __future__ import annotations

ZH: dict[str, str] = {}
