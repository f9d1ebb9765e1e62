"""Refusals in the words of who typed: the option or argument by its own name, and the value it had.

The library names its parameters (``end_x``); a person typed ``X2``. One place, for every command.
"""

from __future__ import annotations

from typing import Any

from sunmi_ipc.errors import ParameterError

from .wording import placeholders, repeatable

#: The library's names, and what commands call them.
_ALIASES: dict[str, tuple[str, ...]] = {
    "age": ("age",),
    "attributes": ("attribute", "attributes"),
    "audio_level": ("sound",),
    "count": ("capacity",),
    "customer_judgemode": ("mode",),
    "end_time": ("to",),
    "end_x": ("x2",),
    "end_y": ("y2",),
    "event_list": ("events", "event"),
    "facerecog_interval": ("interval",),
    "faceid_list": ("faceids",),
    "focus": ("position",),
    "focused_x": ("x",),
    "focused_y": ("y",),
    "group_name": ("to_group", "group", "name"),
    "http_callback": ("callback",),
    "irmode": ("mode",),
    "led_switch": ("switch",),
    "motion_level": ("motion",),
    "name": ("name", "rename"),
    "netmask": ("netmask",),
    "num": ("count",),
    "old_name": ("name",),
    "optimize_seconds": ("within",),
    "period": ("within", "days"),
    "snap_size_thr": ("size",),
    "start_time": ("from_",),
    "start_x": ("x1",),
    "start_y": ("y1",),
    "stop_time": ("to",),
    "weekday": ("days",),
    "zoom": ("position",),
}


def _parameter(ctx: Any, name: str) -> Any:
    """The option or argument that *name* means: as typed, as the command calls it, or by its alias."""
    every = ctx.command.params
    for parameter in every:
        if name in (*parameter.opts, parameter.name, _shown(parameter)):
            return parameter
    for alias in _ALIASES.get(name, ()):
        for parameter in every:
            if parameter.name == alias:
                return parameter
    return None


def _shown(parameter: Any) -> str:
    """``--from`` for an option, ``X2`` for an argument."""
    options = [opt for opt in parameter.opts if opt.startswith("-")]
    if options:
        return str(max(options, key=len))
    written = str(parameter.metavar or "")
    # A metavar that lists the words to choose from is no name.
    return (parameter.name if not written or "|" in written else written).strip("[]….").upper()


def name_as_typed(error: ParameterError, ctx: Any) -> None:
    """Have *error* name what was typed, with its value.

    Args:
        error: A refusal, whose ``name`` is the library's, an option's or an argument's.
        ctx: The context of the command that raised it.

    """
    parameter = _parameter(ctx, str(error.values.get("name", "")))
    if parameter is None:
        return
    shown, value = placeholders(_shown(parameter)), repeatable(parameter, ctx.params.get(parameter.name))
    if not value:  # of an option that may be repeated, the one value that was refused
        value = repeatable(parameter, error.values.get("given"))
    error.values = {**error.values, "name": f"{shown} {value}".strip()}


def teach(command: Any) -> None:
    """Have *command* refuse in the words of who typed."""
    invoke = command.invoke

    def invoked(ctx: Any) -> Any:
        try:
            return invoke(ctx)
        except ParameterError as error:
            name_as_typed(error, ctx)
            raise

    command.invoke = invoked
