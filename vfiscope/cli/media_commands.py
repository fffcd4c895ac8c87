"""Commands that inspect media, ``info`` and ``doctor``, and ``demo``, which makes some."""

from __future__ import annotations

from pathlib import Path

import click

from vfiscope.cli.exit_codes import OK, PARTIAL
from vfiscope.cli.messages import describe, describe_diagnosis, log_to_stderr, progress
from vfiscope.cli.parameters import files
from vfiscope.cli.terminal import say, say_json

__all__ = ["demo", "doctor", "info"]


@click.command()
@click.argument("path", metavar="PATH", shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def info(path: str, as_json: bool) -> int:
    """Describe a video, a folder of images or a run, with the scores and flagged segments of a run.

    vfiscope info truth.mp4
    """
    from vfiscope.cli.info_text import describe_facts
    from vfiscope.inspection.info import describe as facts_of

    facts = facts_of(path)
    if as_json:
        say_json(facts)
    else:
        say(describe_facts(facts))
    return OK


@click.command()
@click.argument("path", metavar="PATH", shell_complete=files)
@click.argument("ref", metavar="[REF]", required=False, shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def doctor(path: str, ref: str | None, as_json: bool) -> int:
    """Read every frame of a video or of images and report what is unusual; of a pair, also what
    will make scores wrong.

    Exits with 3 if pixels are damaged or missing.

    vfiscope doctor interpolated.mp4 truth.mp4
    """
    from vfiscope.inspection.doctor import diagnose

    diagnosis = diagnose(path, ref)
    if as_json:
        say_json(diagnosis.to_dict())
    else:
        say(describe_diagnosis(diagnosis))
    return PARTIAL if diagnosis.damaged else OK


@click.command()
@click.option(
    "-o", "--out", default="vfiscope-demo", show_default=True, metavar="DIR", help="Folder to fill."
)
@click.option("--overwrite", is_flag=True, help="Replace an earlier demo in that folder.")
@click.option("--quiet", is_flag=True, help="Print errors only, no progress.")
def demo(out: str, overwrite: bool, quiet: bool) -> int:
    """Make a sample video, score it and draw its curves."""
    log_to_stderr(quiet)
    from vfiscope.demo import make_demo

    result = make_demo(out, overwrite=overwrite, watch=None if quiet else progress)
    if not quiet:
        say(describe(result.summary()))
        say(f"\ncurves: {Path(out) / 'curves.png'}")
    return OK
