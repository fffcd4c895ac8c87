"""``vfiscope show``: frames of a run beside what they were compared with, with a map of what is
wrong in them."""

from __future__ import annotations

from typing import Any

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["show"]


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "--worst",
    type=int,
    metavar="N",
    help="The N worst frames, spread over the run; 5 by default.",
)
@click.option(
    "--by", metavar="METRIC", help="Worst by this metric; by default the first that ranks."
)
@click.option(
    "--frame",
    "frames",
    type=int,
    multiple=True,
    metavar="I",
    help="This frame, by number; may be repeated.",
)
@click.option(
    "--map", metavar="NAME", help="The map to overlay; absdiff is computed if it is not stored."
)
@click.option("--field", metavar="NAME", help="A vector field to draw as arrows, as motion.")
@click.option(
    "--scale",
    default="auto",
    show_default=True,
    metavar="auto|absolute|MAX",
    help="Top of the colour scale: from what is shown, the end of the map's range, or a number.",
)
@click.option(
    "-o",
    "--out",
    metavar="PATH",
    shell_complete=files,
    help="A .png file, or DIR/ for one file per frame.",
)
@click.option(
    "--root",
    metavar="DIR",
    shell_complete=files,
    help="Folder that the scored files are in now, if they were moved.",
)
@click.option("--overwrite", is_flag=True, help="Replace sheets that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def show(run: str, frames: tuple[int, ...], as_json: bool, quiet: bool, **options: Any) -> int:
    """Draw frames of RUN beside what they were compared with, with a map of what is wrong in them.

    vfiscope show interpolated.h5 --worst 5
    """
    from vfiscope.cli.messages import log_to_stderr
    from vfiscope.inspection.show import default_out
    from vfiscope.inspection.show import show as draw
    from vfiscope.store import Run

    log_to_stderr(quiet)
    numbers = list(frames) or None
    with Run(run) as opened:
        options["out"] = options["out"] or default_out(opened, numbers, options["worst"])
        sheets = draw(opened, frames=numbers, **options)
    if as_json:
        say_json(sheets.facts)
    elif not quiet:
        say("\n".join(str(path) for path in sheets.paths))
    return 0
