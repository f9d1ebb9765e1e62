"""A broker and a database of our own, where they are installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="SQLAlchemy, the extra 'hub', is not installed")
pytest.importorskip("paho.mqtt.client", reason="paho-mqtt, the extra 'hub', is not installed")

from .servers import MOSQUITTO, POSTGRES, Mosquitto, Postgres


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if MOSQUITTO is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    with Mosquitto(tmp_path / "broker") as started:
        yield started


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    if POSTGRES is None:
        pytest.skip("PostgreSQL is not installed (apt install postgresql)")
    with Postgres(tmp_path_factory.mktemp("postgres")) as started:
        yield started
