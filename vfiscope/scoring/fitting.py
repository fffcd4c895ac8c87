"""How the frames of two inputs are made to fit: the boxes of ``--crop``, and what to do where sizes
differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vfiscope.comparisons import Streams
from vfiscope.errors import PairingError, UsageError, VfiscopeError
from vfiscope.options import RunConfig
from vfiscope.options.crop import BARS, Box, box_of
from vfiscope.options.input_options import golden_index
from vfiscope.registration.constant_offset import constant_offset
from vfiscope.segments.columns import Column
from vfiscope.sources import Source, open_with
from vfiscope.sources.bars import Bars, find_bars
from vfiscope.sources.shape import aspect_text, same_shape, shape_of
from vfiscope.types import Code, Note

__all__ = [
    "check_bars",
    "check_offset",
    "check_sizes",
    "either_remedy",
    "fitted",
    "has_other_place",
    "without_bars",
]

Size = tuple[int, int]


def without_bars(config: RunConfig) -> RunConfig:
    """The configuration with boxes in place of ``bars``: on each side what its bars leave.

    Where both sides are of one size and their contents are not, pixels stay where they are, and
    both get the box that both contents share; with ``resize``, contents are brought to one size.

    Raises:
        SourceError: an input cannot be read.
        UsageError: the contents have no pixel in common.
    """
    crops = (config.crop, config.crop_ref or config.crop)
    if BARS not in crops:
        return config
    whole = config.replace(crop=None, crop_ref=None)
    size, own = _found(config.test, whole, crops[0])
    partner = _partner(config)
    if partner is None:
        return whole.replace(crop=None if own is None else str(own))
    opened = whole.replace(time_from="fps", stream=None)
    if config.ref is None:
        opened = opened.replace(start=None, stop=None, step=1)
    other_size, theirs = _found(partner, opened, crops[1])
    if own is None and theirs is None:
        return whole
    own, theirs = own or _all(size), theirs or _all(other_size)
    if crops == (BARS, BARS) and config.resize is None and size == other_size:
        if own.size != theirs.size:
            own = theirs = own.common(theirs)
        if min(own.size) < 1:
            raise UsageError("test and partner show nothing in common: pass their boxes to --crop")
    return whole.replace(crop=str(own), crop_ref=str(theirs))


def _partner(config: RunConfig) -> Any:
    """What the test is compared with where that is another input; else None."""
    found = next((each for each in (config.ref, config.source) if each is not None), None)
    if found is None and golden_index(config.golden) is None:
        return config.golden
    return found


def _found(target: Any, reading: RunConfig, crop: str | None) -> tuple[Size, Box | None]:
    """The size of the whole frames of an input, and its box; None for all of them."""
    with open_with(target, reading) as source:
        if crop != BARS:
            return source.size, None if crop is None else box_of(crop)
        return source.size, find_bars(source).box(source.size)


def _all(size: Size) -> Box:
    return Box(0, 0, size[1], size[0])


def check_sizes(test: Source, other: Source, role: str) -> None:
    """Refuse frames of different sizes, with the remedy that does not stretch them.

    Raises:
        PairingError: the sizes differ.
    """
    if test.size == other.size:
        return
    raise PairingError(
        f"sizes differ: test {test.info.path} is {_text(test.size)}, {role} {other.info.path} is"
        f" {_text(other.size)}: {_remedy({'test': test, role: other})}"
    )


def _remedy(sources: Mapping[str, Source]) -> str:
    """What brings two inputs of different sizes to one size without stretching."""
    shapes = [shape_of(source.info, source.size) for source in sources.values()]
    if same_shape(*shapes):
        return "pass --resize FILTER to bring the test to that size"
    stretch = " and ".join(aspect_text(shape) for shape in shapes)
    warned = f"as their shapes differ ({stretch}), --resize alone would stretch the test"
    if any(source.crop is not None for source in sources.values()):
        return f"{warned}: pass boxes of one shape to --crop and --crop-ref"
    bars = {role: _bars_of(source) for role, source in sources.items()}
    said = [f"{role} has black bars ({found})" for role, found in bars.items() if any(found)]
    if not said:
        return (
            f"{warned}: pass the part that both show to --crop and --crop-ref, or --resize FILTER"
            " with --register sift"
        )
    boxes = [bars[role].box(source.size) for role, source in sources.items()]
    sizes = [
        source.size if box is None else box.size
        for source, box in zip(sources.values(), boxes, strict=True)
    ]
    crop = f"{' and '.join(said)}: pass --crop bars"
    if sizes[0] == sizes[1]:
        return f"{crop} to leave them out"
    left = [
        shape_of(source.info, size) for source, size in zip(sources.values(), sizes, strict=True)
    ]
    if same_shape(*left):
        return f"{crop} --resize FILTER"
    return f"{warned}; {crop} --resize FILTER --register sift"


def _bars_of(source: Source) -> Bars:
    """Its bars; none where it cannot be read, which is then not what is wrong first."""
    try:
        return find_bars(source)
    except VfiscopeError:
        return Bars()


def fitted(sources: Mapping[str, Source], config: RunConfig) -> tuple[list[Note], list[Note]]:
    """Warnings and facts about frames that are not scored as they are stored."""
    facts = [
        Note(Code.CROPPED, {"role": role, "size": _text(source.crop.size), "box": str(source.crop)})
        for role, source in sources.items()
        if source.crop is not None
    ]
    if config.resize is None or config.register != "none" or len(sources) < 2:
        return [], facts
    test, other = list(sources.values())[:2]
    stored = test.crop.size if test.crop else (test.info.height, test.info.width)
    shapes = shape_of(test.info, stored), shape_of(other.info, other.size)
    if same_shape(*shapes):
        return [], facts
    values = {"size": _text(stored), "aspect": aspect_text(shapes[0])}
    others = {"other_size": _text(other.size), "other_aspect": aspect_text(shapes[1])}
    return [Note(Code.RESIZE_STRETCHES, {**values, **others})], facts


def check_bars(streams: Streams, config: RunConfig) -> list[Note]:
    """A warning where frames of one size were compared whose black bars differ."""
    if len(streams.sources) < 2 or golden_index(config.golden) is not None:
        return []
    test, role = list(streams.sources)[:2]
    found, other = (streams.borders[each] for each in (test, role))
    if not found.differ(other):
        return []
    bars = {"test": str(found.bars()), "role": role, "other": str(other.bars())}
    return [Note(Code.BARS_DIFFER, bars)]


def has_other_place(config: RunConfig) -> bool:
    """True if many frames are compared with those of another input, which should lie in the same
    place."""
    if config.mode == "scan":
        return config.golden is not None and golden_index(config.golden) is None
    return config.mode == "score" and config.ref is not None


def check_offset(
    config: RunConfig, partner: str, signals: Mapping[str, Column], size: Size
) -> list[Note]:
    """A warning where nearly all test frames lie off their partners by the same few pixels.

    Args:
        config: of the run.
        partner: role of the other input.
        signals: of the run, with ``shift_x`` and ``shift_y`` where frames have a partner.
        size: (height, width) of the frames.
    """
    known = {"shift_x", "shift_y"} <= set(signals)
    if config.register != "none" or not has_other_place(config) or not known:
        return []
    found = constant_offset(signals["shift_x"], signals["shift_y"], size)
    return [] if found is None else [Note(Code.OFFSET, {"role": partner, **found._asdict()})]


def either_remedy(note: Note, offset: Sequence[Note]) -> Note:
    """A warning about a shift in time that also tells of the offset in space: pairs of a moving
    camera that are a frame off lie as far off as it moves in a frame, and the other way round."""
    if note.code != Code.SHIFT_FITS_BETTER or not offset:
        return note
    place = {name: offset[0].values[name] for name in ("dx", "dy", "method")}
    return Note(note.code, {**note.values, **place})


def _text(size: Size) -> str:
    return f"{size[1]}x{size[0]}"
