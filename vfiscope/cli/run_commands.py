"""Commands that make a run: ``score``, ``scan`` and ``compare``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from vfiscope.cli.exit_codes import OK, PARTIAL, exit_code, judged
from vfiscope.cli.messages import describe, log_to_stderr, progress, reading, rows_read
from vfiscope.cli.parameters import COMPUTED, RunCommand, files, output_options
from vfiscope.cli.terminal import say, say_error, say_json

if TYPE_CHECKING:
    from vfiscope.store import Run

__all__ = ["compare", "scan", "score"]


@click.command(cls=RunCommand, epilog=COMPUTED)
@output_options
def score(**options: Any) -> int:
    """Score an interpolated (or any other) video or folder: against its ground truth (--ref),
    against the lower-rate video that it was made from (--source), or, without either, every frame
    against its own neighbours.

    vfiscope score interpolated.mp4 --ref truth.mp4
    """
    return _run("score", options)


@click.command(cls=RunCommand, epilog=COMPUTED)
@output_options
def scan(**options: Any) -> int:
    """Scan a time-lapse or any sequence against a golden frame or against earlier frames.

    vfiscope scan "garden/*.jpg" --golden 0
    """
    return _run("scan", options)


@click.command(cls=RunCommand, epilog=COMPUTED)
@click.option(
    "--visualize",
    metavar="DIR",
    shell_complete=files,
    help="Folder for figures of the pair: A is REF, B is TEST.",
)
@output_options
def compare(**options: Any) -> int:
    """Compare two images.

    vfiscope compare test.png ref.png --visualize figures
    """
    return _run("compare", options)


def _run(
    mode: str,
    options: dict[str, Any],
) -> int:
    as_json, quiet = options.pop("as_json"), options.pop("quiet")
    pictures = options.pop("visualize", None)
    log_to_stderr(quiet)
    from vfiscope.options import RunConfig, default_out
    from vfiscope.scoring.pipeline import run
    from vfiscope.views.lapse_words import describe_lapse
    from vfiscope.views.region_words import describe_regions
    from vfiscope.views.timing_words import describe_timing, with_ratio

    config = RunConfig.from_options(mode, options)
    if config.out is None:
        config = config.replace(out=default_out(config.test))
    making = run
    config.check_drawn(pictures is not None)
    if pictures is not None:
        from vfiscope.compat.folder import check_folder

        check_folder(config, pictures)
        from vfiscope.compat.pictures import compare_and_draw

        making = partial(compare_and_draw, folder=pictures)
    bars: dict[str, Any] = (
        {} if quiet else {"watch": progress, "reading": reading, "marking": rows_read}
    )
    with making(config, **bars) as result:
        summary = judged(result, config.fail_on) | _band(result)
        if as_json:
            say_json(summary | ({"timings": with_ratio(result.timings)} if config.timing else {}))
        elif not quiet:
            _print(summary, [describe_lapse(result), describe_regions(result)], pictures)
        if config.timing and not as_json:
            say("\n".join([*([] if quiet else [""]), *describe_timing(result.timings)]))
        for note in summary["notes"]:
            say_error(f"partial: {note}")
        return exit_code(summary, OK if summary["status"] == "ok" else PARTIAL)


def _band(result: Run) -> dict[str, Any]:
    """NOVA's word for a compared pair, as an entry of its summary."""
    if result.mode != "compare":
        return {}
    from vfiscope.compat.bands import band_of

    return {"band": band_of(result)}


def _print(summary: dict[str, Any], more: list[list[str]], pictures: str | None) -> None:
    say(describe(summary))
    for lines in more:
        if lines:
            say("\n" + "\n".join(lines))
    if words := summary.get("band"):
        distance = summary["metrics"]["cosine"]["mean"]
        say(f"\ncosine {distance:.4g}: {words}, by the bands of NOVA (0.05, 0.15, 0.3)")
    if pictures is not None:
        say(f"\nfigures: {pictures}")
