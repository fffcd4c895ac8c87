"""Notes about a medium or a run: a code with values.

The sentence is made where the note is printed, so programs never have to parse sentences::

    note = Note(Code.GAVE_UP, {"path": "a.mp4", "packets": 256, "frames": 12})
    note.code == Code.GAVE_UP      # what a program asks
    sentence(note)                 # what a person reads; str(note) is the same

The sentences of the codes below stand in :mod:`vfiscope.types.sentences`. Another package brings a
code of its own by adding its sentence::

    SENTENCES.add("my_code", "{count} frames of {path} are upside down")
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from string import Formatter
from typing import Any

from vfiscope.registry import Registry

__all__ = ["SENTENCES", "Code", "Note", "Template", "counted", "sentence", "value_names"]

Template = str | Callable[..., str]
"""A format string, or a function for a sentence whose words depend on the values; its fields, or
keyword arguments, are the values of the note."""

SENTENCES: Registry[Template] = Registry("code of a note")
"""{code: the sentence of a note with that code}"""


class Code(StrEnum):
    """The subject of a note. A code never changes its meaning, because it is stored in results."""

    # A video, when it is opened or read.
    SEVERAL_STREAMS = "several_streams"
    PIXELS_NOT_SQUARE = "pixels_not_square"
    ALPHA_ON_BLACK = "alpha_on_black"
    ALPHA_NOT_DECODED = "alpha_not_decoded"
    NO_TIMES = "no_times"
    ROTATED = "rotated"
    ROTATION_IGNORED = "rotation_ignored"
    INTERLACED = "interlaced"
    DEINTERLACED = "deinterlaced"
    HDR_AS_STORED = "hdr_as_stored"
    HDR_TONE_MAPPED = "hdr_tone_mapped"
    FRAME_WITHOUT_TIME = "frame_without_time"
    CLOCK_RESTARTS = "clock_restarts"
    TIME_NOT_INCREASING = "time_not_increasing"
    COLOR_CHANGES = "color_changes"
    GAVE_UP = "gave_up"

    # Damage found in the structure of a file.
    FILE_CUT_SHORT = "file_cut_short"
    TIME_SCALE_MISSING = "time_scale_missing"
    CHECKSUMS_DIFFER = "checksums_differ"
    STRUCTURE_BROKEN = "structure_broken"
    GIF_ENDS_EARLY = "gif_ends_early"
    GIF_BAD_BLOCK = "gif_bad_block"
    GIF_WITHOUT_END = "gif_without_end"

    # A sequence of images.
    OTHER_FILES = "other_files"
    MIXED_WITH_HEIC = "mixed_with_heic"
    FOLDERS_INSIDE = "folders_inside"
    NUMBERING_GAPS = "numbering_gaps"
    NEGATIVE_NUMBERS = "negative_numbers"
    COUNTER_STARTS_AGAIN = "counter_starts_again"
    TAKEN = "taken"
    TIMES_SHARED = "times_shared"
    CLOCK_WENT_BACK = "clock_went_back"
    CLOCK_WENT_FORWARD = "clock_went_forward"
    READ_BY_TIME = "read_by_time"
    NAMES_AGAINST_TIMES = "names_against_times"
    IMAGE_TRANSPARENT = "image_transparent"
    IMAGE_PAGES = "image_pages"
    NOT_DATED = "not_dated"
    NO_DURATIONS = "no_durations"
    IMAGE_UNREADABLE = "image_unreadable"

    # Frames in memory.
    FEWER_BITS = "fewer_bits"

    # What makes a run partial.
    CORRUPT = "corrupt"
    UNREADABLE = "unreadable"
    UNDECODABLE = "undecodable"
    BROKEN = "broken"
    SHORT = "short"
    SURPLUS = "surplus"
    LOST = "lost"
    HIDDEN = "hidden"
    SOURCE_GAVE_UP = "source_gave_up"
    SOURCE_DAMAGED = "source_damaged"
    FRAMES_MISSING = "frames_missing"
    FILES_CHANGED = "files_changed"
    OTHER_FILES_THAN_BEFORE = "other_files_than_before"
    WITHOUT_PARTNER = "without_partner"
    IMAGES_WITHOUT_PARTNER = "images_without_partner"
    ROWS_MAY_BE_OFF = "rows_may_be_off"
    OUTSIDE_OF_SOURCE = "outside_of_source"
    NOT_REGISTERED = "not_registered"
    METRIC_UNDEFINED = "metric_undefined"

    # What may make the scores of a run mean something else.
    COLOR_DIFFERS = "color_differs"
    DEPTH_DIFFERS = "depth_differs"
    ONE_IS_HDR = "one_is_hdr"
    GAPS_IN_SEQUENCE = "gaps_in_sequence"
    GAPS_IN_SOURCE = "gaps_in_source"
    GAPS_PUT_PAIRS_OFF = "gaps_put_pairs_off"
    GAPS_IN_BOTH = "gaps_in_both"
    NAMED_AS_OTHERS = "named_as_others"
    CROPPED = "cropped"
    RESIZE_STRETCHES = "resize_stretches"
    BARS_DIFFER = "bars_differ"
    OFFSET = "offset"
    LIGHT_CHANGES = "light_changes"
    SHIFT_FITS_BETTER = "shift_fits_better"
    OUT_OF_ORDER = "out_of_order"
    SOURCE_NOTED = "source_noted"
    UNMARKED_ORIGINALS = "unmarked_originals"
    CADENCE_SLIPS = "cadence_slips"
    ORIGINALS_UNLIKE = "originals_unlike"
    LEVELS_DIFFER = "levels_differ"

    # What to know about the regions of a run.
    REPORT_OF_OTHER_METHOD = "report_of_other_method"
    MASKS_OF_MAP = "masks_of_map"
    REGIONS_NOT_SOUGHT = "regions_not_sought"
    REGIONS_AWAITED = "regions_awaited"
    REGIONS_FAILED = "regions_failed"
    REGIONS_OF_OTHER_FRAMES = "regions_of_other_frames"
    REGIONS_OF_NO_FLAGGED_FRAME = "regions_of_no_flagged_frame"
    REGIONS_OF_MORE_FRAMES = "regions_of_more_frames"
    REGIONS_OF_NO_PAIR = "regions_of_no_pair"


@dataclass(frozen=True)
class Note:
    """One thing to know about a medium or a run."""

    code: str
    """A :class:`Code`, or the code of another package."""
    values: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The values in the sentence: JSON values, or notes."""

    def __str__(self) -> str:
        return sentence(self)

    def to_dict(self) -> dict[str, Any]:
        """The note as JSON values: ``{"code": ..., "values": {...}}``."""
        return {"code": str(self.code), "values": _to_json(self.values)}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Note:
        """The note of :meth:`to_dict`.

        Raises:
            ValueError: it is not the dictionary of a note.
        """
        note = _from_json(stored)
        if not isinstance(note, cls):
            raise ValueError(f"{stored!r} is not a note: it needs a code and values")
        return note


def sentence(note: Note) -> str:
    """The note as a person reads it.

    A code of a package that is not installed here is shown with its values.
    """
    template = SENTENCES.get(note.code)
    if template is None:
        shown = ", ".join(f"{name} {value}" for name, value in note.values.items())
        return f"{note.code.replace('_', ' ')}{f': {shown}' if shown else ''}"
    return template.format(**note.values) if isinstance(template, str) else template(**note.values)


def counted(number: int, noun: str) -> str:
    """ "1 frame", "2 frames"."""
    return f"{number} {noun}{'s' * (number != 1)}"


def value_names(template: Template) -> frozenset[str]:
    """The names of the values that a sentence is made from."""
    if isinstance(template, str):
        return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)
    return frozenset(inspect.signature(template).parameters)


def _to_json(value: Any) -> Any:
    if isinstance(value, Note):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {name: _to_json(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_json(item) for item in value]
    return value


def _from_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = {name: _from_json(item) for name, item in value.items()}
        is_note = set(items) == {"code", "values"} and isinstance(items["values"], Mapping)
        return Note(str(items["code"]), items["values"]) if is_note else items
    return [_from_json(item) for item in value] if isinstance(value, list) else value
