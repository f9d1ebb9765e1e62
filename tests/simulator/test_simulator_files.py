"""Files of a virtual camera: whole, in part, and not there."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sunmi_ipc.link.tls import ClientCertificate, client_context
from sunmi_ipc.simulator import VirtualCamera, files

BODY = bytes(range(256)) * 4


@pytest.fixture
def sample(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "sample.bin"
    path.write_bytes(BODY)
    sources = {"bytes": files.Content(BODY, "video/mp4"), "file": files.Content(path)}
    monkeypatch.setitem(files._SOURCES, "sample", lambda _, rest: sources.get(rest))


@pytest.fixture
def get(ready: VirtualCamera) -> Iterator[Callable[..., tuple[int, str | None, bytes]]]:
    """Status, content range and body of a path."""
    certificate = ClientCertificate.load(ready.vendor.p12, ready.vendor.p12_password.reveal())
    context = client_context(certificate, ready.vendor.ca.read_bytes())
    connection = http.client.HTTPSConnection(ready.ip, ready.port, context=context, timeout=10)

    def ask(path: str, **headers: str) -> tuple[int, str | None, bytes]:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers["Content-Range"], response.read()

    yield ask
    connection.close()


@pytest.mark.parametrize("name", ["bytes", "file"])
def test_whole_and_parts(sample: None, get: Callable[..., tuple[int, str | None, bytes]], name: str) -> None:
    path = f"/sample/{name}"
    assert get(f"{path}?x=1") == (200, None, BODY)
    assert get(path, Range="bytes=1000-") == (206, "bytes 1000-1023/1024", BODY[1000:])
    assert get(path, Range="bytes=0-9") == (206, "bytes 0-9/1024", BODY[:10])
    assert get(path, Range="bytes=-5") == (206, "bytes 1019-1023/1024", BODY[-5:])
    assert get(path, Range="bytes=1024-") == (416, "bytes */1024", b"")
    assert get(path, Range="lines=1-2") == (200, None, BODY)


def test_not_there(sample: None, get: Callable[..., tuple[int, str | None, bytes]]) -> None:
    assert get("/sample/none")[0] == 404
    assert get("/nothing")[0] == 404


def test_one_source_a_path() -> None:
    files.serves("only-once")(lambda *_: None)
    try:
        with pytest.raises(ValueError, match="only-once"):
            files.serves("only-once")(lambda *_: None)
    finally:
        del files._SOURCES["only-once"]
