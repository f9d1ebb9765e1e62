"""A virtual cloud and a client of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sunmi_ipc.cloud.client import Cloud
from sunmi_ipc.simulator.cloud import VirtualCloud, connect


@pytest.fixture
def services() -> Iterator[Callable[..., VirtualCloud]]:
    """Start virtual clouds: ``services(latency_s=0.1)``."""
    running: list[VirtualCloud] = []

    def start(**options: object) -> VirtualCloud:
        running.append(VirtualCloud(**{"work_s": 0.05} | options).start())  # type: ignore[arg-type]
        return running[-1]

    yield start
    for service in running:
        service.close()


@pytest.fixture
def service(services: Callable[..., VirtualCloud]) -> VirtualCloud:
    return services()


@pytest.fixture
def cloud(service: VirtualCloud) -> Iterator[Cloud]:
    with connect(service) as client:
        yield client


@pytest.fixture(scope="module")
def shared() -> Iterator[VirtualCloud]:
    """One virtual cloud for tests that change nothing in it."""
    with VirtualCloud() as service:
        yield service
