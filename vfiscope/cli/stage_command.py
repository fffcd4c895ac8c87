"""``vfiscope stage``: run any stage on a stored run."""

from __future__ import annotations

import json
from typing import Any

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json
from vfiscope.documents import DocumentError, json_of
from vfiscope.errors import UsageError

__all__ = ["stage"]


@click.command()
@click.argument("name", metavar="NAME")
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the stage, as JSON or plain text; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def stage(name: str, run: str, settings: tuple[str, ...], as_json: bool, quiet: bool) -> int:
    """Run a stage on a stored RUN: make its tables from what the run holds and store them in it.

    Its parameters are stored beside its tables. If interrupted, RUN still holds the old tables or
    already the new ones.

    vfiscope stage segments interpolated.h5 --set 'rules=["ssim < 0.9"]'
    """
    import vfiscope.segments  # noqa: F401  (adds its stage)
    from vfiscope.scoring.region_marks import fetching
    from vfiscope.stages import STAGES, ask
    from vfiscope.store import Run

    asked = STAGES.named(name)
    ask(run, asked, dict(_setting(text) for text in settings), fetching=fetching)
    with Run(run) as after:
        rows = {table: len(after.table(table, row)) for table, row in asked.tables.items()}
        record = after.stages[name]
    if as_json:
        facts = {"stage": name, "version": record.version, "parameters": record.parameters}
        say_json({**facts, "rows": rows})
    elif not quiet:
        for table, count in rows.items():
            say(f"{table}: {count} rows")
        say(f"parameters: {json.dumps(record.parameters)}")
    return 0


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"--set is {text!r}: write it as KEY=VALUE")
    try:
        return key, json_of(value)
    except DocumentError:
        return key, value
