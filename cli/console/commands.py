"""``ipc console``: the cameras in a browser, on this computer or on the phones of the network."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.i18n import tr

from ..screen.options import SiteFileOption
from ..screen.output import note, print_json_line, say
from ..state import State

if TYPE_CHECKING:
    from sunmi_ipc.console.server import Server

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def console(
    ctx: typer.Context,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help=tr("Where; default: 8500, or a free one."))
    ] = None,
    lan: Annotated[
        bool,
        typer.Option("--lan", help=tr("Let phones and computers of this network in, by https and a code.")),
    ] = False,
    cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help=tr("Certificate (PEM); default: made here."))
    ] = None,
    key: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Its key (PEM)."))] = None,
    site_file: SiteFileOption = None,
    no_open: Annotated[bool, typer.Option("--no-open", help=tr("Do not open a browser."))] = False,
) -> None:
    """Show the cameras in a browser, with the live picture: set up, tune, count. Ctrl-C ends it."""
    from sunmi_ipc.console.server import Server

    state = State.of(ctx)
    # An Event would not do: a second signal that interrupts its set() waits for the first for ever.
    stop: SimpleQueue[bool] = SimpleQueue()
    previous = {s: signal.signal(s, lambda *_: stop.put(True)) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        # --site named this file before it named a shop behind a broker.
        site = site_file or (Path(state.site) if state.site and not state.via else None)
        if site is None and Path("site.toml").is_file():
            site = Path("site.toml")
        with Server(state.settings, port=port, lan=lan, cert=cert, key=key, site=site) as server:
            announce(state, server, open_browser=not no_open)
            while True:
                try:
                    stop.get(timeout=1)
                except Empty:
                    continue
                break
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    say(state, "The console has ended.")


def announce(state: State, server: Server, *, open_browser: bool) -> None:
    """Say where it is, and let the first one in: by the browser here, or by a code to scan."""
    from sunmi_ipc.console.roles import Role
    from sunmi_ipc.console.sessions import spoken

    if state.json:
        print_json_line(
            {"ready": True, "url": server.enter_url(), "base": server.url, "sha256": server.fingerprint}
        )
        return
    if server.lan:
        code, link = server.console.invitation(Role.ADMIN)
        say(
            state,
            "Scan this with a phone in the same network, or open {url} and enter the code {code}:",
            url=server.url,
            code=spoken(code),
        )
        if sys.stdout.isatty() or not state.quiet:
            sys.stdout.write(qr_text(link))
        say(
            state,
            "The code works once and for ten minutes; further ones are made in the menu under 'Who is here'.",
        )
        if server.cert is not None:
            say(
                state,
                "The phone warns of an unknown certificate: this computer made it. Its SHA-256 is {fingerprint}",
                fingerprint=server.fingerprint,
            )
    else:
        url = server.enter_url()
        say(state, "The console is at {url}", url=url)
        say(state, "The link works once and for ten minutes.")
        if open_browser:
            import webbrowser

            webbrowser.open(url)
    note(state, "Ctrl-C ends it.")


def qr_text(link: str) -> str:
    """A QR code for the terminal, two modules a cell."""
    import io

    import segno

    made = io.StringIO()
    segno.make(link, error="l").terminal(made, compact=True, border=2)
    return made.getvalue()
