"""Where credentials come from: options, environment, profile, in this order."""

from __future__ import annotations

import json
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from .atomic import whole
from .errors import ConfigError, ExtraMissingError
from .redact import Secret

if TYPE_CHECKING:
    from .camera import Camera
    from .discovery import DiscoveredCamera
    from .discovery.claims import Claims
    from .discovery.scan import SearchOptions
    from .link.exchange import CameraOptions
    from .link.trust import KnownCameras

#: Setting by environment variable (cli.md is the contract).
ENVIRONMENT = {
    "SUNMI_IPC_APP_ID": "app_id",
    "SUNMI_IPC_SECRET_KEY": "secret_key",
    "SUNMI_IPC_ACTIVATION_CODE": "activation_code",
    "SUNMI_IPC_P12": "p12",
    "SUNMI_IPC_P12_PASSWORD": "p12_password",
    "SUNMI_IPC_CA": "ca",
    "SUNMI_IPC_INSECURE": "insecure",
    "SUNMI_IPC_TLS": "tls",
    "SUNMI_IPC_RTSP_USER": "rtsp_user",
    "SUNMI_IPC_RTSP_PASSWORD": "rtsp_password",
    "SUNMI_IPC_INTERFACE": "interface",
    "SUNMI_IPC_CAMERA": "camera",
    "SUNMI_IPC_TIMEOUT": "timeout",
    "SUNMI_IPC_CLOUD_URL": "cloud_url",
    "SUNMI_IPC_CLOUD_CA": "cloud_ca",
    "SUNMI_IPC_SHOP_NO": "shop_no",
    "SUNMI_IPC_VIA": "via",
    "SUNMI_IPC_SITE": "site",
    "SUNMI_IPC_KEY": "key",
    "SUNMI_IPC_VIA_USER": "via_user",
    "SUNMI_IPC_VIA_PASSWORD": "via_password",
    "SUNMI_IPC_VIA_CA": "via_ca",
    "SUNMI_IPC_VIA_CERTIFICATE": "via_certificate",
    "SUNMI_IPC_VIA_CERTIFICATE_KEY": "via_certificate_key",
    "SUNMI_IPC_VIA_PREFIX": "via_prefix",
}
SECRETS = frozenset({"secret_key", "activation_code", "p12_password", "rtsp_password", "via_password"})
_LANG = re.compile(r"""^lang\s*=\s*["'](\w+)["']""", re.M)
#: Seconds for a call. None at all would be a call that fails, or one that never ends.
MIN_TIMEOUT, MAX_TIMEOUT = 0.1, 3600.0
_log = logging.getLogger("sunmi_ipc")
_TRUE = {"1", "true", "yes", "on"}


def seal(values: Mapping[str, Any]) -> dict[str, Any]:
    """*values* with secrets as :class:`Secret`, so that no frame of ours shows them."""
    return {k: Secret(v) if k in SECRETS and isinstance(v, str) else v for k, v in values.items()}


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = ENVIRONMENT | {"SUNMI_IPC_PROFILE": "profile"}
    return seal(
        {name: _trimmed(key, environment[key]) for key, name in names.items() if environment.get(key)}
    )


def _trimmed(key: str, value: str) -> str:
    """*value* without what a file of another system, or a clipboard, has left behind it; said once.

    No credential of the vendor's ends in a blank; a password of somebody's own may.
    """
    text = value.rstrip("\r\n")
    if not key.endswith("_PASSWORD"):
        text = text.strip()
    if text != value:
        _log.warning("%s ends in a carriage return or a blank, which is cut off", key)
    elif text != text.strip():
        _log.warning("%s begins or ends with a blank, which is taken for a part of it", key)
    return text


def config_dir() -> Path:
    """Where profiles, known cameras and the last scan live."""
    if folder := os.environ.get("SUNMI_IPC_CONFIG_DIR"):
        return Path(folder)
    import typer

    return Path(typer.get_app_dir("sunmi-ipc"))


def state_dir() -> Path:
    """Where programs keep what they gather: received events, for one. Not settings, nothing that may be deleted.

    ``$SUNMI_IPC_STATE_DIR``; else the folder that ``$SUNMI_IPC_CONFIG_DIR`` names, which then holds everything;
    else the platform's.
    """
    for name in ("SUNMI_IPC_STATE_DIR", "SUNMI_IPC_CONFIG_DIR"):
        if folder := os.environ.get(name):
            return Path(folder)
    if os.name == "nt":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "sunmi-ipc"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "sunmi-ipc" / "state"
    given = os.environ.get("XDG_STATE_HOME", "")
    return (Path(given) if given.startswith("/") else Path.home() / ".local" / "state") / "sunmi-ipc"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be configured; secrets do not show in ``repr``."""

    app_id: str = ""
    secret_key: str = ""
    activation_code: str = ""
    p12: str = ""
    p12_password: str = ""
    ca: str = ""
    insecure: bool = False
    tls: str = ""
    rtsp_user: str = "admin"
    rtsp_password: str = "admin"  # noqa: S105 - the camera's default (S)
    interface: str = ""
    camera: str = ""
    cloud_url: str = ""
    cloud_ca: str = ""
    shop_no: str = ""
    timeout: float = 10.0
    lang: str = ""
    via: str = ""
    site: str = ""
    key: str = ""
    via_user: str = ""
    via_password: str = ""
    via_ca: str = ""
    via_certificate: str = ""
    via_certificate_key: str = ""
    via_prefix: str = ""

    def __post_init__(self) -> None:
        for name in SECRETS:
            object.__setattr__(self, name, Secret(getattr(self, name)))
        if self.tls not in ("", "modern", "legacy"):
            raise ConfigError("the TLS setting is neither 'modern' nor 'legacy'", hint="See SUNMI_IPC_TLS.")

    @classmethod
    def load(
        cls,
        profile: str = "",
        *,
        environment: Mapping[str, str] | None = None,
        **options: object,
    ) -> Settings:
        """Settings from *options* (those not None), the environment, and a profile.

        Args:
            profile: Its name; default: ``$SUNMI_IPC_PROFILE``, else ``default`` if there is one.
            environment: Default: the process's.
            options: Settings by name; they win.

        Raises:
            ConfigError: The profile does not exist, is unreadable, or others may read it.

        """
        given = _from_environment(os.environ if environment is None else environment)
        environment = None  # a traceback with locals shows this frame
        options = seal({name: value for name, value in options.items() if value not in (None, "")})
        wanted = profile or given.pop("profile", "")
        values = read_profile(wanted or "default", must_exist=bool(wanted)) | given | options
        if isinstance(values.get("insecure"), str):
            values["insecure"] = values["insecure"].lower() in _TRUE
        try:
            values["timeout"] = float(values.get("timeout", 10.0))
            good = MIN_TIMEOUT <= values["timeout"] <= MAX_TIMEOUT
        except (ValueError, TypeError, OverflowError):
            good = False
        if not good:
            raise ConfigError(
                "the timeout is not a number of seconds from {least:g} to {most:g}",
                hint="See SUNMI_IPC_TIMEOUT.",
                least=MIN_TIMEOUT,
                most=MAX_TIMEOUT,
            )
        return cls(**values)

    def interfaces(self) -> list[str] | None:
        """The interfaces to scan; None for all."""
        return [part.strip() for part in self.interface.split(",") if part.strip()] or None

    def connect(self, address: str, **options: Unpack[CameraOptions]) -> Camera:
        """A camera at *address* with these credentials; pins are kept in the config directory.

        Args:
            address: ``host`` or ``host:port``.
            options: As for :class:`Camera`; they win. What a camera says of itself for a serial number may be an odd
                one; then the pin goes by the address. Where a person named the camera by it, give that.

        With ``via`` it is a camera of the site behind a broker, and of *options* only timeout and retries count.

        """
        if self.via:
            from .broker.access import remote_camera

            return remote_camera(self, address, options)
        from .camera import Camera
        from .protocol.serial import SerialNumber

        given = self.arguments(options)
        given["sn"] = SerialNumber.read(given.get("sn", "")) or ""
        return Camera(address, **given)

    def shared(self) -> CameraOptions:
        """What cameras share that is read from files: the corrections, and the list of known cameras."""
        from .corrections import read

        return {"overrides": read(config_dir()), "known_cameras": known_cameras()}

    def arguments(self, options: CameraOptions | None = None) -> CameraOptions:
        """What a camera is made with: credentials, trust, corrections and the list of known cameras.

        Args:
            options: They win. Files are read for what is not among them alone.

        """
        options = options or {}
        given: CameraOptions = {
            "app_id": self.app_id,
            "secret_key": self.secret_key,
            "activation_code": self.activation_code,
            "p12": self.p12 or None,
            "p12_password": self.p12_password,
            "rtsp_user": self.rtsp_user,
            "rtsp_password": self.rtsp_password,
            "ca": self.ca or None,
            "insecure": self.insecure,
            "timeout": self.timeout,
            "legacy_tls": self.tls == "legacy",
        }
        if not {"overrides", "known_cameras"} <= options.keys():
            given |= self.shared()
        return given | options

    def discover(self, **options: Unpack[SearchOptions]) -> Iterator[DiscoveredCamera]:
        """The cameras that are there: of the networks, as :func:`sunmi_ipc.discovery.discover`; of the site with ``via``."""
        if self.via:
            from .broker.access import remote_cameras

            yield from remote_cameras(self)
            return
        from . import discovery

        given: SearchOptions = {"interfaces": self.interfaces()}
        yield from discovery.discover(**given | options)

    def claims(self, sn: str) -> Claims[Camera]:
        """Who judges those that claim the serial number *sn*: by its pin, or the CA; see there."""
        from .discovery.claims import Claims

        proven = bool(self.ca or self.insecure) or known_cameras().known(sn) is not None
        return Claims(sn, self.connect, proven=proven)

    def with_options(self, **options: object) -> Settings:
        """A copy with *options* changed."""
        return replace(self, **options)  # type: ignore[arg-type]


def known_cameras() -> KnownCameras:
    """The pinned certificates in the config directory."""
    from .link.trust import KnownCameras

    return KnownCameras(config_dir() / "known_cameras.json")


def profile_path(name: str) -> Path:
    """The file of a profile; a name is letters, digits, ``-`` and ``_``."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError("a profile's name is made of letters, digits, '-' and '_'")
    return config_dir() / "profiles" / f"{name}.toml"


def profile_language(name: str = "") -> str:
    """The language that a profile asks for, empty where it asks for none or cannot be used.

    It is wanted before every word of help, so the file is looked through and not parsed.

    Args:
        name: The profile's; default: ``$SUNMI_IPC_PROFILE``, else ``default``.

    """
    try:
        text = profile_path(name or os.environ.get("SUNMI_IPC_PROFILE") or "default").read_text("utf-8")
    except (OSError, ValueError, ConfigError):  # what is wrong with it is said where it is used
        return ""
    found = _LANG.search(text)
    return found[1] if found else ""


def read_profile(name: str, *, must_exist: bool = True) -> dict[str, Any]:
    """The settings of a profile, secrets sealed; raises ConfigError where it cannot be used."""
    path = profile_path(name)
    try:
        mode = path.stat().st_mode
        raw = _parse(path)
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(
                "there is no profile {profile}", hint="'ipc configure -p {profile}' makes it.", profile=name
            ) from None
        return {}
    except OSError as error:
        raise ConfigError(
            "the profile {path} cannot be read: {reason}", path=str(path), reason=error.strerror or ""
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(
            "the profile {path} can be read by others",
            hint="It holds secrets: chmod 600 {path}",
            path=str(path),
        )
    if isinstance(raw, (str, ConfigError)):
        raise ConfigError(
            "the profile {path} is not TOML: {reason}",
            hint="'ipc configure' writes it anew.",
            path=str(path),
            reason=raw,
        )
    known = {f.name for f in fields(Settings)}
    if unknown := sorted(set(raw) - known - {"keyring"}):
        raise ConfigError("the profile {path} has the unknown key {key}", path=str(path), key=unknown[0])
    stored = raw.pop("keyring", [])
    return raw | {key: _from_keyring(name, key) for key in stored}


def _parse(path: Path) -> dict[str, Any] | str | ConfigError:
    """The profile, secrets sealed, or what is wrong with it: no error is raised where its text is at hand."""
    import tomllib

    from .untrusted import Refused, load_toml, toml_problem

    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    try:
        return seal(load_toml(text))
    except Refused as error:
        return error.template
    except tomllib.TOMLDecodeError as error:
        line, reason = toml_problem(error)
        line = line or text.rstrip("\n").count("\n") + 1
        return ConfigError("line {line}: {reason}", line=line, reason=reason)


def _from_keyring(profile: str, key: str) -> Secret:
    try:
        import keyring
    except ImportError:
        raise ExtraMissingError(
            "the profile keeps secrets in the system keyring, which is not installed", extra="keyring"
        ) from None
    try:
        return Secret(keyring.get_password(f"sunmi-ipc/{profile}", key) or "")
    except Exception as error:  # locked, no session bus, a backend's own kinds
        raise _keyring_failed(error) from None


def _keyring_failed(error: Exception) -> ConfigError:
    return ConfigError(
        "the system keyring does not serve: {reason}",
        hint="Unlock it, or keep the secrets in a file: 'ipc configure --secrets-in-file'.",
        reason=type(error).__name__,
    )


def system_keyring() -> Any | None:
    """The system keyring where there is a usable one, else None."""
    try:
        import keyring
        from keyring.backends.fail import Keyring as Missing
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), Missing) else keyring


def write_profile(name: str, values: Mapping[str, Any], *, use_keyring: bool) -> Path:
    """Write a profile, mode 0600; secrets into the system keyring where *use_keyring*.

    Raises:
        ConfigError: The keyring or the file cannot be written; the old profile is as it was.

    """
    path = profile_path(name)
    plain = seal({k: v for k, v in values.items() if v not in ("", None, False)})
    stored: list[str] = []
    if use_keyring and (keyring := system_keyring()) is not None:
        for key in sorted(SECRETS & plain.keys()):
            try:
                keyring.set_password(f"sunmi-ipc/{name}", key, "".join(plain[key]))
            except Exception as error:  # locked, no session bus, a backend's own kinds
                raise _keyring_failed(error) from None
            del plain[key]
            stored.append(key)
    reason = _write(path, plain, stored)
    if reason:
        raise ConfigError("{path} cannot be written: {reason}", path=str(path), reason=reason)
    return path


def _write(path: Path, plain: Mapping[str, Any], stored: list[str]) -> str:
    """Write the file whole, or return why not."""
    lines = [f"{key} = {_toml(value)}" for key, value in plain.items()]
    if stored:
        lines.append(f"keyring = {json.dumps(stored)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with whole(path) as file:
            file.write(("\n".join(lines) + "\n").encode())
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def _toml(value: Any) -> str:
    # JSON's strings and booleans are TOML's too, DEL aside.
    return json.dumps("".join(value) if isinstance(value, str) else value, ensure_ascii=False).replace(
        "\x7f", "\\u007f"
    )
