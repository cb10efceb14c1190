"""Options and arguments that several commands have."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print what the service says, as JSON.")]
JobId = Annotated[str, typer.Argument(metavar="ID", help="A job's id.", show_default=False)]
JobIds = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids of jobs.", show_default=False)]
Stages = Annotated[
    list[str] | None, typer.Option("--stage", help="Only jobs of this stage, such as RUNNING; may be repeated.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=500, help="How many at most.")]
