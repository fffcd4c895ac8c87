"""The verbs as functions: each builds a configuration and runs it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vfiscope.config import RunConfig
from vfiscope.flags import flag_again
from vfiscope.store import Run
from vfiscope.views import export_run as export
from vfiscope.views import plot_run as plot

__all__ = ["compare", "export", "flag", "open_run", "plot", "scan", "score"]


def score(test: Any, *, ref: Any = None, source: Any = None, **options: Any) -> Run:
    """Score an interpolated (or any) video or folder.

    Args:
        test: path of a video, folder, glob or printf pattern, or an array (N, H, W, 3) uint8 or uint16.
        ref: the ground truth, in any of those forms; None judges the interpolation without.
        source: where there is no ground truth, the lower-rate video that the test was made from. With neither, every
            frame is judged between its own neighbours; or, with ``multiplier=2``, which states that every second frame,
            from the first on, is an original that was passed through, those between them are.
        options: any field of :class:`vfiscope.config.RunConfig`, as ``metrics=["psnr"]`` or ``out="a.h5"``. Without
            ``out`` the result lives in a temporary folder for as long as the run.

    Returns:
        The run. ``run.role`` says what its summary, rules and flags are about: "synthesised" where these frames are
        told from originals (by ``source``, or stated by ``multiplier``), else "all"; ``run.rows("passed")`` masks the
        frames of a role.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    return _run("score", {"test": test, "ref": ref, "source": source, **options})


def scan(test: Any, **options: Any) -> Run:
    """Scan a sequence against a golden frame, or every frame against the one ``lag`` frames before.

    Args:
        test: as for :func:`score`.
        options: as for :func:`score`; ``golden`` is an image, an array or the ordinal of a frame, ``lag`` counts
            frames.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    return _run("scan", {"test": test, **options})


def compare(test: Any, ref: Any, *, visualize: str | Path | None = None, **options: Any) -> Run:
    """Compare two images.

    Args:
        test: path of an image, or an array (H, W, 3) uint8 or uint16.
        ref: the image to compare it with, in either form.
        visualize: a folder for pictures of the pair, see :func:`vfiscope.visualize.visualize`.
        options: as for :func:`score`.

    Raises:
        VfiscopeError: an input, an option, the embedder or the output cannot be used.
    """
    if visualize is None:
        return _run("compare", {"test": test, "ref": ref, **options})
    from vfiscope.checks import check_folder

    config = RunConfig.from_options("compare", {"test": test, "ref": ref, **options})
    check_folder(config, visualize)
    run = _run("compare", {"test": test, "ref": ref, **options})
    from vfiscope.visualize import visualize as draw

    draw(config, visualize)
    return run


def open_run(path: str | Path) -> Run:
    """Open a stored result for reading.

    Raises:
        StoreError: the file is missing, unfinished or no result of vfiscope.
    """
    return Run(path)


def flag(path: str | Path, rules: Sequence[str] | None = None) -> Run:
    """Flag segments of a stored result again, decoding nothing, and open it.

    Args:
        path: the result; its file is replaced as a whole.
        rules: texts such as ``"ssim < 0.9 for 3 frames"``, applied besides the default rule; None for those that the
            result was made with.

    Raises:
        VfiscopeError: a rule or the file cannot be used.
    """
    flag_again(path, rules)
    return Run(path)


def _run(mode: str, options: dict[str, Any]) -> Run:
    from vfiscope.start import run

    return run(RunConfig.from_options(mode, options))
