"""``vfiscope demo``: a sample video is made, scored and drawn, so that no own files are needed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vfiscope import synth
from vfiscope.errors import UsageError, interruption
from vfiscope.options import RunConfig
from vfiscope.scoring.pipeline import run as run_job
from vfiscope.store import Run
from vfiscope.views.plot import plot_run

if TYPE_CHECKING:
    from vfiscope.scoring.pipeline import WrapScoring

__all__ = ["make_demo"]

DEMO_FRAMES = 73
SIZE = (270, 480)
GHOSTED = (36, 46)
"""The frames in which the simulated interpolator blends instants six frames apart."""


def make_demo(out: str | Path, *, overwrite: bool = False, watch: WrapScoring | None = None) -> Run:
    """Fill a folder with ``truth.mp4``, ``interpolated.mp4``, ``interpolated.h5`` and
    ``curves.png``.

    The truth is a photograph that scikit-learn ships with shapes moving over it; the interpolated
    video has every second frame made from its neighbours, and a planted range of ghosting.

    Returns:
        The opened run.

    Raises:
        UsageError: the folder cannot be made.
        VfiscopeError: a file exists and ``overwrite`` was not asked for.
    """
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot make the folder {folder}: {error.strerror}: pass another -o"
        ) from error
    config = RunConfig(
        mode="score",
        test=str(folder / "interpolated.mp4"),
        ref=str(folder / "truth.mp4"),
        out=str(folder / "interpolated.h5"),
        overwrite=overwrite,
    )
    if not overwrite:
        for path in (config.test, config.ref, config.out, folder / "curves.png"):
            if Path(str(path)).exists():
                raise UsageError(f"{path} exists: pass --overwrite or another -o")
    try:
        _make_videos(Path(config.test), Path(config.ref))
        run = run_job(config, watch=watch)
        plot_run([run], out=folder / "curves.png", overwrite=overwrite)
    except (KeyboardInterrupt, SystemExit) as error:
        message = f"{folder} holds half a demo: pass --overwrite to make it again"
        raise interruption(error, message) from error
    return run


def _make_videos(test: Path, ref: Path) -> None:
    from sklearn.datasets import load_sample_image

    height, width = SIZE
    scene = synth.Scene(
        height, width, seed=5, texture=load_sample_image("china.jpg"), velocity=(1.5, 0.25)
    )
    truth = scene.clip(DEMO_FRAMES)
    made = synth.interpolate_by(truth, "motion", scene=scene, strength=0.95)
    synth.write_video(ref, truth.frames, rate=24, crf=16)
    synth.write_video(test, synth.ghost(made, *GHOSTED, distance=6).frames, rate=24, crf=20)
