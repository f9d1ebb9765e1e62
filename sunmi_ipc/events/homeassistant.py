"""What Home Assistant needs to find a camera: discovery messages over MQTT.

``device.serial_number`` is left out: versions before 2024.2 refuse an entity that has it. The number stands
in the device's name.
"""

from __future__ import annotations

import re
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


def discovery(sn: str, *, prefix: str, discovery_prefix: str) -> dict[str, dict[str, Any]]:
    """The discovery messages of a camera, by topic.

    The last face and the last motion as times with the event as attributes, motion as a binary sensor that
    falls back by itself, people counters, and the camera's state. All of them are available while both the
    program that publishes and the camera are.
    """
    node = f"sunmi_ipc_{_NOT_IN_TOPIC.sub('_', sn)}"
    common: dict[str, Any] = {
        "availability": [{"topic": f"{prefix}/status"}, {"topic": f"{prefix}/{sn}/status"}],
        "availability_mode": "all",
        "device": {"identifiers": [node], "name": f"SUNMI {sn}", "manufacturer": "SUNMI"},
        "origin": {"name": "sunmi-ipc"},
    }

    def last(kind: EventType) -> dict[str, Any]:
        topic = f"{prefix}/{sn}/last/{kind}"
        return {
            "state_topic": topic,
            "value_template": "{{ value_json.received }}",
            "device_class": "timestamp",
            "json_attributes_topic": topic,
        }

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
            # Not the retained topic: yesterday's motion must not show as motion after a restart.
            "state_topic": f"{prefix}/{sn}/event/{EventType.MOTION}",
            "value_template": "ON",
            "off_delay": 30,
        },
    }
    for key, name, value in _PEOPLE:
        entities["sensor", key] = {
            "name": name,
            "state_topic": f"{prefix}/{sn}/people",
            # A counter that this camera does not have stays unknown.
            "value_template": f"{{{{ value_json.{value} | default(None) }}}}",
            "state_class": "total_increasing",
            "unit_of_measurement": "people",
            "icon": "mdi:account-group",
        }
    for key, name, icon in _STATES:
        entities["sensor", key] = {
            "name": name,
            "state_topic": f"{prefix}/{sn}/state",
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
