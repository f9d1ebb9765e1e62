"""Figures for Prometheus, made when they are asked for; labels name sites and cameras, never people."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from .verdict import KINDS, Level

if TYPE_CHECKING:
    from .station import Station

_CARDS = ("none", "blank", "normal", "broken", "unknown")


class StationCollector(Collector):
    """A station's figures."""

    def __init__(self, station: Station) -> None:
        self._station = station

    def collect(self) -> Iterator[Metric]:
        """Every figure."""
        yield from self._cameras()
        yield from self._people()
        yield from self._events()
        yield from self._broker()
        yield from self._own()

    def _cameras(self) -> Iterator[Metric]:
        site, station = self._station.site, self._station
        names = ["site", "sn"]
        up = GaugeMetricFamily("sunmi_ipc_up", "Whether the camera answered the newest look", labels=names)
        verdict = GaugeMetricFamily(
            "sunmi_ipc_verdict", "1 for the camera's verdict", labels=[*names, "verdict"]
        )
        reason = GaugeMetricFamily(
            "sunmi_ipc_reason", "1 for what is the matter with the camera", labels=[*names, "code"]
        )
        took = GaugeMetricFamily("sunmi_ipc_answer_seconds", "How long the newest answer took", labels=names)
        clock = GaugeMetricFamily(
            "sunmi_ipc_clock_offset_seconds", "How far the camera's clock is ahead", labels=names
        )
        card = GaugeMetricFamily("sunmi_ipc_card", "1 for the state of the SD card", labels=[*names, "state"])
        age = GaugeMetricFamily(
            "sunmi_ipc_newest_recording_age_seconds",
            "Age of the newest recording when it was looked for",
            labels=names,
        )
        seen = GaugeMetricFamily(
            "sunmi_ipc_last_answer_timestamp_seconds", "When the camera last answered", labels=names
        )
        muted = GaugeMetricFamily("sunmi_ipc_muted", "Whether nobody is told of the camera", labels=names)
        info = InfoMetricFamily("sunmi_ipc_camera", "What the camera is", labels=names)
        for camera in station.status().cameras:
            who = [site, camera.sn]
            facts = camera.facts
            up.add_metric(who, float(facts.get("answer_ms") is not None))
            for level in Level:
                verdict.add_metric([*who, str(level)], float(camera.verdict is level))
            codes = {r.code for r in camera.reasons}
            for code in KINDS:
                if code in codes:
                    reason.add_metric([*who, code], 1)
            if facts.get("answer_ms") is not None:
                took.add_metric(who, facts["answer_ms"] / 1000)
            if "clock_s" in facts:
                clock.add_metric(who, facts["clock_s"])
            if "card" in facts:
                for state in _CARDS:
                    card.add_metric([*who, state], float(facts["card"] == state))
            if facts.get("newest_recording"):
                age.add_metric(who, max(0.0, time.time() - facts["newest_recording"]))
            if camera.seen:
                seen.add_metric(who, camera.seen)
            muted.add_metric(who, float(bool(camera.muted_until)))
            info.add_metric(who, {"model": camera.model, "firmware": camera.firmware})
        yield from (up, verdict, reason, took, clock, card, age, seen, muted, info)

    def _people(self) -> Iterator[Metric]:
        counts = self._station.counts
        if counts is None:
            return
        people = CounterMetricFamily(
            "sunmi_ipc_people",
            "People of closed windows since the station was started",
            labels=["site", "sn", "direction"],
        )
        missing = GaugeMetricFamily(
            "sunmi_ipc_windows_missing",
            "Windows that the camera is still to be asked for",
            labels=["site", "sn"],
        )
        for (sn, direction), number in sorted(counts.totals.items()):
            people.add_metric([self._station.site, sn, direction], number)
        for member in self._station.roster.members():
            if member.sn and member.counts_people:
                missing.add_metric([self._station.site, member.sn], counts.missing(member))
        yield from (people, missing)

    def _events(self) -> Iterator[Metric]:
        intake = self._station.intake
        if intake is None:
            return
        figures, site = intake.figures(), self._station.site
        received = CounterMetricFamily(
            "sunmi_ipc_events_received", "Events by what became of them", labels=["site", "result"]
        )
        for result, number in sorted(figures["received"].items()):
            received.add_metric([site, result], number)
        kept = GaugeMetricFamily("sunmi_ipc_events_kept", "Events that are kept", labels=["site"])
        kept.add_metric([site], figures["kept"])
        size = GaugeMetricFamily("sunmi_ipc_events_bytes", "Size of the events on the disk", labels=["site"])
        size.add_metric([site], figures["bytes"])
        backlog = GaugeMetricFamily(
            "sunmi_ipc_sink_backlog_events", "Events that wait for a sink", labels=["site", "sink"]
        )
        for name, consumer in sorted(figures["consumers"].items()):
            backlog.add_metric([site, name], consumer["backlog"])
        yield from (received, kept, size, backlog)

    def _broker(self) -> Iterator[Metric]:
        if self._station.broker_figures is None:
            return
        figures, site = self._station.broker_figures(), self._station.site
        for name, text, value in (
            ("connected", "Whether there is a connection to the broker", figures["connected"]),
            ("waiting_messages", "Counts, alerts and events that wait for the broker", figures["backlog"]),
        ):
            gauge = GaugeMetricFamily(f"sunmi_ipc_broker_{name}", text, labels=["site"])
            gauge.add_metric([site], float(value))
            yield gauge
        unheard = GaugeMetricFamily(
            "sunmi_ipc_broker_unheard", "1 for what nobody has subscribed to", labels=["site", "kind"]
        )
        for kind in ("counts", "events", "alerts"):
            unheard.add_metric([site, kind], float(kind in figures["unheard"]))
        yield unheard
        for name, text, value in (
            ("connections", "Connections made to the broker since the start", figures["connections"]),
            ("sent_messages", "Counts and alerts that the broker has taken", figures["sent"]),
        ):
            counter = CounterMetricFamily(f"sunmi_ipc_broker_{name}", text, labels=["site"])
            counter.add_metric([site], float(value))
            yield counter
        calls = CounterMetricFamily(
            "sunmi_ipc_broker_calls",
            "Calls through the broker by what became of them",
            labels=["site", "result"],
        )
        for result in ("done", "failed", "refused"):
            calls.add_metric([site, result], figures["calls"].get(result, 0))
        yield calls
        why = CounterMetricFamily(
            "sunmi_ipc_broker_calls_refused", "Calls that were refused, by reason", labels=["site", "reason"]
        )
        for reason, number in sorted(figures["calls"].items()):
            if reason not in ("done", "failed", "refused"):
                why.add_metric([site, reason], number)
        yield why

    def _own(self) -> Iterator[Metric]:
        station, site = self._station, [self._station.site]
        reason = GaugeMetricFamily(
            "sunmi_ipc_station_reason", "1 for what is the matter with the station", labels=["site", "code"]
        )
        for code in sorted({r.code for r in station.status().reasons}):
            reason.add_metric([*site, code], 1)
        yield reason
        if station.alerts is not None:
            sent = CounterMetricFamily("sunmi_ipc_alerts", "Messages to people", labels=["site", "result"])
            for result, number in sorted(station.alerts.counts.items()):
                sent.add_metric([*site, result], number)
            yield sent
        for name, text, value in (
            ("start_timestamp_seconds", "When the station was started", station.started),
            ("database_bytes", "Size of the station's database", float(station.store.size())),
            ("database_waiting_rows", "Rows that wait for the disk", float(station.store.waiting)),
            ("memory_bytes", "Memory of the station's process", _memory()),
            (
                "disk_free_bytes",
                "Space that is left where the station keeps its data",
                _free(station.loaded.data),
            ),
            ("cpu_seconds", "Processor time of the station's process", time.process_time()),
        ):
            kind = CounterMetricFamily if name == "cpu_seconds" else GaugeMetricFamily
            one = kind(f"sunmi_ipc_station_{name}", text, labels=["site"])
            one.add_metric(site, value)
            yield one


def _memory() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


def _free(folder: Path) -> float:
    try:
        return float(shutil.disk_usage(folder).free)
    except OSError:
        return 0.0


class Metrics:
    """A station's figures as text."""

    def __init__(self, station: Station) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(StationCollector(station))

    def text(self) -> bytes:
        """In Prometheus' format."""
        return generate_latest(self._registry)
