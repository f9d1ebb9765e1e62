"""Spellings that commands had before there was one way to say it: taken for one release, and told.

An option is called the same wherever it means the same, and two things are never called the same; a test
walks every command and holds that. What a command understood before is in the tables here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import speak

from .naming import cleaned
from .screen.language import checked
from .screen.output import note
from .state import State

#: Sub-commands: the group's words, then old and new name.
COMMANDS: dict[str, dict[str, str]] = {
    "cloud": {"faces": "face", "hooks": "events", "rename": "name"},
    "cloud events": {"add": "subscribe", "delete": "unsubscribe"},
}


@dataclass(frozen=True)
class Old:
    """An option's old spelling.

    Args:
        name: What it is called now; empty: nothing, it is what happens anyway.
        unit: What a bare number is given: ``--keep-days 30`` is ``--keep 30d``.
        flag: It has no value.
        camera: Its value is a camera, which ``-c`` names now.
        positional: Its value is an argument now.
        language: Its value is a language, which ``--lang`` names now.
        quiet: It is not told: it stays good.
        needs: The option without which it is refused.

    """

    name: str
    unit: str = ""
    flag: bool = False
    camera: bool = False
    positional: bool = False
    language: bool = False
    quiet: bool = False
    needs: str = ""


_WAIT = {"--wait": Old("", flag=True, quiet=True)}
_KEEP = {"--keep-days": Old("--keep", "d")}
_CLOUD_EVENT = {"--event": Old("EVENT", positional=True)}
#: By command.
OPTIONS: dict[str, Mapping[str, Old]] = {
    "wifi set": _WAIT,
    "sdcard format": _WAIT,
    "lens zoom": _WAIT,
    "lens focus": _WAIT,
    "lens autofocus": _WAIT,
    "lens reset": _WAIT,
    "face update": {"--group": Old("--to-group"), "-g": Old("--to-group")},
    "face group move-rule": {"--days": Old("--within", "d")},
    "face settings": {"--seconds": Old("--within")},
    "flow report": {"--open": Old("--opening-hours", flag=True)},
    "events listen": {
        **_KEEP,
        "--keep-faces-days": Old("--keep-faces", "d"),
        "--keep-pictures-days": Old("--keep-pictures", "d"),
        "--on": Old("-c", camera=True, needs="--subscribe"),
        "--timezone": Old("--tz"),
    },
    "fleet export": {"--language": Old("--lang", language=True)},
    "serve init": {"--cameras": Old("--site-file")},
    "sim start": {"--format-s": Old("--format-time")},
    "cloud live": {"--resolution": Old("--quality")},
    "cloud playback": {"--stop": Old("--stop-id")},
    "cloud records": {"--motion": Old("--detected", flag=True)},
    "cloud face add": _WAIT,
    "cloud face move": {"--from": Old("--group"), "--to": Old("--to-group")},
    "cloud face group create": {"--key": Old("--field")},
    "cloud face group update": {"--key": Old("--field"), "--name": Old("--rename")},
    "cloud face group move-rule": {"--days": Old("--within", "d")},
    "cloud events subscribe": _CLOUD_EVENT,
    "cloud events unsubscribe": _CLOUD_EVENT,
    "cloud events listen": {"--event": Old("--subscribe")},
}
#: Commands whose first argument became an option: ``cloud face list GROUP`` is ``cloud face list -g GROUP``.
ARGUMENTS: dict[str, str] = {"cloud face list": "--group"}
#: Commands whose first argument is the camera of ``-c`` now, and how many arguments they have left.
CAMERAS: dict[str, int] = {
    "cloud live": 0,
    "cloud playback": 0,
    "cloud snapshot": 0,
    "cloud records": 0,
    "cloud name": 1,
}


def respell(words: str, args: list[str], command: Any, state: State | None) -> list[str]:
    """*args* of a command in today's spelling.

    Args:
        words: The command's words behind ``ipc``.
        args: What was typed behind them.
        command: The command, which knows which of its options have a value.
        state: Who is told; a camera that an old option named becomes its ``-c``.

    """
    table, into = OPTIONS.get(words, {}), ARGUMENTS.get(words, "")
    if words == "scan":
        return _csv(args)
    if words in CAMERAS:
        args = _camera_first(args, CAMERAS[words], command, set(table), state)
    if not table and not into:
        return args
    valued = _valued(command) | set(table)
    made: list[str] = []
    named: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            made += [arg, *waiting]
            break
        name, equals, value = arg.partition("=")
        old = table.get(name)
        if old is None:
            made.append(arg)
            if arg in valued and (following := next(waiting, None)) is not None:
                made.append(following)
            elif into and not arg.startswith("-"):
                made.insert(len(made) - 1, into)
                _tell(state, arg, f"-g {arg}")
                into = ""
            continue
        if old.needs and not any(one.partition("=")[0] == old.needs for one in args):
            raise ParameterError("{name}: needs {other}", name=name, other=old.needs)
        if old.flag:
            made += [old.name] if old.name else []
        else:
            given = value if equals else next(waiting, None)
            if given is None:
                return args  # Typer says that its value is missing
            if old.camera:
                named.append(cleaned(given))
            made += _given(old, given)
        if not old.quiet:
            _tell(state, name, old.name)
    if named and state is not None:
        state.camera, state.cameras = named[0], tuple(named)
    return made


def _valued(command: Any) -> set[str]:
    """The options of *command* that have a value."""
    options = [p for p in command.params if p.param_type_name == "option"]
    return {name for p in options if not p.is_flag for name in p.opts}


def _camera_first(args: list[str], left: int, command: Any, old: set[str], state: State | None) -> list[str]:
    """*args* without the camera that stands first among them, which becomes the one of ``-c``."""
    valued, places, skip = _valued(command) | old, list[int](), False
    for n, arg in enumerate(args):
        if not skip and not arg.startswith("-"):
            places.append(n)
        skip = not skip and arg in valued
    if len(places) != left + 1:
        return args
    first = args[places[0]]
    if state is not None:
        state.camera, state.cameras = cleaned(first), (cleaned(first),)
    _tell(state, first, f"-c {first}")
    return [arg for n, arg in enumerate(args) if n != places[0]]


def _given(old: Old, value: str) -> list[str]:
    if old.camera:
        return []
    if old.positional:
        return [value]
    if old.language:
        speak(checked(value) or None)  # type: ignore[arg-type]
        return []
    number = value.replace(".", "", 1)
    return [old.name, value + old.unit if number.isascii() and number.isdecimal() else value]


def _csv(args: list[str]) -> list[str]:
    """``--csv`` with nothing behind it is ``--csv -``: the rows go to standard output."""
    made: list[str] = []
    for n, arg in enumerate(args):
        made.append(arg)
        after = args[n + 1] if n + 1 < len(args) else "--"
        if arg == "--csv" and after != "-" and after.startswith("-"):
            made.append("-")
    return made


def _tell(state: State | None, old: str, new: str) -> None:
    if state is not None:
        note(state, "'{old}' is '{new}' now; the old spelling goes with the next release.", old=old, new=new)


def take(command: Any, words: str) -> None:
    """Have *command*, and those under it, take their old spellings."""
    below = getattr(command, "commands", None)
    if below is not None:
        if words in COMMANDS:
            command.resolve_command = _resolver(command.resolve_command, COMMANDS[words])
        for name, sub in below.items():
            take(sub, f"{words} {name}")
        return
    if words in OPTIONS or words in ARGUMENTS or words in CAMERAS or words == "scan":
        command.parse_args = _parser(command, command.parse_args, words)


def _state(ctx: Any) -> State | None:
    found = ctx.find_root().obj
    return found if isinstance(found, State) else None


def _resolver(resolve: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    def resolve_command(ctx: Any, args: list[str]) -> Any:
        if args and args[0] in names:
            _tell(_state(ctx), args[0], names[args[0]])
            args = [names[args[0]], *args[1:]]
        return resolve(ctx, args)

    return resolve_command


def _parser(command: Any, parse: Callable[..., Any], words: str) -> Callable[..., Any]:
    def parse_args(ctx: Any, args: list[str]) -> Any:
        return parse(ctx, respell(words, args, command, _state(ctx)))

    return parse_args
