"""The root of the command line: global options, commands loaded when they are used, exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from difflib import get_close_matches
from importlib import import_module
from typing import Annotated, Any

import typer
import typer.core

from sunmi_ipc import __version__, errors
from sunmi_ipc.i18n import later, speak, tr

from .naming import cleaned, several
from .screen import halfwidth, streams
from .screen import language as tongue
from .screen.lines import fitted
from .screen.metavars import give
from .screen.output import print_error, print_json
from .screen.pages import furnish, write_examples, write_groups
from .screen.typed import teach
from .screen.wording import Context, refusal, show_refusal
from .spellings import take
from .state import Exit, State, exit_code

#: Command, module and help. Only the command that runs is imported: help stays instant.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("start.demo", "The whole tour on virtual cameras, nothing to set up."),
    "scan": ("scan", "Find the cameras in this network."),
    "info": ("camera.info", "Show what a camera says of itself."),
    "activate": ("camera.activate", "Activate a camera for your app."),
    "identify": ("camera.identify", "Blink a camera's light, to see which one it is."),
    "wifi": ("camera.wifi", "The network that a camera joins."),
    "sdcard": ("camera.sdcard", "The memory card."),
    "image": ("camera.image", "Night mode, rotation, LED, name."),
    "lens": ("camera.lens", "Zoom and focus motors (FM020)."),
    "detection": ("camera.detection", "Motion and sound detection."),
    "doorline": ("camera.doorline", "The line that people cross when they enter (FM020)."),
    "flow": ("camera.flow", "People who come, pass and leave (FM020)."),
    "face": ("camera.face", "Faces and face groups (FM020)."),
    "video": ("video.commands", "Live picture, snapshots and recordings."),
    "events": ("events.commands", "What the camera pushes, and where to."),
    "network": ("camera.network", "IP settings."),
    "firmware": ("firmware.commands", "Recover a camera's firmware from an SD card."),
    "cloud": ("cloud.commands", "The vendor's cloud: cameras, live picture, people flow, faces, messages."),
    "call": ("camera.call", "Send any call, signed."),
    "dump": ("protocol.dump", "What a camera really says, in a file that can be shown to anybody."),
    "protocol": ("protocol.commands", "What is known of the endpoints, and how to correct it."),
    "console": ("console.commands", "The cameras in a browser, with the live picture."),
    "fleet": ("fleet.commands", "A shop's cameras from one file."),
    "sites": ("sites.commands", "Many shops from a folder of site files."),
    "watch": ("station.watch", "How every camera is: there, trusted, on time, recording."),
    "serve": ("station.serve", "The station: cameras watched, people counted, events kept, an API."),
    "keys": ("start.keys", "Keys that sign calls through a broker."),
    "hub": ("hub.commands", "Many shops in one database: stores what stations say at a broker."),
    "sim": ("sim.commands", "Virtual cameras on this machine."),
    "trust": ("camera.trust", "Cameras known by their certificate."),
    "configure": ("start.configure", "Keep credentials in a profile."),
    "doctor": ("start.doctor", "Check this computer, and say what to do."),
    "support": ("start.support", "One archive for a bug report, without secrets."),
    "completion": ("start.completion", "Install or print shell completion."),
    "help": ("start.help", "Show a command's help: ipc help wifi set."),
}

#: Global options may stand anywhere on the line; behind these a value follows.
_WITH_VALUE = frozenset(
    {"-c", "--camera", "-p", "--profile", "--tls", "--lang", "--interface", "--via", "--site", "--sign-key"}
)
_FLAGS = frozenset({"--json", "-q", "--quiet", "-v", "-vv", "-vvv", "--verbose", "--insecure"})
#: Commands that do themselves what several cameras of ``-c`` mean; for others the command runs once for each.
_SEVERAL = frozenset({("events", "listen"), ("support",)})
_Usage: type[Exception] = typer.BadParameter.__mro__[1]
_Click: type[Exception] = typer.BadParameter.__mro__[2]


def hoist(args: list[str]) -> list[str]:
    """Global options moved to the front, so that ``ipc wifi show --json`` works as people type it."""
    front: list[str] = []
    rest: list[str] = []
    waiting = iter(args)
    for arg in waiting:
        if arg == "--":
            rest += [arg, *waiting]
            break
        name, equals, _ = arg.partition("=")
        if name in _FLAGS or (name in _WITH_VALUE and (not equals or name.startswith("--"))):
            front.append(arg)
            if name in _WITH_VALUE and not equals:
                front += [value] if (value := next(waiting, None)) is not None else []
        else:
            rest.append(arg)
    return front + rest


class Commands(typer.core.TyperGroup):
    """The root group: knows every command's name and help, imports the one that runs."""

    context_class = Context

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command, in the order of use."""
        return list(COMMANDS)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands first, in groups: they are what people look for."""
        write_groups(formatter, {name: tr(COMMANDS[name][1]) for name in self.list_commands(ctx)})
        records = [record for option in self.params if (record := option.get_help_record(ctx)) is not None]
        with formatter.section("Options"):
            formatter.write_dl(records)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """The way from nothing to a first camera."""
        write_examples(formatter, ["ipc demo", "ipc configure --from FOLDER", "ipc scan"])
        super().format_epilog(ctx, formatter)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A stand-in with name and help; :meth:`resolve_command` brings the real one."""
        if cmd_name not in COMMANDS:
            return None
        text = tr(COMMANDS[cmd_name][1])
        return typer.core.TyperCommand(cmd_name, help=text, short_help=text)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is run, or whose help or completion is asked for."""
        try:
            name, command, rest = super().resolve_command(ctx, args)
        except _Click as error:
            if near := get_close_matches(args[0], COMMANDS):
                listed = ", ".join(f"{name!r}" for name in near)
                error.message = f"{getattr(error, 'message', error)} Did you mean {listed}?"  # type: ignore[attr-defined]
            raise
        if name in COMMANDS:
            command = load(name)
            if os.environ.get("_IPC_COMPLETE"):
                _offer(command)
            elif (
                several(ctx.params.get("camera") or ())
                and not {(name,), (name, *rest[:1])} & _SEVERAL
                and not {"-h", "--help"} & set(rest)
            ):
                from .many import Many

                command = Many(name, command, rest)
        return name, command, rest

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take global options from anywhere on the line."""
        return list(super().parse_args(ctx, hoist(args)))

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **extra: Any) -> Any:
        """Read the root's own options, in the language that they ask for."""
        ours = hoist(args)[: args.index("--") if "--" in args else None]
        as_json = "--json" in ours
        before = tongue.settle(ours)
        _speak(self)
        try:
            ctx = super().make_context(info_name, args, *rest, **extra)
        except BaseException as error:
            if isinstance(error, _Click):
                _refused(error, as_json)
            speak(before)
            raise
        ctx.call_on_close(lambda: speak(before))
        return ctx

    def invoke(self, ctx: Any) -> Any:
        """Run the command; turn every error into a line and an exit code."""
        try:
            result = super().invoke(ctx)
            if failure := streams.output_failure():
                raise failure
            return result
        except errors.SunmiIpcError as error:
            print_error(ctx.obj or State(), error)
            raise typer.Exit(exit_code(error)) from None
        except KeyboardInterrupt:
            sys.stderr.write("\n" + tr("Interrupted.") + "\n")
            raise typer.Exit(Exit.INTERRUPTED) from None
        except BrokenPipeError:
            # The reader went away (a pipe into head): nobody is left to tell.
            streams.output_failure()
            raise typer.Exit(Exit.DONE) from None
        except typer.Exit:
            raise
        except typer.Abort:  # Ctrl-C, or the end of input, at a question
            sys.stderr.write("\n" + tr("Interrupted.") + "\n")
            raise typer.Exit(Exit.INTERRUPTED) from None
        except _Click as error:
            # An unknown command is refused before there is a state.
            _refused(error, bool(ctx.params.get("json") if ctx.obj is None else ctx.obj.json))
            raise
        except Exception as error:  # the last net: no traceback for an installer
            state = ctx.obj or State()
            if state.verbose > 1:
                _print_trace(error)
            from .screen.unforeseen import unforeseen

            told = streams.output_failure() or unforeseen(error)
            print_error(state, told)
            raise typer.Exit(exit_code(told)) from None


def _refused(error: Any, as_json: bool) -> None:
    """A refusal of Typer's as a document, and in words for people in their language.

    Raises:
        typer.Exit: It has been told.

    """
    if as_json:
        document = {"type": "UsageError", "code": None, "name": None}
        message = refusal(error)
        print_json({"error": {**document, "message": message, "hint": None, "camera": None}})
    if type(error).__name__ != "NoArgsIsHelpError":  # which is the help itself
        show_refusal(error)
        raise typer.Exit(error.exit_code)


def _print_trace(error: BaseException) -> None:
    from sunmi_ipc.redact import scrub

    sys.stderr.write(scrub("".join(traceback.format_exception(error))))


def load(name: str) -> Any:
    """Import a command."""
    module = import_module(f".{COMMANDS[name][0]}", __package__)
    command = typer.main.get_command(module.app)
    command.name = name
    # Completion is the root's, by 'ipc completion'; typer gives it to every group that does not decline.
    command.params = [p for p in command.params if p.name not in ("install_completion", "show_completion")]
    _mark(name, command)
    furnish(command, name)
    take(command, name)
    if not command.help:
        command.help = tr(COMMANDS[name][1])
    _speak(command)
    return command


def _speak(command: Any) -> None:
    """Have the help of a command and of those under it in the user's language; it is written in English."""
    command.help = _told(command.help or "")
    command.short_help = command.help.partition("\n\n")[0]  # else Typer cuts it to a line
    command.context_class = Context
    command.epilog = tr(command.epilog) if command.epilog else None
    for parameter in command.params:
        if getattr(parameter, "help", None):
            parameter.help = tr(parameter.help)
    below = getattr(command, "commands", {})
    for sub in below.values():
        _speak(sub)
    give(command)
    halfwidth.take(command)
    if not below:
        teach(command)


def _told(text: str) -> str:
    """A docstring in the user's language: as a whole, else paragraph by paragraph."""
    whole = tr(text)
    if whole != text:
        return whole
    return "\n\n".join(tr(" ".join(paragraph.split())) for paragraph in text.split("\n\n"))


def _offer(command: Any) -> None:
    """Completion of values, for a command and those under it."""
    from .screen.completing import offer

    offer(command)
    for sub in getattr(command, "commands", {}).values():
        _offer(sub)


def _mark(name: str, command: Any) -> None:
    """Say in a command's help which endpoints it uses, how sure they are and which models have them."""
    from .endpoints import USES, describe

    for path, keys in USES.items():
        group, _, leaf = path.partition(" ")
        if group != name:
            continue
        target = command
        for word in leaf.split():
            target = target.commands[word]
        target.epilog = describe(keys)


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sunmi-ipc {__version__}\n")
        raise typer.Exit


#: What is no call to a camera: with --via it is refused, with $SUNMI_IPC_VIA it goes on working here.
_LOCAL = frozenset(
    {
        "demo", "firmware", "cloud", "dump", "protocol", "console", "watch", "serve", "sim", "trust", "configure", "doctor",
        "completion", "keys", "hub", "support",
    }
)  # fmt: skip


def _via(url: str) -> str:
    """A broker's URL without a password: others on this computer see what stands on the line."""
    if "@" in url and ":" in url.partition("://")[2].rpartition("@")[0]:
        raise typer.BadParameter(tr("a password on the line shows to others: use $SUNMI_IPC_VIA_PASSWORD"))
    return url


def _cameras(given: list[str] | None) -> list[str]:
    """What ``-c`` names, without what came along when it was pasted; else the environment's one."""
    wanted = list(given or ()) or [os.environ.get("SUNMI_IPC_CAMERA", "")]
    return [name for text in wanted if (name := cleaned(text))]


@app.callback(
    help=later("Find, activate, set up and run SUNMI shop cameras over the local network (unofficial)."),
    epilog=later("The options above may stand anywhere on the line. 'ipc help COMMAND' tells more."),
)
def _root(
    ctx: typer.Context,
    camera: Annotated[
        list[str] | None,
        typer.Option(
            "-c",
            "--camera",
            metavar="CAMERA",
            callback=_cameras,
            help=later(
                "Serial number, address, name, MAC or its last four digits; repeated, 'all' or '@site.toml' for "
                "several. Default: $SUNMI_IPC_CAMERA, else the only one found."
            ),
        ),
    ] = None,
    profile: Annotated[
        str,
        typer.Option(
            "-p", "--profile", envvar="SUNMI_IPC_PROFILE", help=later("Profile made by 'ipc configure'.")
        ),
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help=later("Print one JSON document and nothing else."))
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help=later("Print nothing but errors."))] = False,
    verbose: Annotated[
        int,
        typer.Option(
            "-v",
            "--verbose",
            count=True,
            show_default=False,
            help=later("Say what happens; -vv shows requests, secrets masked."),
        ),
    ] = 0,
    insecure: Annotated[
        bool, typer.Option("--insecure", help=later("Do not check the camera's certificate."))
    ] = False,
    interface: Annotated[
        list[str] | None,
        typer.Option(
            "--interface",
            metavar="INTERFACE",
            help=later("Look for cameras at this network interface only; may be repeated."),
        ),
    ] = None,
    tls: Annotated[
        str, typer.Option("--tls", metavar="modern|legacy", help=later("'legacy' allows TLS 1.0."))
    ] = "",
    lang: Annotated[
        str,
        typer.Option(
            "--lang",
            metavar="en|zh",
            envvar="SUNMI_IPC_LANG",
            callback=tongue.checked,
            help=later("Language of what is said; default: this computer's."),
        ),
    ] = "",
    via: Annotated[
        str,
        typer.Option(
            "--via",
            metavar="mqtts://HOST",
            callback=_via,
            help=later(
                "Through a broker to a shop's station; default: $SUNMI_IPC_VIA, else the local network."
            ),
        ),
    ] = "",
    site: Annotated[
        str,
        typer.Option(
            "--site", metavar="SITE", help=later("Which shop, with --via; default: $SUNMI_IPC_SITE.")
        ),
    ] = "",
    key: Annotated[
        str,
        typer.Option(
            "--sign-key",
            metavar="NAME|FILE",
            help=later("The key that signs calls, with --via; default: $SUNMI_IPC_KEY, else the only one."),
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help=later("Print the version."))
    ] = False,
) -> None:
    cameras = tuple(camera or ())
    ctx.obj = State(
        "".join(cameras[:1]), profile, json, quiet, verbose, insecure, tls, lang, cameras,
        interfaces=tuple(interface or ()), via=via, site=site, key=key,
    )  # fmt: skip
    if via and (name := ctx.invoked_subcommand or "") in _LOCAL:
        raise errors.ParameterError(
            "{name}: 'ipc {command}' works in the camera's own network only",
            name="--via",
            command=name,
            hint="Run it on a computer in the shop; the help of 'ipc' says which commands are calls.",
        )
    ctx.obj.log(ctx.invoked_subcommand or "", lambda text: fitted(text, sys.stderr))


def main() -> None:
    """Run ``ipc``."""
    streams.prepare()
    if "_IPC_COMPLETE" in os.environ:
        from .screen import completing

        completing.prepare(hoist, _WITH_VALUE)
    code: Any = None
    failure = None
    try:
        app(prog_name="ipc")
    except SystemExit as ended:
        code = ended.code
    except OSError:  # help, or an error's document, that could not be written
        failure = streams.output_failure()
        if failure is None:
            raise
    if failure := failure or streams.output_failure():
        print_error(State(), failure)
        code = code or Exit.UNEXPECTED
    sys.exit(code)
