"""Opening the sources of a job, and checking that they fit together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from vfiscope.config import RATE_TOLERANCE
from vfiscope.errors import PairingError, UsageError
from vfiscope.options import RunConfig
from vfiscope.options.input_options import golden_index
from vfiscope.scoring.fitting import check_sizes, without_bars
from vfiscope.sources import Source, held, open_source, open_with
from vfiscope.types import Code

__all__ = ["check_out", "golden_index", "open_inputs"]

Size = tuple[int, int]


def open_inputs(config: RunConfig, stack: ExitStack) -> dict[str, Source]:
    """Open the sources of a configuration by role: test, and ref, source or golden if it has one.

    Args:
        config: with ``resize``, the test is brought to the partner's size, and every frame of a
            source of mixed sizes to the size of its first; without it, other sizes are refused.
            ``crop`` and ``crop_ref`` come before.
        stack: closes the sources.

    Raises:
        SourceError: an input cannot be read.
        PairingError: test and partner differ in size, or are videos of different rates that are not
            aligned.
        UsageError: a partner is missing, or compare got something other than two images.
    """
    if config.mode == "compare" and config.ref is None and not config.is_alone:
        raise UsageError(
            f"compare needs a reference: pass the image to compare {config.test} with, or --normal"
            " with normal frames and a method that reads them"
        )
    config = _held(config)
    if config.time_from is None and (config.mode != "scan" or config.independent):
        config = config.replace(time_from="fps")  # frames of both sides are counted alike
    config = without_bars(config)
    partner = _open_partner(config.replace(crop=config.crop_ref or config.crop), stack)
    if partner is None:
        test = _open_alike(config, config.test, stack)
        if config.mode == "compare":
            _check_still(test)
        return {"test": test}
    role, other = partner
    if config.resize is None:
        test = _open(config, config.test, stack)
        check_sizes(test, other, role)
    else:
        test = _open(config, config.test, stack, size=other.size)
    if role == "ref" and config.mode == "score" and config.align == "none":
        _check_rates(test, other)
    if role == "ref":
        _check_order(test, other)
    if config.mode == "compare":
        _check_still(test)
        _check_still(other)
    return {"test": test, role: other}


def _held(config: RunConfig) -> RunConfig:
    """The configuration with generators as lists, because an input may be opened twice."""
    stop = config.stop if isinstance(config.stop, int) else None
    limits = {"test": stop, "ref": stop if config.align == "none" else None, "source": None}
    found = {role: held(getattr(config, role), limit) for role, limit in limits.items()}
    changed = {role: kept for role, kept in found.items() if kept is not getattr(config, role)}
    return config.replace(**changed) if changed else config


def _open_partner(config: RunConfig, stack: ExitStack) -> tuple[str, Source] | None:
    own = config.replace(time_from="fps")
    if config.mode == "score" and config.ref is None:
        if config.source is None:
            return None
        # Only the test's frames are selected; their places are searched in the whole source.
        whole = own.replace(start=None, stop=None, stream=None)
        return "source", _open_alike(whole, config.source, stack)
    if config.mode == "compare" and config.is_alone:
        return None
    if config.mode != "scan":
        return "ref", _open_alike(own.replace(stream=None), config.ref, stack)
    if config.golden is None:
        return None
    index = golden_index(config.golden)
    if index is not None and index < 0:
        raise UsageError(
            f"golden is {config.golden}: pass an image, or the number of a frame, counted from 0"
        )
    if index is None:
        source = stack.enter_context(
            open_source(
                config.golden,
                batch=1,
                tonemap=config.tonemap,
                max_width=config.max_width,
                crop=config.crop,
            )
        )
        if source.info.kind != "video" and source.info.frames_expected == 1:
            return "golden", source
        raise UsageError(
            f"golden {source.info.path} is not one image: pass an image, or the number of a frame"
        )
    chosen = config.replace(start=index, stop=index + 1, step=1)
    return "golden", _open_alike(chosen, config.test, stack)


def _open(config: RunConfig, target: Any, stack: ExitStack, size: Size | None = None) -> Source:
    return stack.enter_context(open_with(target, config, size))


def _open_alike(config: RunConfig, target: Any, stack: ExitStack) -> Source:
    """Open a source; with ``resize``, every frame gets the size of its first frame."""
    source = _open(config, target, stack)
    return source if config.resize is None else _open(config, target, stack, size=source.size)


def check_out(out: str | None, sources: Mapping[str, Source], *weights: str | None) -> None:
    """Refuse an output that is one of the inputs."""
    if out is None or not os.path.exists(out):
        return
    inputs = [
        file for source in sources.values() for file in (source.info.path, *source.info.files)
    ]
    for path in [*inputs, *(file for file in weights if file is not None)]:
        if os.path.exists(path) and os.path.samefile(path, out):
            raise UsageError(f"the output {out} is an input of the same run: pass another --out")


def _check_rates(test: Source, ref: Source) -> None:
    """Refuse to pair videos of different frame rates row by row."""
    rates = [source.info.rate if source.info.kind == "video" else None for source in (test, ref)]
    if rates[0] is None or rates[1] is None or abs(rates[0] / rates[1] - 1) <= RATE_TOLERANCE:
        return
    raise PairingError(
        f"rates differ: test {test.info.path} has {float(rates[0]):.6g} frames a second, ref"
        f" {ref.info.path} {float(rates[1]):.6g}: pass --align auto, or --align 0 to pair them row"
        " by row"
    )


def _check_order(test: Source, ref: Source) -> None:
    """Refuse to pair images in the order of time with a reference in the order of names."""
    if any(note.code == Code.READ_BY_TIME for note in test.info.notes):
        raise PairingError(
            f"the images of {test.info.path} are in another order by time than by name, and those"
            f" of {ref.info.path} are ordered by name: name both alike, or leave out --time-from"
        )


def _check_still(source: Source) -> None:
    info = source.info
    if info.kind == "video" or info.frames_expected != 1:
        what = "a video" if info.kind == "video" else f"{info.frames_expected} frames"
        raise UsageError(
            f"compare takes two images, but {info.path} is {what}: use mode score "
            '(vfiscope score TEST --ref REF; "mode": "score" in a job list)'
        )
