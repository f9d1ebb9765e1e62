"""Which of those who claim a serial number is the camera.

Anybody in the network can answer under any serial number, and first. So an answer only says where to look;
what is there counts once its certificate is approved: by the pin of an earlier contact, or the vendor's CA.
Where there is neither, this is the first contact, and several claimants are a question for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, Self, TypeVar

from ..deadline import Deadline
from ..errors import ConnectionFailed, TlsError
from ..link.trust import KnownCameras
from .camera import DiscoveredCamera
from .scan import claimed_by_several, not_found

__all__ = ["LINGER_S", "Claims"]

LINGER_S = 0.6
"""How long a first contact listens for a second claimant, in seconds."""
_GREET_S = 5.0
#: Seconds for a look at all of them: whoever claims may also keep silent.
_SETTLE_S = 12.0


class Client(Protocol):
    """What a claim is judged with; see :class:`sunmi_ipc.camera.Camera`."""

    timeout: float

    @property
    def tls(self) -> Any: ...

    def greet(self, timeout: float | None = None) -> str: ...

    def close(self) -> None: ...


C = TypeVar("C", bound=Client)


class Claims(Generic[C]):
    """Judges the claimants of one serial number.

    Args:
        sn: What the person named, or what is remembered: never what an answer says.
        connect: Makes a client for an address, as :meth:`sunmi_ipc.settings.Settings.connect`.
        proven: Whether a pin or a CA tells the camera from others.

    Attributes:
        error: Why the first claimant was refused.

    """

    sn: str

    def __init__(self, sn: str, connect: Callable[..., C], *, proven: bool) -> None:
        self.sn, self._connect, self._proven = sn, connect, proven
        self.error: TlsError | ConnectionFailed | None = None
        self._open: dict[str, C] = {}

    @property
    def proven(self) -> bool:
        """Whether a pin or a CA tells the camera from others."""
        return self._proven

    @property
    def linger(self) -> float:
        """Seconds to listen for a second claimant."""
        return 0.0 if self._proven else LINGER_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._open.values():
            client.close()
        self._open.clear()

    def approve(self, found: DiscoveredCamera) -> str:
        """The fingerprint of the claimant's certificate; empty where it is not the camera, or out of reach.

        Raises:
            TlsError: Our own certificate is missing or cannot be used.

        """
        # A first contact is pinned when it is chosen, not when it is looked at.
        pins = {} if self._proven else {"known_cameras": KnownCameras()}
        client = self._connect(found.address, sn=self.sn, model=found.model, **pins)
        _ = client.tls  # ours may be missing: that is no claimant's fault
        try:
            shown = client.greet(min(client.timeout, _GREET_S))
        except (TlsError, ConnectionFailed) as error:
            client.close()
            if self.error is None or isinstance(error, TlsError) > isinstance(self.error, TlsError):
                self.error = error
            return ""
        if self._proven:
            self._open[found.address] = client
        else:
            client.close()
        return shown or found.address

    def settle(self, claimants: Sequence[DiscoveredCamera]) -> DiscoveredCamera:
        """Of those that claim to be it, the one that is the camera.

        Args:
            claimants: Each with one address, as :func:`~sunmi_ipc.discovery.sightings.places` gives them.

        Raises:
            ParameterError: This is the first contact, and they are several.
            TlsError, ConnectionFailed: None of them is the camera, or none answers.
            CameraNotFound: There is none.

        """
        deadline, taken = Deadline(_SETTLE_S), dict[str, DiscoveredCamera]()
        for found in claimants:
            if deadline.passed and (taken or self.error):
                break
            if known := self.approve(found):
                if self._proven:
                    return found
                taken.setdefault(known, found)
        if len(taken) > 1:
            raise claimed_by_several(self.sn, taken.values())
        if taken:
            return next(iter(taken.values()))
        raise self.error or not_found(self.sn)

    def client(self, found: DiscoveredCamera, **options: Any) -> C:
        """A client for the claimant that was found to be the camera; its connection is open already."""
        known = None if options else self._open.pop(found.address, None)
        return known or self._connect(found.address, sn=self.sn, model=found.model, **options)
