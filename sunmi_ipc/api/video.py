"""``camera.video``: live picture and recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..spec import DOC, Group, endpoint

if TYPE_CHECKING:
    from ..models import LiveAddress


class Video(Group, name="video"):
    """Live picture and recordings."""

    @endpoint("media/getLiveStream", evidence=DOC, codes={232})
    def live(self) -> LiveAddress:
        """Read the RTSP addresses of the live picture."""
