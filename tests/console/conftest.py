"""A console of this process (NiceGUI has one set of pages a process), and how somebody enters it."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from sunmi_ipc.console.desk import Desk
from sunmi_ipc.console.roles import Role
from sunmi_ipc.console.sessions import Session
from sunmi_ipc.settings import Settings
from sunmi_ipc.simulator import Vendor, VirtualCamera

from .shop import chromium as chromium
from .shop import cookie as cookie
from .shop import open_ as open_
from .shop import shop as shop


@dataclass
class Audit:
    """Keeps what is recorded."""

    entries: list[dict[str, Any]] = field(default_factory=list)

    def record(self, action: str, **more: Any) -> None:
        self.entries.append({"action": action} | more)


@pytest.fixture
def audit() -> Audit:
    return Audit()


def settings_of(vendor: Vendor) -> Settings:
    return Settings(
        app_id=vendor.app_id,
        secret_key=vendor.secret_key,
        activation_code=vendor.activation_code,
        p12=str(vendor.p12),
        p12_password=vendor.p12_password,
        ca=str(vendor.ca),
        interface="lo",
    )


@pytest.fixture
def desk(vendor: Vendor, audit: Audit) -> Iterator[Callable[..., Desk]]:
    """A desk that has seen these virtual cameras."""
    made: list[Desk] = []

    def start(*cameras: VirtualCamera) -> Desk:
        from sunmi_ipc.discovery.camera import observe

        one = Desk(settings_of(vendor), audit)
        for camera in cameras:
            one._seen[camera.sn] = observe(camera.describe(), camera.ip)
        made.append(one)
        return one

    yield start
    for one in made:
        one.close()


def session(role: Role) -> Session:
    return Session("abcd", role, "127.0.0.9")


class Http:
    """A browser without a page: cookies, headers, status."""

    def __init__(self, base: str) -> None:
        self.base, self.cookie = base, ""
        self.netloc = urlsplit(base).netloc

    def __call__(
        self, method: str, path: str, body: str | None = None, **headers: str | None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.netloc, timeout=20)
        sent: dict[str, str] = {"Cookie": self.cookie} if self.cookie else {}
        if body is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.base}
        for name, value in headers.items():
            name = name.replace("_", "-")
            sent.pop(name, None)
            if value is not None:
                sent[name] = value
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return answer.status, found, answer.read()
        finally:
            connection.close()

    def enter(self, code: str) -> int:
        status, headers, _ = self("POST", "/enter", f"code={code}")
        if "set-cookie" in headers:
            self.cookie = headers["set-cookie"].partition(";")[0]
        return status
