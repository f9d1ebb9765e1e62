"""Which endpoints each command uses: for its help, and for the test that no endpoint lacks a command."""

from __future__ import annotations

from sunmi_ipc.i18n import tr
from sunmi_ipc.protocol import seen as proofs
from sunmi_ipc.protocol.spec import ALL_MODELS, registry

from .screen.output import brackets, labelled

#: Command line without ``ipc`` by the endpoints' names in the library.
USES: dict[str, tuple[str, ...]] = {
    "info": ("device.info",),
    "activate": ("device.info", "device.activate"),
    "identify": ("image.led", "image.set_led"),
    "wifi scan": ("wifi.scan", "wifi.scan_without_auth"),
    "wifi show": ("wifi.show",),
    "wifi set": ("wifi.set", "wifi.set_without_auth"),
    "network show": ("network.show",),
    "network set": ("network.show", "network.set"),
    "sdcard status": ("sdcard.status",),
    "sdcard format": ("sdcard.format", "sdcard.status"),
    "lens show": ("lens.show",),
    "lens zoom": ("lens.set_zoom", "lens.show"),
    "lens focus": ("lens.set_focus", "lens.show"),
    "lens autofocus": ("lens.autofocus", "lens.show"),
    "lens reset": ("lens.reset", "lens.show"),
    "image ir": ("image.ir", "image.set_ir"),
    "image rotation": ("image.rotation", "image.rotations", "image.set_rotation"),
    "image led": ("image.led", "image.set_led"),
    "image name": ("image.name_", "image.set_name"),
    "detection show": ("detection.show",),
    "detection set": ("detection.show", "detection.set"),
    "doorline show": ("people_flow.door_line",),
    "doorline set": ("people_flow.set_door_line",),
    "doorline preview": ("people_flow.door_line", "video.snapshot_url"),
    "flow arrivals": ("people_flow.arrivals",),
    "flow passing": ("people_flow.passing",),
    "flow leaving": ("people_flow.leaving",),
    "flow visitors": ("people_flow.visitors_page",),
    "flow visits": ("people_flow.visits",),
    "flow settings": ("people_flow.settings", "people_flow.set_settings"),
    "face group list": ("faces.groups",),
    "face group create": ("faces.create_group",),
    "face group update": ("faces.update_group", "faces.groups"),
    "face group delete": ("faces.delete_group",),
    "face group clear": ("faces.clear_group",),
    "face group move-rule": ("faces.set_move_rule",),
    "face attribute list": ("faces.attributes",),
    "face attribute add": ("faces.add_attribute",),
    "face attribute delete": ("faces.delete_attribute",),
    "face add": ("faces.add_face",),
    "face list": ("faces.list_page", "faces.ids_page"),
    "face show": ("faces.show",),
    "face picture": ("faces.show",),
    "face update": ("faces.update",),
    "face delete": ("faces.delete",),
    "face oldest": ("faces.oldest",),
    "face find": ("faces.find",),
    "face settings": ("faces.settings", "faces.set_settings"),
    "video live": ("video.live_url",),
    "video playback": ("video.playback_url",),
    "video records": ("video.records_page",),
    "video download": ("video.records_page", "sdcard.status"),
    "video snapshot": ("video.snapshot_url", "video.live_url"),
    "video clip": ("video.clip_url",),
    "events list": ("events.list",),
    "events subscribe": ("events.add",),
    "events unsubscribe": ("events.unsubscribe", "events.list"),
    "events listen": ("events.add", "events.list", "events.unsubscribe"),
}


def describe(keys: tuple[str, ...]) -> str:
    """One line for help: paths, a mark on those that are inferred, models where not all."""
    table = {endpoint.key: endpoint for endpoint in registry().values()}
    parts = []
    for key in keys:
        endpoint = table[key]
        shown = proofs.seen().get(endpoint.path, ())
        marks = (
            [labelled(tr("proven:"), tr(", ").join(shown))]
            if shown
            else [tr("inferred")]
            if endpoint.inferred
            else []
        )
        marks += sorted(endpoint.models) if endpoint.models != ALL_MODELS else []
        parts.append(endpoint.path + (brackets(tr(", ").join(marks)) if marks else ""))
    return labelled(tr("Endpoints used:"), tr(", ").join(parts))
