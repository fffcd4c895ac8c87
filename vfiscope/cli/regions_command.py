"""``vfiscope regions``: what changed, and where, in a stored run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vfiscope.cli.parameters import DeclaredOption, RunCommand, files
from vfiscope.cli.terminal import say, say_json
from vfiscope.errors import StoreError, UsageError

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["regions"]


class RegionsCommand(RunCommand):
    """Its ways to look are the options of the stage, under their names there; what is not passed is
    None."""

    def declared_parameters(self) -> Iterable[click.Parameter]:
        from vfiscope.options import declared
        from vfiscope.options.region_options import RUN_OPTIONS, STAGE_OPTIONS

        for name, option in STAGE_OPTIONS.items():
            yield DeclaredOption(replace(declared()[option], name=name, default=None), "Regions")
        for name in RUN_OPTIONS:
            yield DeclaredOption(replace(declared()[name], default=None), "Regions")


@click.command(cls=RegionsCommand)
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "--figures",
    metavar="DIR",
    shell_complete=files,
    help="Draw every frame with regions: boxes, difference map, overlay, and a page of all.",
)
@click.option(
    "--report",
    metavar="FILE.json|DIR",
    shell_complete=files,
    help="Write the regions in the JSON of another system; a folder for several pairs.",
)
@click.option("--schema", metavar="NAME", help="The system of --report, such as frameshift.")
@click.option("--overwrite", is_flag=True, help="Replace figures and reports that exist.")
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
    they are sought by auto. --frames alone chooses which of them are shown and drawn, and seeks
    only in frames that were never looked at. Any other way to look seeks anew and replaces what RUN
    holds: without a method, what is not passed stays as it was; with one, it has its default.

    vfiscope regions interpolated.h5 --frames 40:60
    """
    from vfiscope.cli.messages import log_to_stderr, rows_read
    from vfiscope.compat.region_reports import REPORTS, other_method
    from vfiscope.regions.unsought import why_no_answer
    from vfiscope.scoring.region_marks import ask_regions, to_be_sought
    from vfiscope.store import Run
    from vfiscope.views.region_report import region_report
    from vfiscope.views.region_words import describe_regions

    log_to_stderr(quiet)
    watch = None if quiet else rows_read
    drawn = {name: options.pop(name) for name in ("figures", "report", "schema", "overwrite")}
    root = options.pop("root")
    if (drawn["report"] is None) != (drawn["schema"] is None):
        raise UsageError("--report and --schema go together: pass both, or neither")
    if drawn["schema"] is not None:
        REPORTS.named(drawn["schema"])
    asked = {name: value for name, value in options.items() if value is not None}
    with Run(run) as before:
        asked, shown = to_be_sought(before, asked)
    if asked:
        ask_regions(run, asked, root=root, watch=watch)
    with Run(run) as after:
        reading = {"among": shown, "root": root, "watch": watch}
        written = list(_written(after, **drawn, **reading))
        notes = [str(note) for note in other_method(after, drawn["schema"])]
        if as_json:
            report, names = region_report(after, shown), [str(path) for path in written]
            say_json({**report, "written": names, "notes": notes})
        elif not quiet:
            lines = describe_regions(after, frames=shown) or [str(why_no_answer(after))]
            say("\n".join([*lines, *_told(written), *notes]))
    return 0


def _told(written: Sequence[Path]) -> Iterator[str]:
    """A line for each folder that files were written to."""
    counts = Counter(path.parent for path in written)
    for folder, count in counts.items():
        one = next(path for path in written if path.parent == folder)
        yield str(one) if count == 1 else f"{count} files in {folder}"


def _written(
    run: Run,
    *,
    figures: str | None,
    report: str | None,
    schema: str | None,
    overwrite: bool,
    **reading: Any,
) -> Iterator[Path]:
    """Writes the figures and reports that were asked for, pair by pair."""
    from vfiscope.compat.region_reports import check_report, report_pair
    from vfiscope.inspection.region_pages import draw_pair
    from vfiscope.scoring.region_marks import sought_pairs

    if report is not None and schema is not None:
        check_report(run, schema, report)
    if report is None and figures is None:
        return
    for pair in sought_pairs(run, **reading):
        if report is not None and schema is not None:
            with _remedy("--report"):
                path = report_pair(run, pair, schema, report, overwrite=overwrite)
            yield path
        if figures is not None:
            with _remedy("--figures"):
                paths = draw_pair(run, pair, figures, overwrite=overwrite)
            yield from paths


@contextmanager
def _remedy(option: str) -> Iterator[None]:
    """Let errors about a file name the option of this verb that says where it goes."""
    try:
        yield
    except StoreError as error:
        error.args = (str(error).replace("another --out", f"another {option}"),)
        raise
