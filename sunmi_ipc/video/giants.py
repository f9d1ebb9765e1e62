"""How large a picture may be that is unpacked: a few hundred bytes may claim to be one of gigabytes."""

from __future__ import annotations

from typing import Any

from ..errors import ReplyError

#: Cameras have 2 million pixels, telephones 12 and more.
MAX_PIXELS = 50_000_000
#: The same for FFmpeg, which decodes the first picture when it opens a file.
NO_GIANTS = {"max_pixels": str(MAX_PIXELS)}


def no_giants(stream: Any) -> None:
    """Have PyAV's decoder of *stream* refuse pictures of more than :data:`MAX_PIXELS`.

    Raises:
        ReplyError: What describes the stream says so already.

    """
    context = stream.codec_context
    if context.width * context.height > MAX_PIXELS:
        raise ReplyError("the camera's picture has more than {count} pixels", count=MAX_PIXELS)
    context.options = {**context.options, **NO_GIANTS}
