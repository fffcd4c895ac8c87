"""Commands on stored results that decode nothing: ``flag``, ``plot`` and ``export``."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from vfiscope.cli.exit_codes import OK, exit_code, judged
from vfiscope.cli.messages import describe
from vfiscope.cli.parameters import comma_list, files
from vfiscope.cli.terminal import say, say_error, say_json

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["export", "flag", "plot"]


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="RULE",
    help='As "ssim < 0.9 for 3 frames"; may be repeated.',
)
@click.option("--fail-on", multiple=True, metavar="RULE", help="Exit with 1 if met.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the summary as one JSON object and nothing else."
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def flag(
    run: str, rules: tuple[str, ...], fail_on: tuple[str, ...], as_json: bool, quiet: bool
) -> int:
    """Flag segments again from the stored scores of RUN, decoding nothing.

    The detectors always apply. Besides them, the rules passed here apply or,
    without any, those that RUN was made with (--flag). The rules are stored beside the segments;
    the stored options of RUN stay as they were.

    vfiscope flag interpolated.h5 --rule "ssim < 0.9 for 3 frames"
    """
    from vfiscope.segments import failures, reflag
    from vfiscope.store import Run

    with Run(run) as before:  # a rule that cannot work leaves the run as it is
        failures(fail_on, before)
    reflag(run, rules or None, since=before)
    with Run(run, earlier=before) as after:
        summary = judged(after, fail_on)
        if as_json:
            say_json(summary)
        elif not quiet:
            say("\n".join([describe(summary, "flagged again, {}"), *_notes(after)]))
        return exit_code(summary, OK)


def _notes(run: Run) -> list[str]:
    """Whether the regions of a run, if it has some, are still of the frames that are flagged."""
    if "regions" not in run.stages:  # else what seeks them is not even imported
        return []
    from vfiscope.regions.regions_stage import outdated

    return [str(note) for note in outdated(run)]


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN...", shell_complete=files)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="FIGURE",
    shell_complete=files,
    help="A .png, .svg or .pdf file.",
)
@click.option(
    "--metrics", callback=comma_list, metavar="A,B,C", help="Curves to draw; all by default."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="L",
    help="Name of a run in the figure; once per run, in order.",
)
@click.option("--overwrite", is_flag=True, help="Replace a figure that exists.")
def plot(
    runs: tuple[str, ...],
    out: str,
    metrics: tuple[str, ...] | None,
    labels: tuple[str, ...],
    overwrite: bool,
) -> int:
    """Draw temporal difference curves of one run, or of several overlaid.

    vfiscope plot a.h5 b.h5 -o curves.png
    """
    from vfiscope.store import Run
    from vfiscope.views.naming import labels_for
    from vfiscope.views.plot import overlay_warnings, plot_run

    with ExitStack() as stack:
        opened = [stack.enter_context(Run(path)) for path in runs]
        for warning in overlay_warnings(opened, metrics, labels_for(opened, labels)):
            say_error(f"warning: {warning}")
        plot_run(opened, out=out, metrics=metrics, labels=labels, overwrite=overwrite)
    say(out)
    return OK


@click.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="FILE",
    shell_complete=files,
    help="A .csv, .json or .parquet file; of segments and regions, see above.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export(run: str, out: str, overwrite: bool) -> int:
    """Write the scores of every frame as .csv, .json or .parquet; or the segments: as .edl,
    .ndf.edl (without drop-frame timecode), .otio or .fcpxml for editors, .vtt or .srt for players,
    .segments.json or .segments.csv; or the regions: as .coco.json or .cvat.xml for annotation tools
    (with outlines: .coco-polygons.json, .cvat-polygons.xml), .cvat-video.xml with tracks,
    .regions.json with all that is known of them, or .regions.csv.

    vfiscope export interpolated.h5 -o scores.csv

    vfiscope export interpolated.h5 -o segments.edl
    """
    from vfiscope.store import Run
    from vfiscope.views.export import export_run

    with Run(run) as opened:
        export_run(opened, out, overwrite=overwrite)
    say(out)
    return OK
