"""One command on several cameras: ``-c`` given again, ``-c all``, ``-c @site.toml``."""

from __future__ import annotations

import contextvars
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
import typer.core

from sunmi_ipc.errors import CameraNotFound, ParameterError, SunmiIpcError

from .screen import collected
from .screen.output import error_document, print_error, print_json, say, waiting
from .screen.paths import typed_path
from .screen.tables import table
from .screen.unforeseen import unforeseen
from .state import Exit, State, exit_code

if TYPE_CHECKING:
    from sunmi_ipc.discovery import DiscoveredCamera

#: Commands that do the same thing with each of several cameras; those of a group that do not.
COMMANDS = frozenset(
    [
        "info",
        "activate",
        "wifi",
        "sdcard",
        "image",
        "lens",
        "detection",
        "doorline",
        "flow",
        "face",
        "network",
        "call",
        "identify",
        "video",
        "events",
    ]
)
_ALONE = {
    "video": frozenset({"live", "playback"}),
    "events": frozenset({"listen", "replay", "status", "forget"}),
    "doorline": frozenset({"preview"}),
}
_AT_ONCE = 16


@dataclass(frozen=True)
class Target:
    """One of the cameras: what it is called here, and where it was found."""

    label: str
    found: DiscoveredCamera | None = None


class Many(typer.core.TyperCommand):
    """Stands before a command, and runs it once for each camera."""

    def __init__(self, name: str, inner: Any, words: list[str]) -> None:
        super().__init__(name, help=inner.help, add_help_option=False)
        self.inner, self.words = inner, words

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """A context with nothing of its own to read."""
        return typer.Context(self, info_name=info_name, parent=parent)

    def invoke(self, ctx: Any) -> None:
        """Run it; raises typer.Exit with 7 where it failed on some cameras."""
        state = State.of(ctx)
        name = str(self.name)
        if name not in COMMANDS or (self.words[:1] and self.words[0] in _ALONE.get(name, ())):
            raise ParameterError(
                "{name}: {command} takes one camera",
                name="-c",
                command=" ".join(["ipc", name, *self.words[:1]] if name in _ALONE else ["ipc", name]),
                hint="Name one with -c.",
            )
        targets = resolve(state)
        results = self._run(ctx, state, targets)
        _show(state, results)

    def _run(
        self, ctx: Any, state: State, targets: list[Target]
    ) -> list[tuple[collected.Collected, BaseException | None]]:
        root = ctx.find_root()
        before = sys.stdout
        sys.stdout = collected.Router(before)
        done: dict[int, tuple[collected.Collected, BaseException | None]] = {}
        try:
            with (
                waiting(state, "{done} of {count} cameras …", done=0, count=len(targets)) as tell,
                ThreadPoolExecutor(min(_AT_ONCE, len(targets))) as pool,
            ):
                jobs = {
                    pool.submit(contextvars.copy_context().run, self._one, root, state, target): number
                    for number, target in enumerate(targets)
                }
                for job in as_completed(jobs):
                    done[jobs[job]] = job.result()
                    tell(f"{len(done)}/{len(targets)}")
        finally:
            sys.stdout = before
        return [done[number] for number in range(len(targets))]

    def _one(
        self, root: Any, state: State, target: Target
    ) -> tuple[collected.Collected, BaseException | None]:
        """One camera's run, in a thread of the pool."""
        mine = collected.begin(target.label)
        own = copy(state)
        own.camera, own.found = target.label, target.found
        above = typer.Context(root.command, info_name=root.info_name, obj=own)
        try:
            sub = self.inner.make_context(self.name, list(self.words), parent=above)
            with sub:
                sub.command.invoke(sub)
        except typer.Exit as ended:
            return mine, ended if ended.exit_code else None
        except Exception as error:
            return mine, error
        return mine, None


def resolve(state: State) -> list[Target]:
    """The cameras that ``-c`` means, each once, in the order given.

    Raises:
        CameraNotFound: ``all``, and none answers.
        ConfigError: The site file cannot be read.

    """
    from sunmi_ipc import discovery

    targets: dict[str, Target] = {}
    for name in state.cameras:
        if name == "all":
            # One that several claim is looked for by itself, and judged there.
            more = [
                Target(
                    camera.sn or camera.address, None if discovery.DUPLICATE_SN in camera.flags else camera
                )
                for camera in _discovered(state)
            ]
            if not more:
                raise CameraNotFound(
                    "no camera was found", hint="Name its address with -c; 'ipc doctor' looks for reasons."
                )
        elif name.startswith("@"):
            more = _of_site(state, name[1:])
        else:
            more = [Target(name)]
        for target in more:
            targets.setdefault(target.label, target)
    return list(targets.values())


def _discovered(state: State) -> list[DiscoveredCamera]:
    from sunmi_ipc import discovery
    from sunmi_ipc.discovery import memory
    from sunmi_ipc.settings import config_dir

    report = discovery.ScanReport()
    with waiting(state, "Looking for cameras …"):
        found = list(state.settings.discover(report=report))
    if state.settings.via:
        return found
    memory.remember(report.cameras, config_dir())
    return [camera for camera in report.cameras or found if discovery.FAR.isdisjoint(camera.flags)]


def _of_site(state: State, path: str) -> list[Target]:
    """A site file's cameras; those under ``any`` where an apply has found one for the entry."""
    from sunmi_ipc import discovery
    from sunmi_ipc.fleet.journal import Journal
    from sunmi_ipc.fleet.sitefile import load

    from .screen.output import note

    loaded = load(typed_path(path), inline_secrets=True, resolve=False)
    journal = loaded.path.with_suffix(".journal")
    bound: dict[str, str] = {}
    if journal.exists():
        with Journal(journal, write=False) as book:
            bound = book.bindings()
    targets, without = [], 0
    for slot in loaded.slots:
        name = slot.sn or bound.get(slot.key, "") or slot.mac or slot.address
        without += not name
        targets += [Target(name)] if name else []
    if without:
        note(state, "{count} entries have no camera yet: 'ipc fleet apply' gives them one.", count=without)
    if not targets:
        raise ParameterError("{name}: {path} names no camera", name="-c", path=path)
    known = {camera.sn: camera for camera in _discovered(state) if discovery.DUPLICATE_SN not in camera.flags}
    return [Target(target.label, known.get(target.label)) for target in targets]


def _show(state: State, results: list[tuple[collected.Collected, BaseException | None]]) -> None:
    """One list or one table; then what failed.

    Raises:
        typer.Exit: Something did.

    """
    refusals = [error for _, error in results if error is not None and _is_usage(error)]
    if refusals and len(refusals) == len(results):
        raise refusals[0]  # the line was wrong, whatever the camera
    if state.json:
        print_json([_document(part, error) for part, error in results])
    elif not state.quiet:
        _table([part for part, _ in results])
    failed = 0
    for part, error in results:
        if error is None:
            continue
        failed += 1
        if isinstance(error, SunmiIpcError):
            print_error(_plain(state), error, about=part.camera)
        elif not isinstance(error, typer.Exit):
            print_error(_plain(state), unforeseen(error), about=part.camera)
    if failed:
        say(state, "{failed} of {count} cameras failed.", failed=failed, count=len(results))
        raise typer.Exit(Exit.SOME_FAILED)


def _plain(state: State) -> State:
    """For error lines: the documents are in the list already."""
    plain = copy(state)
    plain.json = False
    return plain


def _is_usage(error: BaseException) -> bool:
    return isinstance(error, typer.BadParameter.__mro__[2]) or (
        isinstance(error, ParameterError) and exit_code(error) is Exit.USAGE
    )


def _document(part: collected.Collected, error: BaseException | None) -> dict[str, Any]:
    """What the command prints for one camera with ``--json``, with the camera's name before it."""
    if isinstance(error, SunmiIpcError):
        return {"camera": part.camera, **error_document(error)}
    if error is not None and not isinstance(error, typer.Exit):
        return {"camera": part.camera, **error_document(unforeseen(error))}
    if isinstance(part.document, dict):
        return {"camera": part.camera, **part.document}
    return {"camera": part.camera, "result": part.document}


def _table(parts: list[collected.Collected]) -> None:
    records = [part for part in parts if part.record]
    if records:
        names = list(dict.fromkeys(name for part in records for name, _ in part.record))
        rows = [{"camera": part.camera, **dict(part.record)} for part in records]
        # What a camera was named by is said once.
        names = [name for name in names if any(row.get(name) != row["camera"] for row in rows)]
        table(rows, ["camera", *names], least=names[::-1])
    listed = [part for part in parts if part.rows]
    if listed:
        names = list(dict.fromkeys(name for part in listed for name in part.columns if name != "camera"))
        rows = [{**row, "camera": part.camera} for part in listed for row in part.rows]
        names = [name for name in names if any(row.get(name) != row["camera"] for row in rows)]
        table(rows, ["camera", *names], least=names[::-1])
    said = [{"camera": part.camera, "result": line} for part in parts for line in part.lines]
    if said:
        table(said, ["camera", "result"])
