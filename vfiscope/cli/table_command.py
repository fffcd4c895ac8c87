"""``vfiscope table``: methods by metrics over the same frames."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from vfiscope.cli.parameters import comma_list, files
from vfiscope.cli.terminal import say, say_error, say_json
from vfiscope.errors import StoreError, UsageError

__all__ = ["show_by_label", "table"]


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=files)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="L",
    help="Name of a method; once per run, in order.",
)
@click.option(
    "--metrics", callback=comma_list, metavar="A,B,C", help="Columns; all scores by default."
)
@click.option(
    "--worst",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Worst frames to name per method and metric.",
)
@click.option(
    "--role",
    metavar="synthesised|all",
    help="Frames to use; by default the synthesised ones, if they are known.",
)
@click.option("--sort", metavar="METRIC", help="Order the methods by this metric, best first.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "csv", "markdown", "latex"]),
    help="By default from the extension of -o (.txt, .csv, .md, .tex, .json), else text.",
)
@click.option("-o", "--out", metavar="FILE", shell_complete=files, help="Write to a file.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the table as one JSON object and nothing else."
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def table(
    runs: tuple[str, ...],
    labels: tuple[str, ...],
    form: str | None,
    out: str | None,
    as_json: bool,
    overwrite: bool,
    metrics: tuple[str, ...] | None,
    worst: int,
    role: str | None,
    sort: str | None,
) -> int:
    """Compare methods over the same frames: means, 95 % intervals, the best, wins and worst frames.

    RUN... are results of the same clip by several methods, or one folder of a batch: its labels are
    then the methods, and its references the scenes. Runs that are not comparable are refused.

    vfiscope table repeat.h5 blend.h5 flow.h5
    """
    if as_json and form is not None:
        raise UsageError(f"--json and --format {form} exclude each other: leave one of them out")
    from vfiscope import api
    from vfiscope.views.table_text import format_of, render, write_table

    form = format_of(out, form) if out is not None else form or "text"
    folders = [path for path in runs if Path(path).is_dir()]
    if folders and len(runs) > 1:
        raise UsageError(
            f"{folders[0]} is a folder among results: pass one folder of a batch, or only results"
        )
    made = api.table(
        folders[0] if folders else runs,
        labels=labels,
        metrics=metrics,
        worst=worst,
        role=role,
        sort=sort,
    )
    for warning in made.warnings:
        say_error(f"warning: {warning}")
    if out is not None:
        write_table(made, out, form, overwrite=overwrite)
    if as_json:
        say_json(made.to_dict())
    elif out is not None:
        say(out)
    else:
        bold = form == "text" and sys.stdout.isatty()
        say(render(made, form, bold=bold), styled=bold, whole=form != "text", end="")
    return 0


def show_by_label(
    folder: str, results: Sequence[Mapping[str, Any]], *, quiet: bool, shown: bool
) -> None:
    """Write and print the table by label of a batch; where the labels make none, print the reason
    on stderr."""
    from vfiscope.views.labelled import METHODS_FILE, table_of_results
    from vfiscope.views.table_text import render, write_table

    if len({result["label"] for result in results if result["label"]}) < 2:
        return
    path = Path(folder) / METHODS_FILE
    try:
        made = table_of_results(results)
    except (UsageError, StoreError) as error:
        older = f" ({path} is from an earlier run)" if path.exists() else ""
        if not quiet:
            say_error(f"{error}{older}")
        return
    write_table(made, path, overwrite=True)
    if quiet or not shown:
        return
    for warning in made.warnings:
        say_error(f"warning: {warning}")
    said = f"\n{render(made, bold=sys.stdout.isatty())}\ntable by label: {path}"
    say(said, styled=True)
