"""What people and scripts see: tables, JSON, progress, questions, errors."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sunmi_ipc import errors
from sunmi_ipc.i18n import language, tr
from sunmi_ipc.redact import printable, redact, scrub

from ..state import State
from . import collected, words
from .hidden import hidden
from .lines import LEAST, fitted
from .tables import columns as columns
from .tables import fold, window
from .tables import table as table
from .tables import width as width

if TYPE_CHECKING:
    from sunmi_ipc.models.base import Reply


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    if mine := collected.current():
        mine.document = value
        return
    sys.stdout.write(_json_text(value, indent=2) + "\n")
    sys.stdout.flush()


def _json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON with Chinese as it is, and with whatever could steer a terminal as JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def print_json_line(value: Any) -> None:
    """One JSON object on one line of stdout."""
    sys.stdout.write(_json_text(value) + "\n")
    sys.stdout.flush()


def say(state: State, template: str, /, **values: Any) -> None:
    """A line for people: on stdout, on stderr where stdout is JSON's, nowhere with ``-q``."""
    if mine := collected.current():
        mine.lines.append(tr(template, **_shown(values)))
    elif not state.quiet:
        shown = _shown(values)
        stream = sys.stderr if state.json else sys.stdout
        stream.write(fitted(tr(template, **shown), stream) + "\n")
        stream.flush()


def note(state: State, template: str, /, **values: Any) -> None:
    """A remark on stderr, silent with ``-q``."""
    if not state.quiet:
        mine = collected.current()
        about = mine.camera + tr(": ") if mine else ""
        sys.stderr.write(fitted(about + tr(template, **_shown(values)), sys.stderr) + "\n")


def _shown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {k: printable(v) if isinstance(v, str) else v for k, v in values.items()}


def fields(values: Mapping[str, Any], *, wire: bool = False) -> None:
    """Names and values in words, one a line; with *wire* as a camera sent them."""
    _lines(words.mapping(values, wire=wire))


def _lines(rows: Sequence[tuple[str, str]]) -> None:
    """Labels and texts side by side; a text that is too wide for the terminal is folded in its column."""
    if mine := collected.current():
        mine.record += rows
        return
    widest = max((width(name) for name, _ in rows), default=0)
    room = window() - widest - 2
    for name, text in rows:
        head = printable(name)
        # An address is to be copied, in one piece.
        whole = "://" in text
        if room < LEAST < window() and not whole and width(printable(text)) > room:
            # No column to fold it in: it stands under its name.
            sys.stdout.write(head + "\n")
            for part in fold(printable(text), window() - 2):
                sys.stdout.write(f"  {part}\n")
            continue
        whole = whole or room < LEAST
        for part in [printable(text)] if whole else fold(printable(text), room):
            sys.stdout.write(columns([head, part], [widest, 0]) + "\n")
            head = ""


def show(
    state: State,
    reply: Reply | Mapping[str, Any] | None,
    *,
    reveal: bool = False,
    rows: str = "",
    done: str = "done",
    nothing: str = "nothing found",
    about: Mapping[str, Any] | None = None,
    now: Reply | Mapping[str, Any] | None = None,
    wire: bool = False,
    tz: tzinfo | None = None,
) -> None:
    """An endpoint's result: in words for people, under the wire's names for scripts.

    Args:
        state: How the command was called.
        reply: The result; None where success is all there is.
        reveal: Show secrets.
        rows: The field that holds a list to print as a table.
        done: What to say where there is no result: a template.
        nothing: What to say of an empty list: a template.
        about: What fills it.
        now: What holds from now on; people see it in place of *done*, scripts an empty result.
        wire: People, too, get the answer as it came.
        tz: The zone for times; None for this computer's.

    """
    if reply is None:
        if state.json:
            print_json({})
        if state.json or state.quiet or now is None:
            say(state, done, **about or {})
        elif isinstance(now, Mapping):
            _lines(words.mapping(now))
        else:
            _lines(words.record(now))
        return
    if state.json:
        if isinstance(reply, Mapping):
            print_json(dict(reply) if reveal else redact(reply))
        else:
            print_json(reply.as_dict(reveal=reveal))
    elif state.quiet:
        return
    elif rows:
        many = reply[rows] if isinstance(reply, Mapping) else getattr(reply, rows)
        items = [
            dict(item) if isinstance(item, Mapping) else words.cells(item, tz=tz, reveal=reveal)
            for item in many or ()
        ]
        if items:
            table(redact(items), list(items[0]), least=list(items[0])[:1:-1])
        else:
            say(state, nothing)
    elif isinstance(reply, Mapping):
        _lines(words.mapping(reply, wire=wire, reveal=reveal))
    else:
        _lines(words.record(reply, tz=tz, reveal=reveal))


def is_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def confirm(text: str, yes: bool) -> None:
    """Ask before something is destroyed or replaced.

    Args:
        text: What is lost, or what comes, in words.
        yes: ``--yes`` was given.

    Raises:
        ParameterError: There is nobody to ask.
        typer.Exit: The answer was no.

    """
    if yes:
        return
    if not is_terminal():
        raise errors.ParameterError(
            "{name}: this is not done unasked, and nobody can be asked here: {what}",
            name="--yes",
            what=text,
            hint="Say --yes to go on without being asked.",
        )
    mine = collected.current()
    about = mine.camera + tr(": ") if mine and mine.camera not in text else ""
    with collected.asking if mine else contextlib.nullcontext():
        gap = "" if language() == "zh" else " "  # a Chinese full stop is wide enough
        go_on = agreed(f"{about}{text}{gap}{tr('Go on?')}")
    if not go_on:
        sys.stderr.write(tr("Nothing was changed.") + "\n")
        raise typer.Exit(1)


def agreed_to_write(path: Path, show: Callable[[], None]) -> bool:
    """Ask whether *path* is to be written until the answer is yes or no; v shows everything first."""
    while True:
        answer = str(
            typer.prompt(
                tr("Write {path}? v shows all of it.", path=str(path)) + " [y/N/v]",
                default="", show_default=False, err=True,
            )
        ).strip().lower()  # fmt: skip
        if answer in ("y", "yes", "是"):
            return True
        if answer in ("", "n", "no", "否"):
            return False
        if answer.startswith("v"):
            show()


def agreed(question: str, *, default: bool = False) -> bool:
    """Ask until the answer is yes or no; Enter is *default*."""
    choice = "[Y/n]" if default else "[y/N]"
    while True:
        told = fitted(f"{question} {choice}", sys.stderr)
        answer = typer.prompt(told, default="", show_default=False, err=True)
        said = str(answer).strip().lower()
        if said in ("y", "yes", "是"):
            return True
        if said in ("n", "no", "否"):
            return False
        if not said:
            return default
        sys.stderr.write(tr("Answer y or n.") + "\n")


def ask_secret(prompt: str, otherwise: str = "Set it in the environment instead.") -> str:
    """Ask for a secret on the terminal, without showing it; *otherwise*: what to do where there is none."""
    if not is_terminal():
        raise errors.ParameterError("{name}: there is no terminal to ask on", name=prompt, hint=otherwise)
    return hidden(prompt)


def progress_wanted(state: State) -> bool:
    """Whether to draw progress: on a terminal, without ``-q``."""
    return (
        sys.stderr.isatty()
        and not state.quiet
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )


@contextlib.contextmanager
def waiting(state: State, template: str, /, **values: Any) -> Iterator[Callable[[str], None]]:
    """A spinner with the seconds gone by on a terminal, one plain line elsewhere.

    Yields: a function that changes the text.
    """
    text = tr(template, **_shown(values))
    if collected.current() or not progress_wanted(state):
        if not state.quiet and not collected.current():
            sys.stderr.write(text + "\n")
        yield lambda changed: None
        return
    from rich.progress import TextColumn, TimeElapsedColumn

    from .progress import progress, spinner

    bar = progress(spinner(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with bar:
        task = bar.add_task(text, total=None)
        yield lambda changed: bar.update(task, description=changed)


def _name_camera(error: errors.SunmiIpcError) -> None:
    """Put the serial number into the next step where the last scan saw one at this address."""
    if error.values.get("sn") == "SN" and error.camera:
        from sunmi_ipc.discovery import memory
        from sunmi_ipc.settings import config_dir

        with contextlib.suppress(errors.SunmiIpcError):
            for seen in memory.last(config_dir()):
                if error.camera in (seen.ip, f"{seen.ip}:{seen.port}", seen.sn):
                    error.values = {**error.values, "sn": str(seen.sn)}


def _whose(
    state: State, error: errors.SunmiIpcError, about: str, document: Mapping[str, Any]
) -> Iterator[str]:
    """With which camera it went wrong: as the person named it; where it does not answer, its address, too."""
    address = printable(document["camera"] or "")
    named = printable(about or state.called or ("" if len(state.cameras) > 1 else state.camera))
    if address and named and address != named and not address.startswith(f"{named}:"):
        yield named + (brackets(address) if isinstance(error, errors.ConnectionFailed) else "")
    elif address:
        yield address
    elif about and about not in document["message"]:
        yield named


def error_document(error: errors.SunmiIpcError) -> dict[str, Any]:
    """The error as the contract prints it."""
    _name_camera(error)
    message, hint = error.localized(language())
    code = getattr(error, "code", None)
    return {
        "error": {
            "type": type(error).__name__,
            "code": int(code) if isinstance(code, int) else None,
            "name": getattr(error, "code_name", "") or None,
            "message": scrub(printable(message)),
            "hint": scrub(printable(hint)) or None,
            "camera": error.camera,
        }
    }


def advised(message: str, hint: str) -> str:
    """What went wrong, and the next step as a sentence of its own."""
    if not hint:
        return message
    end = "" if message.endswith((".", "。")) else tr(".")
    blank = "" if (end or message[-1:]) == "。" else " "  # a Chinese full stop brings its own
    return f"{message}{end}{blank}{hint}"


def brackets(text: str) -> str:
    """A remark behind a word: `` (FM020)``, （FM020）."""
    return f"（{text}）" if language() == "zh" else f" ({text})"


def labelled(label: str, text: str) -> str:
    """*label*, which ends in a colon, before *text*; a Chinese colon brings its own blank."""
    return f"{label}{'' if label.endswith('：') else ' '}{text}"


def print_error(state: State, error: errors.SunmiIpcError, *, about: str = "") -> None:
    """One line on stderr, with the next step; with ``--json`` also the document on stdout.

    Args:
        state: How the command was called.
        error: What went wrong.
        about: With what of several, where the error's own words do not say it.

    """
    document = error_document(error)["error"]
    code = ""
    if document["code"] is not None:
        code = tr(" (code {code})", code=f"{document['code']} {document['name'] or ''}".rstrip())
    where = "".join(who + tr(": ") for who in _whose(state, error, about, document))
    told = advised(f"{document['message']}{code}", document["hint"] or "")
    sys.stderr.write(fitted(f"{labelled(tr('error:'), where + told)}", sys.stderr) + "\n")
    if state.json:
        with contextlib.suppress(OSError):  # a full disk: it is told at the end, after this
            print_json({"error": document})
