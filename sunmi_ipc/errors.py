"""Everything that can go wrong, as one tree.

::

    SunmiIpcError
    ├── ParameterError            refused before sending
    │   └── UnsupportedError      this camera model does not have it
    ├── ConfigError               settings, profiles or files on this computer
    │   ├── CardError             a firmware card or image is not what the camera needs
    │   ├── SiteError             a site file is wrong at a line
    │   ├── SpoolError            the event spool cannot be read or written
    │   │   ├── SpoolDamaged      its database is damaged: most of it can be salvaged
    │   │   └── SpoolFull         no room for another event
    │   ├── DiskError             a file cannot be written: no such folder, read-only
    │   │   └── DiskFailed        the disk filled up, broke or was pulled out
    │   └── ExtraMissingError     an optional library is not installed
    ├── CardWriteError            a firmware card failed while it was written or read back
    ├── ConnectionFailed          no route, refused, reset, timed out
    │   ├── CameraNotFound        discovery did not find it
    │   ├── ShopUnreachable       a shop's station, or the broker in between, is away
    │   │   ├── AccessDenied      it does not let us in
    │   │   └── OutcomeUnknown    it may have carried a call out, and cannot be asked
    │   ├── StreamError           the live picture or a playback cannot be read
    │   │   └── StreamShortError  it gave less than was asked for
    │   └── TlsError              not the camera we trust, or our certificate was refused
    ├── StreamRefusedError        the camera's video service refuses user and password
    ├── ReplyError                the answer is not what the protocol says
    │   ├── BadEvent              a pushed event is not what the protocol says
    │   └── FileMissingError      the camera does not have a file that it named
    ├── DownloadError             some files of several could not be had
    ├── ProvisionError            a flow of several steps stopped at one
    ├── CloudError                the vendor's cloud said no, with a return code
    │   ├── CloudSignatureError   HTTP 401, 5090-5092
    │   ├── CloudNotFoundError    5013, 5087, 5501, 5506, 5522
    │   ├── CloudNotReadyError    5000, 5011, 5088, 5515: worth trying again
    │   └── CloudNotOfferedError  a call that the vendor marks as in development
    └── DeviceError               the camera said no, with a return code
        ├── AuthenticationError   1, 5
        ├── NotActivatedError     7
        ├── AlreadyActivatedError 9
        ├── NotSupportedError     6, 13
        ├── NotAllowedError       12, 209
        └── NotReadyError         211, 232, 236, 237

Messages are English; :meth:`SunmiIpcError.localized` gives them in Chinese. No message ever
holds a secret or a value that was refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from .codes.device import DeviceCode
from .i18n import Language, translate
from .redact import printable

__all__ = [
    "AccessDenied",
    "AlreadyActivatedError",
    "AuthenticationError",
    "BadEvent",
    "CameraNotFound",
    "CardError",
    "CardWriteError",
    "CertificateMissingError",
    "CloudError",
    "CloudNotFoundError",
    "CloudNotOfferedError",
    "CloudNotReadyError",
    "CloudSignatureError",
    "ConfigError",
    "ConnectionFailed",
    "DeviceError",
    "DiskError",
    "DiskFailed",
    "DownloadError",
    "ExtraMissingError",
    "FileMissingError",
    "ForbiddenError",
    "NotActivatedError",
    "NotAllowedError",
    "NotReadyError",
    "NotSupportedError",
    "OutcomeUnknown",
    "ParameterError",
    "ProvisionError",
    "ReplyError",
    "ShopUnreachable",
    "SiteError",
    "SpoolDamaged",
    "SpoolError",
    "SpoolFull",
    "StreamError",
    "StreamRefusedError",
    "StreamShortError",
    "SunmiIpcError",
    "TlsError",
    "UnsupportedError",
]


#: Characters of one value in a message.
_LONGEST = 2000


#: The next step where a call that changes something may have been carried out although no answer says so.
LOOK_FIRST = "It is not known whether it was carried out: look at the camera before you send it again."


class SunmiIpcError(Exception):
    """Base of every error this library raises.

    Args:
        template: The message, an English ``str.format`` template.
        hint: What to do next, likewise a template.
        camera: Which camera, as an address or a serial number.
        values: What fills the templates. Never a secret.

    """

    template: str
    hint_template: str
    camera: str | None
    values: dict[str, object]
    #: Whether the request may have reached the camera, as the transport knows it: then what was asked for may
    #: have been done, although no answer says so. False: nothing was sent.
    sent: bool = False
    #: Whether the same call may succeed later although nobody does anything: what a loop may repeat. False: somebody
    #: has to act first. Where ``sent`` is true, a call that changes something may have been carried out already.
    transient: ClassVar[bool] = False

    def __init__(self, template: str, *, hint: str = "", camera: str | None = None, **values: object) -> None:
        self.template, self.hint_template, self.camera, self.values = template, hint, camera, values
        super().__init__(template)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by attributes, so that errors cross process pools."""
        return (_restore, (type(self), self.__dict__, self.args))

    @property
    def message(self) -> str:
        """What happened, in English, without the camera and the hint."""
        return self._said(self.template, "en")

    @property
    def hint(self) -> str:
        """What to do next, in English; empty where nothing sensible can be said."""
        return self._said(self.hint_template, "en") if self.hint_template else ""

    def localized(self, lang: Language) -> tuple[str, str]:
        """Message and hint in *lang*."""
        hint = self._said(self.hint_template, lang) if self.hint_template else ""
        return self._said(self.template, lang), hint

    def _said(self, template: str, lang: Language) -> str:
        # The template, too: an error that a station tells of has a stranger's.
        return printable(translate(template, lang, {k: _shown(v, lang) for k, v in self.values.items()}))

    def __str__(self) -> str:
        text = f"{printable(self.camera, _LONGEST)}: {self.message}" if self.camera else self.message
        return f"{text}. {self.hint}" if self.hint else text


def _shown(value: object, lang: Language) -> object:
    """*value* as it stands in a message: a stranger's file or answer may have any characters in it, and many."""
    if isinstance(value, SunmiIpcError):
        # Where one error is the reason of another, its message stands there, in the same language.
        return value.localized(lang)[0]
    if value is None or isinstance(value, int | float):
        return value
    return printable(str(value), _LONGEST)


def _restore(
    cls: type[SunmiIpcError], state: Mapping[str, object], args: tuple[object, ...]
) -> SunmiIpcError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class ParameterError(SunmiIpcError):
    """A parameter was refused before anything was sent. ``name`` tells which."""

    def __init__(self, template: str, *, name: str = "", hint: str = "", **values: object) -> None:
        super().__init__(template, hint=hint, camera=None, **{"name": name, **values})
        self.name = name


class UnsupportedError(ParameterError):
    """The camera model does not have the feature; nothing was sent."""


class ConfigError(SunmiIpcError):
    """Settings, a profile or a file on this computer are missing or wrong."""


#: Where a camera answers with a code that no table has.
_UNKNOWN_HINT = (
    "Its firmware may be newer than this program: 'ipc dump' writes down what it says, for a report."
)


def cannot_write(path: object, error: OSError) -> ConfigError:
    """What is said where a file or a folder cannot be written."""
    return ConfigError(
        "{path} cannot be written: {reason}",
        path=str(path),
        reason=error.strerror or type(error).__name__,
    )


class ForbiddenError(SunmiIpcError):
    """The role of whoever asks does not allow it; nothing was sent."""


class CertificateMissingError(ConfigError):
    """No client certificate is configured: trying again does not help."""


class CardError(ConfigError):
    """A firmware card or image is not what the camera needs; nothing was changed."""


class CardWriteError(SunmiIpcError):
    """A firmware card failed while it was written, read back or formatted; it holds no new ``up.bin``."""


class SiteError(ConfigError):
    """A site file is wrong. ``where`` is ``file:line``, ``key`` the key, ``others`` what else is wrong."""

    where: str
    key: str

    def __init__(self, template: str, *, where: str, key: str, hint: str = "", **values: object) -> None:
        super().__init__(template, hint=hint, camera=None, **{"where": where, "key": key, **values})
        self.where, self.key = where, key
        self.others: tuple[SiteError, ...] = ()


class SpoolError(ConfigError):
    """The event spool cannot be opened, read or written; nothing was acknowledged."""


class SpoolDamaged(SpoolError):
    """The event spool's database is damaged; ``sunmi_ipc.events.salvage`` saves what can be read of it."""


class SpoolFull(SpoolError):
    """The disk or the spool's own limit leaves no room for another event; nothing was acknowledged."""

    transient: ClassVar[bool] = True


class DiskError(ConfigError):
    """A file cannot be written or read on this computer; what was complete before is kept.

    As it stands: the place is wrong (no such folder, not yours to write).
    """


class DiskFailed(DiskError):
    """The disk filled up, broke or went while it was written; what was complete before is kept."""


class ExtraMissingError(ConfigError):
    """A library that only some features need is not installed; the hint says how to install it.

    The command is that of this very copy: see :mod:`sunmi_ipc.installation`.

    Args:
        template: What is missing, and for what.
        extra: The extra that brings it.
        hint: The next step, with ``{install}`` for the command.
        values: What fills the templates.

    """

    def __init__(self, template: str, *, extra: str, hint: str = "", **values: object) -> None:
        from .installation import RUN, advice

        super().__init__(template, **{**values, **advice(extra, hint or RUN)})  # type: ignore[arg-type]
        self.extra = extra


class ConnectionFailed(SunmiIpcError):
    """The camera could not be reached, or the connection broke or timed out."""

    transient: ClassVar[bool] = True


class CameraNotFound(ConnectionFailed):
    """Discovery did not find the camera asked for."""


class ShopUnreachable(ConnectionFailed):
    """A shop's station, or the broker in between, does not answer: none of its cameras is to be reached."""


class AccessDenied(ShopUnreachable):
    """The broker, or the shop's station, does not let us in (any more): nothing was sent."""

    transient: ClassVar[bool] = False


class OutcomeUnknown(ShopUnreachable):
    """A station may have carried the call out: its answer was lost, and what became of it could not be found out."""

    transient: ClassVar[bool] = False

    def __init__(self, template: str, *, hint: str = "", camera: str | None = None, **values: object) -> None:
        super().__init__(template, hint=hint or LOOK_FIRST, camera=camera, **values)
        self.sent = True


class StreamError(ConnectionFailed):
    """The live picture or a playback cannot be reached, or broke off, or is of no use."""


class StreamShortError(StreamError):
    """The stream gave less than was asked for, and ended; what came is kept. ``got`` is how much, ``wanted``."""

    got: float = 0.0
    wanted: float = 0.0


class StreamRefusedError(SunmiIpcError):
    """The camera's video service refuses user and password (RTSP 401), or the stream (403, 404)."""


class TlsError(ConnectionFailed):
    """The camera is not the one we trust, it refused our certificate, or the .p12 does not open."""

    transient: ClassVar[bool] = False


class ReplyError(SunmiIpcError):
    """The answer is not an answer of this protocol, or not of this endpoint's shape."""

    transient: ClassVar[bool] = True


class BadEvent(ReplyError):
    """What was pushed to the receiver is not an event of this protocol."""

    transient: ClassVar[bool] = False


class FileMissingError(ReplyError):
    """The camera does not, or no longer, have a file that it named. ``status`` is HTTP's, 0 for an empty file."""

    transient: ClassVar[bool] = False

    status: int = 0


class DownloadError(SunmiIpcError):
    """Some files of several could not be had; the others are complete."""

    transient: ClassVar[bool] = True


class ProvisionError(SunmiIpcError):
    """A flow of several steps stopped. ``step`` is where, ``done`` what was already done."""

    step: str
    done: tuple[str, ...]

    def __init__(
        self, template: str, *, step: str, done: tuple[str, ...] = (), hint: str = "", **values: object
    ) -> None:
        super().__init__(template, hint=hint, camera=None, **{"step": step, **values})
        self.step, self.done = step, done


class DeviceError(SunmiIpcError):
    """The camera answered with an error code.

    ``code`` is a :class:`~sunmi_ipc.codes.device.DeviceCode` where the code is known, else a plain
    integer; ``endpoint`` is the path that was called.
    """

    codes: ClassVar[frozenset[int]] = frozenset()

    def __init__(self, code: int, *, endpoint: str = "", camera: str | None = None, hint: str = "") -> None:
        try:
            self.code: int = DeviceCode(code)
        except ValueError:
            self.code = code
        known = self.code if isinstance(self.code, DeviceCode) else None
        template = known.meaning if known else "the camera answered with the unknown code {code}"
        hint = hint or (known.hint if known else _UNKNOWN_HINT)
        # A hint carries the serial number to copy where whoever raises this knows it.
        super().__init__(template, hint=hint, camera=camera, code=code, path=endpoint, sn="SN")
        self.endpoint = endpoint

    @classmethod
    def of(cls, code: int, *, endpoint: str = "", camera: str | None = None, hint: str = "") -> DeviceError:
        """The error for *code*, of the sub-class where a caller would act differently."""
        kind = next((sub for sub in DeviceError.__subclasses__() if code in sub.codes), DeviceError)
        return kind(code, endpoint=endpoint, camera=camera, hint=hint)

    @property
    def code_name(self) -> str:
        """The SDK's name of the code, or ``""`` for an unknown one."""
        return self.code.name if isinstance(self.code, DeviceCode) else ""

    def __str__(self) -> str:
        where = f"{printable(self.camera, _LONGEST)}: " if self.camera else ""
        code = f"code {int(self.code)}" + (f" {self.code_name}" if self.code_name else "")
        path = f" {printable(self.endpoint, _LONGEST)}" if self.endpoint else ""
        return f"{where}{self.message} ({code}{path})." + (f" {self.hint}" if self.hint else "")


class AuthenticationError(DeviceError):
    """The app_id, the secret key or the signature was refused."""

    codes: ClassVar[frozenset[int]] = frozenset({DeviceCode.APPID_INVALID, DeviceCode.SECRET_KEY_INVALID})


class NotActivatedError(DeviceError):
    """The camera must be activated first."""

    codes: ClassVar[frozenset[int]] = frozenset({DeviceCode.DEVICE_NOT_ACTIVATED})


class AlreadyActivatedError(DeviceError):
    """The camera is activated already: for most callers, success."""

    codes: ClassVar[frozenset[int]] = frozenset({DeviceCode.DEVICE_ACTIVATED})


class NotSupportedError(DeviceError):
    """The camera or its firmware does not know the call."""

    codes: ClassVar[frozenset[int]] = frozenset({DeviceCode.URL_NOT_FOUND, DeviceCode.OP_NOT_SUPPORT})


class NotAllowedError(DeviceError):
    """The camera knows the call and does not allow it in its present state."""

    codes: ClassVar[frozenset[int]] = frozenset(
        {DeviceCode.OP_NOT_ALLOWED, DeviceCode.FACE_ID_OP_NOT_ALLOWED}
    )


class NotReadyError(DeviceError):
    """A service of the camera is not running yet: worth trying again."""

    transient: ClassVar[bool] = True

    codes: ClassVar[frozenset[int]] = frozenset(
        {
            DeviceCode.FACE_SERVICE_NOT_RUNNING,
            DeviceCode.RTSP_NOT_RUNNING,
            DeviceCode.CLIP_FRAGMENT_NOT_READY,
            DeviceCode.CLIP_SERVICE_NOT_RUNNING,
        }
    )


class CloudError(SunmiIpcError):
    """The vendor's cloud answered with an error code.

    ``code`` is a :class:`~sunmi_ipc.codes.cloud.CloudCode` where the code is known, else a plain
    integer; ``endpoint`` is the path that was called.
    """

    codes: ClassVar[frozenset[int]] = frozenset()

    def __init__(
        self,
        code: int,
        *,
        endpoint: str = "",
        meaning: str = "",
        hint: str = "",
        in_development: bool = False,
    ) -> None:
        from .codes.cloud import CloudCode

        known = CloudCode(code) if code in CloudCode.__members__.values() else None
        self.code: int = code if known is None else known
        unknown = "the cloud answered with the unknown code {code}"
        if in_development:
            hint = "The vendor marks this call as in development: it may not work yet."
        super().__init__(
            meaning or (known.meaning if known else unknown),
            hint=hint or (known.hint if known else ""),
            code=code,
        )
        self.endpoint = endpoint

    @classmethod
    def of(
        cls, code: int, *, endpoint: str = "", meaning: str = "", hint: str = "", in_development: bool = False
    ) -> CloudError:
        """The error for *code*, of the sub-class where a caller would act differently."""
        kind = next((sub for sub in CloudError.__subclasses__() if code in sub.codes), CloudError)
        return kind(code, endpoint=endpoint, meaning=meaning, hint=hint, in_development=in_development)

    @property
    def code_name(self) -> str:
        """Our name of the code, or ``""`` for an unknown one."""
        return getattr(self.code, "name", "")

    def __str__(self) -> str:
        path = f" {self.endpoint}" if self.endpoint else ""
        return f"{self.message} (code {int(self.code)}{path})." + (f" {self.hint}" if self.hint else "")


class CloudSignatureError(CloudError):
    """The app_id, the secret key, the clock or the signature was refused."""

    codes: ClassVar[frozenset[int]] = frozenset({401, 5090, 5091, 5092})

    def __init__(self, code: int, **details: str | bool) -> None:
        if code == 401:
            details |= {
                "meaning": "the cloud refused the signature",
                "hint": "Check the app_id, the secret key ('ipc configure') and this computer's clock.",
            }
        super().__init__(code, **details)  # type: ignore[arg-type]


class CloudNotFoundError(CloudError):
    """What was asked for is not there."""

    codes: ClassVar[frozenset[int]] = frozenset({5013, 5087, 5501, 5506, 5522})


class CloudNotReadyError(CloudError):
    """The service or the camera cannot do it now: worth trying again."""

    transient: ClassVar[bool] = True

    codes: ClassVar[frozenset[int]] = frozenset({5000, 5011, 5088, 5515})


class CloudNotOfferedError(CloudError):
    """The service does not offer a call that the vendor marks as in development."""

    def __init__(self, code: int, *, endpoint: str = "") -> None:
        super().__init__(
            code,
            endpoint=endpoint,
            meaning="the cloud does not offer this call",
            in_development=True,
        )
