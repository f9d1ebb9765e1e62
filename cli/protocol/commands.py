"""``ipc protocol``: what we know of the endpoints, and how to correct it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.errors import ParameterError
from sunmi_ipc.i18n import tr

from ..screen.output import confirm, fields, print_json, say, table
from ..state import State

app = typer.Typer(
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    help=tr("What is known of the endpoints, and how to correct it."),
)
_EVIDENCE = ("documented", "sdk", "app", "inferred")


@app.command("list")
def list_(
    ctx: typer.Context,
    evidence: Annotated[str, typer.Option(help=tr("Only these: documented, sdk, app or inferred."))] = "",
) -> None:
    """List the endpoints, and how sure each is."""
    from sunmi_ipc.corrections import read
    from sunmi_ipc.protocol import reference
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
        if evidence in ("", e.evidence, e.params_evidence)
    ]
    if state.json:
        print_json({"endpoints": rows})
    else:
        table(
            [r | {"corrected": tr("yes") if r["corrected"] else ""} for r in rows],
            list(rows[0]),
            least=("models", "name"),
        )


@app.command()
def show(
    ctx: typer.Context,
    path: Annotated[str, typer.Argument(help=tr("Such as config/setLed, or image.set_led."))],
) -> None:
    """Show one endpoint: parameters, result, codes, evidence, correction."""
    from sunmi_ipc.corrections import read
    from sunmi_ipc.protocol import reference
    from sunmi_ipc.protocol.spec import registry
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    endpoint = next((e for e in registry().values() if path in (e.path, e.key)), None)
    if endpoint is None:
        raise ParameterError(
            "{name}: there is no such endpoint", name=path, hint="'ipc protocol list' lists them."
        )
    override = read(config_dir()).get(endpoint.path)
    facts = {
        "path": endpoint.path,
        "name": endpoint.key,
        "what": endpoint.summary,
        "evidence": reference.evidence(endpoint),
        "models": ", ".join(sorted(endpoint.models)),
        "signed_with": str(endpoint.sign),
        "result": endpoint.result.__name__ if endpoint.result else "",
        "codes": ", ".join(str(int(code)) for code in sorted(endpoint.codes)),
        "corrected_to": override.path or endpoint.path if override else "",
    }
    parameters = [
        {"parameter": p.name, "wire": p.wire, "allowed": p.bounds, "help": p.help}
        for p in endpoint.parameters
    ]
    if state.json:
        print_json(facts | {"parameters": parameters})
        return
    fields(facts)
    if parameters:
        table(parameters, ["parameter", "wire", "allowed", "help"])


@app.command("import-postman")
def import_postman(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help=tr("The vendor's Postman collection (v2.0 or v2.1)."))],
    yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False,
) -> None:
    """Compare our table with the vendor's Postman collection, and keep the differences as corrections.

    Paths and parameter names are read, secrets are not.
    """
    from sunmi_ipc import corrections
    from sunmi_ipc.protocol import postman
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    rows = postman.compare(postman.read(file))
    shown = [
        {
            "ours": row.ours,
            "theirs": row.theirs,
            "verdict": row.verdict,
            "names": ", ".join(f"{a} → {b}" for a, b in row.override.names.items()) if row.override else "",
        }
        for row in rows
    ]
    wanted = {row.ours: row.override for row in rows if row.override is not None}
    if not state.json:
        table([row for row in shown if row["theirs"]], ["ours", "theirs", "verdict", "names"])
    written = ""
    if wanted:
        confirm(
            tr("{count} corrections replace what {path} held.", count=len(wanted), path=str(config_dir())),
            yes,
        )
        written = str(corrections.write(config_dir(), corrections.read(config_dir()) | wanted))
    if state.json:
        print_json({"comparison": shown, "written": written or None, "corrections": len(wanted)})
    say(state, "{count} corrections kept.", count=len(wanted))


@app.command()
def reset(
    ctx: typer.Context, yes: Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))] = False
) -> None:
    """Forget all corrections."""
    from sunmi_ipc.corrections import FILE
    from sunmi_ipc.settings import config_dir

    state = State.of(ctx)
    path = config_dir() / FILE
    if path.exists():
        confirm(tr("This forgets every correction in {path}.", path=str(path)), yes)
        path.unlink()
    if state.json:
        print_json({})
    say(state, "done")
