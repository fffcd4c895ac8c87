"""The verbs as functions: each builds a configuration and runs it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.options.keyword_types import options_of, with_options
from vfiscope.options.keywords import CompareKeywords, ScanKeywords, ScoreKeywords
from vfiscope.segments import reflag
from vfiscope.store import Run
from vfiscope.views.export import export_run as export
from vfiscope.views.plot import plot_run as plot
from vfiscope.views.table import Choice, Table
from vfiscope.views.tabulate import table_of

if TYPE_CHECKING:
    from vfiscope.scoring.session import Session as ModelSession

__all__ = [
    "Session",
    "compare",
    "export",
    "find_regions",
    "flag",
    "open_run",
    "plot",
    "scan",
    "score",
    "table",
]

log = logging.getLogger("vfiscope")


@with_options(options_of("score"))
def score(test: Any, **options: Unpack[ScoreKeywords]) -> Run:
    """Score an interpolated (or any other) video or folder.

    Args:
        test: path of a video, folder, glob or printf pattern, or an array (N, H, W, 3) uint8 or
            uint16; also tensors, images of Pillow, channels first, floating point from 0 to 1,
            gray, and lists and generators of frames, where they can mean one thing only.
        ref: the ground truth, in any of those forms; None to score without ground truth.
        source: where there is no ground truth, the lower-rate video that the test was made from.
            With neither, every frame is scored against its own neighbours; with
            ``multiplier=2``, which states that every second frame, starting with the first, is a
            passed-through original, only the frames between these are scored.
        options: such as ``metrics=["psnr"]`` or ``out="a.h5"``, listed below. Without ``out`` the
            result is kept in a temporary folder for as long as the run is open.

    Returns:
        The run. ``run.role`` says which frames its summary, rules and flags are about:
        "synthesised" where these frames are known (from ``source`` or ``multiplier``), else "all";
        ``run.rows("passed")`` is a mask of the frames of a role.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    return _run("score", test, options)


@with_options(options_of("scan"))
def scan(test: Any, **options: Unpack[ScanKeywords]) -> Run:
    """Scan a sequence against a golden frame, or every frame against the one ``lag`` frames before.

    Args:
        test: as for :func:`score`.
        options: as for :func:`score`; ``golden`` is an image, an array or the ordinal of a frame,
            ``lag`` counts frames.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    return _run("scan", test, options)


@with_options(options_of("compare"))
def compare(
    test: Any,
    ref: Any = None,
    *,
    visualize: str | Path | None = None,
    **options: Unpack[CompareKeywords],
) -> Run:
    """Compare two images.

    Args:
        test: path of an image, or an array (H, W, 3) uint8 or uint16, or in other forms as for
            :func:`score`.
        ref: the image to compare it with, in either form; None with ``panels=True``, where ``test``
            holds both, or with ``normal``, where normal frames alone tell what changed.
        visualize: a folder for figures of the pair, see
            :func:`vfiscope.compat.pictures.visualize`.
        options: as for :func:`score`.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    return _compare(test, ref, visualize, options)


class Session:
    """The verbs, with models and devices opened once for many calls::

        with vs.Session() as session:
            for test, ref in pairs:
                with session.compare(test, ref, embedder="dinov2-small") as run:
                    print(run.scores["cosine"])

    It keeps the last two embedders and the last two registration methods that were used, and
    releases them at the end.
    """

    def __init__(self) -> None:
        from vfiscope.scoring import session

        self._models = session.Session()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._models.close()

    @with_options(options_of("score"))
    def score(self, test: Any, **options: Unpack[ScoreKeywords]) -> Run:
        """As :func:`vfiscope.score`."""
        return _run("score", test, options, self._models)

    @with_options(options_of("scan"))
    def scan(self, test: Any, **options: Unpack[ScanKeywords]) -> Run:
        """As :func:`vfiscope.scan`."""
        return _run("scan", test, options, self._models)

    @with_options(options_of("compare"))
    def compare(
        self,
        test: Any,
        ref: Any = None,
        *,
        visualize: str | Path | None = None,
        **options: Unpack[CompareKeywords],
    ) -> Run:
        """As :func:`vfiscope.compare`."""
        return _compare(test, ref, visualize, options, self._models)


def open_run(path: str | Path) -> Run:
    """Open a stored result for reading.

    Raises:
        StoreError: the file is missing, unfinished or not a result of vfiscope.
    """
    return Run(path)


def flag(path: str | Path, rules: Sequence[str] | None = None) -> Run:
    """Flag the segments of a stored result again without decoding anything, and open it.

    Args:
        path: the result, changed in place; at any time it holds either the old or the new segments.
        rules: texts such as ``"ssim < 0.9 for 3 frames"``, applied in addition to the default
            rule; None for the rules that the result was made with.

    Raises:
        VfiscopeError: a rule or the file cannot be used.
    """
    with Run(path) as before:
        pass  # its columns stay in memory
    reflag(path, rules, since=before)
    run = Run(path, earlier=before)
    if "regions" in run.stages:
        from vfiscope.regions.regions_stage import outdated

        for note in outdated(run):
            log.warning("warning: %s", note)
    return run


def find_regions(
    run: Run | str | Path,
    method: str = "auto",
    *,
    frames: str = "auto",
    sensitivity: str = "medium",
    normal: str | Path | None = None,
    sam_weights: str | Path | None = None,
    embedder: str | None = None,
    weights: str | Path | None = None,
    device: str | None = None,
    root: str | Path | None = None,
) -> Run:
    """Seek what changed, and where, in a stored result again, and open it. Only the frames that are
    needed are read.

    Args:
        run: the result, or its path; it is changed in place and at any time holds either the old or
            the new regions.
        method: its name: "auto", or another of :data:`vfiscope.regions.METHODS`; "none" removes the
            regions.
        frames: "flagged" or "all" frames, or frames such as "12,40:60"; "auto" takes the flagged
            ones of a score, and all of a scan or comparison.
        sensitivity: "low", "medium" or "high": how small a difference makes a region.
        normal: normal frames, for methods that compare with them: a folder, a video, a result, or a
            saved memory bank (.h5).
        sam_weights: a folder with a SAM 2 checkpoint of transformers, which draws the masks.
        embedder: of methods that compare features; None: that of the result, with its weights.
        weights: of the embedder.
        device: "auto", "cpu", "cuda" or "mps"; None: that of the result.
        root: a folder that the inputs lie in now, for inputs that were moved.

    Returns:
        The run, with ``run.regions``, ``run.answers`` and ``run.tracks``.

    Raises:
        VfiscopeError: an option cannot be used, an input is not there any more or has changed, or
            the file cannot be changed.
    """
    from vfiscope.scoring.region_marks import ask_regions

    path = run.path if isinstance(run, Run) else run
    ask_regions(
        path,
        {
            "method": method,
            "frames": frames,
            "sensitivity": sensitivity,
            "normal": None if normal is None else str(normal),
            "sam_weights": None if sam_weights is None else str(sam_weights),
            "embedder": embedder,
            "weights": None if weights is None else str(weights),
            "device": device,
        },
        root=root,
    )
    return Run(path)


def table(
    runs: Sequence[Run | str | Path] | str | Path,
    *,
    labels: Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    worst: int = 1,
    role: str | None = None,
    sort: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
) -> Table:
    """Compare methods over the same frames: means with intervals, the best, wins, worst frames.

    Args:
        runs: results of the same clip by several methods, opened or paths; or the folder of a
            batch, whose labels are then the methods.
        labels: names of the methods, one for each run; None for the names of the files.
        metrics: the columns; None for all scores.
        worst: how many worst frames of each method and metric to name.
        role: "synthesised" or "all" frames; None for synthesised frames where they are known.
        sort: a metric by which the methods are ordered, the best first.
        out: a file to write as well; its extension (.txt, .csv, .md, .tex, .json) sets the form.
        overwrite: replace a file that exists.

    Returns:
        The table: ``print`` shows it, ``to_dict()`` is its JSON.

    Raises:
        UsageError: the runs are not comparable, or a label, metric, role or extension cannot be
            used.
        StoreError: a result cannot be read, or the file cannot be written.
    """
    from vfiscope.views.labelled import table_of_folder
    from vfiscope.views.table_text import format_of, write_table

    form = None if out is None else format_of(out)
    choice = Choice(metrics, worst, role, sort)
    if isinstance(runs, (str, Path)) and Path(runs).is_dir():
        if labels:
            raise UsageError(
                f"labels do not go with {runs}: its jobs have their own labels; leave labels out"
            )
        made = table_of_folder(runs, choice)
    else:
        with ExitStack() as stack:
            several = [runs] if isinstance(runs, (str, Path)) else runs
            opened = [
                run if isinstance(run, Run) else stack.enter_context(Run(run)) for run in several
            ]
            made = table_of(opened, labels, choice)
    if out is not None:
        write_table(made, out, form, overwrite=overwrite)
    return made


def _run(
    mode: str, test: Any, options: Mapping[str, Any], models: ModelSession | None = None
) -> Run:
    from vfiscope.scoring.pipeline import run

    return run(RunConfig.from_options(mode, {"test": test, **options}), session=models)


def _compare(
    test: Any,
    ref: Any,
    visualize: str | Path | None,
    options: Mapping[str, Any],
    models: ModelSession | None = None,
) -> Run:
    config = RunConfig.from_options("compare", {"test": test, "ref": ref, **options})
    config.check_drawn(visualize is not None)
    if visualize is None:
        from vfiscope.scoring.pipeline import run

        return run(config, session=models)
    from vfiscope.compat.folder import check_folder

    check_folder(config, visualize)
    from vfiscope.compat.pictures import compare_and_draw

    return compare_and_draw(config, visualize, session=models)
