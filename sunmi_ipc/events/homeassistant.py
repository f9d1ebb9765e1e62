"""What Home Assistant needs to find a camera: discovery messages over MQTT.

``device.serial_number`` is left out: versions before 2024.2 refuse an entity that has it. The number stands
in the device's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..protocol.values import EventType

_NOT_IN_TOPIC = re.compile(r"[^A-Za-z0-9_-]")
#: Entities of people counters: key, name, field of the counters.
_PEOPLE = (
    ("people", "People", "total"),
    ("people_male", "People, male", "male"),
    ("people_female", "People, female", "female"),
    ("people_passing", "People passing by", "passing"),
    ("people_leaving", "People leaving", "leaving"),
)
#: Entities of a camera's state: key, name, icon.
_STATES = (
    ("card", "SD card", "mdi:micro-sd"),
    ("firmware", "Firmware", "mdi:chip"),
    ("verdict", "Verdict", "mdi:stethoscope"),
)


@dataclass(frozen=True, slots=True)
class Topics:
    """Where a camera's news are found, by whoever publishes them.

    Attributes:
        availability: Topics that must all say ``online``, with their templates.
        last: A kind of event's newest: topic and template of when it came, ISO 8601.
        motion: Topic and template of motion as it comes: ``ON``.
        people: The topic of people counters, and each counter's name there by ours.
        state: The topic of the camera's state.

    """

    availability: tuple[Mapping[str, str], ...]
    last: Callable[[EventType], Mapping[str, Any]]
    motion: Mapping[str, Any]
    people: tuple[str, Mapping[str, str]]
    state: str


def of_sink(sn: str, prefix: str) -> Topics:
    """The topics of :class:`~sunmi_ipc.events.mqtt.MqttSink`."""

    def last(kind: EventType) -> dict[str, Any]:
        topic = f"{prefix}/{sn}/last/{kind}"
        return {
            "state_topic": topic,
            "value_template": "{{ value_json.received }}",
            "json_attributes_topic": topic,
        }

    return Topics(
        ({"topic": f"{prefix}/status"}, {"topic": f"{prefix}/{sn}/status"}),
        last,
        # Not the retained topic: yesterday's motion must not show as motion after a restart.
        {"state_topic": f"{prefix}/{sn}/event/{EventType.MOTION}", "value_template": "ON"},
        (f"{prefix}/{sn}/people", {name: name for _, _, name in _PEOPLE}),
        f"{prefix}/{sn}/state",
    )


def discovery(sn: str, topics: Topics, *, discovery_prefix: str) -> dict[str, dict[str, Any]]:
    """The discovery messages of a camera, by topic.

    The last face and the last motion as times with the event as attributes, motion as a binary sensor that
    falls back by itself, people counters, and the camera's state. All of them are available while both the
    program that publishes and the camera are.
    """
    node = f"sunmi_ipc_{_NOT_IN_TOPIC.sub('_', sn)}"
    common: dict[str, Any] = {
        "availability": [dict(one) for one in topics.availability],
        "availability_mode": "all",
        "device": {"identifiers": [node], "name": f"SUNMI {sn}", "manufacturer": "SUNMI"},
        "origin": {"name": "sunmi-ipc"},
    }

    def last(kind: EventType) -> dict[str, Any]:
        return {**topics.last(kind), "device_class": "timestamp"}

    entities: dict[tuple[str, str], dict[str, Any]] = {
        ("sensor", "last_face"): {
            "name": "Last face",
            "icon": "mdi:face-recognition",
            **last(EventType.FACE_RECOGNITION),
        },
        ("sensor", "last_motion"): {"name": "Last motion", **last(EventType.MOTION)},
        ("binary_sensor", "motion"): {
            "name": "Motion",
            "device_class": "motion",
            **topics.motion,
            "off_delay": 30,
        },
    }
    counters, theirs = topics.people
    for key, name, value in _PEOPLE:
        if value not in theirs:
            continue
        entities["sensor", key] = {
            "name": name,
            "state_topic": counters,
            # A counter that this camera does not have stays unknown.
            "value_template": f"{{{{ value_json.{theirs[value]} | default(None) }}}}",
            "state_class": "total_increasing",
            "unit_of_measurement": "people",
            "icon": "mdi:account-group",
        }
    for key, name, icon in _STATES:
        entities["sensor", key] = {
            "name": name,
            "state_topic": topics.state,
            "value_template": f"{{{{ value_json.{key} | default(None) }}}}",
            "entity_category": "diagnostic",
            "icon": icon,
        }
    return {
        f"{discovery_prefix}/{component}/{node}/{key}/config": {
            "unique_id": f"{node}_{key}",
            **entity,
            **common,
        }
        for (component, key), entity in entities.items()
    }
