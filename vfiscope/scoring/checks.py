"""The inputs of a run, opened and checked together with the embedder's name and the output."""

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
from vfiscope.sources.video.raw_video import is_raw_name
from vfiscope.store.writer import check_path

__all__ = ["Inputs", "open_checked"]


@dataclass(frozen=True)
class Inputs:
    """The opened inputs of a configuration."""

    sources: dict[str, Source]
    """By role: test first, then ref, source or golden if there is one."""
    stamps: dict[str, Stamp]
    """Stamps of the files of every source, taken before they are read."""


def open_checked(config: RunConfig, stack: ExitStack) -> Inputs:
    """Check the embedder, inputs and output of a configuration, and open the inputs.

    Raises:
        VfiscopeError: the embedder, an input or the output cannot be used.
    """
    _check_embedder(config)
    choose_comparison(config)
    sources = open_inputs(config, stack)
    _check_videos(config, sources)
    _check_raw(config, sources)
    check_out(config.out, sources, config.weights, config.register_weights)
    if config.out is not None:
        check_path(config.out, overwrite=config.overwrite)
    return Inputs(sources, {role: stamp_files(source) for role, source in sources.items()})


def _check_embedder(config: RunConfig) -> None:
    """Refuse an unknown embedder, and weights without the name of their embedder; ``auto`` is
    resolved only where an embedder is used."""
    if config.embedder != "auto" or config.weights is not None:
        choose(config.embedder, config.weights)


def _check_videos(config: RunConfig, sources: dict[str, Source]) -> None:
    """Refuse to deinterlace where no input is a video; one video is enough."""
    if config.deinterlace == "none" or any(
        source.info.kind == "video" for source in sources.values()
    ):
        return
    path = sources["test"].info.path
    raise UsageError(
        f"--deinterlace {config.deinterlace} is for videos, but {path} is not a video: leave it out"
    )


def _check_raw(config: RunConfig, sources: dict[str, Source]) -> None:
    """Refuse the options of raw video where no input is raw video."""
    named = {"--raw-size": config.raw_size, "--raw-format": config.raw_format}
    told = " and ".join(name for name, value in named.items() if value is not None)
    if told and not any(is_raw_name(source.info.path) for source in sources.values()):
        path = sources["test"].info.path
        raise UsageError(f"{told} is for raw video (.yuv), but {path} is none: leave it out")
