"""The live picture for many viewers: one RTSP session a camera, however many look.

H.264 is repackaged into fragmented MP4 by PyAV (extra ``video``), never decoded::

    hub = LiveHub()
    with hub.watch("FS101D8BS00106/fhd", lambda: camera.video.live().best()) as viewer:
        for message in viewer:
            print(message.kind, len(message.data))

A newcomer gets the group of pictures that began with the last key frame at once. A viewer that is too
slow loses pictures up to the next key frame, and never holds up the others.
"""

from .boxes import codecs_of, holds_key_frame
from .hub import LiveHub, Message, Viewer
from .packager import Packager, UnsupportedStream
from .stills import Stills

__all__ = [
    "LiveHub",
    "Message",
    "Packager",
    "Stills",
    "UnsupportedStream",
    "Viewer",
    "codecs_of",
    "holds_key_frame",
]
