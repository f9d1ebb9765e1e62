"""The virtual cloud: real HTTPS, its own checks, its own memory."""

from __future__ import annotations

import contextlib
import ipaddress
import secrets
import shutil
import ssl
import string
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ...cloud.values import PERSON_SEEN
from ...errors import ConfigError
from ...protocol.spec import registry
from ...redact import Secret
from .. import jpeg
from ..certs import CertificateAuthority
from ..checks import Refused
from ..faults import Fault, Faults
from . import cameras, checks, faces, handlers, people
from .checks import Unauthorized
from .http import Server
from .posts import Later, Posts, form
from .state import Device, Face, FaceGroup, Shop, State, new_state

#: What became of an added face: our invention, as the page on these messages was not seen.
FACE_DONE = 2002
#: Importing them fills the table of plays.
_PLAYERS = (cameras, people, faces)
#: What stands in an answer's ``msg``, beside the code.
_SUCCEED = "succeed"


def _letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))


class VirtualCloud:
    """The vendor's cloud on this machine. Use it as a context manager.

    What the vendor's page leaves open is our guess, listed here, so that nobody takes a green test for a
    fact about the service:

    ==================================  =============================================================
    question                            the virtual cloud
    ==================================  =============================================================
    order of checks                     URL (HTTP 404), size (HTTP 413), app_id and signature (HTTP
                                        401), timestamp, random, shop, parameters
    clock                               code 5091 beyond ``clock_tolerance_s`` (300)
    a body or picture                   below or at 1,000,000 bytes; a picture below
    a bad parameter                     5020; a bad period 5020, 5021 or 5025, as the page lists
    ``ipc_id`` and ``ipc_sn`` disagree  the camera does not exist (5501; 5013, 5506 where listed)
    a period before the shop opened     5013
    a page beyond the last              5013
    shop's time zone                    this machine's
    face groups                         at most 20, their capacities at most 30,000 together
    an added face                       can be read ``work_s`` later; then message 2002 (invented):
                                        ``face_id``, ``group_id``, ``result`` 0 good, 1 no face
    messages                            any 2xx takes one; four repeats, after 15 s, 30 s, 1 min, 2 min
                                        (``posts.pauses``)
    calls "in development"              played; with ``in_development=False`` HTTP 404
    ==================================  =============================================================

    Args:
        ip, port: Where it listens; port 0 takes a free one.
        app_id, secret_key: Default: random.
        seed: The same number gives the same shops, cameras and ids.
        shops, cameras, people: How many shops, cameras a shop and regulars a shop there are.
        latency_s: Seconds before each answer, as on a long way.
        work_s: Seconds that the work on an added face takes.
        in_development: Whether calls that the vendor marks so are played.
        expose: Allow an address beyond loopback, and callbacks to such.

    """

    ip: str
    port: int
    app_id: str
    secret_key: Secret
    latency_s: float
    work_s: float
    clock_tolerance_s: float
    in_development: bool
    clock_offset: float
    running: int
    busiest: int

    def __init__(
        self,
        *,
        ip: str = "127.0.0.1",
        port: int = 0,
        app_id: str = "",
        secret_key: str = "",
        seed: int = 0,
        shops: int = 2,
        cameras: int = 2,
        people: int = 5,
        latency_s: float = 0.0,
        work_s: float = 0.5,
        clock_tolerance_s: float = 300.0,
        in_development: bool = True,
        expose: bool = False,
    ) -> None:
        if not ipaddress.ip_address(ip).is_loopback and not expose:
            raise ConfigError(
                "a virtual cloud stays on this machine unless told otherwise",
                hint="To let others reach it, allow it: --expose.",
            )
        self.ip, self.port = ip, port
        self.app_id, self.secret_key = app_id or _letters(14), Secret(secret_key or _letters(24))
        self.latency_s, self.work_s, self.clock_tolerance_s = latency_s, work_s, clock_tolerance_s
        self.in_development, self.clock_offset = in_development, 0.0
        self.state: State = new_state(seed, shops=shops, cameras=cameras, people=people)
        self.faults: Faults = Faults(seed)
        #: How often a path was carried out, and the most at once: what a test counts.
        self.counts: Counter[str] = Counter()
        self.running = self.busiest = 0
        self.closing: threading.Event = threading.Event()
        self._lock = threading.RLock()
        self._counting = threading.Lock()
        self._later = Later()
        self.posts: Posts = Posts(self._later, expose=expose)
        self._folder = Path(tempfile.mkdtemp(prefix="sunmi-ipc-cloud-"))
        self._authority = CertificateAuthority("Virtual cloud CA")
        self.ca: Path = self._folder / "cloud_ca.crt"
        self.ca.write_bytes(self._authority.pem)
        self._pictures: set[str] = set()
        self._server: Server | None = None

    # -- life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> Self:
        """Bind and answer; returns when the cloud can be reached."""
        try:
            self._server = Server((self.ip, self.port), self, self._context())
        except OSError as error:
            self.close()
            raise ConfigError(
                "{address}:{port} cannot be used: {reason}",
                hint="Choose another --port, or end the program that holds it.",
                address=self.ip,
                port=self.port,
                reason=error.strerror or "",
            ) from None
        self.port = self._server.server_address[1]
        threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="virtual-cloud-accept", daemon=True
        ).start()
        return self

    def _context(self) -> ssl.SSLContext:
        names = x509.SubjectAlternativeName(
            [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(self.ip))]
        )
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._authority.issue("virtual-cloud", key, names=names)
        path = self._folder / "server.pem"
        pem = serialization.Encoding.PEM
        path.touch(0o600)
        path.write_bytes(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + certificate.public_bytes(pem)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def close(self) -> None:
        """Leave."""
        self.closing.set()
        self._later.close()
        self.posts.close()
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def origin(self) -> str:
        """``https://ip:port``."""
        host = f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"https://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL, as ``Cloud`` takes it."""
        return f"{self.origin}/openapi"

    @property
    def shop_no(self) -> str:
        """The first shop's number."""
        return next(iter(self.state.shops))

    @property
    def shop(self) -> Shop:
        """The first shop."""
        return self.state.shops[self.shop_no]

    def devices(self, shop_no: str | None = None) -> list[Device]:
        """The cameras of a shop (default: the first); ``""``: those that nobody has bound."""
        wanted = self.shop_no if shop_no is None else shop_no
        return [d for d in self.state.devices.values() if d.shop_no == wanted]

    def environment(self) -> dict[str, str]:
        """The environment variables that make ``ipc cloud`` use this cloud."""
        return {
            "SUNMI_IPC_APP_ID": self.app_id,
            "SUNMI_IPC_SECRET_KEY": self.secret_key.reveal(),
            "SUNMI_IPC_CLOUD_URL": self.url,
            "SUNMI_IPC_CLOUD_CA": str(self.ca),
            "SUNMI_IPC_SHOP_NO": self.shop_no,
        }

    def fail(self, kind: str, value: float = 0.0, *, path: str | None = None, times: int | None = 1) -> None:
        """Play a fault: ``code``, ``delay``, ``drop``, ``http``, ``garble``, ``html``, ``empty``, ``dirty``."""
        self.faults.add(Fault(kind, value, path, times))

    # -- what plays need ---------------------------------------------------------------------------

    def shown(self, device: Device) -> dict[str, Any]:
        """A camera as it is listed."""
        return device.as_reply() | {"screenshot_url": self.picture(device.sn)}

    def picture(self, name: str) -> str:
        """The URL of a picture that can be fetched from now on."""
        if len(self._pictures) > 10_000:
            self._pictures.clear()
        self._pictures.add(name)
        return f"{self.origin}/IMG/IPC/{name}"

    def picture_at(self, path: str) -> bytes | None:
        """The picture at a URL's path."""
        name = path.removeprefix("/IMG/IPC/")
        return jpeg.face(name) if name in self._pictures else None

    def work_on(self, shop: Shop, group: FaceGroup, face: Face, picture: bytes) -> None:
        """Take a face in later, and say so in a message; what is no picture is not taken in."""
        good = picture.startswith((b"\xff\xd8\xff", b"\x89PNG"))

        def done() -> None:
            with self._lock:
                group.pending -= 1
                if good:
                    group.faces[face.face_id] = face
                    group.modified = int(time.time())
            result = {"face_id": face.face_id, "group_id": group.group_id, "result": 0 if good else 1}
            self.tell(shop, FACE_DONE, result)

        self._later.do(done, self.work_s)

    # -- messages ----------------------------------------------------------------------------------

    def tell(self, shop: Shop, event: int, payload: dict[str, Any]) -> None:
        """Post a message to whoever of the shop has subscribed to it."""
        with self._lock:
            urls = list(shop.hooks.get(event, []))
        for url in urls:
            self.posts.post(url, form(self.app_id, self.secret_key.reveal(), shop, event, payload))

    def visit(self, shop: Shop | None = None, face: Face | None = None) -> dict[str, Any]:
        """Let somebody come into a shop: a message 2001. Default: one of the first shop's regulars."""
        shop = shop or self.shop
        with self._lock:
            group = (
                next(g for g in shop.groups.values() if g.faces)
                if face is None
                else shop.groups[face.group_id]
            )
            face = face or self.state.numbers.choice(list(group.faces.values()))
            face.arrivals, face.last_arrival = face.arrivals + 1, int(time.time())
            payload = {
                "ipc_id": self.devices(shop.no)[0].ipc_id,
                "face_id": face.face_id,
                "gender": face.gender,
                "age_range": face.age_range,
                "group_id": group.group_id,
                "group_name": group.name,
                "group_type": group.type,
            }
        self.tell(shop, PERSON_SEEN, payload)
        return payload

    # -- answering ---------------------------------------------------------------------------------

    def answer(self, path: str, body: bytes, kind: str = "") -> tuple[int, dict[str, Any]]:
        """Carry out one call; HTTP status and the answer's JSON. *kind* is the body's content type."""
        endpoint = registry("cloud").get(path)
        play = handlers.play_of(path)
        hidden = not self.in_development and getattr(endpoint, "in_development", False)
        if endpoint is None or play is None or hidden:
            return 404, {"code": 404, "msg": "not found"}
        if len(body) > checks.MOST_BYTES:
            return 413, {"code": 413, "msg": "too large"}
        try:
            fields, files = checks.read_body(body, kind)
            clock = time.time() + self.clock_offset
            checks.check_public(
                fields, self.app_id, self.secret_key.reveal(), clock=clock, tolerance=self.clock_tolerance_s
            )
            shop = (
                checks.find_shop(fields, self.state.shops) if getattr(endpoint, "shop", True) else self.shop
            )
            values = checks.private(endpoint, fields, files)
            with self._lock:
                data = play(self, shop, values)
                self.counts[path] += 1
        except Unauthorized:
            return 401, {"code": 5090, "msg": "invalid sign"}
        except Refused as refused:
            return 200, {"code": refused.code, "msg": "failed", "data": {}}
        return 200, {"code": 0, "msg": _SUCCEED, "data": data or {}}

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """Count the calls that run at once."""
        with self._counting:
            self.running += 1
            self.busiest = max(self.busiest, self.running)
        try:
            yield
        finally:
            with self._counting:
                self.running -= 1
