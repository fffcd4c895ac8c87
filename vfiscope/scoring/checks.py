"""The inputs of a run, opened, and what speaks against them, the embedder's name or the output."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from vfiscope.comparisons import choose_comparison
from vfiscope.embedders.kinds import choose
from vfiscope.errors import UsageError
from vfiscope.options import RunConfig
from vfiscope.scoring.inputs import check_out, open_inputs
from vfiscope.scoring.provenance import Stamp, stamp_files
from vfiscope.sources import Source
from vfiscope.store.writer import check_path

__all__ = ["Inputs", "open_checked"]


@dataclass(frozen=True)
class Inputs:
    """What a configuration names, opened."""

    sources: dict[str, Source]
    """By role, in the order test, then ref, source or golden where there is one."""
    stamps: dict[str, Stamp]
    """Of the files of every source, before they were read."""


def open_checked(config: RunConfig, stack: ExitStack) -> Inputs:
    """Open the inputs of a configuration that nothing speaks against so far.

    Raises:
        VfiscopeError: the embedder, an input or the output cannot be used.
    """
    _check_embedder(config)
    choose_comparison(config)
    sources = open_inputs(config, stack)
    _check_videos(config, sources)
    check_out(config.out, sources, config.weights, config.register_weights)
    if config.out is not None:
        check_path(config.out, overwrite=config.overwrite)
    return Inputs(sources, {role: stamp_files(source) for role, source in sources.items()})


def _check_embedder(config: RunConfig) -> None:
    """Refuse an embedder that there is not, and weights of nobody knows which; ``auto`` is chosen
    where one is used."""
    if config.embedder != "auto" or config.weights is not None:
        choose(config.embedder, config.weights)


def _check_videos(config: RunConfig, sources: dict[str, Source]) -> None:
    """Refuse to deinterlace where no input is a video; of a video and its images, only the video
    has fields."""
    if config.deinterlace == "none" or any(
        source.info.kind == "video" for source in sources.values()
    ):
        return
    path = sources["test"].info.path
    raise UsageError(
        f"--deinterlace {config.deinterlace} is for videos, and {path} is none: leave it out"
    )
