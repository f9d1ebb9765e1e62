"""``ipc protocol``: what we know of the endpoints, and how to correct it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import language, tr

from ..screen.output import confirm, fields, note, print_json, say, table
from ..state import State
from .probe import probe

if TYPE_CHECKING:
    from sunmi_ipc.protocol.postman import Collection, Comparison

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("What is known of the endpoints, and how to correct it."),
)
_EVIDENCE = ("documented", "sdk", "app", "inferred", "proven")


@app.command("list")
def list_(
    ctx: typer.Context,
    evidence: Annotated[
        str, typer.Option(help=tr("Only these: documented, sdk, app, inferred or proven."))
    ] = "",
) -> None:
    """List the endpoints, and how sure each is."""
    from sunmi_ipc.corrections import read
    from sunmi_ipc.protocol import reference
    from sunmi_ipc.protocol.seen import proven
    from sunmi_ipc.protocol.spec import registry
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    if evidence and evidence not in _EVIDENCE:
        raise ParameterError(
            "{name}: unknown", name="--evidence", hint="Allowed: {bounds}.", bounds=", ".join(_EVIDENCE)
        )
    corrected = read(config_dir())
    rows = [
        {
            "path": path,
            "name": e.key,
            "evidence": reference.evidence(e),
            "models": ",".join(sorted(e.models)),
            "corrected": path in corrected,
        }
        for path, e in registry().items()
        if evidence in ("", e.evidence, e.params_evidence) or (evidence == "proven" and proven(path))
    ]
    if state.json:
        print_json({"endpoints": rows})
    else:
        shown = [
            r
            | {"evidence": _listed(str(r["evidence"]), translated=True), "models": _listed(str(r["models"]))}
            | {"corrected": tr("yes") if r["corrected"] else ""}
            for r in rows
        ]
        # A column with nothing in it would only take another's room.
        more = ["corrected"] if corrected else []
        table(shown, ["path", "name", "models", *more, "evidence"], least=("models", "name"))


@app.command()
def show(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(help=tr("Such as config/setLed, or image.set_led."))],
) -> None:
    """Show one endpoint: parameters, result, codes, evidence, correction."""
    from sunmi_ipc.corrections import read
    from sunmi_ipc.protocol import reference
    from sunmi_ipc.protocol.spec import registry
    from sunmi_ipc.protocol.wire import Override
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    endpoint = next((e for e in registry().values() if path in (e.path, e.key)), None)
    if endpoint is None:
        raise ParameterError(
            "{name}: there is no such endpoint", name=path, hint="'ipc protocol list' lists them."
        )
    override = read(config_dir()).get(endpoint.path) or Override()
    facts = {
        "path": endpoint.path,
        "name": endpoint.key,
        "what": endpoint.summary,
        "evidence": reference.evidence(endpoint),
        "models": ", ".join(sorted(endpoint.models)),
        "signed_with": str(endpoint.sign),
        "result": endpoint.result.__name__ if endpoint.result else "",
        "codes": ", ".join(str(int(code)) for code in sorted(endpoint.codes)),
        "codes_evidence": str(endpoint.codes_evidence),
        "corrected_to": (override.path or endpoint.path) if override != Override() else "",
    }
    parameters = [
        {
            "parameter": p.name,
            "wire": override.names.get(p.wire, p.wire),
            "allowed": p.bounds,
            "help": p.help,
            "corrected_from": p.wire if p.wire in override.names else "",
            "encoding": override.encoding.get(p.wire, ""),
        }
        for p in endpoint.parameters
    ]
    if state.json:
        print_json(facts | {"parameters": parameters})
        return
    told = facts | {"what": tr(endpoint.summary)}
    for name in ("models", "codes"):
        told[name] = _listed(facts[name])
    for name in ("evidence", "codes_evidence"):
        told[name] = _listed(facts[name], translated=True)
    fields({name: text for name, text in told.items() if text or name != "corrected_to"})
    if parameters:
        more = [name for name in ("corrected_from", "encoding") if any(row[name] for row in parameters)]
        rows = [
            row | {"allowed": reference.allowed(row["allowed"], language()), "help": tr(row["help"])}
            for row in parameters
        ]
        table(rows, ["parameter", "wire", *more, "allowed", "help"])


def _listed(text: str, *, translated: bool = False) -> str:
    """Words with commas between, as the user's language has it."""
    return tr(", ").join(tr(word) if translated else word for word in re.split(", ?", text))


@app.command("import-postman")
def import_postman(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=tr("The vendor's Postman collection (v2.0 or v2.1)."))],
    environment: Annotated[
        Path | None,
        typer.Option(help=tr("An environment, as Postman exports it: for the variables in addresses.")),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Compare our table with the vendor's Postman collection, and keep the differences as corrections.

    Paths and parameter names are read, secrets are not. The collection holds some basic examples only: that a
    call is missing in it says nothing about the call.
    """
    from sunmi_ipc import corrections
    from sunmi_ipc.protocol import postman
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    collection = postman.read(file, environment)
    rows = postman.compare(collection)
    before = corrections.read(config_dir())
    after = postman.merge(before, rows)
    count = sum(row.override is not None for row in rows)
    if not state.json:
        _show_comparison(state, rows, collection)
    written = ""
    if after != before:
        confirm(tr("{count} corrections replace what {path} held.", count=count, path=str(config_dir())), yes)
        written = str(corrections.write(config_dir(), after))
    if state.json:
        print_json(
            {
                "comparison": [_as_json(row) for row in rows],
                "unread": [{"title": one.title, "reason": one.reason} for one in collection.unread],
                "duplicates": dict(collection.duplicates),
                "written": written or None,
                "corrections": count,
            }
        )
    say(state, "{count} corrections kept.", count=count)


def _as_json(row: Comparison) -> dict[str, object]:
    override = row.override
    return {
        "ours": row.ours,
        "theirs": row.theirs,
        "verdict": row.verdict,
        "names": dict(override.names) if override else {},
        "encoding": dict(override.encoding) if override else {},
        "our_names": row.our_names,
        "their_names": row.their_names,
        "our_left": row.our_left,
        "their_left": row.their_left,
    }


def _show_comparison(state: State, rows: list[Comparison], collection: Collection) -> None:
    shown = [
        {
            "ours": row.ours,
            "theirs": row.theirs,
            "verdict": tr(row.verdict),
            "names": ", ".join(f"{a} → {b}" for a, b in row.override.names.items()) if row.override else "",
            "only_ours": ", ".join(row.our_left),
            "only_theirs": ", ".join(row.their_left),
        }
        for row in rows
        if row.theirs
    ]
    if shown:
        table(
            shown,
            ["ours", "theirs", "verdict", "names", "only_ours", "only_theirs"],
            least=("only_ours", "only_theirs"),
        )
    for path, title in collection.duplicates.items():
        note(state, "{path}: several requests; {title} was taken", path=path, title=title)
    for one in collection.unread:
        note(state, "left out: {title}: {reason}", title=one.title, reason=one.reason)
    if not shown:
        note(state, "No request of the collection was recognised.")


@app.command()
def reset(
    ctx: typer.Context, yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False
) -> None:
    """Forget all corrections."""
    from sunmi_ipc.corrections import FILE
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    path = config_dir() / FILE
    done = "There are no corrections."
    if os.path.exists(path):
        confirm(tr("This forgets every correction in {path}.", path=str(path)), yes)
        path.unlink()
        done = "The corrections are forgotten: calls go by the protocol sheet again."
    if state.json:
        print_json({})
    say(state, done)


app.command()(probe)
