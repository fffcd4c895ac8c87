"""What can be refused of a run before torch is imported, which takes seconds: names, rules, inputs and the output.

Whether any metric needs an embedder is known with torch only, so its size and weights are checked where it is opened.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from vfiscope import catalog
from vfiscope.config import RunConfig
from vfiscope.embed.registry import choose
from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.flags import parse_rule
from vfiscope.inputs import Stamp, check_out, open_inputs, stamp
from vfiscope.sources import Source
from vfiscope.store.writer import check_path
from vfiscope.views.pair import FILES

__all__ = ["Inputs", "check_folder", "open_checked"]


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
        VfiscopeError: a name, a rule, an input or the output cannot be used.
    """
    _check_names(config)
    _check_embedder(config)
    sources = open_inputs(config, stack)
    _check_videos(config, sources)
    check_out(config.out, sources, config.weights, config.register_weights)
    if config.out is not None:
        check_path(config.out, overwrite=config.overwrite)
    return Inputs(sources, {role: stamp(source) for role, source in sources.items()})


def _check_names(config: RunConfig) -> None:
    """Refuse names that nothing has, and rules that cannot be read or are about other metrics."""
    metrics = catalog.chosen("metric", catalog.METRICS, config.metrics)
    catalog.chosen("map", catalog.MAPS, config.maps)
    catalog.chosen("field", catalog.FIELDS, config.fields)
    unmeant = dict.fromkeys(metrics)  # what they mean is checked where torch is there
    for text in config.flag:
        parse_rule(text, specs=unmeant).check_marks_frames()
    for text in config.fail_on:
        parse_rule(text, specs=unmeant)


def _check_embedder(config: RunConfig) -> None:
    """Refuse an embedder that there is not, and weights of nobody knows which; ``auto`` is chosen where one is used."""
    if config.embedder != "auto" or config.weights is not None:
        choose(config.embedder, config.weights)


def _check_videos(config: RunConfig, sources: dict[str, Source]) -> None:
    """Refuse to deinterlace where no input is a video; of a video and its images, only the video has fields."""
    if config.deinterlace == "none" or any(source.info.kind == "video" for source in sources.values()):
        return
    path = sources["test"].info.path
    raise UsageError(f"--deinterlace {config.deinterlace} is for videos, and {path} is none: leave it out")


def check_folder(config: RunConfig, folder: str | os.PathLike[str]) -> None:
    """Refuse, before anything is computed, a folder that :func:`vfiscope.visualize.visualize` could not fill.

    Raises:
        UsageError: the configuration compares no two images.
        StoreError: the folder is a file, or cannot be made or written into.
        OutputExistsError: it holds one of the files, and ``config.overwrite`` is not set.
    """
    path = Path(folder)
    if config.mode != "compare":
        raise UsageError(f"visualize draws two compared images and this is a {config.mode}: leave it out")
    if path.exists() and not path.is_dir():
        raise StoreError(f"{path} is no folder: name one for the pictures")
    there = next((path / name for name in FILES if (path / name).exists()), None)
    if there is not None and not config.overwrite:
        raise OutputExistsError(f"{there} exists: give --overwrite or another folder")
    _try(path)


def _try(folder: Path) -> None:
    """Make the folder where it is missing and a file in it, and take both away again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(f"cannot write into the folder {folder}: {error.strerror}: name another") from error
    finally:
        with suppress(OSError):  # another run may use a folder above already
            for path in made:
                path.rmdir()
