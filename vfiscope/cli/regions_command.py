"""``vfiscope regions``: what changed, and where, in a stored run."""

from __future__ import annotations

from typing import Any

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["regions"]


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option("--method", default="auto", show_default=True, metavar="METHOD", help="Its name.")
@click.option(
    "--frames",
    default="auto",
    show_default=True,
    metavar="auto|flagged|all|FRAMES",
    help="Where to look: flagged frames, all, or numbers such as 12,40:60.",
)
@click.option(
    "--sensitivity",
    type=click.Choice(["low", "medium", "high"]),
    default="medium",
    show_default=True,
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
    "--root",
    metavar="DIR",
    shell_complete=files,
    help="Folder that the scored files are in now, if they were moved.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def regions(run: str, as_json: bool, quiet: bool, **options: Any) -> int:
    """Seek what changed, and where, in RUN again: only the frames that are needed are read, and the
    regions are stored in RUN.

    vfiscope regions interpolated.h5 --frames 40:60
    """
    from vfiscope.cli.messages import log_to_stderr, rows_read
    from vfiscope.scoring.region_marks import ask_regions
    from vfiscope.store import Run

    log_to_stderr(quiet)
    root = options.pop("root")
    ask_regions(run, options, root=root, watch=None if quiet else rows_read)
    with Run(run) as after:
        if as_json:
            say_json({"regions": len(after.regions), "answers": len(after.answers)})
        elif not quiet:
            say(f"{len(after.regions)} regions in {len(after.answers)} frames")
    return 0
