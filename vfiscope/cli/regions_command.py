"""``vfiscope regions``: what changed, and where, in a stored run."""

from __future__ import annotations

from typing import Any

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["regions"]


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option("--method", metavar="METHOD", help="Seek again by this method, such as auto.")
@click.option(
    "--frames",
    metavar="auto|flagged|all|FRAMES",
    help="Where to look: flagged frames, all, or numbers such as 12,40:60.",
)
@click.option(
    "--sensitivity",
    type=click.Choice(["low", "medium", "high"]),
    help="How small a difference makes a region.",
)
@click.option(
    "--normal",
    metavar="FOLDER|RUN|BANK",
    shell_complete=files,
    help="Normal frames: what none of them shows is marked.",
)
@click.option(
    "--sam-weights",
    metavar="DIR",
    shell_complete=files,
    help="A SAM 2 checkpoint of transformers, which draws the masks.",
)
@click.option(
    "--figures",
    metavar="DIR",
    shell_complete=files,
    help="Draw every frame with regions: boxes, difference map, overlay, and a page of all.",
)
@click.option("--overwrite", is_flag=True, help="Replace figures that exist.")
@click.option(
    "--root",
    metavar="DIR",
    shell_complete=files,
    help="Folder that the scored files are in now, if they were moved.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def regions(run: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Seek what changed, and where, in RUN: only the frames that are needed are read, and the
    regions are stored in RUN.

    Without a method or another way to look, those that RUN holds are shown; where it holds none,
    they are sought by auto.

    vfiscope regions interpolated.h5 --frames 40:60
    """
    from vfiscope.cli.messages import log_to_stderr, rows_read
    from vfiscope.inspection.region_pages import draw_pages
    from vfiscope.scoring.region_marks import ask_regions
    from vfiscope.store import Run
    from vfiscope.views.region_words import describe_regions

    log_to_stderr(quiet)
    watch = None if quiet else rows_read
    root, folder, overwrite = (options.pop(name) for name in ("root", "figures", "overwrite"))
    asked = {name: value for name, value in options.items() if value is not None}
    with Run(run) as before:
        unsought = "regions" not in before.stages
    if asked or unsought:
        ask_regions(run, asked, root=root, watch=watch)
    with Run(run) as after:
        drawn = (
            []
            if folder is None
            else list(draw_pages(after, folder, root=root, watch=watch, overwrite=overwrite))
        )
        if as_json:
            from vfiscope.views.region_report import region_report

            say_json({**region_report(after), "figures": [str(path) for path in drawn]})
        elif not quiet:
            say("\n".join([*describe_regions(after), *map(str, drawn)]))
    return 0
