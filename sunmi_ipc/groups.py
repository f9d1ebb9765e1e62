"""A camera's groups, for cameras of either colour: they are named here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .protocol.spec import C

if TYPE_CHECKING:
    from .api.detection import Detection
    from .api.device import Device
    from .api.events import Events
    from .api.faces import Faces
    from .api.image import Image
    from .api.lens import Lens
    from .api.network import Network
    from .api.people_flow import PeopleFlow
    from .api.sdcard import SdCard
    from .api.video import Video
    from .api.wifi import Wifi


T = TypeVar("T")


class Groups(Generic[C]):
    """What a camera offers. Each group is imported when it is first used."""

    @cached_property
    def device(self) -> Device[C]:
        """Activation and identity."""
        from .api.device import Device

        return _made(Device, self)

    @cached_property
    def wifi(self) -> Wifi[C]:
        """The network that the camera joins."""
        from .api.wifi import Wifi

        return _made(Wifi, self)

    @cached_property
    def sdcard(self) -> SdCard[C]:
        """The memory card."""
        from .api.sdcard import SdCard

        return _made(SdCard, self)

    @cached_property
    def video(self) -> Video[C]:
        """Live picture and recordings."""
        from .api.video import Video

        return _made(Video, self)

    @cached_property
    def network(self) -> Network[C]:
        """IP settings."""
        from .api.network import Network

        return _made(Network, self)

    @cached_property
    def lens(self) -> Lens[C]:
        """Zoom and focus motors (FS)."""
        from .api.lens import Lens

        return _made(Lens, self)

    @cached_property
    def image(self) -> Image[C]:
        """Night mode, rotation, LED, name."""
        from .api.image import Image

        return _made(Image, self)

    @cached_property
    def detection(self) -> Detection[C]:
        """Motion and sound detection."""
        from .api.detection import Detection

        return _made(Detection, self)

    @cached_property
    def people_flow(self) -> PeopleFlow[C]:
        """Door line, statistics, visitors (FS)."""
        from .api.people_flow import PeopleFlow

        return _made(PeopleFlow, self)

    @cached_property
    def faces(self) -> Faces[C]:
        """Face groups, attributes, faces (FS)."""
        from .api.faces import Faces

        return _made(Faces, self)

    @cached_property
    def events(self) -> Events[C]:
        """What the camera pushes, and where to."""
        from .api.events import Events

        return _made(Events, self)


def _made(group: Callable[[Any], T], camera: Any) -> T:
    """The group of *camera*, whose colour it takes."""
    return group(camera)
