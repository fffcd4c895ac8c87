"""The command line: parse, one call, print.

Nothing here imports torch before a verb needs it, so that help and info answer at once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vfiscope.cli.messages import (
    band_of,
    describe,
    describe_diagnosis,
    log_to_stderr,
    progress,
    reading,
)
from vfiscope.cli.models_command import models
from vfiscope.cli.parameters import COMPUTED, comma_list, files, option, run_options
from vfiscope.cli.show_command import show
from vfiscope.cli.stage_command import stage
from vfiscope.cli.table_command import show_by_label, table
from vfiscope.config import RunConfig, default_out
from vfiscope.errors import UsageError, VfiscopeError

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["main"]

OK, FAILED_ON, UNUSABLE, PARTIAL, FAULT, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 70, 130, 143


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``vfiscope``: exits with the contract's codes; a user's mistake is one line,
    never a traceback."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    # Threads that wait for work by spinning starve decoding, and everything else, on machines with
    # few cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault(
        "OPENCV_LOG_LEVEL", "SILENT"
    )  # what an image is worth is said by vfiscope itself
    try:
        code = vfiscope.main(args=arguments, prog_name="vfiscope", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = UNUSABLE
    except (click.Abort, KeyboardInterrupt) as error:
        click.echo(f"vfiscope: {_interrupted(error.__cause__ or error)}", err=True)
        code = INTERRUPTED
    except SystemExit as error:  # an end asked for by a signal, or click's after a completion
        if error.code == TERMINATED:
            click.echo(f"vfiscope: {_interrupted(error)}", err=True)
        code = error.code
    except (click.ClickException, VfiscopeError, OSError, MemoryError) as error:
        message = error.format_message() if isinstance(error, click.ClickException) else str(error)
        click.echo(
            f"vfiscope: error: {' '.join(message.split()) or type(error).__name__}", err=True
        )
        code = UNUSABLE
    except Exception:
        traceback.print_exc()
        click.echo(
            "vfiscope: this is a fault of vfiscope itself: please report it with the lines above",
            err=True,
        )
        code = FAULT
    sys.exit(code)


def _interrupted(error: BaseException) -> str:
    """What an interrupt is reported as, with what was kept where work was in hand."""
    return ": ".join(["interrupted", *getattr(error, "__notes__", ())])


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="vfiscope")
def vfiscope() -> None:
    """Score interpolated videos, scan time-lapse sequences and plot temporal difference curves.

    Every result is one HDF5 file, and every picture and table is drawn from it.
    """


@vfiscope.command(epilog=COMPUTED)
@click.argument("test", shell_complete=files)
@click.option(
    "--ref",
    metavar="REF",
    shell_complete=files,
    help="Ground truth: video, folder, glob or printf pattern.",
)
@click.option(
    "--source",
    metavar="SRC",
    shell_complete=files,
    help="Without ground truth: the lower-rate video that TEST was made from.",
)
@click.option(
    "--multiplier",
    metavar="M",
    help=(
        "States that frames 0, M, 2M ... are originals passed through: numbers are then about those"
        " between. With --source it is found, and may be a ratio (5/2, 24:60)."
    ),
)
@run_options
def score(**options: Any) -> int:
    """Score an interpolated (or any) video or folder: against its ground truth, against the
    lower-rate video that it was made from, or, with nothing else, every frame between its
    neighbours.

    vfiscope score interpolated.mp4 --ref truth.mp4
    """
    return _run("score", options)


@vfiscope.command(epilog=COMPUTED)
@click.argument("test", metavar="SEQ", shell_complete=files)
@click.option(
    "--golden",
    metavar="IMAGE|INDEX",
    shell_complete=files,
    help="Compare every frame with this image, or this frame of SEQ.",
)
@option(
    "--lag",
    help=(
        "Without --golden: compare every frame with the one so many frames before; so many are held"
        " in memory."
    ),
    type=int,
)
@run_options
def scan(**options: Any) -> int:
    """Scan a time-lapse or any sequence against a golden frame, or against the frames before.

    vfiscope scan "garden/*.jpg" --golden 0
    """
    return _run("scan", options)


@vfiscope.command(epilog=COMPUTED)
@click.argument("test", shell_complete=files)
@click.argument("ref", shell_complete=files)
@click.option(
    "--visualize",
    metavar="DIR",
    shell_complete=files,
    help="Folder for pictures of the pair: A is REF, B is TEST.",
)
@run_options
def compare(**options: Any) -> int:
    """Compare two images.

    vfiscope compare test.png ref.png --visualize pictures
    """
    return _run("compare", options)


def _run(mode: str, options: dict[str, Any]) -> int:
    as_json, quiet, pictures = (
        options.pop("as_json"),
        options.pop("quiet"),
        options.pop("visualize", None),
    )
    config = RunConfig.from_options(mode, options)
    if config.out is None:
        config = config.replace(out=default_out(config.test))
    log_to_stderr(quiet)
    from vfiscope.compat.folder import check_folder
    from vfiscope.scoring.start import run

    if pictures is not None:
        check_folder(config, pictures)
    with run(
        config, watch=None if quiet else progress, reading=None if quiet else reading
    ) as result:
        if pictures is not None:
            from vfiscope.compat.pictures import visualize

            visualize(config, pictures)
        summary = _judged(result, config.fail_on)
        if as_json:
            click.echo(json.dumps(summary, allow_nan=False))
        elif not quiet:
            click.echo(describe(summary))
            if band := band_of(result):
                click.echo(f"\n{band}")
            if pictures is not None:
                click.echo(f"\npictures: {pictures}")
        for note in summary["notes"]:
            click.echo(f"vfiscope: partial: {note}", err=True)
        return _exit_code(summary, OK if summary["status"] == "ok" else PARTIAL)


def _judged(result: Run, rules: Iterable[str]) -> dict[str, Any]:
    """The summary of a run, with the rules that it fails on and by what."""
    from vfiscope.segments import failures

    failed = failures(rules, result.frames, result.scores, result.specs)
    return {**result.summary(), "failed_on": list(failed), "failures": failed}


def _exit_code(summary: dict[str, Any], otherwise: int) -> int:
    """Says by what a run failed, if it did."""
    for rule, failure in summary["failures"].items():
        click.echo(f"vfiscope: failed on {rule!r}: {failure}", err=True)
    return FAILED_ON if summary["failures"] else otherwise


@vfiscope.command()
@click.argument("jobs", metavar="JOBS", shell_complete=files)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="DIR",
    shell_complete=files,
    help="Folder for the results.",
)
@click.option("--fail-on", multiple=True, metavar="RULE", help="Exit with 1 if any job meets it.")
@click.option(
    "--visualize", is_flag=True, help="Pictures of the pair of every compare job in DIR/<id>/."
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on with unfinished jobs, or discard them.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print results.json to stdout and nothing else."
)
@click.option("--quiet", is_flag=True, help="No progress and no messages but errors.")
def batch(
    jobs: str, out: str, fail_on: tuple[str, ...], as_json: bool, quiet: bool, **how: bool
) -> int:
    """Run many jobs from a .json, .jsonl or .csv file; one failing job never stops the others.

    vfiscope batch jobs.json -o results

    A job is an object or a row with the inputs (test; ref, source or golden), the mode (score,
    scan, or compare where absent), any option of that mode by its long name, and an id and a label
    where wanted. Paths are relative to the file. In JSON:

    \b
    [
      {"id": "flow", "label": "mine", "mode": "score", "test": "flow.mp4", "ref": "truth.mp4"},
      {"id": "garden", "mode": "scan", "test": "garden/*.jpg", "lag": 1, "metrics": ["psnr",
      "ssim"]}, {"test": "a.png", "ref": "b.png"}
    ]

    In CSV, where an empty cell is left out and lists go between quotes:

    \b
    id,label,mode,test,ref,lag,metrics
    flow,mine,score,flow.mp4,truth.mp4,,
    garden,,scan,garden/*.jpg,,1,"psnr,ssim"
    ,,,a.png,b.png,,

    Every job writes DIR/<id>.h5; all together DIR/summary.csv, a row each with the means, and
    DIR/results.json. Jobs of one label are a method: where two labels are compared with the same
    files, DIR/methods.csv puts them side by side.
    """
    log_to_stderr(quiet)
    from vfiscope.batch.execute import RESULTS, SUMMARY_CSV, read_jobs, run_jobs
    from vfiscope.views.labelled import METHODS_FILE

    _check_kept(jobs, (Path(out) / name for name in (RESULTS, SUMMARY_CSV, METHODS_FILE)))
    results = []
    for result in run_jobs(read_jobs(jobs), out, fail_on=fail_on, **how):
        results.append(result)
        if result["error"]:
            click.echo(f"vfiscope: {result['id']}: error: {result['error']}", err=True)
        elif not quiet and not as_json:
            click.echo(f"{result['id']}: {result['state']}{_before(result)}")
        for rule, failure in result["failures"].items():
            click.echo(f"vfiscope: {result['id']}: failed on {rule!r}: {failure}", err=True)
    if as_json:
        click.echo(json.dumps(results, allow_nan=False))
    show_by_label(out, results, quiet=quiet, shown=not as_json)
    if not quiet and not as_json:
        click.echo(f"table: {Path(out) / SUMMARY_CSV}\nresults: {Path(out) / RESULTS}")
    if any(result["failed_on"] for result in results):
        return FAILED_ON
    return OK if all(result["state"] == "ok" for result in results) else PARTIAL


def _check_kept(jobs: str, written: Iterable[Path]) -> None:
    """Refuse a job file that the batch itself would write over."""
    for path in written:
        if path.exists() and Path(jobs).exists() and path.samefile(jobs):
            raise UsageError(
                f"{jobs} is a file that the batch writes into its folder: name the job file"
                " otherwise"
            )


def _before(result: dict[str, Any]) -> str:
    if not result["skipped"]:
        return ""
    return (
        " (done before, flagged again by other rules)"
        if result["flagged_again"]
        else " (done before)"
    )


@vfiscope.command()
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

    The default rule and cuts are always applied, and besides them the rules given here; without
    any, those that RUN was made with (--flag). The rules that made the segments are stored beside
    them; what RUN was made with stays.

    vfiscope flag interpolated.h5 --rule "ssim < 0.9 for 3 frames"
    """
    from vfiscope.segments import failures, reflag
    from vfiscope.store import Run

    with Run(run) as before:  # a rule that cannot work leaves the run as it is
        failures(fail_on, before.frames, before.scores, before.specs)
    reflag(run, rules or None)
    with Run(run) as after:
        summary = _judged(after, fail_on)
        if as_json:
            click.echo(json.dumps(summary, allow_nan=False))
        elif not quiet:
            click.echo(describe(summary, "flagged again, {}"))
        return _exit_code(summary, OK)


@vfiscope.command()
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
    "--metrics", callback=comma_list, metavar="A,B,C", help="Curves to draw; all where absent."
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="L",
    help="What a run is called; once for each, in order.",
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
    from vfiscope.views import overlay_warnings, plot_run
    from vfiscope.views.naming import labels_for

    with ExitStack() as stack:
        opened = [stack.enter_context(Run(path)) for path in runs]
        for warning in overlay_warnings(opened, metrics, labels_for(opened, labels)):
            click.echo(f"vfiscope: warning: {warning}", err=True)
        plot_run(opened, out=out, metrics=metrics, labels=labels, overwrite=overwrite)
    click.echo(out)
    return OK


vfiscope.add_command(show)
vfiscope.add_command(stage)
vfiscope.add_command(table)


@vfiscope.command()
@click.argument("run", metavar="RUN", shell_complete=files)
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="FILE",
    shell_complete=files,
    help="A .csv, .json or .parquet file.",
)
@click.option("--overwrite", is_flag=True, help="Replace a file that exists.")
def export(run: str, out: str, overwrite: bool) -> int:
    """Write the scores of every frame as .csv, .json or .parquet.

    vfiscope export interpolated.h5 -o scores.csv
    """
    from vfiscope.store import Run
    from vfiscope.views import export_run

    with Run(run) as opened:
        export_run(opened, out, overwrite=overwrite)
    click.echo(out)
    return OK


@vfiscope.command()
@click.argument("path", metavar="PATH", shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def info(path: str, as_json: bool) -> int:
    """Say what a video, a folder of images or a run is; of a run, its scores and flagged segments
    too.

    vfiscope info truth.mp4
    """
    from vfiscope.cli.info_text import describe_facts
    from vfiscope.inspection.info import describe as facts_of

    facts = facts_of(path)
    click.echo(json.dumps(facts, allow_nan=False) if as_json else describe_facts(facts))
    return OK


@vfiscope.command()
@click.argument("path", metavar="PATH", shell_complete=files)
@click.argument("ref", metavar="[REF]", required=False, shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def doctor(path: str, ref: str | None, as_json: bool) -> int:
    """Read every frame of a video or of images, and say what is unusual; of a pair, what will make
    scores wrong.

    Exits with 3 where pixels are damaged or missing.

    vfiscope doctor interpolated.mp4 truth.mp4
    """
    from vfiscope.inspection.doctor import diagnose

    diagnosis = diagnose(path, ref)
    click.echo(
        json.dumps(diagnosis.to_dict(), allow_nan=False)
        if as_json
        else describe_diagnosis(diagnosis)
    )
    return PARTIAL if diagnosis.damaged else OK


vfiscope.add_command(models)


@vfiscope.command()
@click.option(
    "-o", "--out", default="vfiscope-demo", show_default=True, metavar="DIR", help="Folder to fill."
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo in that folder.")
@click.option("--quiet", is_flag=True, help="No progress and no messages but errors.")
def demo(out: str, overwrite: bool, quiet: bool) -> int:
    """Make a sample and run the main job on it."""
    log_to_stderr(quiet)
    from vfiscope.demo import make_demo

    result = make_demo(out, overwrite=overwrite, watch=None if quiet else progress)
    if not quiet:
        click.echo(describe(result.summary()))
        click.echo(f"\ncurves: {Path(out) / 'curves.png'}")
    return OK
