"""What a signed call costs beside plain ``requests`` for the same bytes over the same TLS; and signatures a second."""

from __future__ import annotations

import ssl
import statistics
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from sunmi_ipc.link.transport import HttpsTransport
from sunmi_ipc.protocol import wire
from sunmi_ipc.protocol.spec import registry
from sunmi_ipc.protocol.wire import Credentials
from sunmi_ipc.simulator import VirtualCamera, connect

CALLS, ROUNDS = 200, 15


class _Adapter(HTTPAdapter):
    """Requests with the camera's TLS context."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._tls = {"ssl_context": context, "assert_hostname": False}
        super().__init__()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        """Connect with our context, whatever *verify* says."""
        return super().build_connection_pool_key_attributes(request, verify, cert)[0], self._tls

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """The context alone decides."""


def main() -> None:
    """Take turns, and print medians and the ratio."""
    with VirtualCamera(state="ready", udp=False) as virtual, connect(virtual) as camera:
        camera.device.info()
        transport = camera._transport
        assert isinstance(transport, HttpsTransport)
        plain = requests.Session()
        plain.trust_env = False
        plain.mount("https://", _Adapter(transport.context))
        endpoint = registry()["device/getInfo"]
        url = f"{transport.base}/openapi/device/getInfo"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        credentials = Credentials(virtual.vendor.app_id, virtual.vendor.secret_key)

        def ours() -> None:
            camera.device.info()

        def theirs(body: bytes) -> None:
            plain.post(url, data=body, headers=headers, timeout=10).json()

        results: dict[str, list[float]] = {"ours": [], "plain": []}
        for _ in range(ROUNDS):
            body = wire.build(endpoint, {}, credentials, now=time.time(), random=wire.nonce()).body
            started = time.perf_counter()
            for _ in range(CALLS):
                theirs(body)
            results["plain"].append((time.perf_counter() - started) / CALLS)
            started = time.perf_counter()
            for _ in range(CALLS):
                ours()
            results["ours"].append((time.perf_counter() - started) / CALLS)
        plain.close()
        a, b = statistics.median(results["ours"]), statistics.median(results["plain"])
        print(
            f"signed call    {a * 1e6:7.0f} us\nplain requests {b * 1e6:7.0f} us\nratio          {a / b:7.2f}  (wanted: at most 1.5)"
        )
        fields = dict(wire.build(endpoint, {}, credentials, now=1, random="1234567890").fields)
        started, count = time.perf_counter(), 0
        while time.perf_counter() - started < 1:
            for _ in range(1000):
                wire.sign(fields, credentials.secret_key)
            count += 1000
        print(f"signatures     {count / (time.perf_counter() - started):7.0f} a second")


if __name__ == "__main__":
    main()
