"""``vfiscope batch``: many jobs from one file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from vfiscope.cli.exit_codes import FAILED_ON, OK, PARTIAL
from vfiscope.cli.messages import log_to_stderr
from vfiscope.cli.parameters import DeclaredOption, RunCommand, config_option, files
from vfiscope.cli.table_command import show_by_label
from vfiscope.cli.terminal import say, say_error, say_json
from vfiscope.errors import UsageError
from vfiscope.types import counted

__all__ = ["batch"]


class BatchCommand(RunCommand):
    """The verb ``batch``, with every option that its jobs may share."""

    def declared_parameters(self) -> Iterator[click.Parameter]:
        from vfiscope.batch.shared_options import shared_options
        from vfiscope.options import sections

        for title, options in sections(shared_options().values()).items():
            yield from (DeclaredOption(told, title) for told in options)


@click.command(cls=BatchCommand)
@click.argument("jobs", metavar="JOBS", shell_complete=files)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="DIR",
    shell_complete=files,
    help="Folder for the results.",
)
@click.option(
    "--visualize", is_flag=True, help="Draw the figures of every compare job into DIR/<id>/."
)
@config_option
@click.option(
    "--json", "as_json", is_flag=True, help="Print results.json to stdout and nothing else."
)
@click.option("--quiet", is_flag=True, help="Print errors only, no progress.")
def batch(jobs: str, out: str, visualize: bool, as_json: bool, quiet: bool, **options: Any) -> int:
    """Run many jobs from a .json, .jsonl or .csv file; one failing job never stops the others.

    vfiscope batch jobs.json -o results

    A job is an object or a row with the inputs (test; ref, source or golden), the mode (score,
    scan or compare; compare by default), any option of that mode by its long name, and optionally
    an id and a label. Paths are relative to the file. In JSON:

    \b
    [
      {"id": "flow", "label": "mine", "mode": "score", "test": "flow.mp4", "ref": "truth.mp4"},
      {"id": "garden", "mode": "scan", "test": "garden/*.jpg", "lag": 1, "metrics": ["psnr",
      "ssim"]}, {"test": "a.png", "ref": "b.png"}
    ]

    In CSV, where an empty cell leaves an option out and lists are quoted:

    \b
    id,label,mode,test,ref,lag,metrics
    flow,mine,score,flow.mp4,truth.mp4,,
    garden,,scan,garden/*.jpg,,1,"psnr,ssim"
    ,,,a.png,b.png,,

    The options below are for every job whose mode has them; what a job sets itself wins, and
    --fail-on adds to the rules of a job. Paths in them are relative to the current folder.

    Every job writes DIR/<id>.h5. DIR/summary.csv has one row of means per job, and DIR/results.json
    all results; DIR/means.json has the means over all compared pairs. The jobs of one label are a
    method: where two labels are compared with the same files, DIR/methods.csv puts them side by
    side.
    """
    log_to_stderr(quiet)
    from vfiscope.batch.execute import run_jobs
    from vfiscope.batch.means import describe_means, means_of
    from vfiscope.batch.results import FILES, RESULTS, SUMMARY_CSV

    _check_kept(jobs, (Path(out) / name for name in FILES))
    results = []
    for result in run_jobs(jobs, out, visualize=visualize, **_passed(options)):
        results.append(result)
        _tell(result, quiet=quiet, as_json=as_json)
    if as_json:
        say_json(results)
    if not quiet and not as_json and (line := describe_means(means_of(results))):
        say(f"\n{line}")
    show_by_label(out, results, quiet=quiet, shown=not as_json)
    if not quiet and not as_json:
        say(f"table: {Path(out) / SUMMARY_CSV}\nresults: {Path(out) / RESULTS}")
    if not as_json:
        _tell_times(
            [each["timings"] for each in results if each["timings"] and not each["skipped"]]
        )
    if any(result["failed_on"] for result in results):
        return FAILED_ON
    return OK if all(result["state"] == "ok" for result in results) else PARTIAL


def _passed(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were passed on the command line or by --config."""
    source = click.get_current_context().get_parameter_source
    return {
        name: value
        for name, value in options.items()
        if source(name) is not ParameterSource.DEFAULT
    }


def _tell(result: dict[str, Any], *, quiet: bool, as_json: bool) -> None:
    """The lines about a job that has ended."""
    if result["error"]:
        say_error(f"{result['id']}: error: {result['error']}")
    elif not quiet and not as_json:
        say(f"{result['id']}: {result['state']}{_before(result)}{_changes(result)}")
    if result["timings"] and not as_json:
        from vfiscope.views.timing_words import describe_timing

        whole, *_ = describe_timing(result["timings"], f"{result['id']}: time{_before(result)}")
        say(whole)
    for rule, failure in result["failures"].items():
        say_error(f"{result['id']}: failed on {rule!r}: {failure}")


def _tell_times(timed: list[dict[str, Any]]) -> None:
    """Where the time of all jobs went together: of those that ran and whose times were asked
    for."""
    from vfiscope.views.timing_words import describe_timing, total_timings

    if timed:
        title = f"time of {counted(len(timed), 'job')}"
        say("\n".join(["", *describe_timing(total_timings(timed), title)]))


def _check_kept(jobs: str, written: Iterable[Path]) -> None:
    """Refuse a job file that the batch itself would overwrite."""
    for path in written:
        if path.exists() and Path(jobs).exists() and path.samefile(jobs):
            raise UsageError(
                f"{jobs} would be overwritten by the results of the batch: rename the job file"
            )


def _changes(result: dict[str, Any]) -> str:
    """What changed, of a job that sought regions."""
    changes = result["summary"]["changes"]
    return f": {changes['sentence']}" if changes else ""


def _before(result: dict[str, Any]) -> str:
    if not result["skipped"]:
        return ""
    again = [
        told
        for name, told in (
            ("flagged_again", "flagged again by other rules"),
            ("marked_again", "regions sought again"),
        )
        if result[name]
    ]
    return f" ({', '.join(['done before', *again])})"
