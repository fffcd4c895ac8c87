"""``vfiscope timelapse``: the answer and the curves of a time-lapse, and what changed between two
of its photos."""

from __future__ import annotations

import click

from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["timelapse"]


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "--between",
    nargs=2,
    metavar="T1 T2",
    help="What changed between two photos, by number or date: both are read again.",
)
@click.option(
    "-o", "--out", metavar="FIGURE", shell_complete=files, help="A .png, .svg or .pdf file."
)
@click.option(
    "--root",
    metavar="DIR",
    shell_complete=files,
    help="Folder that the photos are in now, if they were moved.",
)
@click.option("--overwrite", is_flag=True, help="Replace a figure that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def timelapse(
    run: str,
    between: tuple[str, str] | None,
    out: str | None,
    root: str | None,
    overwrite: bool,
    as_json: bool,
) -> int:
    """Say what a scanned time-lapse RUN shows, and draw its curves: growth, light, change.

    vfiscope timelapse garden.h5 --between 2020-04-10 2020-04-16 -o change.png
    """
    from vfiscope.store import Run

    with Run(run) as opened:
        if between is not None:
            from vfiscope.inspection.between import between as compared
            from vfiscope.inspection.between import draw_between

            found = compared(opened, *between, root=root)
            if out is not None:
                draw_between(found, out, overwrite=overwrite)
            lines, facts = [found.sentence], found.facts
        else:
            from vfiscope.views.lapse_answer import lapse_answer
            from vfiscope.views.lapse_figure import check_lapse, plot_lapse
            from vfiscope.views.lapse_words import describe_lapse

            check_lapse(opened)
            if out is not None:
                plot_lapse(opened, out, overwrite=overwrite)
            lines, facts = describe_lapse(opened), lapse_answer(opened).to_dict()
    if as_json:
        say_json({**facts, "figure": out})
    else:
        say("\n".join([*lines, *([] if out is None else [f"figure: {out}"])]))
    return 0
