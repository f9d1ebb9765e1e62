"""Options that mean the same in commands of several families, declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sunmi_ipc.i18n import tr

Quality = Annotated[
    str, typer.Option("--quality", metavar="hd|fhd", help=tr("hd (high) or fhd (super); default: the best."))
]
Gender = Annotated[str, typer.Option(metavar="male|female|unknown", help=tr("male, female or unknown."))]
Jsonl = Annotated[bool, typer.Option("--jsonl", help=tr("Print one JSON object a line, as they come."))]
Yes = Annotated[bool, typer.Option("--yes", "-y", help=tr("Do not ask."))]
SiteFileOption = Annotated[
    Path | None,
    typer.Option(
        "--site-file",
        metavar="SITE.toml",
        help=tr("The site file that names the cameras."),
    ),
]
Jobs = Annotated[
    int | None,
    typer.Option("--jobs", "-j", min=1, max=256, help=tr("Cameras talked to at once; default 64.")),
]
Inline = Annotated[bool, typer.Option("--allow-inline-secrets", help=tr("Allow secrets in the site file."))]
AsIs = Annotated[
    bool,
    typer.Option("--as-is", help=tr("Take Wi-Fi names and passwords that no Wi-Fi should have.")),
]
