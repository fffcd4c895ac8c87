"""The sentence of every code: the only place where notes become text."""

from __future__ import annotations

from collections.abc import Mapping

from vfiscope.types.notes import SENTENCES, Code, Note, Template, counted
from vfiscope.types.pairing_sentences import OF_PAIRING
from vfiscope.types.region_sentences import OF_REGIONS
from vfiscope.types.time_lapse import date, duration

__all__: list[str] = []


def _several_streams(streams: int, stream: int, listed: str = "") -> str:
    which = f" ({listed})" if listed else ""
    return f"holds {streams} video streams{which}: stream {stream} is read"


OF_VIDEOS: dict[Code, Template] = {
    Code.SEVERAL_STREAMS: _several_streams,
    Code.PIXELS_NOT_SQUARE: "pixels are not square ({aspect}): they are read as stored",
    Code.ALPHA_ON_BLACK: "has an alpha channel: it is composited over black",
    Code.ALPHA_NOT_DECODED: (
        "has an alpha channel that its decoder does not decode: pixels are read as if opaque"
    ),
    Code.NO_TIMES: (
        "has no presentation times: frames are taken to follow each other at the average rate"
    ),
    Code.ROTATED: "stored frames are {orientation} for display",
    Code.ROTATION_IGNORED: (
        "its display matrix ({degrees} degrees) is not a quarter turn and is not applied"
    ),
    Code.INTERLACED: (
        "interlaced: both fields of a frame are read as one frame; --deinterlace bwdif makes"
        " whole ones"
    ),
    Code.DEINTERLACED: (
        "interlaced: every frame is made whole at the time of its first field (bwdif)"
    ),
    Code.HDR_AS_STORED: "HDR ({transfer}): code values are taken as stored",
    Code.HDR_TONE_MAPPED: "HDR ({transfer}): code values are tone mapped to SDR ({tonemap})",
    Code.FRAME_WITHOUT_TIME: (
        "frame {frame} has no time of its own: it follows the one before at the average rate"
    ),
    Code.CLOCK_RESTARTS: (
        "its clock starts again at frame {frame}, as in joined files: from there on, times are"
        " counted on"
    ),
    Code.TIME_NOT_INCREASING: "times do not increase at frame {frame}",
    Code.COLOR_CHANGES: "from frame {frame} on, colours are {matrix}, {range}, {transfer}",
    Code.GAVE_UP: (
        lambda path, packets, frames: (
            f"{path} is given up after {counted(packets, 'undecodable packet')} in a row"
            f" ({counted(frames, 'frame')} before them): repair or re-encode it"
        )
    ),
    Code.FILE_CUT_SHORT: (
        "its structure reaches to byte {end}, but the file ends at {size}: it is cut short by"
        " {missing} bytes"
    ),
    Code.CHECKSUMS_DIFFER: (
        "{parts} of its parts, the first at byte {first}, differ from their checksums: it is"
        " damaged"
    ),
    Code.STRUCTURE_BROKEN: "its structure makes no sense at byte {at}: it is damaged",
    Code.GIF_ENDS_EARLY: "its end mark comes before the end of the file: it is damaged",
    Code.GIF_BAD_BLOCK: "it holds {byte:#04x} where a block should begin: it is damaged",
    Code.TIME_SCALE_MISSING: "a track has no time scale (box mdhd): it is damaged",
    Code.GIF_WITHOUT_END: "the end mark of a GIF is missing: it is cut short",
}


def _other_files(count: int) -> str:
    what = "is not an image" if count == 1 else "are not images"
    return f"left out {counted(count, 'file')} that {what}"


def _numbering_gaps(before: int, after: int, missing: int, others: int, missing_in_all: int) -> str:
    first = f"numbering jumps from {before} to {after} ({missing} missing)"
    if not others:
        return first
    return f"{first}, and in {counted(others, 'other place')}: {missing_in_all} missing in all"


WORDS_OF_TIMES = {"exif": "EXIF", "name": "their names"}


def _names_against_times(how: str, file: str, at: str, before: str, before_at: str) -> str:
    return (
        f"times by {WORDS_OF_TIMES.get(how, how)} disagree with the order of names: {file}"
        f" ({date(at)}) comes after {before} ({date(before_at)}); frames are in the order of names"
        f" and counted at a rate: pass --time-from {how} for the order of time"
    )


def _taken(
    first: str,
    last: str,
    step_s: float,
    pauses: int,
    shortest_s: float,
    longest_s: float,
    daily: bool,
    how: str = "",
) -> str:
    source = f" (by {WORDS_OF_TIMES.get(how, how)})" if how else ""
    told = f"taken from {date(first)} to {date(last)}{source}"
    if step_s:
        told += f", every {duration(step_s)}"
    if not pauses:
        return told
    ends = list(dict.fromkeys([duration(shortest_s), duration(longest_s)]))
    kind = "night gap" if daily else "pause"
    return f"{told}, with {counted(pauses, kind)} of {' to '.join(ends)}"


OF_IMAGES: dict[Code, Template] = {
    Code.OTHER_FILES: _other_files,
    Code.MIXED_WITH_HEIC: lambda count, file: (
        f"left out {counted(count, 'image')} such as {file}: HEIC and other images are not read as"
        " one sequence"
    ),
    Code.FOLDERS_INSIDE: lambda count: f"left out {counted(count, 'folder')} inside",
    Code.NUMBERING_GAPS: _numbering_gaps,
    Code.NEGATIVE_NUMBERS: "numbers after a minus are negative: {file} is number {number}",
    Code.COUNTER_STARTS_AGAIN: (
        "the counter in the names starts again ({before}, {after}): images from {first} on are read"
        " first"
    ),
    Code.TAKEN: _taken,
    Code.TIMES_SHARED: (
        lambda count: (
            f"{counted(count, 'image')} with the time of the image before: spread within that"
            " second, in the order of names"
        )
    ),
    Code.CLOCK_WENT_BACK: (
        "from frame {row} on, at {at}, the clock is an hour back in an otherwise even sequence: it"
        " is taken for the end of summer time, and times from there on count an hour more"
    ),
    Code.CLOCK_WENT_FORWARD: (
        "before frame {row}, at {at}, an hour more passes than usual: a pause, or the start of"
        " summer time"
    ),
    Code.READ_BY_TIME: (
        "images are in the order of time, not of their names: {file} is frame {row}"
    ),
    Code.NAMES_AGAINST_TIMES: _names_against_times,
    Code.IMAGE_TRANSPARENT: "{file} is transparent: it is composited over black",
    Code.IMAGE_PAGES: "{file} holds {pages} images: only the first is read",
    Code.NOT_DATED: (
        "none of {count} images tells by EXIF or by its name when it was taken, so they are read as"
        " frames of a video: put the dates of a time-lapse into their names"
        " (2024-05-01_08-00-00.jpg), or pass the rate (--fps 0.01 for one in 100 s)"
    ),
    Code.NO_DURATIONS: (
        "some of its {images} images have no duration: frames follow each other at --fps"
    ),
    Code.IMAGE_UNREADABLE: "{reason}",
}


def _fewer_bits(highest: int, bits: int) -> str:
    scaled = "x.astype(np.uint8)" if bits == 8 else f"x << {16 - bits}"
    return (
        f"its values end at {highest} of 65535, as if they had {bits} bits, and are read as nearly"
        f" black: if they have, pass {scaled}"
    )


OF_ARRAYS: dict[Code, Template] = {Code.FEWER_BITS: _fewer_bits}


def _files_changed(file: str, others: int) -> str:
    more = f" and {counted(others, 'other file')}" if others else ""
    return f"{file}{more} changed while the run was reading: scores may be of neither state"


def _without_partner(count: int, role: str) -> str:
    other = "reference" if role == "test" else "test"
    return f"{_have(count, f'{role} frame')} no partner: the {other} is shorter; try --align auto"


def _have(count: int, noun: str) -> str:
    return f"{counted(count, noun)} {'has' if count == 1 else 'have'}"


def _lost_in(noun: str, words: str = "") -> Template:
    """The sentence about so many of something in a source."""
    return lambda count, role, path: f"{counted(count, noun)}{words} in {role} {path}"


def _not_registered(reasons: Mapping[str, int]) -> str:
    listed = ", ".join(f"{n} {reason.replace('_', ' ')}" for reason, n in reasons.items())
    count = sum(reasons.values())
    return (
        f"{counted(count, 'frame')} could not be registered and"
        f" {'was scored as it is' if count == 1 else 'were scored as they are'} ({listed})"
    )


OF_PARTIAL_RUNS: dict[Code, Template] = {
    Code.CORRUPT: _lost_in("corrupt frame"),
    Code.UNREADABLE: _lost_in("unreadable frame"),
    Code.UNDECODABLE: _lost_in("undecodable packet", " without a row"),
    Code.BROKEN: _lost_in("damaged packet"),
    Code.SHORT: _lost_in("missing frame", " at the end, by the claimed duration,"),
    Code.SURPLUS: _lost_in("frame", " more than claimed, as if a part were there twice,"),
    Code.LOST: _lost_in("packet", " without a frame"),
    Code.HIDDEN: _lost_in("frame", " marked as not to be shown, though not at an end,"),
    Code.SOURCE_GAVE_UP: "{role} {note}",
    Code.SOURCE_DAMAGED: "{role} {path}: {note}",
    Code.FRAMES_MISSING: (
        lambda count, role, path: (
            f"{counted(count, 'frame')} that {role} {path} claims"
            f" {'is' if count == 1 else 'are'} not there: it may be cut short"
        )
    ),
    Code.FILES_CHANGED: _files_changed,
    Code.OTHER_FILES_THAN_BEFORE: (
        "{path} holds other files than when the run began: scores may be of neither state"
    ),
    Code.WITHOUT_PARTNER: _without_partner,
    Code.IMAGES_WITHOUT_PARTNER: (
        lambda count, role: (
            f"{_have(count, f'{role} image')} no partner: pass as many on both sides"
        )
    ),
    Code.ROWS_MAY_BE_OFF: (
        lambda role, count: (
            f"{role} lost {counted(count, 'frame')} on the way without a"
            " row: later pairs may be off"
        )
    ),
    Code.OUTSIDE_OF_SOURCE: (
        lambda count: (
            f"{counted(count, 'test frame')} {'lies' if count == 1 else 'lie'} outside of the"
            " source: not scored"
        )
    ),
    Code.NOT_REGISTERED: _not_registered,
    Code.METRIC_UNDEFINED: (
        lambda metric, role: f"{metric} is defined for no {role} frame".replace("no all", "no")
    ),
}


def _color_differs(
    what: str,
    role: str,
    value: str,
    decided_by: str,
    other: str,
    other_value: str,
    other_decided_by: str,
) -> str:
    name = "colour matrix" if what == "matrix" else what
    return (
        f"{name} differs: {role} is read as {value} ({decided_by}), "
        f"{other} as {other_value} ({other_decided_by})"
    )


def _depth_differs(role: str, bits: int, other: str, other_bits: int) -> str:
    return f"depth differs: {role} has {_bits(bits)}, {other} has {_bits(other_bits)}"


def _bits(depth: int) -> str:
    return "8 bits" if depth == 8 else "more than 8 bits"


def _gaps_put_pairs_off(
    role: str, path: str, gaps: Note, missing: int, other: str, other_path: str
) -> str:
    off = "one" if missing == 1 else missing
    return (
        f"{role} {path}: {gaps}; unless {other} {other_path} lacks it too, frames from there on are"
        f" paired {off} off: add what is missing, or pass --align auto"
    )


def _bars_differ(test: str, role: str, other: str) -> str:
    told = [
        f"{who} has black bars ({bars})"
        for who, bars in (("test", test), (role, other))
        if bars != "none"
    ]
    alone = f", {role if other == 'none' else 'test'} has none" if len(told) == 1 else ""
    return f"{', '.join(told)}{alone}: pass --crop bars to leave them out"


def _light_changes(frame: int, red: float, green: float, blue: float, step_at: int | None) -> str:
    how = "drifts" if step_at is None else f"steps at frame {step_at}"
    return (
        f"the light {how}: frame {frame} is {red:.2f} (red), {green:.2f} (green), {blue:.2f} (blue)"
        " times as bright as the golden frame; scores see that too, segments of kind change do not"
    )


def _offset(dx: float, dy: float, role: str, share: float, method: str) -> str:
    return (
        f"the test lies ({dx:+z.2f}, {dy:+z.2f}) px off the {role}, to the right and down, in"
        f" {share:.0%} of the frames examined: pass --register {method} to compare it in place"
    )


WARNINGS: dict[Code, Template] = {
    Code.COLOR_DIFFERS: _color_differs,
    Code.DEPTH_DIFFERS: _depth_differs,
    Code.ONE_IS_HDR: "only one is HDR: {role} {transfer}, {other} {other_transfer}",
    Code.GAPS_IN_SEQUENCE: (
        "{role} {path}: {gaps}; frames are taken to follow each other: add what is missing"
    ),
    Code.GAPS_IN_SOURCE: "{role} {path}: {gaps}",
    Code.GAPS_PUT_PAIRS_OFF: _gaps_put_pairs_off,
    Code.NAMED_AS_OTHERS: (
        "test images are named as reference images of other rows: {file} as frame {named}, but it"
        " is paired with {partner}; pass --align auto if they are the frames of these names"
    ),
    Code.GAPS_IN_BOTH: "{role} {path}: {gaps}, as in the other: pairs stay right",
    Code.CROPPED: "{role} is cropped to {size} pixels ({box})",
    Code.RESIZE_STRETCHES: (
        "--resize stretches the test from {size} ({aspect}) to {other_size} ({other_aspect}): pass"
        " the part that both show to --crop and --crop-ref, --crop bars where these are black bars,"
        " or add --register sift"
    ),
    Code.BARS_DIFFER: _bars_differ,
    Code.OFFSET: _offset,
    Code.LIGHT_CHANGES: _light_changes,
    Code.SOURCE_NOTED: "{role} {path}: {note}",
    Code.LEVELS_DIFFER: (
        "synthesised frames have another level than passed ones, by {level_y:+.1f} code values in"
        " luma, {level_cb:+.1f} in Cb, {level_cr:+.1f} in Cr: the clip flickers"
    ),
}

for _each in (
    *(OF_VIDEOS, OF_IMAGES, OF_ARRAYS, OF_PARTIAL_RUNS),
    *(WARNINGS, OF_PAIRING, OF_REGIONS),
):
    for _code, _template in _each.items():
        SENTENCES.add(_code, _template)
